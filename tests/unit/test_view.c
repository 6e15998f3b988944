/* SPDX-License-Identifier: MIT */
/* What a terminal gets: colour by the rules, tables of any width, bytes that cannot control it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "client/color.h"
#include "client/listview.h"
#include "client/logview.h"
#include "common/mem.h"

static void colour_by_the_rules(void **state)
{
	(void)state;
	static const struct {
		enum color_when when;
		struct color_env env;
		bool tty, want;
	} cases[] = {
		{COLOR_AUTO, {0}, true, true},
		{COLOR_AUTO, {0}, false, false},
		{COLOR_AUTO, {.no_color = "1"}, true, false},
		{COLOR_AUTO, {.no_color = ""}, true, true},
		{COLOR_AUTO, {.term = "dumb"}, true, false},
		{COLOR_AUTO, {.clicolor_force = "1"}, false, true},
		{COLOR_AUTO, {.clicolor_force = "0"}, false, false},
		{COLOR_AUTO, {.force_color = "1", .no_color = "1"}, false, false},
		{COLOR_AUTO, {.clicolor = "0"}, true, false},
		{COLOR_ALWAYS, {.no_color = "1"}, false, true},
		{COLOR_NEVER, {.force_color = "1"}, true, false},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (color_decide(cases[i].when, &cases[i].env, cases[i].tty) != cases[i].want) {
			fail_msg("case %zu", i);
		}
	}
	enum color_when when;
	assert_true(color_parse("always", &when) && when == COLOR_ALWAYS);
	assert_false(color_parse("yes", &when));
}

static json_t *apps(void)
{
	static const char text[] = "[{\"name\":\"an-app-with-a-rather-long-name-of-forty-chars\","
				   "\"project\":\"p\",\"namespace\":\"ns\",\"mode\":\"fork\","
				   "\"state\":\"online\",\"instances\":12,\"online\":12,"
				   "\"restarts\":3,\"cpu_pct\":120.5,\"mem_bytes\":1073741824,"
				   "\"note\":\"a note \u4e2d\u6587 that is far too long for any "
				   "terminal anybody uses today\",\"up_ms\":123456789,"
				   "\"procs\":[{\"id\":7,\"slot\":0,\"pid\":123,\"state\":"
				   "\"online\",\"up_ms\":1,\"restarts\":3,\"cpu_pct\":1,"
				   "\"mem_bytes\":5,\"fds\":3,\"threads\":1,\"listen\":[],\"last_"
				   "exit\":null,\"note\":\"\"}]},"
				   "{\"name\":\"b\",\"project\":\"p\",\"namespace\":null,\"mode\":"
				   "\"fork\",\"state\":\"failed\",\"instances\":1,\"online\":0,"
				   "\"restarts\":0,\"cpu_pct\":null,\"mem_bytes\":null,\"note\":"
				   "\"\",\"up_ms\":null,\"procs\":[]}]";
	json_t *v = json_loads(text, 0, NULL);
	assert_non_null(v);
	return v;
}

static size_t widest(const char *text)
{
	size_t most = 0;
	while (*text) {
		wchar_t line[2000];
		size_t len = strcspn(text, "\n");
		char *copy = xstrndup(text, len);
		size_t n = mbstowcs(line, copy, ARRAY_LEN(line));
		assert_true(n != (size_t)-1);
		int width = wcswidth(line, n);
		most = width > 0 && (size_t)width > most ? (size_t)width : most;
		free(copy);
		text += len + (text[len] == '\n');
	}
	return most;
}

static void a_table_fits_every_width(void **state)
{
	(void)state;
	json_t *a = apps();
	for (size_t width = 20; width <= 220; width++) {
		struct listview v = {
			.width = width, .utf8 = true, .instances = true, .now_ms = 1763820000000};
		struct buf out = {0};
		listview_print(&v, a, &out);
		if (widest(out.data) > width) {
			fail_msg("width %zu:\n%s", width, out.data);
		}
		assert_non_null(strstr(out.data, "failed"));
		buf_finish(&out);
	}
	json_decref(a);
}

static void a_pipe_gets_everything(void **state)
{
	(void)state;
	json_t *a = apps();
	struct listview v = {.piped = true};
	struct buf out = {0};
	listview_print(&v, a, &out);
	assert_non_null(strstr(out.data, "an-app-with-a-rather-long-name-of-forty-chars"));
	assert_non_null(strstr(out.data, "anybody uses today"));
	size_t lines = 0;
	for (const char *s = out.data; *s; s++) {
		lines += *s == '\n';
	}
	assert_int_equal(lines, 3);
	assert_null(strchr(out.data, '\033'));
	buf_finish(&out);
	json_decref(a);
}

static void times(void **state)
{
	(void)state;
	assert_int_equal(listview_parse_time("2025-11-22T14:00:00.250Z"), 1763820000250LL);
	assert_int_equal(listview_parse_time("yesterday"), -1);
}

static void lines_of_a_log(void **state)
{
	(void)state;
	struct logsrc src = {.app = (char *)(uintptr_t) "web", .slot = 2, .stream = LOG_ERR};
	static const char text[] = "a\033]0;t\007b\033[31mred\302\233\r";
	struct logline l = {
		.t_ns = 1763820000250000000, .data = text, .len = sizeof(text) - 1, .pid = 9};
	struct logview v = {.form = LOGVIEW_NAMED, .pad = 8};
	struct buf out = {0};
	setenv("TZ", "UTC", 1);
	tzset();
	logview_line(&v, &src, 0, &l, &out);
	assert_string_equal(out.data,
			    "14:00:00.250 web:2    ! a\\x1b]0;t\\x07b\033[31mred\\xc2\\x9b\n");
	buf_reset(&out);
	v.form = LOGVIEW_RAW;
	logview_line(&v, &src, 0, &l, &out);
	assert_int_equal(out.len, sizeof(text));
	assert_memory_equal(out.data, text, sizeof(text) - 1);
	buf_reset(&out);
	v.form = LOGVIEW_JSON;
	logview_line(&v, &src, 0, &l, &out);
	json_t *o = json_loadb(out.data, out.len, 0, NULL);
	assert_non_null(o);
	assert_int_equal(json_integer_value(json_object_get(o, "seq")), 3);
	assert_int_equal(json_integer_value(json_object_get(o, "pid")), 9);
	assert_string_equal(json_string_value(json_object_get(o, "stream")), "err");
	assert_string_equal(json_string_value(json_object_get(o, "t")), "2025-11-22T14:00:00.250Z");
	json_decref(o);
	buf_finish(&out);
}

/* Raw: a line that is not finished gets its newline only before the line of somebody else. */
static void raw_lines_without_newline(void **state)
{
	(void)state;
	struct logsrc src = {.app = (char *)(uintptr_t) "web"};
	struct logview v = {.form = LOGVIEW_RAW};
	struct logline open = {.data = "x", .len = 1, .open = true},
		       whole = {.data = "y", .len = 1};
	struct buf out = {0};
	logview_line(&v, &src, 0, &open, &out);
	assert_string_equal(out.data, "x");
	logview_line(&v, &src, 0, &whole, &out);
	assert_string_equal(out.data, "x\ny\n");
	buf_finish(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(colour_by_the_rules),
		cmocka_unit_test(a_table_fits_every_width),
		cmocka_unit_test(a_pipe_gets_everything),
		cmocka_unit_test(times),
		cmocka_unit_test(lines_of_a_log),
		cmocka_unit_test(raw_lines_without_newline),
	};
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
