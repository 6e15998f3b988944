/* SPDX-License-Identifier: MIT */
#include "client/listview.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/utf8.h"
#include "jsonquote.h"

#define NOW 1763820000000LL /* 2025-11-22T14:00:00Z */

/* A single instance, a cluster of two of which one fails, one that does not run. */
static const char three_apps[] =
	"[{'name': 'api', 'namespace': 'shop', 'mode': 'fork', 'state': 'online', 'instances': 1,"
	"  'online': 1, 'restarts': 0, 'cpu_pct': 99.5, 'mem_bytes': 52428800, 'note': '',"
	"  'up_ms': 61000, 'procs': ["
	"    {'id': 0, 'slot': 0, 'pid': 11, 'state': 'online', 'up_ms': 61000, 'restarts': 0,"
	"     'cpu_pct': 99.5, 'mem_bytes': 52428800, 'fds': 20,"
	"     'last_exit': {'code': 1, 'at': '2025-11-22T13:49:00.000Z'}}]},"
	" {'name': 'web', 'namespace': null, 'mode': 'cluster', 'state': 'degraded',"
	"  'instances': 2, 'online': 1, 'restarts': 7, 'cpu_pct': 0.4, 'mem_bytes': 1048576,"
	"  'note': '1 of 2 online', 'up_ms': null, 'procs': ["
	"    {'id': 1, 'slot': 0, 'pid': 21, 'state': 'online', 'up_ms': 3600000, 'restarts': 0,"
	"     'cpu_pct': 0.4, 'mem_bytes': 1048576, 'fds': 9},"
	"    {'id': 2, 'slot': 1, 'pid': null, 'state': 'backoff', 'up_ms': null, 'restarts': 7,"
	"     'cpu_pct': null, 'mem_bytes': null, 'fds': null, 'note': 'exit 2, again in 3s'}]},"
	" {'name': 'job', 'namespace': null, 'mode': 'fork', 'state': 'stopped', 'instances': 1,"
	"  'online': 0, 'restarts': 0, 'cpu_pct': null, 'mem_bytes': null, 'note': '',"
	"  'up_ms': null, 'procs': []}]";

static void expect(const struct listview *like, const char *apps, const char *want)
{
	struct listview v = *like;
	struct buf out = {0};
	json_t *a = json(apps);
	v.now_ms = NOW;
	listview_print(&v, a, &out);
	assert_string_equal(out.data, want);
	json_decref(a);
	buf_finish(&out);
}

static void at_200_columns(void **state)
{
	(void)state;
	expect(&(struct listview){.width = 200, .utf8 = true}, three_apps,
	       "  APP  NS    INST  STATE     ID  MODE     PID    UP  RST   CPU    MEM  FD  NOTE\n"
	       "● api  shop   1/1  online     0  fork      11  1m1s    0  100%  50.0M  20  "
	       "exit 1 11m ago\n"
	       "▲ web  -      1/2  degraded      cluster       1h0m    7    0%   1.0M   9  "
	       "1 of 2 online\n"
	       "○ job  -      0/1  stopped    -  fork       -     -    0     -      -   -\n"
	       "\n"
	       "3 apps, 2 of 4 instances online. Why: pmctl why web\n");
}

static void at_80_columns(void **state)
{
	(void)state;
	expect(&(struct listview){.width = 80}, three_apps,
	       "  APP  INST  STATE       UP  RST   CPU    MEM  NOTE\n"
	       "* api   1/1  online    1m1s    0  100%  50.0M  exit 1 11m ago\n"
	       "! web   1/2  degraded  1h0m    7    0%   1.0M  1 of 2 online\n"
	       "o job   0/1  stopped      -    0     -      -\n"
	       "\n"
	       "3 apps, 2 of 4 instances online. Why: pmctl why web\n");
	expect(&(struct listview){.width = 80, .utf8 = true, .instances = true}, three_apps,
	       "  APP      INST  STATE     ID  PID    UP  RST   CPU    MEM  NOTE\n"
	       "● api       1/1  online     0   11  1m1s    0  100%  50.0M  exit 1 11m ago\n"
	       "▲ web       1/2  degraded           1h0m    7    0%   1.0M  1 of 2 online\n"
	       "● ├ web:0        online     1   21  1h0m    0    0%   1.0M\n"
	       "◐ └ web:1        backoff    2    -     -    7     -      -  exit 2, again in 3s\n"
	       "○ job       0/1  stopped    -    -     -    0     -      -\n"
	       "\n"
	       "3 apps, 2 of 4 instances online. Why: pmctl why web\n");
}

static void at_60_and_below(void **state)
{
	(void)state;
	expect(&(struct listview){.width = 60}, three_apps,
	       "  APP  INST  STATE       UP  RST   CPU    MEM  NOTE\n"
	       "* api   1/1  online    1m1s    0  100%  50.0M  exit 1 11m a~\n"
	       "! web   1/2  degraded  1h0m    7    0%   1.0M  1 of 2 online\n"
	       "o job   0/1  stopped      -    0     -      -\n"
	       "\n"
	       "3 apps, 2 of 4 instances online. Why: pmctl why web\n");
	expect(&(struct listview){.width = 40}, three_apps,
	       "* api  1/1 online    100%  50.0M\n"
	       "! web  1/2 degraded    0%   1.0M\n"
	       "o job  0/1 stopped      -      -\n");
	expect(&(struct listview){.width = 20}, three_apps,
	       "* api  1/1 online\n"
	       "! web  1/2 degraded\n"
	       "o job  0/1 stopped\n");
}

/* The drawing everybody shall see: a cluster, a leak, one that waits, one that gave up, a job. */
static const char shop[] =
	"[{'name': 'web', 'namespace': 'shop', 'mode': 'cluster', 'state': 'online',"
	"  'instances': 4, 'online': 4, 'restarts': 2, 'cpu_pct': 12, 'mem_bytes': 225023360,"
	"  'note': '', 'up_ms': 273600000, 'memory_max': 2147483648, 'user': 'shop',"
	"  'ready_by': 'http', 'mem_history': [8e8, 8e8, 8e8, 8e8, 8e8, 8e8, 8e8, 8e8], 'procs': ["
	"   {'id': 3, 'slot': 0, 'pid': 48213, 'state': 'online', 'up_ms': 273600000,"
	"    'restarts': 0, 'cpu_pct': 3, 'mem_bytes': 56203673, 'fds': 31, 'ready_ms': 3},"
	"   {'id': 4, 'slot': 1, 'pid': 51990, 'state': 'online', 'up_ms': 660000,"
	"    'restarts': 2, 'cpu_pct': 9, 'mem_bytes': 56203673, 'fds': 31, 'ready_ms': 1234,"
	"    'last_exit': {'signal': 'SIGSEGV', 'core': true, 'at': '2025-11-22T13:49:00Z'}}]},"
	" {'name': 'worker', 'namespace': 'shop', 'mode': 'fork', 'state': 'online',"
	"  'instances': 2, 'online': 2, 'restarts': 0, 'cpu_pct': 3, 'mem_bytes': 123731968,"
	"  'note': ':1 leak? +2.1M/min, 1h25m left', 'up_ms': 2520000, 'leak': {},"
	"  'user': 'shop', 'ready_by': 'notify',"
	"  'mem_history': [null, 15e6, 30e6, 50e6, 70e6, 80e6, 100e6, 123e6],"
	"  'procs': []},"
	" {'name': 'flaky', 'mode': 'fork', 'state': 'failed', 'instances': 1, 'online': 0,"
	"  'restarts': 10, 'cpu_pct': null, 'mem_bytes': null, 'up_ms': null, 'user': 'shop',"
	"  'note': 'exited 1 after 0.4s; gave up after 10 restarts in 5m',"
	"  'mem_history': [null, null, null, null, null, null, null, null], 'procs': []}]";

static void as_it_is_drawn(void **state)
{
	(void)state;
	expect(&(struct listview){.width = 80, .utf8 = true}, shop,
	       "  APP     INST  STATE     UP  RST  CPU     MEM  15 MIN    NOTE\n"
	       "● web      4/4  online  3d4h    2  12%  214.6M  ▃▃▃▃▃▃▃▃\n"
	       "▲ worker   2/2  online   42m    0   3%  118.0M   ▁▂▂▃▄▄▅  :1 leak? +2.1M/min, 1…\n"
	       "✖ flaky    0/1  failed     -   10    -       -  -         exited 1 after 0.4s; …\n"
	       "\n"
	       "3 apps, 6 of 7 instances online, 1 failed. Why: pmctl why flaky\n");
	expect(&(struct listview){.width = 80}, shop,
	       "  APP     INST  STATE     UP  RST  CPU     MEM  15 MIN    NOTE\n"
	       "* web      4/4  online  3d4h    2  12%  214.6M  ,,,,,,,,\n"
	       "! worker   2/2  online   42m    0   3%  118.0M   _..,--=  :1 leak? +2.1M/min, 1~\n"
	       "X flaky    0/1  failed     -   10    -       -  -         exited 1 after 0.4s; ~\n"
	       "\n"
	       "3 apps, 6 of 7 instances online, 1 failed. Why: pmctl why flaky\n");
	expect(&(struct listview){.width = 140, .utf8 = true, .instances = true}, shop,
	       "  APP      NS    INST  STATE   ID  MODE       PID    UP  RST  CPU     MEM  LIMIT  "
	       "FD  READY   USER  NOTE\n"
	       "● web      shop   4/4  online      cluster         3d4h    2  12%  214.6M  2048M  "
	       "62  http    shop\n"
	       "● ├ web:0              online   3           48213  3d4h    0   3%   53.6M   512M  "
	       "31  3ms\n"
	       "● └ web:1              online   4           51990   11m    2   9%   53.6M   512M  "
	       "31  1.2s          SIGSEGV 11m ago, core kept\n"
	       "▲ worker   shop   2/2  online   -  fork         -   42m    0   3%  118.0M      -   "
	       "-  notify  shop  :1 leak? +2.1M/min, 1h25m left\n"
	       "✖ flaky    -      0/1  failed   -  fork         -     -   10    -       -      -   "
	       "-  -       shop  exited 1 after 0.4s; gave up after 10 r…\n"
	       "\n"
	       "3 apps, 6 of 7 instances online, 1 failed. Why: pmctl why flaky\n");
	expect(&(struct listview){.width = 50, .utf8 = true}, shop,
	       "● web     4/4 online  12%  214.6M\n"
	       "▲ worker  2/2 online   3%  118.0M\n"
	       "✖ flaky   0/1 failed    -       -\n");
	expect(&(struct listview){.piped = true}, shop,
	       "APP     INST  STATE     UP  RST  CPU     MEM  NOTE\n"
	       "web      4/4  online  3d4h    2  12%  214.6M\n"
	       "worker   2/2  online   42m    0   3%  118.0M  :1 leak? +2.1M/min, 1h25m left\n"
	       "flaky    0/1  failed     -   10    -       -  exited 1 after 0.4s; gave up after "
	       "10 restarts in 5m\n");
}

static void in_a_pipe(void **state)
{
	(void)state;
	expect(&(struct listview){.piped = true}, three_apps,
	       "APP  INST  STATE       UP  RST   CPU    MEM  NOTE\n"
	       "api   1/1  online    1m1s    0  100%  50.0M  exit 1 11m ago\n"
	       "web   1/2  degraded  1h0m    7    0%   1.0M  1 of 2 online\n"
	       "job   0/1  stopped      -    0     -      -\n");
	/* The width of a terminal does not matter there. */
	expect(&(struct listview){.piped = true, .width = 30}, "[]",
	       "APP  INST  STATE  UP  RST  CPU  MEM  NOTE\n");
}

/* As many words in each record as in the heading, at least up to the note. */
static void records_in_a_pipe(void **state)
{
	(void)state;
	struct listview v = {.piped = true, .instances = true, .utf8 = true, .now_ms = NOW};
	struct buf out = {0};
	json_t *a = json(three_apps);
	listview_print(&v, a, &out);
	char *line = out.data;
	size_t lines = 0;
	for (; *line; lines++) {
		size_t len = strcspn(line, "\n");
		size_t words = 0;
		line[len] = '\0';
		for (char *at, *w = strtok_r(line, " ", &at); w; w = strtok_r(NULL, " ", &at)) {
			words++;
		}
		assert_true(words >= 12);
		line += len + 1;
	}
	assert_int_equal(lines, 1 + 3 + 3); /* the heading, the apps, their processes */
	json_decref(a);
	buf_finish(&out);
}

static void text_of_others(void **state)
{
	(void)state;
	static const char hostile[] =
		"[{'name': 'a\\u001b[2J', 'namespace': 'n\\ts', 'mode': 'fork\\n',"
		"  'state': 'on\\rline', 'instances': 1, 'online': 1, 'note': "
		"'x\\ny\\u0007\\u202ez',"
		"  'procs': [{'slot': 0, 'state': 's\\n', 'note': '\\u009b31m'},"
		"            {'slot': 1, 'state': 's\\n',"
		"             'last_exit': {'signal': 'S\\n', 'at': "
		"'2025-11-22T13:59:59.000Z'}}]}]";
	static const size_t widths[] = {0, 20, 40, 60, 80, 120, 200};
	json_t *a = json(hostile);
	for (size_t i = 0; i < ARRAY_LEN(widths) * 4; i++) {
		struct listview v = {.width = widths[i / 4],
				     .instances = true,
				     .piped = i & 1,
				     .utf8 = i & 2,
				     .now_ms = NOW};
		struct buf out = {0};
		size_t lines = 0;
		listview_print(&v, a, &out);
		for (const char *s = out.data; *s; s++) {
			lines += *s == '\n';
			assert_true(*s == '\n' || (*s & 0xe0) != 0);
			assert_true(*s != 0x7f);
		}
		assert_null(strstr(out.data, "\u202e"));
		assert_null(strstr(out.data, "\xc2\x9b"));
		assert_true(lines >= 3 && lines <= 7);
		buf_finish(&out);
	}
	json_decref(a);
}

static void colour_adds_nothing_else(void **state)
{
	(void)state;
	static const size_t widths[] = {0, 20, 40, 60, 80, 200};
	json_t *a = json(three_apps);
	for (size_t i = 0; i < ARRAY_LEN(widths); i++) {
		struct listview v = {
			.width = widths[i], .utf8 = true, .instances = true, .now_ms = NOW};
		struct buf bare = {0}, painted = {0}, gone = {0};
		listview_print(&v, a, &bare);
		v.color = true;
		listview_print(&v, a, &painted);
		for (const char *s = painted.data; *s;) {
			if (*s == '\033') {
				s += strcspn(s, "m") + 1;
			} else {
				buf_addc(&gone, *s++);
			}
		}
		assert_string_equal(gone.data, bare.data);
		bool marked = widths[i] == 0 || widths[i] >= 60;
		assert_true(!marked || strstr(painted.data, "\033[33m▲\033[0m"));
		assert_non_null(strstr(painted.data, "\033[33m"));
		buf_finish(&bare);
		buf_finish(&painted);
		buf_finish(&gone);
	}
	json_decref(a);
}

static void footers(void **state)
{
	(void)state;
	struct listview v = {.width = 80};
	expect(&v, "[]",
	       " APP  INST  STATE  UP  RST  CPU  MEM  NOTE\n\n0 apps, 0 of 0 instances online\n");
	static const char failed[] =
		"[{'name': 'one', 'state': 'backoff', 'instances': 1, 'online': 0},"
		" {'name': 'two', 'state': 'failed', 'instances': 2, 'online': 0}]";
	static const struct {
		const char *apps, *end;
	} rows[] = {
		{"[{'name': 'a', 'state': 'online', 'instances': 1, 'online': 1}]",
		 "\n\n1 app, 1 of 1 instance online\n"},
		{failed, "\n\n2 apps, 0 of 3 instances online, 1 failed. Why: pmctl why two\n"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf out = {0};
		json_t *a = json(rows[i].apps);
		listview_print(&v, a, &out);
		const char *end = strstr(out.data, "\n\n");
		assert_string_equal(end, rows[i].end);
		json_decref(a);
		buf_finish(&out);
	}
}

static void notes_of_a_last_exit(void **state)
{
	(void)state;
	static const struct {
		const char *at, *want;
	} rows[] = {
		{"2025-11-22T13:59:59.600Z", "exit 3 0.4s ago"},
		{"2025-11-22T14:00:00.000Z", "exit 3 0.0s ago"},
		{"2025-11-21T14:00:00.000Z", "exit 3 1d0h ago"},
		{"2025-11-21T13:59:59.999Z", NULL}, /* that is long ago */
		{"2025-11-22T14:00:00.001Z", NULL}, /* and that is not over */
		{"never", NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct listview v = {.width = 200, .now_ms = NOW};
		struct buf out = {0};
		json_t *a = json_pack("[{s:s, s:s, s:i, s:i, s:[{s:i, s:s, s:{s:i, s:s}}]}]",
				      "name", "a", "state", "online", "instances", 1, "online", 1,
				      "procs", "slot", 0, "state", "online", "last_exit", "code", 3,
				      "at", rows[i].at);
		assert_non_null(a);
		listview_print(&v, a, &out);
		if (rows[i].want) {
			assert_non_null(strstr(out.data, rows[i].want));
		} else {
			assert_null(strstr(out.data, "exit"));
		}
		json_decref(a);
		buf_finish(&out);
	}
}

static void instances_of_one_app(void **state)
{
	(void)state;
	struct buf out = {0};
	struct listview v = {.width = 80, .utf8 = true, .now_ms = NOW};
	json_t *a = json(three_apps);
	listview_instances(&v, json_array_get(a, 1), &out);
	assert_string_equal(
		out.data,
		"  INST   STATE    PID    UP  RST  CPU   MEM  LAST EXIT  NOTE\n"
		"  web:0  online    21  1h0m    0   0%  1.0M  -\n"
		"  web:1  backoff    -     -    7    -     -  -          exit 2, again in 3s\n");
	buf_reset(&out);
	listview_instances(&v, json_array_get(a, 2), &out);
	assert_string_equal(out.data, "  INST  STATE  PID  UP  RST  CPU  MEM  LAST EXIT\n");
	json_decref(a);
	buf_finish(&out);
}

static void how_it_ended(void **state)
{
	(void)state;
	static const struct {
		const char *exit, *want;
	} rows[] = {
		{"null", "-"},
		{"[]", "-"},
		{"{}", "ended, cause unknown"},
		{"{'code': 0}", "exit 0"},
		{"{'code': 255, 'signal': null}", "exit 255"},
		{"{'code': null, 'signal': 'SIGTERM'}", "SIGTERM"},
		{"{'signal': 'SIGSEGV', 'core': true}", "SIGSEGV, core kept"},
		{"{'signal': 'SIGSEGV', 'core': false, 'oom': false}", "SIGSEGV"},
		{"{'signal': 'SIGKILL', 'core': true, 'oom': true}", "SIGKILL, out of memory"},
		{"{'signal': 'SIG\\u001b[2J'}", "SIG\\x1b[2J"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_t *e = json(rows[i].exit);
		char *text = listview_exit_text(e);
		assert_string_equal(text, rows[i].want);
		free(text);
		json_decref(e);
	}
	char *text = listview_exit_text(NULL);
	assert_string_equal(text, "-");
	free(text);
}

static void points_in_time(void **state)
{
	(void)state;
	assert_int_equal(listview_parse_time("1970-01-01T00:00:00.000Z"), 0);
	assert_int_equal(listview_parse_time("1970-01-01T00:00:00.001Z"), 1);
	assert_int_equal(listview_parse_time("2024-02-29T23:59:59.999Z"), 1709251199999LL);
	assert_int_equal(listview_parse_time("2025-11-22T14:00:00Z"), NOW);
	static const char *const bad[] = {"",
					  "-",
					  "2025-11-22",
					  "2025-11-22T",
					  "T14:00:00Z",
					  "2025-13-22T14:00:00Z",
					  "2025-11-22T25:00:00Z"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (listview_parse_time(bad[i]) != -1) {
			fail_msg("%s is taken", bad[i]);
		}
	}
	assert_int_equal(listview_parse_time(NULL), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_200_columns),
		cmocka_unit_test(at_80_columns),
		cmocka_unit_test(at_60_and_below),
		cmocka_unit_test(as_it_is_drawn),
		cmocka_unit_test(in_a_pipe),
		cmocka_unit_test(records_in_a_pipe),
		cmocka_unit_test(text_of_others),
		cmocka_unit_test(colour_adds_nothing_else),
		cmocka_unit_test(footers),
		cmocka_unit_test(notes_of_a_last_exit),
		cmocka_unit_test(instances_of_one_app),
		cmocka_unit_test(how_it_ended),
		cmocka_unit_test(points_in_time),
	};
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
