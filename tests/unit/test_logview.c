/* SPDX-License-Identifier: MIT */
#include "client/logview.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/mem.h"

#define NOON INT64_C(1763812800000) /* 2025-11-22T12:00:00Z */

static struct logline line(const char *text, size_t len)
{
	return (struct logline){.t_ns = NOON * 1000000, .data = text, .len = len};
}

static struct logsrc source(const char *app, int slot, enum log_stream stream)
{
	return (struct logsrc){.app = (char *)(uintptr_t)app, .slot = slot, .stream = stream};
}

static void assert_named(const struct logview *like, const struct logsrc *src, const char *text,
			 size_t len, const char *want)
{
	struct logview v = *like;
	struct logline l = line(text, len);
	struct buf out = {0};
	logview_line(&v, src, 0, &l, &out);
	assert_string_equal(out.data, want);
	assert_int_equal(out.len, strlen(want));
	buf_finish(&out);
}

static void names(void **state)
{
	(void)state;
	static const char longest[] = "forty-characters-are-the-most-of-a-name-";
	char out[64];
	logview_name("web", 0, out, sizeof(out));
	assert_string_equal(out, "web:0");
	logview_name("web", -1, out, sizeof(out));
	assert_string_equal(out, "web");
	logview_name(longest, 4095, out, sizeof(out));
	assert_string_equal(out, "forty-characters-are-the-most-of-a-name-:4095");
}

static void the_time_is_local(void **state)
{
	(void)state;
	struct logsrc src = source("a", 0, LOG_OUT);
	struct logview v = {.pad = 3};
	setenv("TZ", "IST-5:30", 1);
	tzset();
	assert_named(&v, &src, "x", 1, "17:30:00.000 a:0   x\n");
	setenv("TZ", "EST5", 1);
	tzset();
	assert_named(&v, &src, "x", 1, "07:00:00.000 a:0   x\n");
	setenv("TZ", "UTC", 1);
	tzset();
	/* Just before the epoch, and cut to milliseconds. */
	struct logline l = {.t_ns = 999999, .data = "x", .len = 1};
	struct buf out = {0};
	logview_line(&v, &src, 0, &l, &out);
	assert_string_equal(out.data, "00:00:00.000 a:0   x\n");
	buf_finish(&out);
}

static void bytes_of_an_app(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t len;
		const char *shown;
	} rows[] = {
		{"", 0, ""},
		{"\r", 1, ""},
		{"a\rb\r", 4, "a\\x0db"},
		{"a\r\r", 3, "a\\x0d"},
		{"a\0b", 3, "a\\x00b"},
		{"\tx", 2, "\tx"},
		{"\033[1;31mx\033[0m", 12, "\033[1;31mx\033[0m"},
		{"\033[2K\033[1A", 8, "\\x1b[2K\\x1b[1A"},
		{"\033[31", 4, "\\x1b[31"},
		{"\033]8;;http://x\033\\", 15, "\\x1b]8;;http://x\\x1b\\"},
		{"\x9b"
		 "31m",
		 4, "\\x9b31m"},
		{"\xff\xfe", 2, "\\xff\\xfe"},
		{"\xe4\xb8", 2, "\\xe4\\xb8"},
		{"中é", 5, "中é"},
		{"\u202e", 3, "\\xe2\\x80\\xae"},
		{"\x7f\b", 2, "\\x7f\\x08"},
	};
	struct logsrc src = source("a", 0, LOG_OUT);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char want[200];
		snprintf(want, sizeof(want), "12:00:00.000 a:0   %s\n", rows[i].shown);
		assert_named(&(struct logview){.tty = true}, &src, rows[i].text, rows[i].len, want);
		/* In a pipe too: it may end at a pager. */
		assert_named(&(struct logview){0}, &src, rows[i].text, rows[i].len, want);
	}
}

static void colours(void **state)
{
	(void)state;
	struct logview v = {.color = true, .pad = 6};
	struct logsrc out = source("web", 0, LOG_OUT);
	struct logsrc err = source("web", 0, LOG_ERR);
	assert_named(&v, &out, "x", 1, "12:00:00.000 \033[36mweb:0 \033[0m   x\n");
	assert_named(&v, &err, "x", 1, "12:00:00.000 \033[36mweb:0 \033[0m \033[33m!\033[0m x\n");
	/* What an app leaves on does not go on into the next line. */
	assert_named(&v, &out, "\033[31mred", 8,
		     "12:00:00.000 \033[36mweb:0 \033[0m   \033[31mred\033[0m\n");
	assert_named(&v, &out, "a\033[0m", 5,
		     "12:00:00.000 \033[36mweb:0 \033[0m   a\033[0m\033[0m\n");
}

static void the_name_of_a_whole_app(void **state)
{
	(void)state;
	struct logsrc src = source("web", -1, LOG_BOTH);
	assert_named(&(struct logview){.pad = 5}, &src, "x", 1, "12:00:00.000 web     x\n");
	assert_named(&(struct logview){.pad = 0}, &src, "x", 1, "12:00:00.000 web   x\n");
}

static json_t *as_json(struct logview *v, const struct logsrc *src, const struct logline *l)
{
	struct buf out = {0};
	logview_line(v, src, 0, l, &out);
	assert_ptr_equal(memchr(out.data, '\n', out.len), out.data + out.len - 1);
	json_t *o = json_loadb(out.data, out.len, JSON_ALLOW_NUL, NULL);
	assert_true(json_is_object(o));
	assert_int_equal(json_object_size(o), 8);
	assert_int_equal(json_integer_value(json_object_get(o, "v")), 1);
	buf_finish(&out);
	return o;
}

static void json_of_any_bytes(void **state)
{
	(void)state;
	static const char text[] = "a\0\"\\\r\t\033[1m\xff\xe4\xb8中\x7f";
	static const char want[] = "a\0\"\\\r\t\033[1m\uFFFD\uFFFD\uFFFD中\x7f";
	struct logview v = {.form = LOGVIEW_JSON, .color = true};
	struct logsrc src = source("web", -1, LOG_BOTH);
	struct logline l = line(text, sizeof(text) - 1);
	json_t *o = as_json(&v, &src, &l);
	const json_t *msg = json_object_get(o, "msg");
	assert_int_equal(json_string_length(msg), sizeof(want) - 1);
	assert_memory_equal(json_string_value(msg), want, sizeof(want) - 1);
	assert_true(json_is_null(json_object_get(o, "slot")));
	assert_true(json_is_null(json_object_get(o, "pid")));
	assert_string_equal(json_string_value(json_object_get(o, "stream")), "both");
	assert_string_equal(json_string_value(json_object_get(o, "app")), "web");
	json_decref(o);
	src = source("web", 0, LOG_OUT);
	l = line("", 0);
	o = as_json(&v, &src, &l);
	assert_int_equal(json_integer_value(json_object_get(o, "seq")), 2);
	assert_true(json_is_integer(json_object_get(o, "slot")));
	assert_string_equal(json_string_value(json_object_get(o, "msg")), "");
	json_decref(o);
}

/* The bytes as they came: with every newline it had, and none it had not. */
static void raw_bytes(void **state)
{
	(void)state;
	struct logview v = {.form = LOGVIEW_RAW};
	struct logsrc src = source("web", 0, LOG_OUT);
	struct buf out = {0};
	struct logline l[] = {line("\033[2J\xff\r", 6), line("", 0), line("piece", 5),
			      line(" of it", 6), line("half", 4)};
	l[2].cut = true;
	l[4].open = true;
	for (size_t i = 0; i < ARRAY_LEN(l); i++) {
		logview_line(&v, &src, 0, &l[i], &out);
	}
	assert_string_equal(out.data, "\033[2J\xff\r\n\npiece of it\nhalf");
	assert_int_equal(v.seq, 5);
	logview_line(&v, &src, 0, &l[4], &out);
	assert_string_equal(out.data, "\033[2J\xff\r\n\npiece of it\nhalf\nhalf");
	buf_finish(&out);
}

/* Pieces of one long line with a line of another stream between them. */
static void raw_pieces_of_two(void **state)
{
	(void)state;
	struct logview v = {.form = LOGVIEW_RAW};
	struct logsrc a = source("a", 0, LOG_OUT), b = source("b", 0, LOG_OUT);
	struct logline l[] = {line("AAA", 3), line("bbb", 3), line("AA", 2)};
	struct buf out = {0};
	l[0].cut = true;
	logview_line(&v, &a, 0, &l[0], &out);
	logview_line(&v, &b, 0, &l[1], &out);
	logview_line(&v, &a, 0, &l[2], &out);
	logview_line(&v, &b, 0, &l[1], &out);
	assert_string_equal(out.data, "AAA\nbbb\nAA\nbbb\n");
	buf_finish(&out);
}

static void assert_event(const struct logview *v, const char *json, const char *want)
{
	struct buf out = {0};
	json_t *e = json_loads(json, 0, NULL);
	assert_non_null(e);
	logview_event(v, e, &out);
	assert_string_equal(out.data, want);
	json_decref(e);
	buf_finish(&out);
}

static void events(void **state)
{
	(void)state;
	static const char full[] = "{\"t\":\"2025-11-22T12:00:01.118Z\",\"app\":\"web\",\"slot\":2,"
				   "\"text\":\"exit 1\\n\\u001b[31m\"}";
	struct logview v = {.pad = 7};
	assert_event(&v, full, "12:00:01.118 web:2   - exit 1\\x0a\\x1b[31m\n");
	v.utf8 = true;
	assert_event(&v, full, "12:00:01.118 web:2   ─ exit 1\\x0a\\x1b[31m\n");
	v.color = true;
	assert_event(&v, full,
		     "12:00:01.118 \033[2mweb:2  \033[0m \033[2m─ exit 1\\x0a\\x1b[31m\033[0m\n");
	v = (struct logview){.pad = 7};
	/* Of an app as a whole, and of the daemon itself. */
	assert_event(&v, "{\"t\":\"2025-11-22T12:00:01.118Z\",\"app\":\"web\",\"slot\":null}",
		     "12:00:01.118 web     - \n");
	assert_event(&v, "{\"t\":\"2025-11-22T12:00:01.118Z\",\"app\":\"\\u001b[2J\"}",
		     "12:00:01.118 \\x1b[2J - \n");
	assert_event(&v, "{\"t\":\"2025-11-22T12:00:01.118Z\",\"app\":null,\"text\":\"x\"}",
		     "12:00:01.118 pmctld  - x\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(the_time_is_local),
		cmocka_unit_test(bytes_of_an_app),
		cmocka_unit_test(colours),
		cmocka_unit_test(the_name_of_a_whole_app),
		cmocka_unit_test(json_of_any_bytes),
		cmocka_unit_test(raw_bytes),
		cmocka_unit_test(raw_pieces_of_two),
		cmocka_unit_test(events),
	};
	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
