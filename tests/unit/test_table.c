/* SPDX-License-Identifier: MIT */
#include "client/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/utf8.h"

enum { NAME, STATE, SIZE, BOTH, NOTE, COLUMNS };

static const struct column columns[COLUMNS] = {
	[NAME] = {.title = "NAME", .shrink = 4, .gap = 3}, /* the first has none */
	[STATE] = {.title = "STATE", .gap = 2},
	[SIZE] = {.title = "SIZE", .right = true, .gap = 2},
	[BOTH] = {.title = "BOTH", .gap = 1, .hidden = true},
	[NOTE] = {.title = "NOTE", .gap = 2, .shrink = 6, .early = 1},
};

/* First the size goes, then the state for a column that says both, then the note. */
static const struct drop drops[] = {{SIZE, -1, -1}, {STATE, -1, BOTH}, {NOTE, BOTH, -1}};

static void fill(struct table *t, const char *const *cell, size_t rows)
{
	table_init(t, columns, COLUMNS, drops, ARRAY_LEN(drops), 1);
	for (size_t r = 0; r < rows; r++) {
		table_row(t);
		for (size_t c = 0; c < COLUMNS; c++) {
			if (cell[r * COLUMNS + c]) {
				table_set(t, c, STYLE_NONE, cell[r * COLUMNS + c]);
			}
		}
	}
}

static const char *const plain[] = {
	"web",	     "online", "1",   "on:1",  "fine", /* */
	"worker-12", "off",    "123", "off:9", "exit 1 ago",
};

static void expect(const char *const *cell, size_t rows, const struct table_look *look,
		   size_t limit, const char *want)
{
	struct table t;
	struct buf out = {0};
	fill(&t, cell, rows);
	table_fit(&t, look, limit);
	table_render(&t, look, &out);
	assert_string_equal(out.data ? out.data : "", want);
	buf_finish(&out);
	table_finish(&t);
}

static void without_limit(void **state)
{
	(void)state;
	expect(plain, 2, &(struct table_look){.heading = true}, 0,
	       "NAME       STATE   SIZE  NOTE\n"
	       "web        online     1  fine\n"
	       "worker-12  off      123  exit 1 ago\n");
	expect(plain, 2, &(struct table_look){.indent = 3}, 0,
	       "   web        online    1  fine\n"
	       "   worker-12  off     123  exit 1 ago\n");
	expect(plain, 1, &(struct table_look){.pad = true, .heading = true}, 0,
	       "NAME  STATE   SIZE  NOTE\n"
	       "web   online     1  fine\n");
	expect(plain, 2, &(struct table_look){.pad = true}, 0,
	       "web        online    1  fine      \n"
	       "worker-12  off     123  exit 1 ago\n");
}

static void nothing_in_it(void **state)
{
	(void)state;
	static const char *const empty[COLUMNS] = {NULL, "", NULL, "", NULL};
	expect(NULL, 0, &(struct table_look){.heading = true}, 0, "NAME  STATE  SIZE  NOTE\n");
	expect(NULL, 0, &(struct table_look){.heading = true}, 80, "NAME  STATE  SIZE  NOTE\n");
	expect(NULL, 0, &(struct table_look){0}, 10, "");
	/* A line of blanks has none in the end. */
	expect(empty, 1, &(struct table_look){.indent = 4}, 0, "\n");
	struct table none = {0};
	table_finish(&none);
}

static void the_last_text_of_a_cell_holds(void **state)
{
	(void)state;
	struct table t;
	struct buf out = {0};
	struct table_look look = {.color = true};
	fill(&t, plain, 1);
	table_set(&t, STATE, STYLE_FAIL, "a much longer text");
	table_set(&t, STATE, STYLE_OK, "up");
	table_fit(&t, &look, 0);
	table_render(&t, &look, &out);
	assert_string_equal(out.data, "web  \033[32mup\033[0m  1  fine\n");
	buf_finish(&out);
	table_finish(&t);
}

/* What each step of the drops does, at the first width where it is needed. */
static void columns_go_in_their_order(void **state)
{
	(void)state;
	struct table_look look = {.utf8 = true};
	expect(plain, 2, &look, 34,
	       "web        online    1  fine\n"
	       "worker-12  off     123  exit 1 ago\n"); /* 9+2+6+2+3+2+10 = 34 */
	expect(plain, 2, &look, 33,
	       "web        online  fine\n"
	       "worker-12  off     exit 1 ago\n"); /* 29 */
	expect(plain, 2, &look, 28,
	       "web        online  fine\n"
	       "worker-12  off     exit 1 a…\n");
	expect(plain, 2, &look, 25,
	       "web        online  fine\n"
	       "worker-12  off     exit …\n");
}

static void one_column_for_two(void **state)
{
	(void)state;
	struct table_look look = {0};
	/* Even cut the note does not fit beside the state: it says both in fewer columns. */
	expect(plain, 2, &look, 23,
	       "web       on:1   fine\n"
	       "worker-12 off:9  exit ~\n");
	expect(plain, 2, &look, 9,
	       "web\n"
	       "worker-12\n");
	expect(plain, 2, &look, 8,
	       "web\n"
	       "worker-~\n");
	/* Less than `shrink` it never gets, so neither does the line. */
	expect(plain, 2, &look, 1,
	       "web\n"
	       "wor~\n");
}

static void strip(const char *s, struct buf *out)
{
	while (*s) {
		if (*s == '\033') {
			s += strcspn(s, "m") + 1;
		} else {
			buf_addc(out, *s++);
		}
	}
}

/* Whatever the colours, the rest is the same, and no colour is left on. */
static void colour_moves_nothing(void **state)
{
	(void)state;
	for (size_t limit = 0; limit < 45; limit++) {
		struct buf painted = {0}, bare = {0}, gone = {0};
		struct table t;
		struct table_look look = {.heading = true, .pad = limit % 2, .utf8 = true};
		fill(&t, plain, 2);
		for (size_t c = 0; c < COLUMNS; c++) {
			table_set(&t, c, (enum style)(c + 1), plain[COLUMNS + c]);
		}
		table_fit(&t, &look, limit);
		table_render(&t, &look, &bare);
		look.color = true;
		table_fit(&t, &look, limit);
		table_render(&t, &look, &painted);
		strip(painted.data, &gone);
		assert_string_equal(gone.data, bare.data);
		assert_non_null(strstr(painted.data, "\033[2mNAME\033[0m"));
		size_t begun = 0, ended = 0;
		for (const char *s = painted.data; (s = strstr(s, "\033[")); s += 2) {
			bool end = strncmp(s, COLOR_END, strlen(COLOR_END)) == 0;
			begun += !end;
			ended += end;
			assert_true(begun - ended <= 1); /* never one in another */
		}
		assert_int_equal(begun, ended);
		buf_finish(&painted);
		buf_finish(&bare);
		buf_finish(&gone);
		table_finish(&t);
	}
}

static void wide_and_narrow_characters(void **state)
{
	(void)state;
	/* Two columns each; a combining accent takes none; a character of one column. */
	static const char *const cells[] = {
		"中文字",    "off", "1",  NULL, "x", /* */
		"e\u0301te", "öff", "12", NULL, "日本語日本語",
	};
	struct table_look look = {.utf8 = true, .pad = true};
	expect(cells, 2, &look, 0,
	       "中文字  off   1  x           \n"
	       "e\u0301te     öff  12  日本語日本語\n");
	/* A wide character that does not fit beside the mark leaves its column blank. */
	expect(cells, 2, &(struct table_look){.utf8 = true, .pad = true, .indent = 0}, 20,
	       "中文字  off  x      \n"
	       "e\u0301te     öff  日本語…\n");
	expect(cells, 2, &look, 19,
	       "中文字  off  x     \n"
	       "e\u0301te     öff  日本… \n");
}

static size_t widest(const char *text)
{
	size_t most = 0;
	while (*text) {
		size_t len = strcspn(text, "\n");
		char *line = xstrndup(text, len);
		size_t w = utf8_width(line);
		most = w > most ? w : most;
		free(line);
		text += len + 1;
	}
	return most;
}

/* From the width of the smallest line on no line is wider than it may be, and padded lines are all
 * of one width. */
static void every_width_holds(void **state)
{
	(void)state;
	static const char *const cells[] = {
		"中文字中文字中文字",
		"online",
		"1",
		"ok",
		"日本語 日本語 日本語", /* */
		"a",
		"starting",
		"1234567",
		"starting:1",
		"",
		"e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301",
		"",
		"",
		"",
		"ordinary",
	};
	for (size_t limit = 1; limit < 90; limit++) {
		for (int k = 0; k < 4; k++) {
			struct table_look look = {
				.utf8 = k & 1, .heading = k & 2, .pad = true, .indent = limit % 3};
			struct table t;
			struct buf out = {0};
			fill(&t, cells, 3);
			table_fit(&t, &look, limit);
			table_render(&t, &look, &out);
			size_t first = strcspn(out.data, "\n");
			char *line = xstrndup(out.data, first);
			size_t most = widest(out.data);
			if (most > limit && limit >= 4 + look.indent) {
				fail_msg("%zu:\n%s", limit, out.data);
			}
			assert_int_equal(utf8_width(line), most);
			free(line);
			buf_finish(&out);
			table_finish(&t);
		}
	}
}

/* Where a text was cut to make room, all the room is used. */
static void nothing_is_cut_in_vain(void **state)
{
	(void)state;
	for (size_t limit = 16; limit < 34; limit++) {
		struct table_look look = {.pad = true};
		struct table t;
		struct buf out = {0};
		fill(&t, plain, 2);
		table_fit(&t, &look, limit);
		table_render(&t, &look, &out);
		size_t len = strcspn(out.data, "\n");
		if (strchr(out.data, '~') && len != limit) {
			fail_msg("%zu of %zu:\n%s", len, limit, out.data);
		}
		buf_finish(&out);
		table_finish(&t);
	}
}

static void cut_at_the_right(void **state)
{
	(void)state;
	static const struct column right[] = {{.title = "", .right = true, .shrink = 4},
					      {.title = "", .gap = 1}};
	struct table t;
	struct buf out = {0};
	struct table_look look = {.utf8 = true};
	table_init(&t, right, 2, NULL, 0, 0);
	for (int i = 0; i < 2; i++) {
		table_row(&t);
		table_set(&t, 0, STYLE_NONE, i ? "中文字" : "abcdef");
		table_set(&t, 1, STYLE_NONE, "|");
	}
	table_fit(&t, &look, 6);
	table_render(&t, &look, &out);
	assert_string_equal(out.data, "abc… |\n 中… |\n");
	buf_finish(&out);
	table_finish(&t);
}

static void many_rows(void **state)
{
	(void)state;
	struct table t;
	struct buf out = {0};
	struct table_look look = {0};
	char text[16];
	table_init(&t, columns, COLUMNS, NULL, 0, 0);
	for (int i = 0; i < 1000; i++) {
		table_row(&t);
		snprintf(text, sizeof(text), "%d", i);
		table_set(&t, SIZE, STYLE_NONE, text);
	}
	table_fit(&t, &look, 0);
	table_render(&t, &look, &out);
	assert_int_equal(out.len, 1000 * (2 + 2 + 3 + 1)); /* two empty columns with their gaps */
	assert_non_null(strstr(out.data, "\n      7\n"));
	assert_non_null(strstr(out.data, "\n    999\n"));
	buf_finish(&out);
	table_finish(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_limit),
		cmocka_unit_test(nothing_in_it),
		cmocka_unit_test(the_last_text_of_a_cell_holds),
		cmocka_unit_test(columns_go_in_their_order),
		cmocka_unit_test(one_column_for_two),
		cmocka_unit_test(colour_moves_nothing),
		cmocka_unit_test(wide_and_narrow_characters),
		cmocka_unit_test(every_width_holds),
		cmocka_unit_test(nothing_is_cut_in_vain),
		cmocka_unit_test(cut_at_the_right),
		cmocka_unit_test(many_rows),
	};
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
