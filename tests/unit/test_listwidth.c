/* SPDX-License-Identifier: MIT */
/* Whatever apps are called and say, at every width: all rows of a table are equally wide, none is
 * wider than the terminal, no state and no number is cut, nothing controls the terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "client/listview.h"
#include "common/mem.h"

#define CASES 1500
#define NOW   1763820000000LL
#define APPS  5

static uint64_t seed, rnd;
static unsigned at_case;

static unsigned dice(unsigned n)
{
	rnd = rnd * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(rnd >> 33) % n;
}

#define CHECK(cond, line)                                                                          \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fail_msg("seed %llu, case %u: %s: \"%s\"", (unsigned long long)seed,       \
				 at_case, #cond, line);                                            \
		}                                                                                  \
	} while (0)

/* --- what others may send us --- */

static const char *const pieces[] = {
	"a",
	"web",
	"-",
	".",
	"0",
	" ",
	"日本",
	"e\u0301",
	"\u200d",
	"👩‍👩‍👧",
	"ﷺ",
	"\u202e",
	"\033[2J",
	"\033]0;x\a",
	"\n",
	"\r",
	"\t",
	"\x7f",
	"\xc2\x9b",
	"ｆｕｌｌ",
	"\u0300\u0301\u0302",
	"exited 1 after 0.4s",
	"…",
	"\ufe0f",
};

/* Text that JSON can carry; what is no UTF-8 the parser refuses before we see it. */
static json_t *some_text(unsigned most)
{
	struct buf b = {0};
	for (unsigned n = dice(most + 1); n > 0; n--) {
		buf_adds(&b, pieces[dice(ARRAY_LEN(pieces))]);
	}
	json_t *s = json_stringn(b.data ? b.data : "", b.len);
	assert_non_null(s);
	buf_finish(&b);
	return s;
}

static json_t *some_name(void)
{
	static const char chars[] = "abcXYZ019._-";
	char name[41];
	size_t n = 1 + dice(40);
	if (dice(5) == 0) {
		return some_text(6);
	}
	for (size_t i = 0; i < n; i++) {
		name[i] = chars[dice(sizeof(chars) - 1)];
	}
	return json_stringn(name, n);
}

static json_t *some_number(int64_t most)
{
	switch (dice(5)) {
	case 0:
		return json_null();
	case 1:
		return json_integer(0);
	case 2:
		return json_integer(most);
	default:
		return json_integer(
			(json_int_t)(((uint64_t)dice(1u << 30) << 20) % (uint64_t)most));
	}
}

static json_t *some_past(void)
{
	json_t *past = json_array();
	for (unsigned n = dice(3) * 8; n > 0; n--) {
		json_array_append_new(past, some_number(INT64_C(1) << 50));
	}
	return past;
}

static const char *some_state(void)
{
	static const char *const states[] = {"online",	"starting", "stopping",
					     "stopped", "backoff",  "failed",
					     "done",	"degraded", "newfangled"};
	return states[dice(ARRAY_LEN(states))];
}

static void set(json_t *o, const char *key, json_t *v)
{
	assert_int_equal(json_object_set_new(o, key, v), 0);
}

static void add_figures(json_t *o)
{
	set(o, "state", json_string(some_state()));
	set(o, "restarts", some_number(UINT32_MAX));
	set(o, "up_ms", some_number(INT64_C(1) << 42));
	set(o, "mem_bytes", some_number(INT64_C(1) << 50));
	set(o, "cpu_pct", dice(3) ? json_real(dice(400000) / 3.) : json_null());
	set(o, "note", some_text(8));
	set(o, "mem_history", some_past());
	set(o, "leak", dice(2) ? json_object() : json_null());
	if (dice(2)) {
		set(o, "last_exit",
		    json_pack("{s:s, s:b, s:s}", "signal", "SIGSEGV", "core", dice(2), "at",
			      "2025-11-22T13:49:00.000Z"));
	}
}

static json_t *some_app(void)
{
	json_t *app = json_object(), *procs = json_array();
	unsigned n = dice(4);
	add_figures(app);
	set(app, "name", some_name());
	set(app, "namespace", dice(2) ? some_name() : json_null());
	set(app, "mode", json_string(dice(2) ? "cluster" : "fork"));
	set(app, "user", some_name());
	set(app, "ready_by", json_string("listening"));
	set(app, "instances", some_number(1000));
	set(app, "online", some_number(1000));
	set(app, "memory_max", some_number(INT64_C(1) << 50));
	for (unsigned i = 0; i < n; i++) {
		json_t *p = json_object();
		add_figures(p);
		set(p, "slot", json_integer(dice(1000)));
		set(p, "id", some_number(1000000));
		set(p, "pid", some_number(4194304));
		set(p, "fds", some_number(1048576));
		set(p, "ready_ms", some_number(30000));
		json_array_append_new(procs, p);
	}
	set(app, "procs", procs);
	return app;
}

/* --- what must hold --- */

static void drop_colour(char *s)
{
	char *to = s;
	while (*s) {
		if (s[0] == '\033' && s[1] == '[') {
			s += strcspn(s, "m") + 1;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

/* By the C library, not by what the table itself measures with. */
static int width_of(const char *line)
{
	wchar_t wide[4096];
	size_t n = mbstowcs(wide, line, ARRAY_LEN(wide));
	CHECK(n != (size_t)-1 && n < ARRAY_LEN(wide), line);
	int width = wcswidth(wide, n);
	CHECK(width >= 0, line);
	return width;
}

static void shows(const char *line, const json_t *o, const char *key, const char *heading,
		  const char *title)
{
	char text[32];
	const json_t *v = json_object_get(o, key);
	if (heading && strstr(heading, title) && json_is_integer(v)) {
		snprintf(text, sizeof(text), " %lld", (long long)json_integer_value(v));
		CHECK(strstr(line, text), line);
	}
}

/* The rows in the order they are printed in. */
static void rows_of(const json_t *apps, bool instances, const json_t **row, size_t *n)
{
	*n = 0;
	for (size_t i = 0; i < json_array_size(apps); i++) {
		const json_t *app = json_array_get(apps, i);
		const json_t *procs = json_object_get(app, "procs");
		row[(*n)++] = app;
		for (size_t k = 0;
		     instances && json_array_size(procs) > 1 && k < json_array_size(procs); k++) {
			row[(*n)++] = json_array_get(procs, k);
		}
	}
}

static void check_frame(const struct listview *v, const json_t *apps, char *text)
{
	const json_t *row[APPS * 4];
	const char *heading = NULL;
	size_t n, at = 0;
	int wide = -1;
	rows_of(apps, v->instances, row, &n);
	for (char *save, *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		int width = width_of(line);
		CHECK(wide < 0 || width == wide, line);
		CHECK(v->width == 0 || width <= (int)v->width, line);
		wide = width;
		if (!heading && (v->width == 0 || v->width >= 60)) {
			heading = line;
			continue;
		}
		CHECK(at < n, line);
		CHECK(strstr(line, json_string_value(json_object_get(row[at], "state"))), line);
		shows(line, row[at], "pid", heading, " PID");
		shows(line, row[at], "restarts", heading, " RST");
		at++;
	}
	assert_int_equal(at, n);
}

static void no_row_breaks(void **state)
{
	(void)state;
	for (at_case = 0; at_case < CASES; at_case++) {
		struct buf out = {0};
		json_t *apps = json_array();
		struct listview v = {.instances = dice(2),
				     .color = dice(2),
				     .utf8 = dice(2),
				     .pad = true,
				     .width = dice(20) ? 20 + dice(281) : 0,
				     .now_ms = NOW};
		for (unsigned n = 1 + dice(APPS); n > 0; n--) {
			json_array_append_new(apps, some_app());
		}
		listview_print(&v, apps, &out);
		drop_colour(out.data);
		check_frame(&v, apps, out.data);
		buf_finish(&out);
		json_decref(apps);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(no_row_breaks)};
	const char *text = getenv("PMCTL_SEED");
	seed = rnd = text ? strtoull(text, NULL, 10) : (uint64_t)time(NULL);
	print_message("PMCTL_SEED=%llu\n", (unsigned long long)seed);
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
