/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "ui/keyhelp.h"
#include "ui/view_priv.h"

#define MARGIN	  2  /* border and blank, on each side */
#define BOX_COLS  78 /* of a box that does not need more */
#define HELP_COLS 48 /* of a column of the help where there are several */
#define GAP	  3  /* between two answers */

struct box {
	int y, x, h, w; /* with its borders */
	int room;	/* lines within */
};

static int min(int a, int b)
{
	return a < b ? a : b;
}

/* --- the frame --- */

static void draw_edge(struct view *v, int y, const struct box *b, bool top)
{
	bool utf8 = v->ui->utf8;
	struct grid *g = v->grid;
	int right = b->x + b->w - 1;
	grid_fill(g, y, b->x, b->w, UI_PLAIN, utf8 ? 0x2500 : '-');
	grid_fill(g, y, b->x, 1, UI_PLAIN, !utf8 ? '+' : top ? 0x250c : 0x2514);
	grid_fill(g, y, right, 1, UI_PLAIN, !utf8 ? '+' : top ? 0x2510 : 0x2518);
}

/* A frame in the middle for this many lines of this width, as far as there is room. */
static void draw_frame(struct view *v, struct box *b, int lines, int width)
{
	struct grid *g = v->grid;
	uint32_t side = v->ui->utf8 ? 0x2502 : '|';
	const char *title = v->ui->overlay.title;
	b->w = min(width + 2 * MARGIN, g->cols);
	b->h = min(lines + 2, g->rows - (g->rows > 10));
	b->y = (g->rows - b->h) / 2;
	b->x = (g->cols - b->w) / 2;
	b->room = b->h - 2;
	for (int i = 0; i < b->h; i++) {
		grid_fill(g, b->y + i, b->x, b->w, UI_PLAIN, ' ');
		grid_fill(g, b->y + i, b->x, 1, UI_PLAIN, side);
		grid_fill(g, b->y + i, b->x + b->w - 1, 1, UI_PLAIN, side);
	}
	draw_edge(v, b->y, b, true);
	draw_edge(v, b->y + b->h - 1, b, false);
	int room = b->w - 6;
	int w = min(grid_width(title), room);
	grid_fill(g, b->y, b->x + 2, w + 2, UI_PLAIN, ' ');
	grid_cut(g, b->y, b->x + 3, room, UI_BOLD, title, v->ui->utf8);
}

/* How much there is above and below, in the lower border. */
static void draw_position(struct view *v, const struct box *b, int top, int shown, int lines)
{
	char text[40];
	if (lines <= shown) {
		return;
	}
	snprintf(text, sizeof(text), " %d-%d of %d ", top + 1, min(top + shown, lines), lines);
	grid_right(v->grid, b->y + b->h - 1, b->x + 2, b->w - 4, UI_DIM, text);
}

static int count_lines(const char *text)
{
	int n = 0;
	for (; *text; text++) {
		n += *text == '\n';
	}
	return n;
}

static int widest(const char *text)
{
	int most = 0;
	while (*text) {
		char line[1024];
		size_t len = strcspn(text, "\n");
		snprintf(line, sizeof(line), "%.*s", (int)len, text);
		int w = grid_width(line);
		most = w > most ? w : most;
		text += len + (text[len] == '\n');
	}
	return most;
}

/* The lines from `top` on. */
static void draw_lines(struct view *v, const struct box *b, int at, int room, const char *text,
		       int top)
{
	for (int i = 0; *text && i < top + room; i++) {
		size_t len = strcspn(text, "\n");
		if (i >= top) {
			grid_textn(v->grid, b->y + 1 + at + i - top, b->x + MARGIN,
				   b->w - 2 * MARGIN, UI_PLAIN, text, len);
		}
		text += len + (text[len] == '\n');
	}
}

/* Text that scrolls in a box, with `extra` lines below it that stay. */
static void draw_scrolled(struct view *v, struct box *b, const char *text, int width, int extra)
{
	struct overlay *o = &v->ui->overlay;
	o->lines = count_lines(text);
	draw_frame(v, b, o->lines + extra, width);
	o->height = b->room > extra ? b->room - extra : 0;
	overlay_move(o, 0);
	draw_lines(v, b, 0, o->height, text, o->top);
	draw_position(v, b, o->top, o->height, o->lines);
}

static int least_width(const struct view *v)
{
	return grid_width(v->ui->overlay.title) + 4;
}

static int inner(const struct view *v)
{
	return v->grid->cols - 2 * MARGIN;
}

static int clamp_width(const struct view *v, int w)
{
	int least = least_width(v);
	return min(w < least ? least : w, inner(v));
}

/* --- a line that is typed --- */

/* Label and text, the end of it if it is longer than its room; the terminal's cursor stands in it.
 */
static void draw_typed(struct view *v, int y, int x, int width, const char *label)
{
	const struct prompt *p = &v->ui->overlay.input;
	char before[PROMPT_TEXT];
	int used = grid_text(v->grid, y, x, width, UI_BOLD, label);
	int room = width - used - 1;
	size_t from = 0;
	snprintf(before, sizeof(before), "%.*s", (int)p->cursor, p->text);
	while (from < p->cursor && grid_width(before + from) > room) {
		int w;
		from += grid_step(before + from, p->cursor - from, &w);
	}
	grid_text(v->grid, y, x + used, width - used, UI_PLAIN, p->text + from);
	v->grid->cur_y = y;
	v->grid->cur_x = x + used + grid_width(before + from);
	v->grid->cur_shown = true;
}

static void draw_prompt(struct view *v)
{
	struct grid *g = v->grid;
	int y = v->layout.keys.y;
	grid_fill(g, y, 0, g->cols, UI_PLAIN, ' ');
	draw_typed(v, y, 1, g->cols - 1, v->ui->overlay.title);
}

/* --- questions --- */

static void answer_text(const struct overlay_choice *c, char *out, size_t cap)
{
	snprintf(out, cap, "[%c] %s", (char)c->key, c->label);
}

static int answers_width(const struct overlay *o)
{
	char text[100];
	int sum = 0;
	for (int i = 0; i < o->nchoices; i++) {
		answer_text(&o->choice[i], text, sizeof(text));
		sum += grid_width(text) + (i ? GAP : 0);
	}
	return sum;
}

/* Beside one another, or a line each. */
static void draw_answers(struct view *v, const struct box *b, int y, bool one_line)
{
	const struct overlay *o = &v->ui->overlay;
	char text[100];
	int x = b->x + MARGIN;
	for (int i = 0; i < o->nchoices; i++) {
		answer_text(&o->choice[i], text, sizeof(text));
		int w = grid_text(v->grid, y, x, b->x + b->w - MARGIN - x, UI_PLAIN, text);
		if (i == o->sel) {
			grid_paint(v->grid, y, x, w, UI_REVERSE);
			v->grid->cur_y = y;
			v->grid->cur_x = x;
		}
		x += one_line ? w + GAP : 0;
		y += !one_line;
	}
}

static void draw_confirm(struct view *v)
{
	struct overlay *o = &v->ui->overlay;
	struct buf text = {0};
	struct box b;
	int room = min(BOX_COLS - 2 * MARGIN, inner(v)), answers = answers_width(o);
	overlay_wrap(o->text, room, &text);
	bool one_line = answers <= room;
	int extra = o->name[0] || one_line ? 1 : o->nchoices;
	draw_scrolled(v, &b, text.data ? text.data : "", room, extra);
	int y = b.y + 1 + o->height;
	if (o->name[0]) {
		draw_typed(v, y, b.x + MARGIN, b.w - 2 * MARGIN, o->label);
	} else {
		draw_answers(v, &b, y, one_line);
	}
	buf_finish(&text);
}

/* --- menus --- */

static void draw_choice(struct view *v, const struct box *b, int y, int i)
{
	const struct overlay *o = &v->ui->overlay;
	const struct overlay_choice *c = &o->choice[i];
	static const char *const checks[] = {"", "[ ] ", "[x] "};
	char key[8] = " ";
	struct grid *g = v->grid;
	int x = b->x + MARGIN, end = b->x + b->w - MARGIN;
	if (c->key) {
		snprintf(key, sizeof(key), "%c", (char)c->key);
	}
	grid_text(g, y, x, 2, UI_ACCENT, key);
	x += 3;
	x += grid_text(g, y, x, end - x, UI_PLAIN, checks[c->check]);
	grid_cut(g, y, x, end - x, UI_PLAIN, c->label, v->ui->utf8);
	if (i == o->sel) {
		grid_paint(g, y, b->x + 1, b->w - 2, UI_REVERSE);
		g->cur_y = y;
		g->cur_x = b->x + MARGIN;
	}
}

static void draw_menu(struct view *v)
{
	struct overlay *o = &v->ui->overlay;
	struct box b;
	int width = 0;
	for (int i = 0; i < o->nchoices; i++) {
		int w = grid_width(o->choice[i].label) + 3 + (o->choice[i].check ? 4 : 0);
		width = w > width ? w : width;
	}
	draw_frame(v, &b, o->nchoices, clamp_width(v, width));
	o->height = b.room;
	o->first_y = b.y + 1;
	o->top = o->sel < o->top	     ? o->sel
		 : o->sel >= o->top + b.room ? o->sel - b.room + 1
					     : o->top;
	o->top = o->top > o->nchoices - b.room ? o->nchoices - b.room : o->top;
	o->top = o->top < 0 ? 0 : o->top;
	for (int i = 0; i < b.room && o->top + i < o->nchoices; i++) {
		draw_choice(v, &b, b.y + 1 + i, o->top + i);
	}
	draw_position(v, &b, o->top, b.room, o->nchoices);
}

/* --- text and help --- */

static void draw_text(struct view *v)
{
	struct buf text = {0};
	struct box b;
	overlay_wrap(v->ui->overlay.text, inner(v), &text);
	const char *s = text.data ? text.data : "(nothing was printed)\n";
	draw_scrolled(v, &b, s, clamp_width(v, widest(s)), 0);
	buf_finish(&text);
}

static void draw_help(struct view *v)
{
	struct overlay *o = &v->ui->overlay;
	struct buf text = {0};
	struct box b;
	const char *search = o->input.text;
	bool typed = o->searching || search[0];
	int columns = (inner(v) + 2) / HELP_COLS, width = min(BOX_COLS - 2 * MARGIN, inner(v));
	if (columns > 1 && !search[0]) {
		columns = min(columns, 3);
		keyhelp_columns(columns, inner(v) / columns - 2, v->ui->utf8, &text);
		width = inner(v);
	} else {
		struct buf raw = {0};
		keyhelp_box(width, v->ui->utf8, search, &raw);
		overlay_wrap(raw.data ? raw.data : "no key does that\n", width, &text);
		buf_finish(&raw);
	}
	draw_scrolled(v, &b, text.data, width, typed);
	if (typed) {
		draw_typed(v, b.y + 1 + o->height, b.x + MARGIN, b.w - 2 * MARGIN, "/");
		v->grid->cur_shown = o->searching;
	}
	buf_finish(&text);
}

void viewoverlay_draw(struct view *v)
{
	switch (v->ui->overlay.kind) {
	case OVERLAY_PROMPT:
		draw_prompt(v);
		break;
	case OVERLAY_CONFIRM:
		draw_confirm(v);
		break;
	case OVERLAY_MENU:
		draw_menu(v);
		break;
	case OVERLAY_TEXT:
		draw_text(v);
		break;
	case OVERLAY_HELP:
		draw_help(v);
		break;
	default:
		break;
	}
}
