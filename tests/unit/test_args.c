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
		{"--jsn", "--json"},
		{"--json=1", "json"},
		{"--lines", "lines"},
		{"-n", "n"},
		{"-q", "q"},
		{"--env.", "env"},
		{"--env.A", "env."},
		{"-fq", "\"-q\""},
		{"---", "---"},
		{"--=1", "\"--\""},
		{"--line=1", "--lines"},
		{"-\n", "\"-?\""},
		{"-\xc3", "\"-?\""},
		{"--JSON", "JSON"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		PARSE(0, (char *)(uintptr_t)cases[i].word);
		assert_false(ok);
		assert_int_equal(err.code, ERR_USAGE);
		assert_non_null(strstr(err.msg, cases[i].says));
		args_finish(&a);
	}
}

static void last_of_equals_counts(void **state)
{
	(void)state;
	PARSE(0, "-n", "1", "--env.A=1", "--env.B=", "-n2", "--env.A", "x", "--lines=");
	assert_true(ok);
	assert_int_equal(a.ngiven, 6);
	assert_string_equal(args_value(&a, "lines", "20"), ""); /* given, and empty */
	const struct given *g = args_find(&a, "env.");
	assert_string_equal(g->sub, "A");
	assert_string_equal(g->value, "x"); /* the word behind it, as with any other */
	assert_string_equal(a.given[2].sub, "B");
	assert_string_equal(a.given[2].value, "");
	assert_null(args_find(&a, "json"));
	assert_string_equal(args_value(&a, "json", "absent"), "absent");
	args_finish(&a);
	args_finish(&a);
}

/* The value of an option is what stands there, whatever it looks like. */
static void values_that_look_like_options(void **state)
{
	(void)state;
	PARSE(ARGS_REST, "--lines", "--", "-n", "-f", "--lines", "--json", "-n-1", "-fn=5");
	assert_true(ok);
	static const char *const want[] = {"--", "-f", "--json", "-1", NULL, "=5"};
	assert_int_equal(a.ngiven, ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		if (want[i]) {
			assert_string_equal(a.given[i].value, want[i]);
		} else {
			assert_null(a.given[i].value);
		}
	}
	assert_int_equal(a.n, 0);
	assert_false(a.has_rest || args_has(&a, "json"));
	args_finish(&a);
}

static void odd_operands(void **state)
{
	(void)state;
	PARSE(ARGS_NUMBERS | ARGS_REST, "-", "", "-12", "-0", "a=b", "--", "--", "-");
	assert_true(ok && a.has_rest);
	static const char *const want[] = {"-", "", "-12", "-0", "a=b"};
	assert_int_equal(a.n, ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		assert_string_equal(a.operand[i], want[i]);
	}
	assert_int_equal(a.nrest, 2);
	assert_string_equal(a.rest[0], "--");
	args_finish(&a);
}

static void nothing_at_all(void **state)
{
	(void)state;
	struct args none = {0};
	char *no_words[] = {NULL};
	assert_true(args_parse(&none, sets, 1, ARGS_REST, 0, no_words, NULL));
	assert_true(none.n == 0 && !none.has_rest && !args_find(&none, "json"));
	args_finish(&none);
	PARSE(ARGS_REST, "--");
	assert_true(ok && a.has_rest && a.nrest == 0 && a.n == 0);
	args_finish(&a);
}

/* The first set with the name wins; a letter alone has no name to be asked by. */
static void several_sets(void **state)
{
	(void)state;
	static const struct opt mine[] = {{"lines", 'l', NULL, "", 0, 0, 0},
					  {NULL, 'x', "WHAT", "", 0, 0, 0}};
	const struct opt_set both[] = {{mine, ARRAY_LEN(mine)}, {opts, ARRAY_LEN(opts)}};
	struct args a = {0};
	struct err err = {0};
	char *words[] = {(char *)(uintptr_t) "--lines", (char *)(uintptr_t) "-n",
			 (char *)(uintptr_t) "3", (char *)(uintptr_t) "-xy"};
	assert_true(args_parse(&a, both, 2, 0, 4, words, &err));
	assert_int_equal(a.ngiven, 3);
	assert_ptr_equal(a.given[0].opt, &mine[0]);
	assert_string_equal(a.given[1].value, "3");
	assert_string_equal(a.given[2].value, "y");
	assert_string_equal(args_value(&a, "lines", NULL), "3");
	args_finish(&a);
	words[0] = (char *)(uintptr_t) "-x";
	assert_false(args_parse(&a, both, 2, 0, 1, words, &err));
	assert_string_equal(err.msg, "option -x needs a value (WHAT)");
	args_finish(&a);
}

static void the_command_is_found(void **state)
{
	(void)state;
	char *words[] = {"pmctl", "--lines", "list", "-f", "logs", "web"};
	assert_int_equal(args_find_command(sets, 6, words), 4);
	assert_int_equal(args_find_command(sets, 1, words), 0);
	assert_true(args_has_word(6, words, "-f", "--follow"));
	static const struct {
		const char *word[4];
		int at;
	} rows[] = {
		{{"-n5", "list", "x", "y"}, 2},	       {{"--lines=5", "list", "x", "y"}, 2},
		{{"--json", "list", "x", "y"}, 2},     {{"--watch", "list", "x", "y"}, 2},
		{{"--unknown", "list", "-z"}, 2},      {{"-n", "list", "-", "x"}, 3},
		{{"--env.A", "list", "x", "y"}, 3},    {{"--", "list", "x", "y"}, 2},
		{{"-f", "--json", "--lines", "9"}, 0}, {{"", "list", "x", "y"}, 1},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int n = 1;
		for (; n <= 4 && rows[i].word[n - 1]; n++) {
			words[n] = (char *)(uintptr_t)rows[i].word[n - 1];
		}
		if (args_find_command(sets, n, words) != rows[i].at) {
			fail_msg("case %zu", i);
		}
	}
	words[1] = (char *)(uintptr_t) "--";
	assert_int_equal(args_find_command(sets, 2, words), 0);
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
		cmocka_unit_test(last_of_equals_counts),
		cmocka_unit_test(values_that_look_like_options),
		cmocka_unit_test(odd_operands),
		cmocka_unit_test(nothing_at_all),
		cmocka_unit_test(several_sets),
		cmocka_unit_test(the_command_is_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
