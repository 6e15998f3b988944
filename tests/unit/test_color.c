/* SPDX-License-Identifier: MIT */
#include "client/color.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

static void words_of_the_option(void **state)
{
	(void)state;
	static const char *const bad[] = {"",	    "Auto", "ALWAYS", "always ",
					  " never", "yes",  "neverx"};
	enum color_when when = COLOR_NEVER;
	assert_true(color_parse("auto", &when) && when == COLOR_AUTO);
	assert_true(color_parse("always", &when) && when == COLOR_ALWAYS);
	assert_true(color_parse("never", &when) && when == COLOR_NEVER);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		when = COLOR_ALWAYS;
		if (color_parse(bad[i], &when) || when != COLOR_ALWAYS) {
			fail_msg("\"%s\" is taken", bad[i]);
		}
	}
}

/* Every combination, against the rules in words: the first rule that speaks decides. */
static void every_combination(void **state)
{
	(void)state;
	static const char *const values[] = {NULL, "", "0", "1"};
	static const char *const terms[] = {NULL, "dumb", "xterm", "dumb-terminal"};
	for (int k = 0; k < 4 * 4 * 4 * 4 * 4; k++) {
		struct color_env e = {.no_color = values[k & 3],
				      .clicolor_force = values[k >> 2 & 3],
				      .force_color = values[k >> 4 & 3],
				      .clicolor = values[k >> 6 & 3],
				      .term = terms[k >> 8 & 3]};
		bool no = (k & 3) >= 2; /* any value, "0" too: no-color.org */
		bool force = (k >> 2 & 3) == 3 || (k >> 4 & 3) == 3;
		bool off = (k >> 6 & 3) == 2 || (k >> 8 & 3) == 1;
		for (int tty = 0; tty < 2; tty++) {
			bool want = no ? false : force ? true : off ? false : tty;
			if (color_decide(COLOR_AUTO, &e, tty) != want ||
			    !color_decide(COLOR_ALWAYS, &e, tty) ||
			    color_decide(COLOR_NEVER, &e, tty)) {
				fail_msg("combination %d, terminal %d", k, tty);
			}
		}
	}
}

static void assert_sgr(const char *s)
{
	size_t n = strspn(s + 2, "0123456789;");
	assert_memory_equal(s, "\033[", 2);
	assert_true(n > 0);
	assert_string_equal(s + 2 + n, "m");
}

static void hues_differ_and_none_is_red(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		const char *hue = color_hue(i);
		assert_sgr(hue);
		assert_null(strstr(hue, "31m"));
		assert_null(strstr(hue, "91m"));
		for (unsigned k = 0; k < i; k++) {
			assert_string_not_equal(hue, color_hue(k));
		}
		assert_string_equal(hue, color_hue(i + 8));
	}
	assert_sgr(color_hue((unsigned)-1));
}

static void styles(void **state)
{
	(void)state;
	assert_string_equal(color_begin(STYLE_NONE), "");
	for (int s = STYLE_OK; s <= STYLE_BOLD; s++) {
		assert_sgr(color_begin((enum style)s));
		for (int k = STYLE_OK; k < s; k++) {
			assert_string_not_equal(color_begin((enum style)s),
						color_begin((enum style)k));
		}
	}
	assert_sgr(COLOR_END);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_of_the_option),
		cmocka_unit_test(every_combination),
		cmocka_unit_test(hues_differ_and_none_is_red),
		cmocka_unit_test(styles),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
