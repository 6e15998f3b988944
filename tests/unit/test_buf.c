/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/buf.h"

#include "common/mem.h"

static void test_add(void **state)
{
	(void)state;
	struct buf b = {0};
	buf_adds(&b, "");
	assert_string_equal(b.data, "");
	buf_addf(&b, "%d-%s", 7, "x");
	buf_addc(&b, '!');
	buf_add(&b, "a\0b", 3);
	assert_int_equal(b.len, 7);
	assert_memory_equal(b.data, "7-x!a\0b", 8);
	for (int i = 0; i < 1000; i++) {
		buf_addf(&b, "%0200d", i);
	}
	assert_int_equal(b.len, 7 + 200000);
	assert_int_equal(strlen(b.data + 7), 200000);
	buf_consume(&b, 7 + 199999);
	assert_string_equal(b.data, "9");
	buf_consume(&b, 1);
	assert_string_equal(b.data, "");
	buf_reset(&b);
	buf_finish(&b);
	buf_finish(&b);
	buf_consume(&b, 0);
}

static void test_take(void **state)
{
	(void)state;
	struct buf b = {0};
	char *s = buf_take(&b);
	assert_string_equal(s, "");
	free(s);
	buf_adds(&b, "hello");
	s = buf_take(&b);
	assert_string_equal(s, "hello");
	assert_null(b.data);
	free(s);
}

struct row {
	const char *in;
	size_t len;
	const char *want;
};
#define ROW(in, want)                                                                              \
	{                                                                                          \
		in, sizeof(in) - 1, want                                                           \
	}

static void test_json(void **state)
{
	(void)state;
	static const struct row rows[] = {
		ROW("plain", "\"plain\""),
		ROW("", "\"\""),
		ROW("a\"b\\c\n\r\t\x01\x7f", "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u007f\""),
		ROW("nul\0nul", "\"nul\\u0000nul\""),
		ROW("\xc3\xa9\xf0\x9f\x98\x80", "\"\xc3\xa9\xf0\x9f\x98\x80\""),
		ROW("bad\xff\xc3", "\"bad\xef\xbf\xbd\xef\xbf\xbd\""),
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b = {0};
		buf_add_json(&b, rows[i].in, rows[i].len);
		assert_string_equal(b.data, rows[i].want);
		buf_finish(&b);
	}
}

static void test_escaped(void **state)
{
	(void)state;
	static const struct row rows[] = {
		ROW("plain\ttab", "plain\ttab"),
		ROW("\x1b[2J\x07", "\\x1b[2J\\x07"),
		ROW("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
		ROW("a\nb\r\0c", "a\\x0ab\\x0d\\x00c"),
		ROW("\xc2\x9b", "\\xc2\\x9b"),		/* C1 CSI */
		ROW("\xe2\x80\xae", "\\xe2\\x80\\xae"), /* right-to-left override */
		ROW("\xc3\xa9\xff", "\xc3\xa9\\xff"),
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b = {0};
		buf_add_escaped(&b, rows[i].in, rows[i].len, 0);
		assert_string_equal(b.data, rows[i].want);
		buf_finish(&b);
	}
}

static void test_escaped_keeps_sgr_only(void **state)
{
	(void)state;
	static const struct row rows[] = {
		ROW("\x1b[1;31mred\x1b[m", "\x1b[1;31mred\x1b[m"),
		ROW("\x1b[38:5:1mx", "\x1b[38:5:1mx"),
		ROW("\x1b[2J", "\\x1b[2J"),
		ROW("\x1b[31", "\\x1b[31"),
		ROW("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
		ROW("\x1b[11111111111111111111111111111111111m",
		    "\\x1b[11111111111111111111111111111111111m"),
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b = {0};
		buf_add_escaped(&b, rows[i].in, rows[i].len, 1);
		assert_string_equal(b.data, rows[i].want);
		buf_finish(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_take),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_escaped),
		cmocka_unit_test(test_escaped_keeps_sgr_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
