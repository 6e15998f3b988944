/* SPDX-License-Identifier: MIT */
#include "proto/lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Whatever the chunks, the same lines come out. */
static void test_any_chunking(void **state)
{
	static const char text[] = "one\n\ntwo words\n{\"a\":1}\nrest";
	static const char *const want[] = {"one", "", "two words", "{\"a\":1}"};
	(void)state;
	for (size_t step = 1; step < sizeof(text); step++) {
		struct lines l;
		size_t n = 0;
		lines_init(&l, 100);
		for (size_t at = 0; at < sizeof(text) - 1; at += step) {
			size_t left = sizeof(text) - 1 - at;
			char *line;
			size_t len;
			lines_feed(&l, text + at, left < step ? left : step);
			while (lines_next(&l, &line, &len)) {
				assert_true(n < 4);
				assert_int_equal(len, strlen(want[n]));
				assert_string_equal(line, want[n]);
				n++;
			}
		}
		assert_int_equal(n, 4);
		assert_int_equal(lines_pending(&l), 4);
		assert_false(l.overlong);
		lines_finish(&l);
	}
}

static void test_overlong(void **state)
{
	static const struct {
		const char *text;
		size_t lines;
		bool overlong;
	} rows[] = {
		{"12345\n", 1, false}, {"123456\n", 0, true},  {"123456", 0, true},
		{"12345", 0, false},   {"a\n123456", 1, true}, {"", 0, false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct lines l;
		size_t n = 0;
		char *line;
		size_t len;
		lines_init(&l, 5);
		lines_feed(&l, rows[i].text, strlen(rows[i].text));
		while (lines_next(&l, &line, &len)) {
			n++;
		}
		assert_int_equal(n, rows[i].lines);
		assert_int_equal(l.overlong, rows[i].overlong);
		lines_finish(&l);
	}
}

static void test_overlong_is_final(void **state)
{
	struct lines l;
	char *line;
	size_t len;
	(void)state;
	lines_init(&l, 3);
	lines_feed(&l, "abcdef", 6);
	assert_false(lines_next(&l, &line, &len));
	lines_feed(&l, "\nok\n", 4);
	assert_false(lines_next(&l, &line, &len));
	assert_true(l.overlong);
	lines_finish(&l);
}

/* A long line is told once, however it comes, and those around it are as if it were not there. */
static void test_skipping(void **state)
{
	static const char text[] = "ab\nxxxxxxxxxxxxxxxxxxxx\ncd\n\nyyyyyyyy\nzzzzzz\nef\n";
	(void)state;
	for (size_t chunk = 1; chunk < sizeof(text); chunk++) {
		struct lines l;
		char seen[64] = "";
		char *line;
		size_t len;
		lines_init(&l, 5);
		for (size_t at = 0; at < sizeof(text) - 1; at += chunk) {
			size_t left = sizeof(text) - 1 - at;
			lines_feed(&l, text + at, left < chunk ? left : chunk);
			while (lines_next(&l, &line, &len) || l.overlong) {
				const char *what = l.overlong ? lines_skip(&l, &len) : line;
				strncat(seen, what, len > 5 ? 1 : len);
				strcat(seen, len > 5 ? "+," : ",");
			}
		}
		assert_string_equal(seen, "ab,x+,cd,,y+,z+,ef,");
		assert_int_equal(lines_pending(&l), 0);
		assert_false(l.skipping);
		lines_finish(&l);
	}
}

static void test_memory_of_a_burst_is_given_back(void **state)
{
	static char big[200001];
	struct lines l;
	char *line;
	size_t len;
	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	lines_init(&l, 1 << 20);
	lines_feed(&l, big, sizeof(big) - 1);
	lines_feed(&l, "\n", 1);
	assert_true(lines_next(&l, &line, &len));
	assert_int_equal(len, sizeof(big) - 1);
	lines_feed(&l, "a\n", 2);
	assert_true(l.buf.cap < 1000);
	assert_true(lines_next(&l, &line, &len));
	assert_string_equal(line, "a");
	lines_finish(&l);
	lines_finish(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_chunking),
		cmocka_unit_test(test_overlong),
		cmocka_unit_test(test_overlong_is_final),
		cmocka_unit_test(test_skipping),
		cmocka_unit_test(test_memory_of_a_burst_is_given_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
