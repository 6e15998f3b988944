/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/units.h"

#include <locale.h>

#include "common/mem.h"

struct row {
	const char *text;
	int64_t want; /* -1 = refused */
};

static const struct row durations[] = {
	{"500ms", 500},
	{"10s", 10000},
	{"5m", 300000},
	{"1h", 3600000},
	{"2d", 172800000},
	{"7", 7000},
	{"0", 0},
	{"1.5s", 1500},
	{"0.1s", 100},
	{"1.1s", 1100},
	{"0.5h", 1800000},
	{"10S", 10000},
	{"", -1},
	{"s", -1},
	{"-1s", -1},
	{"+1", -1},
	{"1 s", -1},
	{" 1s", -1},
	{"1e9", -1},
	{"1.", -1},
	{".5", -1},
	{"1.5ms", -1},
	{"1.2.3", -1},
	{"10x", -1},
	{"0x10", -1},
	{"nan", -1},
	{"inf", -1},
	{"1,5s", -1},
	{"9007199254740993ms", -1},
	{"999999999999999999999999999999999999999d", -1},
	{"1.1234567s", -1},
};

static const struct row sizes[] = {
	{"512K", 524288},
	{"200M", 209715200},
	{"2G", 2147483648},
	{"1T", 1099511627776},
	{"1.5G", 1610612736},
	{"100", 100},
	{"100B", 100},
	{"1KB", 1024},
	{"1mb", 1048576},
	{"0", 0},
	{"0.3K", 307},
	{"1.5", -1},
	{"512X", -1},
	{"", -1},
	{"M", -1},
	{"-5M", -1},
	{"8192T", 9007199254740992},
	{"8193T", -1},
	{"99999999999T", -1},
	{"8191.999999T", 9007199253641480},
	{"1MiB", -1},
};

static void check(const struct row *rows, size_t n, bool (*parse)(const char *, int64_t *),
		  void (*format)(int64_t, char *, size_t))
{
	for (size_t i = 0; i < n; i++) {
		int64_t v = -7;
		bool ok = parse(rows[i].text, &v);
		if (ok != (rows[i].want >= 0) || (ok && v != rows[i].want)) {
			fail_msg("%s gave %d, %lld", rows[i].text, ok, (long long)v);
		}
		if (ok) {
			char text[24];
			int64_t again = -1;
			format(v, text, sizeof(text));
			assert_true(parse(text, &again));
			assert_int_equal(again, v);
		} else {
			assert_int_equal(v, -7);
		}
	}
}

static void test_parse(void **state)
{
	(void)state;
	check(durations, ARRAY_LEN(durations), units_parse_duration, units_format_duration);
	check(sizes, ARRAY_LEN(sizes), units_parse_size, units_format_size);
}

/* A comma as decimal point in the user's locale changes nothing. */
static void test_locale(void **state)
{
	(void)state;
	char text[24];
	if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "fr_FR.UTF-8")) {
		skip();
	}
	test_parse(state);
	units_format_age(400, text, sizeof(text));
	assert_string_equal(text, "0.4s");
	units_format_mem(1 << 19, text, sizeof(text));
	assert_string_equal(text, "0.5M");
	setlocale(LC_ALL, "C");
}

static void test_format(void **state)
{
	(void)state;
	static const struct {
		void (*format)(int64_t, char *, size_t);
		int64_t v;
		const char *want;
	} rows[] = {
		{units_format_duration, 1500, "1500ms"},
		{units_format_duration, 90000, "90s"},
		{units_format_duration, 300000, "5m"},
		{units_format_duration, 86400000, "1d"},
		{units_format_duration, 0, "0"},
		{units_format_size, 536870912, "512M"},
		{units_format_size, 1000, "1000"},
		{units_format_size, 1LL << 40, "1T"},
		{units_format_age, 0, "0.0s"},
		{units_format_age, -5, "0.0s"},
		{units_format_age, 449, "0.4s"},
		{units_format_age, 11211, "11s"},
		{units_format_age, 125000, "2m5s"},
		{units_format_age, 2520000, "42m"},
		{units_format_age, 7860000, "2h11m"},
		{units_format_age, 273600000, "3d4h"},
		{units_format_mem, 225023590, "214.6M"},
		{units_format_mem, 0, "0.0M"},
		{units_format_mem, 10484711424, "9999.0M"},
		{units_format_mem, 10737418240, "10.0G"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[24];
		rows[i].format(rows[i].v, text, sizeof(text));
		assert_string_equal(text, rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_locale),
		cmocka_unit_test(test_format),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
