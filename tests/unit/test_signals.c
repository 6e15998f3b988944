/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/signals.h"

#include <signal.h>
#include <stdio.h>

#include "common/mem.h"

static void test_number(void **state)
{
	(void)state;
	const struct {
		const char *name;
		int want;
	} rows[] = {
		{"SIGTERM", SIGTERM},
		{"term", SIGTERM},
		{"sigKill", SIGKILL},
		{"15", 15},
		{"1", 1},
		{"SIGRTMIN", SIGRTMIN},
		{"SIGRTMIN+3", SIGRTMIN + 3},
		{"rtmin+0", SIGRTMIN},
		{"RTMAX-1", SIGRTMAX - 1},
		{"SIGRTMAX", SIGRTMAX},
		{"POLL", SIGPOLL},
		{"64", SIGRTMAX},
		{"0", 0},
		{"65", 0},
		{"32", 0},
		{"033", 0},
		{"-1", 0},
		{"+9", 0},
		{"9x", 0},
		{"", 0},
		{"SIG", 0},
		{"SIGSIGTERM", 0},
		{"TERMINATE", 0},
		{"RTMIN-1", 0},
		{"RTMAX+1", 0},
		{"RTMIN+", 0},
		{"RTMIN+99", 0},
		{"RTMIN+ 1", 0},
		{"99999999999999999999", 0},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (signals_number(rows[i].name) != rows[i].want) {
			fail_msg("%s gave %d", rows[i].name, signals_number(rows[i].name));
		}
	}
}

static void test_every_number_is_read_back(void **state)
{
	(void)state;
	char name[SIGNALS_NAME];
	for (int n = 1; n <= SIGRTMAX; n++) {
		if (n < 32 || n >= SIGRTMIN) {
			assert_int_equal(signals_number(signals_name(n, name)), n);
		}
	}
	assert_string_equal(signals_name(SIGABRT, name), "SIGABRT");
	assert_string_equal(signals_name(99, name), "signal 99");
	for (size_t i = 0; signals_each(i); i++) {
		assert_int_not_equal(signals_number(signals_each(i)), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_every_number_is_read_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
