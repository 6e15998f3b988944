/* SPDX-License-Identifier: MIT */
#include "ui/grid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

static struct grid g;

static int setup(void **s)
{
	(void)s;
	grid_resize(&g, 1, 10);
	return 0;
}

static int teardown(void **s)
{
	(void)s;
	grid_finish(&g);
	return 0;
}

static void shows(const char *want)
{
	struct buf b = {0};
	grid_dump(&g, false, &b);
	b.data[strcspn(b.data, "\n")] = '\0';
	assert_string_equal(b.data, want);
	buf_finish(&b);
}

static void what_may_not_reach_a_terminal_is_a_question_mark(void **s)
{
	(void)s;
	assert_int_equal(grid_text(&g, 0, 0, -1, 0, "a\033[2J\n\xff"), 7);
	shows("a?[2J??");
}

static void tabs_are_blanks(void **s)
{
	(void)s;
	grid_text(&g, 0, 0, -1, 0, "a\tb");
	shows("a b");
}

static void text_stays_in_its_columns(void **s)
{
	(void)s;
	grid_text(&g, 0, 2, 3, 0, "abcdef");
	grid_text(&g, 0, 8, 9, 0, "xyz");
	grid_text(&g, 5, 0, 9, 0, "elsewhere");
	grid_text(&g, 0, -2, 4, 0, "12345");
	shows("34abc   xy");
}

static void a_wide_character_that_does_not_fit_is_left_out(void **s)
{
	(void)s;
	assert_int_equal(grid_text(&g, 0, 0, 3, 0, "漢字"), 2);
	shows("漢");
	assert_int_equal(grid_width("漢字a"), 5);
}

static void half_of_a_wide_character_is_never_left(void **s)
{
	(void)s;
	grid_text(&g, 0, 0, -1, 0, "漢字");
	grid_text(&g, 0, 1, 1, 0, "x");
	shows(" x字");
	grid_text(&g, 0, 2, 1, 0, "y");
	shows(" xy");
}

static void combining_characters_join_the_cell_before(void **s)
{
	(void)s;
	assert_int_equal(grid_text(&g, 0, 0, -1, 0, "e\xcc\x81x"), 2);
	shows("e\xcc\x81x");
}

/* A joiner, the colour of a skin, a choice of glyph, a mark of order, a keycap, a tag. */
static void what_joins_characters_has_no_cell(void **s)
{
	(void)s;
	assert_int_equal(grid_text(&g, 0, 0, -1, 0,
				   "a\xe2\x80\x8d"
				   "b\xf0\x9f\x8f\xbd"
				   "c\xef\xb8\x8f"
				   "d\xef\xbb\xbf"
				   "e\xe2\x83\xa3"
				   "f\xf3\xa0\x81\xa7"
				   "g"),
			 7);
	shows("abcdefg");
}

static void what_is_cut_says_so(void **s)
{
	(void)s;
	grid_cut(&g, 0, 0, 5, 0, "abcdefgh", true);
	shows("abcd…");
	grid_cut(&g, 0, 0, 5, 0, "abcdefgh", false);
	shows("abcd~");
	grid_cut(&g, 0, 0, 5, 0, "12345", true);
	shows("12345");
}

static void figures_stand_at_the_right(void **s)
{
	(void)s;
	grid_right(&g, 0, 2, 4, 0, "7%");
	shows("    7%");
}

static void styles_are_told(void **s)
{
	struct buf b = {0};
	(void)s;
	grid_text(&g, 0, 0, -1, UI_FAIL, "ab");
	grid_text(&g, 0, 3, -1, UI_OK, "c");
	grid_paint(&g, 0, 3, 2, UI_REVERSE);
	grid_dump(&g, true, &b);
	assert_string_equal(b.data, "ab c\nFF RR\n");
	buf_finish(&b);
}

static void equal_means_every_cell(void **s)
{
	struct grid h = {0};
	(void)s;
	grid_resize(&h, 1, 10);
	assert_true(grid_equal(&g, &h));
	grid_text(&h, 0, 9, 1, UI_DIM, " ");
	assert_false(grid_equal(&g, &h));
	grid_finish(&h);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	setlocale(LC_ALL, "C.UTF-8");
	const struct CMUnitTest tests[] = {TEST(what_may_not_reach_a_terminal_is_a_question_mark),
					   TEST(tabs_are_blanks),
					   TEST(text_stays_in_its_columns),
					   TEST(a_wide_character_that_does_not_fit_is_left_out),
					   TEST(half_of_a_wide_character_is_never_left),
					   TEST(combining_characters_join_the_cell_before),
					   TEST(what_joins_characters_has_no_cell),
					   TEST(what_is_cut_says_so),
					   TEST(figures_stand_at_the_right),
					   TEST(styles_are_told),
					   TEST(equal_means_every_cell)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
