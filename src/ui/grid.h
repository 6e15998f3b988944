/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_UI_GRID_H
#define PMCTL_UI_GRID_H
/*
 * grid - a screen of cells. Pure; tests compare it as text.
 *
 * Nothing that is put into it can control a terminal: what is no printable character of one or two
 * columns becomes '?', a combining one stays with the cell before it (the first of them), and text
 * never leaves the columns it was given. Widths are those of the locale (wcwidth(3)).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "ui/style.h"

struct grid_cell {
	uint32_t ch;   /* 0 = the right half of a wide character */
	uint32_t comb; /* a combining character on it; 0 = none */
	uint8_t style; /* enum ui_style, with UI_REVERSE and UI_UNDERLINE */
};

struct grid {
	int rows, cols;
	int cur_y, cur_x; /* where the terminal's cursor is parked */
	bool cur_shown;
	struct grid_cell *cell; /* rows * cols */
};

#define GRID_MAX 1000 /* rows and columns; larger terminals use a part */

/* Zeroed = empty. Clears it. */
void grid_resize(struct grid *g, int rows, int cols);
void grid_finish(struct grid *g);
/* Blanks everywhere, cursor hidden. */
void grid_clear(struct grid *g);

/* Put text (UTF-8, of any origin) into columns [x, x + width) of row y; width < 0 = to the edge.
 * Returns the columns used. What lies outside the grid is left out. */
int grid_text(struct grid *g, int y, int x, int width, int style, const char *text);
int grid_textn(struct grid *g, int y, int x, int width, int style, const char *text, size_t len);
int grid_textf(struct grid *g, int y, int x, int width, int style, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));
/* The same, but text that does not fit ends with an ellipsis ('~' without utf8). */
int grid_cut(struct grid *g, int y, int x, int width, int style, const char *text, bool utf8);
/* Against the right end of those columns. */
void grid_right(struct grid *g, int y, int x, int width, int style, const char *text);
/* `width` times one character. */
void grid_fill(struct grid *g, int y, int x, int width, int style, uint32_t ch);
/* Give these cells another style, or add a flag (UI_REVERSE ...) to the one they have. */
void grid_paint(struct grid *g, int y, int x, int width, int style);

/* Bytes of the first character of a text (len > 0) and the columns grid_text() gives it: 0 to 2. */
size_t grid_step(const char *text, size_t len, int *columns);
/* Columns of a text as grid_text() would use. */
int grid_width(const char *text);
/* Whether two grids look the same. */
bool grid_equal(const struct grid *a, const struct grid *b);
/* As text, a line a row without blanks at the end; with `styles`, below each row that is not all
 * plain a line of style letters. For tests. */
void grid_dump(const struct grid *g, bool styles, struct buf *out);

#endif
