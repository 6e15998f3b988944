/* SPDX-License-Identifier: MIT */
/* Boxes and prompts against files in screens/, at the sizes that matter (uigolden.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ui/view.h"
#include "ui/view_priv.h"
#include "uifake.h"
#include "uigolden.h"
#include "uikeys.h"

/* The box alone, without what is below it: that has screens of its own. */
static void draw_box(struct ui *u, struct grid *g)
{
	struct view v = {.ui = u, .grid = g};
	grid_clear(g);
	layout_make(&v.layout, u, g->rows, g->cols);
	viewoverlay_draw(&v);
}

/* The box after these keys; web is selected, as a whole. */
static void check(const char *name, int rows, int cols, bool utf8, const char *keys)
{
	static const char *const commands[] = {"reload", "restart", "stop", NULL};
	struct ui u;
	struct grid g = {0};
	struct buf out = {0};
	uifake_make(&u, utf8);
	u.commands = commands;
	model_find(&u.model, "web")->open = false;
	ui_refresh(&u);
	rows_select(&u.rows, 0);
	ui_refresh(&u);
	u.status.t_ms = 0;
	grid_resize(&g, rows, cols);
	view_draw(&u, &g);
	uikeys(&u, keys);
	draw_box(&u, &g);
	grid_dump(&g, false, &out);
	if (g.cur_shown) {
		buf_addf(&out, "cursor %d %d\n", g.cur_y, g.cur_x);
	}
	uigolden_check(name, &out);
	buf_finish(&out);
	grid_finish(&g);
	ui_finish(&u);
}

static void help(void **state)
{
	(void)state;
	check("overlay-help-80x24", 24, 80, true, "?");
	check("overlay-help-80x24-ascii", 24, 80, false, "?");
	check("overlay-help-40x8", 8, 40, true, "?");
	check("overlay-help-40x8-end", 8, 40, true, "?G");
	check("overlay-help-120x36", 36, 120, true, "?");
	check("overlay-help-200x50", 50, 200, true, "?");
	check("overlay-help-search", 24, 80, true, "?/stop");
	check("overlay-help-nothing", 24, 80, true, "?/zzz<Enter>");
}

static void questions(void **state)
{
	(void)state;
	check("overlay-restart", 24, 80, true, "R");
	check("overlay-restart-ascii", 24, 80, false, "R");
	check("overlay-restart-40x8", 8, 40, true, "R");
	check("overlay-stop", 24, 80, true, "S<Left>");
	check("overlay-delete", 24, 80, true, "ttgD@sho");
	check("overlay-delete-40x8", 8, 40, true, "Dweb");
	check("overlay-delete-marked", 24, 80, true, "<Space><Space>D2");
}

static void menus(void **state)
{
	(void)state;
	check("overlay-actions", 24, 80, true, "<Enter>jj");
	check("overlay-actions-40x8", 8, 40, true, "<Enter>G");
	check("overlay-signals", 24, 80, true, "K");
	check("overlay-sort", 24, 80, true, "O");
	check("overlay-columns", 24, 80, true, "cj<Space>");
}

static void text(void **state)
{
	(void)state;
	check("overlay-alerts", 24, 80, true, "A");
	check("overlay-alerts-40x8", 8, 40, true, "A");
}

static void prompts(void **state)
{
	(void)state;
	check("overlay-filter", 24, 80, true, "/wor");
	check("overlay-command", 24, 80, true, ":re<Tab>");
	check("overlay-command-44x12", 12, 44, true,
	      ":restart a-name-that-is-longer-than-the-screen-is-wide");
	check("overlay-scale", 24, 80, true, "+");
}

/* A box that is as large as the screen, or larger, at every size. */
static void every_size(void **state)
{
	(void)state;
	static const char *const keys[] = {"?", "R", "Dweb", "<Enter>", "c", "A", ":list", "?/x"};
	for (int rows = 8; rows < 40; rows += 3) {
		for (int cols = 40; cols < 240; cols += 7) {
			struct ui u;
			struct grid g = {0};
			uifake_make(&u, cols % 2);
			rows_select(&u.rows, 0);
			ui_refresh(&u);
			grid_resize(&g, rows, cols);
			uikeys(&u, keys[(rows + cols) % 8]);
			view_draw(&u, &g);
			assert_true(u.overlay.kind != OVERLAY_NONE);
			assert_in_range(g.cur_y, 0, rows - 1);
			assert_in_range(g.cur_x, 0, cols - 1);
			grid_finish(&g);
			ui_finish(&u);
		}
	}
}

/* --- wrapping --- */

static void expect_wrapped(const char *in, int width, const char *want)
{
	struct buf out = {0};
	overlay_wrap(in, width, &out);
	assert_string_equal(out.data ? out.data : "", want);
	buf_finish(&out);
}

static void wrapping(void **state)
{
	(void)state;
	expect_wrapped("", 10, "");
	expect_wrapped("one two three\n", 8, "one two \nthree\n");
	expect_wrapped("abcdefghij", 4, "abcd\nefgh\nij\n");
	expect_wrapped("a\n\nb", 10, "a\n\nb\n");
	expect_wrapped("  one two three", 10, "  one two \n    three\n");
	expect_wrapped("日本語", 4, "日本\n語\n");
	expect_wrapped("日本語", 1, "日\n本\n語\n");
	expect_wrapped("abc", 0, "a\nb\nc\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(help),	    cmocka_unit_test(questions),
		cmocka_unit_test(menus),    cmocka_unit_test(text),
		cmocka_unit_test(prompts),  cmocka_unit_test(every_size),
		cmocka_unit_test(wrapping),
	};
	setlocale(LC_ALL, "C.UTF-8");
	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
