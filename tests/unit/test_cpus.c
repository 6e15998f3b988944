/* SPDX-License-Identifier: MIT */
#include "sys/cpus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "common/mem.h"

static void test_quota(void **state)
{
	(void)state;
	static const struct {
		const char *line;
		unsigned cpus;
	} rows[] = {
		{"max 100000\n", 0},
		{"100000 100000\n", 1},
		{"150000 100000\n", 2},
		{"1000 100000\n", 1},
		{"200000 100000", 2},
		{"-1 100000", 0},
		{"0 100000", 0},
		{"100000 0", 0},
		{"100000", 0},
		{"", 0},
		{"x", 0},
		{"9223372036854775807 1", 0},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(cpus_of_quota(rows[i].line), rows[i].cpus);
	}
}

static void test_usable(void **state)
{
	(void)state;
	cpu_set_t set, one;
	assert_true(cpus_allowed(&set));
	unsigned n = cpus_usable();
	assert_true(n >= 1 && n <= (unsigned)CPU_COUNT(&set));
	CPU_ZERO(&one);
	CPU_SET(cpus_nth(&set, 0), &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_int_equal(cpus_usable(), 1);
	assert_int_equal(sched_setaffinity(0, sizeof(set), &set), 0);
}

static void test_list(void **state)
{
	(void)state;
	static const struct {
		const char *text, *hex; /* hex NULL = refused */
	} rows[] = {
		{"0", "1"},
		{"0-3,5", "2f"},
		{" 1 , 4 ", "12"},
		{"7-7", "80"},
		{"0,0,0", "1"},
		{"", NULL},
		{"x", NULL},
		{"1,", NULL},
		{",1", NULL},
		{"3-1", NULL},
		{"1-", NULL},
		{"-1", NULL},
		{"1 2", NULL},
		{"1024", NULL},
		{"0-4294967296", NULL},
		{"64", "10000000000000000"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cpu_set_t set;
		char hex[CPUS_HEX];
		struct err err = {0};
		bool ok = cpus_parse_list(rows[i].text, NULL, &set, &err);
		assert_int_equal(ok, rows[i].hex != NULL);
		if (ok) {
			cpus_format_hex(&set, hex);
			assert_string_equal(hex, rows[i].hex);
		} else {
			assert_non_null(strstr(err.msg, "is not a list of CPUs"));
		}
	}
	cpu_set_t allowed, set;
	CPU_ZERO(&allowed);
	CPU_SET(1, &allowed);
	CPU_SET(6, &allowed);
	struct err err = {0};
	assert_true(cpus_parse_list("1,6", &allowed, &set, &err));
	assert_false(cpus_parse_list("1-6", &allowed, &set, &err));
	assert_string_equal(err.msg, "there is no CPU 2 here");
}

static void test_nth(void **state)
{
	(void)state;
	cpu_set_t set;
	CPU_ZERO(&set);
	assert_int_equal(cpus_nth(&set, 0), -1);
	CPU_SET(2, &set);
	CPU_SET(9, &set);
	CPU_SET(1023, &set);
	static const int want[] = {2, 9, 1023, 2, 9};
	for (unsigned i = 0; i < ARRAY_LEN(want); i++) {
		assert_int_equal(cpus_nth(&set, i), want[i]);
	}
	char hex[CPUS_HEX];
	cpus_format_hex(&set, hex);
	assert_int_equal(strlen(hex), CPUS_HEX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quota),
		cmocka_unit_test(test_usable),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_nth),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
