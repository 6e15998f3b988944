/* SPDX-License-Identifier: MIT */
#include "client/story.h"

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

#define NOW 1763820000000LL /* 2025-11-22T14:00:00Z; the events below count seconds before it */

/* JSON with ' for " and @N for N seconds ago, in ms. */
static json_t *json(const char *text)
{
	struct buf b = {0};
	json_error_t why;
	for (const char *s = text; *s; s++) {
		char *end;
		if (*s == '@') {
			buf_addf(&b, "%lld", NOW - strtoll(s + 1, &end, 10) * 1000);
			s = end - 1;
		} else {
			buf_addc(&b, *s == '\'' ? '"' : *s);
		}
	}
	json_t *v = json_loads(b.data, 0, &why);
	if (!v) {
		fail_msg("%s: %s", why.text, b.data);
	}
	buf_finish(&b);
	return v;
}

static void who(struct buf *out, const json_t *by, int64_t at_ms)
{
	(void)at_ms;
	buf_addf(out, "ada, pid %lld", (long long)json_integer_value(json_object_get(by, "pid")));
}

static void holder(struct buf *out, int port)
{
	if (port == 3000) {
		buf_adds(out, "in use by pid 4711 (node old.js, uid 1000), not one of ours");
	}
}

/* `slot` without its braces: app and slot are given. */
static void tell(const char *slot, const char *lines, struct buf *out)
{
	char *text = xasprintf("{'app': 'web', 'slot': 1, %s}", slot);
	json_t *s = json(text);
	json_t *l = lines ? json(lines) : NULL;
	struct story story = {.slot = s, .lines = l, .now_ms = NOW, .who = who, .holder = holder};
	story_add(&story, out);
	json_decref(s);
	json_decref(l);
	free(text);
}

static void expect(const char *slot, const char *lines, const char *want)
{
	struct buf out = {0};
	tell(slot, lines, &out);
	assert_string_equal(out.data, want);
	buf_finish(&out);
}

#define TAKEN_BACK                                                                                 \
	"{'seq': 1, 'ms': @60, 'type': 'config', 'text': 'changed: nice', 'by': {'uid': 1, "       \
	"'pid': 7}},"                                                                              \
	"{'seq': 2, 'ms': @50, 'type': 'apply', 'text': 'taken back: web:0 exited 4'},"            \
	"{'seq': 3, 'ms': @50, 'type': 'config', 'text': 'as before: nice'}"

/* Told until something else is applied. */
static void an_apply_that_was_taken_back(void **state)
{
	(void)state;
	const char *head = "web:1  online since 13:00:00 (1h0m ago), pid 12\n"
			   "  why     nothing is wrong, and nothing was as far as is remembered\n";
	char *want = xasprintf("%s  apply   taken back: web:0 exited 4, at 13:59:10 (50s ago)\n"
			       "          what was applied before is in force; what the file has: "
			       "pmctl plan\n"
			       "  asked   changed: nice, 13:59:00 (1m0s ago) by ada, pid 7\n",
			       head);
	expect("'state': 'online', 'pid': 12, 'up_ms': 3600000, 'note': '', 'events': [" TAKEN_BACK
	       "]",
	       NULL, want);
	free(want);
	want = xasprintf("%s  asked   1 of 1 new in 0.7s, 13:59:50 (10s ago) by ada, pid 8\n",
			 head);
	expect("'state': 'online', 'pid': 12, 'up_ms': 3600000, 'note': '', 'events': [" TAKEN_BACK
	       ", {'seq': 4, 'ms': @10, 'type': 'applied', 'text': '1 of 1 new in 0.7s', 'by': "
	       "{'uid': 1, 'pid': 8}}]",
	       NULL, want);
	free(want);
}

static void nothing_wrong(void **state)
{
	(void)state;
	expect("'state': 'online', 'pid': 12, 'up_ms': 3600000, 'note': '', 'events': ["
	       "{'seq': 1, 'ms': @3600, 'type': 'start', 'text': 'started pid 12',"
	       " 'by': {'uid': 1, 'pid': 7}}]",
	       NULL,
	       "web:1  online since 13:00:00 (1h0m ago), pid 12\n"
	       "  why     nothing is wrong, and nothing was as far as is remembered\n"
	       "  asked   started pid 12, 13:00:00 (1h0m ago) by ada, pid 7\n");
	/* What somebody wanted, and work that is done, is no trouble. */
	expect("'state': 'done', 'pid': 0, 'note': 'exited 0 after 2s', 'autorestart': 'never',"
	       "'next_cron': null, 'events': ["
	       "{'seq': 1, 'ms': @60, 'type': 'exit', 'text': 'killed by SIGTERM after 3s',"
	       " 'exit': {'signal': 'SIGTERM', 'cause': 'asked', 'next': 'now', 'up_ms': 3000}},"
	       "{'seq': 2, 'ms': @30, 'type': 'exit', 'text': 'exited 0 after 2s',"
	       " 'exit': {'code': 0, 'cause': 'exit', 'next': 'nothing', 'up_ms': 2000}}]",
	       NULL,
	       "web:1  done since 13:59:30 (30s ago)\n"
	       "  now     exited 0 after 2s\n"
	       "  why     nothing is wrong, and nothing was as far as is remembered\n"
	       "  next    nothing until: pmctl start web:1\n");
}

static void gave_up(void **state)
{
	(void)state;
	expect("'state': 'failed', 'pid': 0, 'max_restarts': 10, 'restart_window_ms': 300000,"
	       "'autorestart': 'always', 'events': ["
	       "{'seq': 1, 'ms': @200, 'type': 'start', 'text': 'started pid 5',"
	       " 'by': {'uid': 1, 'pid': 7}},"
	       "{'seq': 2, 'ms': @192, 'type': 'exit', 'text': 'exited 1 after 0.4s; next try in "
	       "100ms', 'times': 1, 'exit': {'code': 1, 'cause': 'exit', 'next': 'retry'}},"
	       "{'seq': 20, 'ms': @182, 'type': 'exit', 'text': 'exited 1 after 0.4s; next try in "
	       "15s', 'times': 10, 'first_ms': @192,"
	       " 'exit': {'code': 1, 'cause': 'exit', 'next': 'retry', 'up_ms': 400}},"
	       "{'seq': 22, 'ms': @180, 'type': 'failed', 'text': 'exited 1 after 0.4s; gave up "
	       "after 10 restarts in 5m', 'times': 1,"
	       " 'exit': {'code': 1, 'cause': 'exit', 'next': 'gave-up', 'up_ms': 400}}]",
	       "[{'ms': @180, 'stream': 'out', 'text': 'starting'},"
	       " {'ms': @180, 'stream': 'err', 'text': 'Error: ECONNREFUSED 127.0.0.1:5432'}]",
	       "web:1  failed since 13:57:00 (3m0s ago)\n"
	       "  why     exited 1 after 0.4s, at 13:57:00 (3m0s ago); 11 times in 12s, first at "
	       "13:56:48 (3m12s ago)\n"
	       "          gave up: more than 10 restarts in 5m (max_restarts, restart_window)\n"
	       "  asked   started pid 5, 13:56:40 (3m20s ago) by ada, pid 7\n"
	       "  next    nothing until: pmctl start web:1\n"
	       "  its last lines then:\n"
	       "    13:57:00.000  starting\n"
	       "  ! 13:57:00.000  Error: ECONNREFUSED 127.0.0.1:5432\n"
	       "  try     what it connects to does not answer; if that is an app of ours: after = "
	       "NAME\n");
}

static void waits(void **state)
{
	(void)state;
	expect("'state': 'backoff', 'pid': 0, 'retry_ms': 12000, 'autorestart': 'always',"
	       "'events': [{'seq': 2, 'ms': @3, 'type': 'exit', 'text': 'killed by SIGKILL after "
	       "2h0m; next try in 15s', 'times': 3, 'first_ms': @40,"
	       " 'exit': {'signal': 'SIGKILL', 'cause': 'signal', 'next': 'retry'}}]",
	       NULL,
	       "web:1  backoff since 13:59:57 (3.0s ago)\n"
	       "  why     killed by SIGKILL after 2h0m, at 13:59:57 (3.0s ago); 3 times in 37s, "
	       "first at 13:59:20 (40s ago)\n"
	       "  next    the next try in 12s\n"
	       "  try     not sent by pmctl: a kill -9 of somebody, or the kernel (see: dmesg)\n");
}

static void behind_it(void **state)
{
	(void)state;
	expect("'state': 'online', 'pid': 99, 'up_ms': 660000, 'events': ["
	       "{'seq': 2, 'ms': @661, 'type': 'exit', 'text': 'killed by SIGSEGV, core dumped "
	       "after 3d4h; started again at once', 'times': 1,"
	       " 'exit': {'signal': 'SIGSEGV', 'core': true, 'cause': 'signal', 'next': 'now'}},"
	       "{'seq': 3, 'ms': @660, 'type': 'start', 'text': 'started pid 99', 'by': null}]",
	       NULL,
	       "web:1  online since 13:49:00 (11m ago), pid 99\n"
	       "  why     nothing is wrong now\n"
	       "  before  killed by SIGSEGV, core dumped after 3d4h, 13:48:59 (11m ago)\n"
	       "  try     a fault of the program itself, or of a native module (see: "
	       "coredumpctl)\n");
	expect("'state': 'stopped', 'pid': 0, 'held': false, 'note': 'asked to stop', 'events': ["
	       "{'seq': 2, 'ms': @86461, 'type': 'exit', 'text': 'exited 3 after 1s', 'times': 1,"
	       " 'exit': {'code': 3, 'cause': 'exit', 'next': 'retry'}},"
	       "{'seq': 3, 'ms': @60, 'type': 'stop', 'text': 'asked to stop',"
	       " 'by': {'uid': 1, 'pid': 8}},"
	       "{'seq': 4, 'ms': @59, 'type': 'exit', 'text': 'killed by SIGTERM after 23h',"
	       " 'exit': {'signal': 'SIGTERM', 'cause': 'asked', 'next': 'nothing'}}]",
	       NULL,
	       "web:1  stopped since 13:59:01 (59s ago)\n"
	       "  now     asked to stop\n"
	       "  before  exited 3 after 1s, 2025-11-21 13:58:59 (1d0h ago)\n"
	       "  asked   asked to stop, 13:59:00 (1m0s ago) by ada, pid 8\n"
	       "  next    nothing until: pmctl start web:1\n");
}

static void not_ready(void **state)
{
	(void)state;
	expect("'state': 'starting', 'pid': 14, 'up_ms': 3000, 'note': 'not ready, 3s of 30s: GET "
	       "/ "
	       "gave 503', 'events': ["
	       "{'seq': 2, 'ms': @40, 'type': 'failed', 'text': 'pid 13 was not ready within 30s: "
	       "GET / gave 503'},"
	       "{'seq': 3, 'ms': @39, 'type': 'failed', 'text': 'not ready within 30s: GET / gave "
	       "503; next try in 100ms', 'times': 1,"
	       " 'exit': {'signal': 'SIGTERM', 'cause': 'not-ready', 'next': 'retry'}}]",
	       NULL,
	       "web:1  starting since 13:59:57 (3.0s ago), pid 14\n"
	       "  now     not ready, 3s of 30s: GET / gave 503\n"
	       "  why     not ready within 30s: GET / gave 503, at 13:59:21 (39s ago)\n"
	       "  probe   pid 13 was not ready within 30s: GET / gave 503\n"
	       "  try     it ran, but was not ready in time: is `ready` right, or ready_timeout "
	       "too short?\n");
}

static void a_reload_that_failed(void **state)
{
	(void)state;
	expect("'state': 'online', 'pid': 13, 'up_ms': 99000, 'events': ["
	       "{'seq': 2, 'ms': @40, 'type': 'exit', 'text': 'exited 4 after 0.3s, before it was "
	       "ready', 'times': 1, 'exit': {'code': 4, 'cause': 'trial', 'next': 'nothing'}}]",
	       NULL,
	       "web:1  online since 13:58:21 (1m39s ago), pid 13\n"
	       "  why     the new process of a reload exited 4 after 0.3s, before it was ready, at "
	       "13:59:20 (40s ago)\n");
}

static const char *hint(const char *exit, const char *text, const char *log, struct buf *out)
{
	char *slot = xasprintf("'state': 'failed', 'pid': 0, 'memory_max': 268435456,"
			       "'autorestart': 'always', 'events': [{'seq': 1, 'ms': @9, 'type': "
			       "'exit', 'text': '%s', 'exit': %s}]",
			       text, exit);
	char *lines = xasprintf("[{'ms': @9, 'stream': 'err', 'text': '%s'},"
				" {'ms': @9, 'stream': 'err', 'text': '    at x.js:12:3'}]",
				log);
	buf_reset(out);
	tell(slot, lines, out);
	free(slot);
	free(lines);
	const char *at = strstr(out->data, "  try     ");
	return at ? at + 10 : "";
}

static void hints(void **state)
{
	(void)state;
	static const struct {
		const char *exit, *text, *log, *want;
	} rows[] = {
		{"{'code': 1}", "exited 1",
		 "Error: listen EADDRINUSE: address already in use :::3000",
		 "port 3000 is in use by pid 4711 (node old.js, uid 1000), not one of ours\n"},
		{"{'code': 1}", "exited 1", "OSError: [Errno 98] Address already in use",
		 "its port is taken by another process; ours: pmctl ports\n"},
		{"{'code': 1}", "exited 1", "bind 0.0.0.0:8080: address already in use",
		 "port 8080 was taken, and is free now: pmctl restart web\n"},
		{"{'code': 1, 'cause': 'start'}",
		 "cannot start: exec /x: No such file or directory", "",
		 "is the file there? script, command, cwd and env_file: pmctl show\n"},
		{"{'code': 1}", "exited 1", "Error: Cannot find module 'express'",
		 "a module is missing"},
		{"{'code': 1}", "exited 1", "bind: Permission denied", "what its user may not do"},
		{"{'signal': 'SIGKILL', 'cause': 'oom'}", "killed by SIGKILL, out of memory", "",
		 "memory_max is 256M: raise it, or see whether it leaks: pmctl show\n"},
		{"{'signal': 'SIGKILL', 'cause': 'signal'}", "killed by SIGKILL", "",
		 "not sent by pmctl"},
		{"{'signal': 'SIGKILL', 'cause': 'signal'}", "killed by SIGKILL (pmctl signal)", "",
		 ""},
		{"{'signal': 'SIGSEGV', 'cause': 'signal'}", "killed by SIGSEGV", "",
		 "a fault of the program itself"},
		{"{'code': 127}", "exited 127", "", "127 is a shell's"},
		{"{'code': 0}", "exited 0", "", "it ends by itself with 0"},
		{"{'code': 3}", "exited 3", "nothing known", ""},
		{"{'code': 1, 'cause': 'not-ready'}", "not ready within 1s: Connection refused", "",
		 "it ran, but was not ready in time"},
	};
	struct buf out = {0};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		/* A quote within the text of a line would end our JSON. */
		char *log = xstrdup(rows[i].log);
		for (char *q = log; (q = strchr(q, '\'')); q++) {
			*q = '`';
		}
		const char *got = hint(rows[i].exit, rows[i].text, log, &out);
		size_t n = strlen(rows[i].want);
		if (n ? strncmp(got, rows[i].want, n) != 0 : *got != '\0') {
			fail_msg("row %zu: \"%s\" instead of \"%s\"", i, got, rows[i].want);
		}
		free(log);
	}
	buf_finish(&out);
}

/* Whatever a daemon of another version sends. */
static void strange_answers(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"'x': 1",
		"'state': 'newfangled', 'events': [{}]",
		"'state': 7, 'events': {'a': 1}, 'pid': 'x'",
		"'events': [{'exit': {}, 'text': null, 'ms': 'soon'}, null, 3]",
		"'state': 'online', 'note': 'a\\u001b[2Jb', 'events': [{'type': 'failed', 'text': "
		"'\\n\\u001b]0;x\\u0007'}]",
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf out = {0};
		tell(rows[i], "[{}, 3, {'text': '\\u001b[2J'}]", &out);
		for (size_t k = 0; k < out.len; k++) {
			assert_true(out.data[k] == '\n' || (unsigned char)out.data[k] >= 0x20);
		}
		buf_finish(&out);
	}
}

static void short_of_descriptors(void **state)
{
	(void)state;
	expect("'state': 'online', 'pid': 12, 'up_ms': 3600000, 'note': '960 of 1024 descriptors',"
	       "'events': [{'seq': 1, 'ms': @60, 'type': 'descriptors',"
	       " 'text': 'has 960 of the 1024 descriptors it may have (limit.nofile)'}]",
	       NULL,
	       "web:1  online since 13:00:00 (1h0m ago), pid 12\n"
	       "  now     960 of 1024 descriptors\n"
	       "  why     has 960 of the 1024 descriptors it may have (limit.nofile), at 13:59:00 "
	       "(1m0s ago)\n"
	       "  try     raise limit.nofile, or see what it leaves open: ls -l /proc/12/fd\n");
}

static void which_lines(void **state)
{
	(void)state;
	int64_t since = 0, until = 0;
	json_t *s = json("{'events': [{'ms': @10, 'type': 'exit', 'text': 'x', 'exit': {'code': 1,"
			 " 'up_ms': 5000, 'next': 'retry'}}]}");
	assert_true(story_span(s, &since, &until));
	assert_in_range(NOW - since, 15000, 15500);
	assert_in_range(NOW - until, 9500, 10000);
	json_decref(s);
	s = json("{'events': [{'ms': @10, 'type': 'leak', 'text': 'leak? +2M/min'}]}");
	assert_non_null(story_trouble(s));
	assert_false(story_span(s, &since, &until));
	json_decref(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_apply_that_was_taken_back),
		cmocka_unit_test(nothing_wrong),
		cmocka_unit_test(gave_up),
		cmocka_unit_test(waits),
		cmocka_unit_test(behind_it),
		cmocka_unit_test(not_ready),
		cmocka_unit_test(a_reload_that_failed),
		cmocka_unit_test(hints),
		cmocka_unit_test(strange_answers),
		cmocka_unit_test(which_lines),
		cmocka_unit_test(short_of_descriptors),
	};
	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
