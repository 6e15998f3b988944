/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/utf8.h"

#include <locale.h>

#include "common/mem.h"

static void test_decode(void **state)
{
	(void)state;
	static const struct {
		const char *s;
		size_t len, want;
		uint32_t cp;
	} rows[] = {
		{"", 0, 0, 0},
		{"\0", 1, 1, 0},
		{"A", 1, 1, 'A'},
		{"\xc2\x80", 2, 2, 0x80},
		{"\xdf\xbf", 2, 2, 0x7ff},
		{"\xe0\xa0\x80", 3, 3, 0x800},
		{"\xef\xbf\xbf", 3, 3, 0xffff},
		{"\xf0\x90\x80\x80", 4, 4, 0x10000},
		{"\xf4\x8f\xbf\xbf", 4, 4, 0x10ffff},
		{"\x80", 1, 0, 0},
		{"\xc0\x80", 2, 0, 0}, /* overlong */
		{"\xc1\xbf", 2, 0, 0},
		{"\xe0\x9f\xbf", 3, 0, 0},
		{"\xf0\x8f\xbf\xbf", 4, 0, 0},
		{"\xed\xa0\x80", 3, 0, 0},     /* surrogate */
		{"\xf4\x90\x80\x80", 4, 0, 0}, /* beyond Unicode */
		{"\xf5\x80\x80\x80", 4, 0, 0},
		{"\xff", 1, 0, 0},
		{"\xe2\x82\xac", 2, 0, 0}, /* cut off */
		{"\xc3(", 2, 0, 0},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint32_t cp = 0;
		assert_int_equal(utf8_decode(rows[i].s, rows[i].len, &cp), rows[i].want);
		assert_int_equal(cp, rows[i].cp);
	}
}

static void test_every_code_point(void **state)
{
	(void)state;
	for (uint32_t want = 0x800; want <= 0xffff; want++) {
		char s[3] = {(char)(0xe0 | want >> 12), (char)(0x80 | (want >> 6 & 0x3f)),
			     (char)(0x80 | (want & 0x3f))};
		uint32_t cp = 0;
		bool surrogate = want >= 0xd800 && want <= 0xdfff;
		assert_int_equal(utf8_decode(s, 3, &cp), surrogate ? 0 : 3);
		assert_int_equal(cp, surrogate ? 0 : want);
	}
}

static void test_safe(void **state)
{
	(void)state;
	static const uint32_t unsafe[] = {0,	  7,	  0x0a,	  0x0d,	  0x1b,	  0x7f, 0x9b,
					  0x202e, 0x2066, 0x200f, 0x061c, 0x2028, 0x85};
	static const uint32_t safe[] = {'\t', ' ', '~', 0xe9, 0x20ac, 0x1f600, 0xa0};
	for (size_t i = 0; i < ARRAY_LEN(unsafe); i++) {
		assert_false(utf8_is_safe(unsafe[i]));
	}
	for (size_t i = 0; i < ARRAY_LEN(safe); i++) {
		assert_true(utf8_is_safe(safe[i]));
	}
}

static void test_width(void **state)
{
	(void)state;
	assert_int_equal(utf8_width(""), 0);
	assert_int_equal(utf8_width("abc"), 3);
	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		skip();
	}
	assert_int_equal(utf8_width("\xc3\xa9"), 1);
	assert_int_equal(utf8_width("\xe6\xbc\xa2"), 2);
	assert_int_equal(utf8_width("e\xcc\x81"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_every_code_point),
		cmocka_unit_test(test_safe),
		cmocka_unit_test(test_width),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
