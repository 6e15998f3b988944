/* SPDX-License-Identifier: MIT */
#include "ui/grid.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "common/mem.h"
#include "common/utf8.h"

void grid_resize(struct grid *g, int rows, int cols)
{
	rows = rows < 0 ? 0 : rows > GRID_MAX ? GRID_MAX : rows;
	cols = cols < 0 ? 0 : cols > GRID_MAX ? GRID_MAX : cols;
	if (rows != g->rows || cols != g->cols || !g->cell) {
		free(g->cell);
		g->cell = xcalloc((size_t)rows * (size_t)cols + 1, sizeof(*g->cell));
		g->rows = rows;
		g->cols = cols;
	}
	grid_clear(g);
}

void grid_finish(struct grid *g)
{
	free(g->cell);
	*g = (struct grid){0};
}

void grid_clear(struct grid *g)
{
	g->cur_shown = false;
	g->cur_y = g->cur_x = 0;
	for (int i = 0; i < g->rows * g->cols; i++) {
		g->cell[i] = (struct grid_cell){.ch = ' ', .style = UI_PLAIN};
	}
}

static struct grid_cell *at(struct grid *g, int y, int x)
{
	return y >= 0 && y < g->rows && x >= 0 && x < g->cols ? &g->cell[y * g->cols + x] : NULL;
}

/* A wide character that loses one half loses the other, too. */
static void split(struct grid *g, int y, int x)
{
	struct grid_cell *c = at(g, y, x), *left = at(g, y, x - 1);
	if (c && c->ch == 0 && left) {
		left->ch = ' ';
		left->comb = 0;
	}
}

static void put(struct grid *g, int y, int x, uint32_t ch, int width, int style)
{
	struct grid_cell *c = at(g, y, x);
	if (!c) {
		return;
	}
	split(g, y, x);
	split(g, y, x + width);
	*c = (struct grid_cell){.ch = ch, .style = (uint8_t)style};
	struct grid_cell *right = width > 1 ? at(g, y, x + 1) : NULL;
	if (right) {
		*right = (struct grid_cell){.ch = 0, .style = (uint8_t)style};
	}
	struct grid_cell *next = at(g, y, x + width);
	if (next && next->ch == 0) {
		next->ch = ' ';
	}
}

/* What has no shape of its own but changes those beside it, or their width: which it does to which
 * is not agreed upon among terminals, so none gets it. */
static bool is_joiner(uint32_t cp)
{
	return (cp >= 0x200b && cp <= 0x200d) || (cp >= 0x2060 && cp <= 0x2064) || cp == 0xfeff ||
	       cp == 0x20e3 || (cp >= 0xfe00 && cp <= 0xfe0f) || (cp >= 0x1f3fb && cp <= 0x1f3ff) ||
	       (cp >= 0xe0000 && cp <= 0xe0fff);
}

/* The next character: its bytes, code point and width; what may not reach a terminal is '?'. */
static size_t decode(const char *s, size_t len, uint32_t *cp, int *width)
{
	unsigned char c = (unsigned char)*s;
	if (c >= 0x20 && c < 0x7f) {
		*cp = c;
		*width = 1;
		return 1;
	}
	size_t n = utf8_decode(s, len, cp);
	*width = !n || !utf8_is_safe(*cp) ? -1 : is_joiner(*cp) ? 0 : wcwidth((wchar_t)*cp);
	if (*width < 0 || *width > 2) {
		*cp = c == '\t' ? ' ' : '?';
		*width = 1;
	}
	return n ? n : 1;
}

int grid_textn(struct grid *g, int y, int x, int width, int style, const char *text, size_t len)
{
	int end = width < 0 || width > g->cols - x ? g->cols : x + width;
	int from = x;
	while (len > 0 && *text) {
		uint32_t cp;
		int w;
		size_t n = decode(text, len, &cp, &w);
		if (x + w > end) {
			break;
		}
		struct grid_cell *before = w == 0 && x > from ? at(g, y, x - 1) : NULL;
		if (before && before->ch == 0) {
			before = at(g, y, x - 2);
		}
		if (before && !before->comb && !is_joiner(cp)) {
			before->comb = cp;
		} else if (w > 0) {
			put(g, y, x, cp, w, style);
		}
		x += w;
		text += n;
		len -= n;
	}
	return x - from;
}

int grid_text(struct grid *g, int y, int x, int width, int style, const char *text)
{
	return grid_textn(g, y, x, width, style, text, strlen(text));
}

int grid_textf(struct grid *g, int y, int x, int width, int style, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return grid_text(g, y, x, width, style, text);
}

size_t grid_step(const char *text, size_t len, int *columns)
{
	uint32_t cp;
	return decode(text, len, &cp, columns);
}

int grid_width(const char *text)
{
	size_t len = strlen(text);
	int sum = 0;
	while (len > 0) {
		uint32_t cp;
		int w;
		size_t n = decode(text, len, &cp, &w);
		sum += w;
		text += n;
		len -= n;
	}
	return sum;
}

int grid_cut(struct grid *g, int y, int x, int width, int style, const char *text, bool utf8)
{
	width = width > g->cols - x ? g->cols - x : width;
	if (width <= 0 || grid_width(text) <= width) {
		return width <= 0 ? 0 : grid_text(g, y, x, width, style, text);
	}
	int used = grid_text(g, y, x, width - 1, style, text);
	put(g, y, x + used, utf8 ? 0x2026 : '~', 1, style);
	return used + 1;
}

void grid_right(struct grid *g, int y, int x, int width, int style, const char *text)
{
	int w = grid_width(text);
	int skip = w < width ? width - w : 0;
	grid_text(g, y, x + skip, width - skip, style, text);
}

void grid_fill(struct grid *g, int y, int x, int width, int style, uint32_t ch)
{
	for (int i = 0; i < width && x + i < g->cols; i++) {
		put(g, y, x + i, ch, 1, style);
	}
}

void grid_paint(struct grid *g, int y, int x, int width, int style)
{
	for (int i = 0; i < width; i++) {
		struct grid_cell *c = at(g, y, x + i);
		if (c) {
			c->style = (uint8_t)(style & UI_BASE ? style : c->style | style);
		}
	}
}

bool grid_equal(const struct grid *a, const struct grid *b)
{
	if (a->rows != b->rows || a->cols != b->cols || a->cur_shown != b->cur_shown ||
	    a->cur_y != b->cur_y || a->cur_x != b->cur_x) {
		return false;
	}
	for (int i = 0; i < a->rows * a->cols; i++) {
		const struct grid_cell *p = &a->cell[i], *q = &b->cell[i];
		if (p->ch != q->ch || p->comb != q->comb || p->style != q->style) {
			return false;
		}
	}
	return true;
}

static void add_char(struct buf *out, uint32_t cp)
{
	if (cp < 0x80) {
		buf_addc(out, (char)cp);
	} else if (cp < 0x800) {
		buf_addc(out, (char)(0xc0 | cp >> 6));
		buf_addc(out, (char)(0x80 | (cp & 0x3f)));
	} else if (cp < 0x10000) {
		buf_addc(out, (char)(0xe0 | cp >> 12));
		buf_addc(out, (char)(0x80 | (cp >> 6 & 0x3f)));
		buf_addc(out, (char)(0x80 | (cp & 0x3f)));
	} else {
		buf_addc(out, (char)(0xf0 | cp >> 18));
		buf_addc(out, (char)(0x80 | (cp >> 12 & 0x3f)));
		buf_addc(out, (char)(0x80 | (cp >> 6 & 0x3f)));
		buf_addc(out, (char)(0x80 | (cp & 0x3f)));
	}
}

static void trim(struct buf *out, size_t from)
{
	while (out->len > from && out->data[out->len - 1] == ' ') {
		out->data[--out->len] = '\0';
	}
	buf_addc(out, '\n');
}

static char letter(uint8_t style)
{
	static const char letters[] = ".dbOWFIA01234567";
	return style & UI_REVERSE     ? 'R'
	       : style & UI_UNDERLINE ? 'U'
				      : letters[(style & UI_BASE) % (sizeof(letters) - 1)];
}

static void dump_styles(const struct grid_cell *row, int cols, struct buf *out)
{
	size_t from = out->len;
	for (int x = 0; x < cols; x++) {
		char c = letter(row[x].style);
		buf_addc(out, c == '.' ? ' ' : c);
	}
	trim(out, from);
	if (out->len == from + 1) {
		out->data[--out->len] = '\0';
	}
}

void grid_dump(const struct grid *g, bool styles, struct buf *out)
{
	for (int y = 0; y < g->rows; y++) {
		const struct grid_cell *row = g->cell + y * g->cols;
		size_t from = out->len;
		for (int x = 0; x < g->cols; x++) {
			if (row[x].ch) {
				add_char(out, row[x].ch);
			}
			if (row[x].comb) {
				add_char(out, row[x].comb);
			}
		}
		trim(out, from);
		if (styles) {
			dump_styles(row, g->cols, out);
		}
	}
}
