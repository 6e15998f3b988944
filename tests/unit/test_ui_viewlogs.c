/* SPDX-License-Identifier: MIT */
/* The log pane on a screen, as text; and that no line of an app can do anything but be read. */
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

#include "common/utf8.h"
#include "ui/view_priv.h"

#define T0 INT64_C(1763819521118) /* 2025-11-22 13:52:01.118 UTC */

static struct ui ui;
static struct grid grid;

static int setup(void **state)
{
	(void)state;
	ui_init(&ui, true);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	grid_finish(&grid);
	ui_finish(&ui);
	return 0;
}

static void add_raw(int64_t t_ms, int slot, bool err, bool event, const char *text, size_t len)
{
	struct logpane_line l = {
		.t_ms = t_ms, .app = "web", .slot = slot, .err = err, .event = event, .len = len};
	l.text = (char *)(uintptr_t)text;
	logpane_add(&ui.logs, &l);
}

static void add(int ms, bool err, const char *text)
{
	add_raw(T0 + ms, 2, err, false, text, strlen(text));
}

/* The log pane alone on a screen of this size. */
static const char *draw(int rows, int cols, enum layout_size size, bool styles)
{
	static char out[65536];
	struct view v = {.ui = &ui, .grid = &grid};
	struct buf b = {0};
	v.layout.size = size;
	v.layout.boxed = size >= LAYOUT_WIDE;
	v.layout.logs = (struct rect){0, 0, rows, cols};
	grid_resize(&grid, rows, cols);
	viewlogs_draw(&v);
	grid_dump(&grid, styles, &b);
	snprintf(out, sizeof(out), "%s", b.data);
	buf_finish(&b);
	return out;
}

static void fill(void)
{
	logpane_choose(&ui.logs, "web:2", "web:2");
	add(0, false, "GET /api/items/41 200 12ms");
	add(259, true, "WARN slow query took 757ms");
	add_raw(T0 + 892, 2, false, true, "killed by SIGSEGV after 3d4h", 28);
	add(1284, false, "listening 4100");
}

static void as_drawn_in_the_manual(void **state)
{
	(void)state;
	fill();
	assert_string_equal(
		draw(5, 80, LAYOUT_NORMAL, false),
		"── web:2 ─ logs ─ follow ─────────────────── / search  & filter  l full screen ─\n"
		" 13:52:01.118  GET /api/items/41 200 12ms\n"
		" 13:52:01.377! WARN slow query took 757ms\n"
		" 13:52:02.010  ── killed by SIGSEGV after 3d4h ──\n"
		" 13:52:02.402  listening 4100\n");
	ui.logs.rate = 17;
	ui.utf8 = false;
	assert_string_equal(
		draw(3, 78, LAYOUT_WIDE, false),
		" LOGS web:2  follow  (17 lines/s)         / search  & filter  w wrap  l full\n"
		" 13:52:02.010  -- killed by SIGSEGV after 3d4h --\n"
		" 13:52:02.402  listening 4100\n");
	assert_string_equal(
		draw(2, 80, LAYOUT_NORMAL, false),
		"-- web:2 - logs - follow ------------------- / search  & filter  l full screen -\n"
		" 13:52:02.402  listening 4100\n");
}

static void in_a_split_of_a_terminal(void **state)
{
	(void)state;
	logpane_choose(&ui.logs, "web", "web");
	ui.logs.several = true;
	ui.logs.slot_width = 1;
	add_raw(T0, 0, false, false, "job done id=876", 15);
	add_raw(T0, 1, true, false, "job lost id=877", 15);
	assert_string_equal(draw(3, 44, LAYOUT_COMPACT, false),
			    "─ web logs ─────────────────────────────────\n"
			    " 0 job done id=876\n"
			    " 1!job lost id=877\n");
}

static void names_where_there_are_several(void **state)
{
	(void)state;
	logpane_choose(&ui.logs, "web,worker", "2 marked");
	ui.logs.several = true;
	ui.logs.name_width = 8;
	add_raw(T0, 0, false, false, "a", 1);
	add_raw(T0, 11, true, false, "b", 1);
	assert_string_equal(
		draw(3, 80, LAYOUT_NORMAL, true),
		"── 2 marked ─ logs ─ follow ──────────────── / search  & filter  l full screen ─\n"
		"dd                          dddddddddddddddddddddddddddddddddddddddddddddddddddd\n"
		" 13:52:01.118  web:0    a\n"
		" dddddddddddd  00000\n"
		" 13:52:01.118! web:11   b\n"
		" ddddddddddddW 000000\n");
}

static void paused_with_hits_marks_and_filters(void **state)
{
	(void)state;
	char why[64];
	fill();
	assert_true(logpane_search(&ui.logs, "w", why, sizeof(why)));
	draw(5, 80, LAYOUT_NORMAL, false);
	assert_true(logpane_next(&ui.logs, -1));
	logpane_mark(&ui.logs);
	add(2000, false, "new");
	assert_string_equal(draw(4, 100, LAYOUT_NORMAL, true),
			    "── web:2 ─ logs ─ PAUSED, 1 new, F follows ─ /w ──────────────── / "
			    "search  & filter  l full screen ─\n"
			    "dd                                              "
			    "dddddddddddddddddddddddddddddddddddddddddddddddddddd\n"
			    ">13:52:01.377! WARN slow query took 757ms\n"
			    "AAAAAAAAAAAAAW U       U\n"
			    " 13:52:02.010  ── killed by SIGSEGV after 3d4h ──\n"
			    " dddddddddddd  dddddddddddddddddddddddddddddddddd\n"
			    " 13:52:02.402  listening 4100\n"
			    " dddddddddddd\n");
	logpane_follow(&ui.logs, true);
	logpane_search(&ui.logs, "", why, sizeof(why));
	logpane_filter(&ui.logs, "!GET", why, sizeof(why));
	logpane_toggle_err(&ui.logs);
	logpane_toggle_times(&ui.logs);
	assert_string_equal(
		draw(4, 80, LAYOUT_NORMAL, false),
		"── web:2 ─ logs ─ follow ─ stderr only ─ &!GET ─────────────────────────────────\n"
		"◆! WARN slow query took 757ms\n"
		"   ── killed by SIGSEGV after 3d4h ──\n"
		"\n");
}

static void hostile_lines(void **state)
{
	(void)state;
	ui.logs.times = false;
	logpane_choose(&ui.logs, "web:2", "web:2");
	add(0, false, "\033]0;title\007\033[2J\033[31mred\033[0m\r\033[H\x9b\xc2\x9b\xff");
	add(0, false, "wide \xe4\xb8\xad\xe6\x96\x87 comb e\xcc\x81 rtl \xe2\x80\xae tab\tx");
	assert_string_equal(
		draw(3, 60, LAYOUT_NORMAL, false),
		"── web:2 ─ logs ─ follow ───────────────────────────────────\n"
		"   \\x1b]0;title\\x07\\x1b[2Jred\\x0d\\x1b[H\\x9b\\xc2\\x9b\\xff\n"
		"   wide \xe4\xb8\xad\xe6\x96\x87 comb e\xcc\x81 rtl \\xe2\\x80\\xae tab   x\n");
	/* Cut in the middle of a wide character; more to the right. */
	assert_string_equal(draw(2, 12, LAYOUT_COMPACT, false),
			    "─ web:2 lo…\n  wide \xe4\xb8\xad\xe6\x96\x87>\n");
	logpane_sideways(&ui.logs, 1);
	assert_string_equal(draw(2, 12, LAYOUT_COMPACT, false),
			    "─ web:2 lo…\n  \xe4\xb8\xad\xe6\x96\x87 comb>\n");
}

static void a_megabyte_ends_with_a_mark(void **state)
{
	(void)state;
	size_t len = 1024 * 1024;
	char *big = malloc(len + 1);
	memset(big, 'x', len);
	big[len] = '\0';
	ui.logs.times = false;
	add(0, false, big);
	free(big);
	draw(60, 80, LAYOUT_NORMAL, false); /* the pane learns its size */
	logpane_toggle_wrap(&ui.logs);
	const char *s = draw(60, 80, LAYOUT_NORMAL, false);
	assert_non_null(strstr(s, "xxx…\n"));
	logpane_toggle_wrap(&ui.logs);
	assert_non_null(strstr(draw(3, 80, LAYOUT_NORMAL, false), "xxx>\n"));
}

/* Bytes that mean something to the code more often than chance would have it. */
static size_t random_line(char *out, size_t cap)
{
	static const char *const parts[] = {"\033[31m",
					    "\033[",
					    "\033]0;",
					    "{\"level\":30,\"msg\":\"",
					    "\\u00",
					    "\"}",
					    "\xe4\xb8\xad",
					    "\xcc\x81",
					    "\xf0\x9f\x98\x80",
					    "\t",
					    "\r",
					    "\x9b",
					    "\xe2\x80\xae",
					    "[[[",
					    "}",
					    "{\"a\":",
					    "\033[38;5;",
					    "m",
					    "\n",
					    ","};
	size_t len = 0, want = (size_t)rand() % cap;
	while (len + 32 < want) {
		if (rand() % 2) {
			out[len++] = (char)rand();
		} else {
			const char *s = parts[(size_t)rand() % (sizeof(parts) / sizeof(parts[0]))];
			memcpy(out + len, s, strlen(s));
			len += strlen(s);
		}
	}
	return len;
}

static void press_something(void)
{
	static const char *const words[] = {"a", "x.*y", "^", "", "!a", "\\\\", "[0-9]+", "(", "$"};
	char why[64];
	const char *word = words[(size_t)rand() % (sizeof(words) / sizeof(words[0]))];
	switch (rand() % 14) {
	case 0:
		logpane_move(&ui.logs, rand() % 41 - 20);
		break;
	case 1:
		logpane_page(&ui.logs, rand() % 5 - 2);
		break;
	case 2:
		logpane_edge(&ui.logs, rand() % 2 ? 1 : -1);
		break;
	case 3:
		logpane_sideways(&ui.logs, rand() % 2 ? 1 : -1);
		break;
	case 4:
		logpane_toggle_wrap(&ui.logs);
		break;
	case 5:
		logpane_toggle_times(&ui.logs);
		break;
	case 6:
		logpane_toggle_err(&ui.logs);
		break;
	case 7:
		logpane_toggle_json(&ui.logs);
		break;
	case 8:
		logpane_filter(&ui.logs, word, why, sizeof(why));
		break;
	case 9:
		logpane_search(&ui.logs, word, why, sizeof(why));
		break;
	case 10:
		logpane_next(&ui.logs, rand() % 2 ? 1 : -1);
		break;
	case 11:
		logpane_pick(&ui.logs, rand() % 30);
		logpane_mark(&ui.logs);
		break;
	case 12:
		ui.logs.several = rand() % 2;
		ui.logs.name_width = rand() % 60;
		ui.logs.slot_width = rand() % 5;
		break;
	default:
		logpane_follow(&ui.logs, rand() % 2);
	}
}

static void check_cells(void)
{
	for (int i = 0; i < grid.rows * grid.cols; i++) {
		const struct grid_cell *c = &grid.cell[i];
		assert_true(c->ch == 0 || (c->ch >= 0x20 && utf8_is_safe(c->ch)));
		assert_true(c->comb == 0 || (c->comb >= 0x20 && utf8_is_safe(c->comb)));
		assert_true(c->ch != 0 || i % grid.cols > 0);
	}
}

static void whatever_comes_no_cell_controls_a_terminal(void **state)
{
	(void)state;
	static char line[9000];
	srand(7);
	logpane_choose(&ui.logs, "web", "web");
	for (int round = 0; round < 700; round++) {
		size_t len = random_line(line, rand() % 8 ? 300 : sizeof(line));
		if (rand() % 5) {
			add_raw(T0 + round, rand() % 12 - 1, rand() % 2, rand() % 9 == 0, line,
				len);
		} else {
			struct logpane_line l = {.app = "w", .len = len, .text = line};
			logpane_add_front(&ui.logs, &l);
		}
		press_something();
		ui.utf8 = rand() % 4;
		if (round % 3 == 0) {
			int cols = 1 + rand() % 220;
			draw(rand() % 60, cols,
			     cols < 60	  ? LAYOUT_COMPACT
			     : cols < 120 ? LAYOUT_NORMAL
					  : LAYOUT_WIDE,
			     false);
			check_cells();
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ONE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		ONE(as_drawn_in_the_manual),
		ONE(in_a_split_of_a_terminal),
		ONE(names_where_there_are_several),
		ONE(paused_with_hits_marks_and_filters),
		ONE(hostile_lines),
		ONE(a_megabyte_ends_with_a_mark),
		ONE(whatever_comes_no_cell_controls_a_terminal),
	};
	setenv("TZ", "UTC", 1);
	tzset();
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
