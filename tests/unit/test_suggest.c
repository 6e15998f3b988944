/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/suggest.h"

#include "common/mem.h"

static void test_suggest(void **state)
{
	(void)state;
	static const char *const names[] = {"web",     "worker", "mailer",	 "instances",
					    "restart", "reload", "max_restarts", "logs"};
	static const struct {
		const char *wanted, *text;
	} rows[] = {
		{"wbe", "; did you mean \"web\"?"},
		{"instnaces", "; did you mean \"instances\"?"},
		{"relaod", "; did you mean \"reload\"?"},
		{"re", "; did you mean \"restart\" or \"reload\"?"},
		{"INST", "; did you mean \"instances\"?"},
		{"log", "; did you mean \"logs\"?"},
		{"zzzzzz", ""},
		{"", ""},
		{"w", ""},
		{"wxyz", ""},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct suggest s;
		char text[200];
		suggest_init(&s, rows[i].wanted);
		for (size_t k = 0; k < ARRAY_LEN(names); k++) {
			suggest_offer(&s, names[k]);
		}
		suggest_text(&s, text, sizeof(text));
		assert_string_equal(text, rows[i].text);
	}
}

static void test_bounds(void **state)
{
	(void)state;
	char longer[400];
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	struct suggest s;
	char text[16];
	suggest_init(&s, longer);
	suggest_offer(&s, longer);
	suggest_offer(&s, "a");
	assert_int_equal(s.n, 0);
	suggest_init(&s, "aaaa");
	for (int i = 0; i < 9; i++) {
		suggest_offer(&s, "aaaab");
	}
	assert_int_equal(s.n, SUGGEST_MAX);
	suggest_text(&s, text, sizeof(text));
	assert_int_equal(strlen(text), sizeof(text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_suggest),
		cmocka_unit_test(test_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
