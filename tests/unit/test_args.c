/* SPDX-License-Identifier: MIT */
#include "client/args.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "common/mem.h"

static const struct opt opts[] = {
	{"json", 0, NULL, "", 0, 0, 0},	    {"lines", 'n', "N", "", 0, 0, 0},
	{"follow", 'f', NULL, "", 0, 0, 0}, {"watch", 0, "WHAT", "", OPT_OPTIONAL, 0, 0},
	{"env.", 0, "VALUE", "", 0, 0, 0},
};
static const struct opt_set sets[] = {{opts, ARRAY_LEN(opts)}};

#define PARSE(flags, ...)                                                                          \
	char *words[] = {__VA_ARGS__};                                                             \
	struct args a = {0};                                                                       \
	struct err err = {0};                                                                      \
	bool ok = args_parse(&a, sets, 1, flags, (int)ARRAY_LEN(words), words, &err)

static void options_and_operands_mix(void **state)
{
	(void)state;
	PARSE(0, "web", "-fn", "5", "--json", "worker");
	assert_true(ok);
	assert_int_equal(a.n, 2);
	assert_string_equal(a.operand[1], "worker");
	assert_true(args_has(&a, "follow") && args_has(&a, "json"));
	assert_string_equal(args_value(&a, "lines", "20"), "5");
	args_finish(&a);
}

static void values_in_every_form(void **state)
{
	(void)state;
	PARSE(0, "-n3", "--lines=4", "--lines", "5", "--env.PORT=80", "--watch", "x",
	      "--watch=src");
	assert_true(ok);
	assert_string_equal(args_value(&a, "lines", NULL), "5");
	assert_string_equal(args_value(&a, "watch", NULL), "src");
	assert_int_equal(a.n, 1);
	assert_string_equal(a.operand[0], "x");
	const struct given *g = args_find(&a, "env.");
	assert_non_null(g);
	assert_string_equal(g->sub, "PORT");
	assert_string_equal(g->value, "80");
	args_finish(&a);
}

static void behind_two_dashes(void **state)
{
	(void)state;
	PARSE(ARGS_REST, "app.js", "--", "--json", "-x");
	assert_true(ok && a.has_rest);
	assert_int_equal(a.n, 1);
	assert_int_equal(a.nrest, 2);
	assert_string_equal(a.rest[0], "--json");
	assert_false(args_has(&a, "json"));
	args_finish(&a);
}

static void behind_two_dashes_without_rest(void **state)
{
	(void)state;
	PARSE(0, "--", "--json");
	assert_true(ok);
	assert_int_equal(a.n, 1);
	args_finish(&a);
}

static void numbers_where_they_are_operands(void **state)
{
	(void)state;
	PARSE(ARGS_NUMBERS, "web", "-1");
	assert_true(ok);
	assert_string_equal(a.operand[1], "-1");
	args_finish(&a);
}

static void numbers_where_they_are_not(void **state)
{
	(void)state;
	PARSE(0, "web", "-1");
	assert_false(ok);
	assert_int_equal(err.code, ERR_USAGE);
	args_finish(&a);
}

static void what_is_wrong(void **state)
{
	(void)state;
	static const struct {
		const char *word, *says;
	} cases[] = {
		{"--jsn", "--json"}, {"--json=1", "json"}, {"--lines", "lines"},
		{"-n", "n"},	     {"-q", "q"},	   {"--env.", "env"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		PARSE(0, (char *)(uintptr_t)cases[i].word);
		assert_false(ok);
		assert_int_equal(err.code, ERR_USAGE);
		assert_non_null(strstr(err.msg, cases[i].says));
		args_finish(&a);
	}
}

static void the_command_is_found(void **state)
{
	(void)state;
	char *words[] = {"pmctl", "--lines", "list", "-f", "logs", "web"};
	assert_int_equal(args_find_command(sets, 6, words), 4);
	assert_int_equal(args_find_command(sets, 1, words), 0);
	assert_true(args_has_word(6, words, "-f", "--follow"));
	char *hidden[] = {"pmctl", "start", "--", "-f"};
	assert_false(args_has_word(4, hidden, "-f", "--follow"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_and_operands_mix),
		cmocka_unit_test(values_in_every_form),
		cmocka_unit_test(behind_two_dashes),
		cmocka_unit_test(behind_two_dashes_without_rest),
		cmocka_unit_test(numbers_where_they_are_operands),
		cmocka_unit_test(numbers_where_they_are_not),
		cmocka_unit_test(what_is_wrong),
		cmocka_unit_test(the_command_is_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
