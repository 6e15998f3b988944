/* SPDX-License-Identifier: MIT */
/* Which lines are wanted, and that what is passed over in blocks holds none of them. */
#include "client/logmatch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/limits.h"
#include "common/mem.h"

static void begin(struct logmatch *m, const char *pattern, unsigned flags)
{
	struct err err = {0};
	if (!logmatch_init(m, pattern, flags, &err)) {
		fail_msg("%s: %s", pattern, err.msg);
	}
}

struct known {
	const char *pattern, *literals;
};

static const struct known known[] = {
	{"timeout", "timeout"},
	{"", ""},
	{"a.b", "a"},
	{"E[0-9]+ failed", " failed"},
	{"GET /api/(items|users)/[0-9]+ 5", "GET /api/"},
	{"error|warning", "error|warning"},
	{"(error|warning)", "error|warning"},
	{"(error|warning): x", "error|warning"},
	{"^(abc)?$", ""},
	{"(abc)+d", "abc"},
	{"(abc){2}", ""},
	{"abc*", "ab"},
	{"abc+", "abc"},
	{"ab{0,3}cde", "cde"},
	{"ab{2}", "a"},
	{"a{2,3}", ""},
	{"a|", ""},
	{"a||b", ""},
	{"a|.", ""},
	{"x[]abc]yz", "yz"},
	{"x[^]abc]yz", "yz"},
	{"x[[:alpha:]]yz", "yz"},
	{"x[a\\]yz", "yz"},
	{"1\\.2\\.3\\.4", "1.2.3.4"},
	{"ab\\wcde", "cde"},
	{"\\<word\\>", "word"},
	{"(a)\\1bc", "bc"},
	{"\xc3\xa4", "\xc3\xa4"},
	{"ab\xc3\xa4*", "ab"},
	{"ab\xc3\xa4+", "ab"},
	{"\xc3\xa4?b", "b"},
	{"a+*bb", "bb"},
	{"a|b|c|d|e|f|g|h", "a|b|c|d|e|f|g|h"},
	{"a|b|c|d|e|f|g|h|i", ""},
	{"((((x))))", "x"},
	{"\"level\":(50|60)", "\"level\":"},
};

static void what_every_match_contains(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		struct logmatch m;
		char got[100];
		begin(&m, known[i].pattern, 0);
		logmatch_literals(&m, got, sizeof(got));
		if (strcmp(got, known[i].literals) != 0) {
			fail_msg("%s: \"%s\" instead of \"%s\"", known[i].pattern, got,
				 known[i].literals);
		}
		logmatch_finish(&m);
	}
}

struct line {
	const char *pattern;
	unsigned flags;
	const char *line;
	bool wanted;
};

#define I LOGMATCH_IGNORE_CASE
#define V LOGMATCH_INVERT

static const struct line lines[] = {
	{"b", 0, "abc", true},
	{"b", V, "abc", false},
	{"B", 0, "abc", false},
	{"B", I, "abc", true},
	{"B", I | V, "abc", false},
	{"x", V, "abc", true},
	{"", 0, "", true},
	{"", V, "x", false},
	{"^$", 0, "", true},
	{"^b", 0, "ab", false},
	{"c$", 0, "abc", true},
	{"E[0-9]+", 0, "code E12", true},
	{"E[0-9]+", 0, "code Ex", false},
	{"e[0-9]+", I, "code E12", true},
	{"(fatal|panic): ", 0, "x panic: y", true},
	{"(fatal|panic): ", 0, "x panic y", false},
	{"^.{3}$", 0, "\xc3\xa4\xc3\xb6\xc3\xbc", true},
	{"^.{6}$", 0, "\xc3\xa4\xc3\xb6\xc3\xbc", false},
	{"^[\xc3\xa4\xc3\xb6]$", 0, "\xc3\xb6", true},
	{"\xc3\x84", I, "\xc3\xa4", true},
	{"a.c", 0,
	 "a\xc3\xb6"
	 "c",
	 true},
	{"ab", 0, "\xff\xfe ab", true},
	{"a[b]", 0, "\xff\xfe ab", true},
};

static void lines_that_are_wanted(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		const struct line *l = &lines[i];
		struct logmatch m;
		begin(&m, l->pattern, l->flags);
		if (logmatch_line(&m, l->line, strlen(l->line)) != l->wanted) {
			fail_msg("%s in %s", l->pattern, l->line);
		}
		logmatch_finish(&m);
	}
}

static void a_nul_is_a_byte(void **state)
{
	(void)state;
	struct logmatch m;
	begin(&m, "b[c]", 0);
	assert_true(logmatch_line(&m, "a\0bc", 4));
	logmatch_finish(&m);
	begin(&m, "bc", 0);
	assert_true(logmatch_line(&m, "a\0bc", 4));
	logmatch_finish(&m);
}

static const char *const patterns[] = {"error",	   "e.*r$",    "^a",	"[0-9]{2}",  "x|yy|z",
				       "\xc3\xa4", "a\\.b",    "(ab)+", "^$",	     "r.?r",
				       "[^a-z ]",  "\\bab\\b", "e+",	"(a|b)(c|d)"};

/* What one skip passes over contains no line that is wanted. */
static void nothing_is_passed_over(void **state)
{
	(void)state;
	static const char *const bits[] = {"error", "a",  "b", "12", " ",  "\n", "\n",
					   "x",	    "yy", ".", "r",  "cd", "ab", "\xc3\xa4"};
	unsigned seed = 3;
	for (int turn = 0; turn < 3000; turn++) {
		struct buf data = {0};
		struct logmatch m;
		begin(&m, patterns[turn % ARRAY_LEN(patterns)], turn % 2 ? I : 0);
		for (int i = rand_r(&seed) % (turn % 20 ? 60 : 6000); i-- > 0;) { /* many windows */
			buf_adds(&data, bits[(size_t)rand_r(&seed) % ARRAY_LEN(bits)]);
		}
		size_t skipped = data.len ? logmatch_skip(&m, data.data, data.len) : 0;
		for (size_t at = 0; at < skipped;) {
			const char *nl = memchr(data.data + at, '\n', data.len - at);
			size_t end = nl ? (size_t)(nl - data.data) : data.len;
			/* The line that is skipped in part may match behind. */
			if (end < skipped || (skipped == data.len && end <= skipped)) {
				assert_false(logmatch_line(&m, data.data + at, end - at));
			}
			at = end + 1;
		}
		logmatch_finish(&m);
		buf_finish(&data);
	}
}

static void no_pattern(void **state)
{
	(void)state;
	struct logmatch m;
	struct err err = {0};
	char longest[LIMIT_PATTERN + 2];
	assert_false(logmatch_init(&m, "a[", 0, &err));
	assert_int_equal(err.code, ERR_USAGE);
	logmatch_finish(&m);
	assert_false(logmatch_init(&m, "(a", 0, &err));
	assert_false(logmatch_init(&m, "[z-a]", I, &err));
	memset(longest, '(', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_false(logmatch_init(&m, longest, 0, &err));
	longest[LIMIT_PATTERN] = '\0';
	assert_false(logmatch_init(&m, longest, 0, &err));
	memset(longest + LIMIT_PATTERN / 2, ')', LIMIT_PATTERN / 2);
	longest[LIMIT_PATTERN / 2] = 'a';
	longest[0] = 'x';
	begin(&m, longest, 0);
	assert_true(logmatch_line(&m, "xa", 2));
	logmatch_finish(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_every_match_contains),
		cmocka_unit_test(lines_that_are_wanted),
		cmocka_unit_test(a_nul_is_a_byte),
		cmocka_unit_test(nothing_is_passed_over),
		cmocka_unit_test(no_pattern),
	};
	setenv("LC_ALL", "C.UTF-8", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
