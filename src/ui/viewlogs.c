/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/buf.h"
#include "ui/logscroll.h"
#include "ui/logtext.h"
#include "ui/view_priv.h"

#define HITS 32 /* shown in one line */

/* --- title --- */

/* "web:2 ─ logs ─ follow": what is shown, and what keeps it from being all. */
static void add_part(const struct view *v, struct buf *b, const char *text)
{
	buf_adds(b, b->len == 0 ? "" : v->layout.boxed ? "  " : v->ui->utf8 ? " ─ " : " - ");
	buf_adds(b, text);
}

static void add_state(const struct view *v, struct buf *b)
{
	const struct logpane *p = &v->ui->logs;
	char text[64];
	if (p->follow) {
		add_part(v, b, p->from == LOGPANE_SINCE ? "since " : "follow");
		buf_adds(b, p->from == LOGPANE_SINCE ? p->since : "");
		return;
	}
	snprintf(text, sizeof(text), "PAUSED, %llu%s new, F follows", (unsigned long long)p->fresh,
		 p->more || p->tail_cut ? "+" : "");
	if (!p->counts) {
		snprintf(text, sizeof(text), "PAUSED, F follows");
	}
	add_part(v, b, text);
}

static void add_filters(const struct view *v, struct buf *b)
{
	const struct logpane *p = &v->ui->logs;
	char text[LOGPANE_TEXT + 8];
	if (p->err_only) {
		add_part(v, b, "stderr only");
	}
	if (p->filter[0]) {
		snprintf(text, sizeof(text), "&%s%s", p->filter_not ? "!" : "", p->filter);
		add_part(v, b, text);
	}
	if (p->search[0]) {
		snprintf(text, sizeof(text), "/%s", p->search);
		add_part(v, b, text);
	}
	if (p->note[0]) {
		add_part(v, b, p->note);
	}
	if (p->sideways) {
		snprintf(text, sizeof(text), "+%d columns", p->sideways);
		add_part(v, b, text);
	}
}

static void make_title(const struct view *v, struct buf *b)
{
	const struct logpane *p = &v->ui->logs;
	if (v->layout.boxed) {
		buf_addf(b, "LOGS %s", p->title);
	} else {
		add_part(v, b, p->title);
		add_part(v, b, "logs");
	}
	add_state(v, b);
	if (v->layout.boxed && p->follow) {
		buf_addf(b, "  (%.0f line%s/s)", p->rate,
			 p->rate >= 0.5 && p->rate < 1.5 ? "" : "s");
	}
	add_filters(v, b);
}

static void draw_title(struct view *v)
{
	const struct rect *box = &v->layout.logs;
	const struct logpane *p = &v->ui->logs;
	const char *keys = v->layout.boxed ? " / search  & filter  w wrap  l full "
					   : " / search  & filter  l full screen ";
	int style = v->ui->focus == PANE_LOGS ? UI_BOLD : UI_PLAIN;
	bool compact = v->layout.size == LAYOUT_COMPACT;
	struct buf b = {0};
	if (!v->layout.boxed) {
		grid_fill(v->grid, box->y, box->x, box->w, UI_DIM, v->ui->utf8 ? 0x2500 : '-');
	}
	if (compact && p->follow && !p->filter[0] && !p->err_only) {
		buf_addf(&b, "%s logs", p->title);
	} else {
		make_title(v, &b);
	}
	int margin = compact || v->layout.boxed ? 0 : 1;
	grid_text(v->grid, box->y, box->x + margin + 1, 1, style, " ");
	int x = margin + 1 + !v->layout.boxed;
	x += grid_cut(v->grid, box->y, box->x + x, box->w - x - 1, style, b.data, v->ui->utf8);
	grid_text(v->grid, box->y, box->x + x, 1, UI_PLAIN, " ");
	int room = box->w - x - 2;
	if (!compact && room >= (int)strlen(keys) + 1) {
		grid_text(v->grid, box->y, box->x + box->w - 1 - (int)strlen(keys), -1, UI_DIM,
			  keys);
	}
	buf_finish(&b);
}

/* --- lines --- */

static void format_time(int64_t t_ms, char *out, size_t cap)
{
	struct tm tm;
	time_t t = (time_t)(t_ms / 1000);
	localtime_r(&t, &tm);
	snprintf(out, cap, "%02d:%02d:%02d.%03d", tm.tm_hour, tm.tm_min, tm.tm_sec,
		 (int)(t_ms % 1000));
}

static void draw_name(struct view *v, int y, int x, const struct logpane_line *l)
{
	const struct logpane *p = &v->ui->logs;
	int width = logscroll_name_width(p);
	char name[MODEL_NAME + 16];
	int slot = l->slot;
	if (logscroll_has_slots(p) && slot >= 0) {
		snprintf(name, sizeof(name), "%d", slot);
	} else if (slot < 0) {
		snprintf(name, sizeof(name), "%s", l->app);
	} else {
		snprintf(name, sizeof(name), "%s:%d", l->app, slot);
	}
	grid_cut(v->grid, y, x, width, l->event ? UI_DIM : UI_HUE + (int)(l->hue % UI_HUES), name,
		 v->ui->utf8);
}

/* What stands before the text: mark, time, whether it is from stderr, whose. */
static void draw_prefix(struct view *v, int y, int x, uint64_t number)
{
	const struct logpane *p = &v->ui->logs;
	const struct logpane_line *l = logpane_get(p, number);
	char time[16];
	if (l->marked) {
		grid_text(v->grid, y, x, 1, UI_ACCENT, v->ui->utf8 ? "◆" : "*");
	}
	if (!p->follow && number == p->cur) {
		grid_text(v->grid, y, x, 1, l->marked ? UI_ACCENT : UI_BOLD, ">");
		if (v->ui->focus == PANE_LOGS) {
			v->grid->cur_y = y;
			v->grid->cur_x = x;
		}
	}
	x++;
	bool compact = logscroll_is_compact(p);
	if (p->times && !compact) {
		format_time(l->t_ms, time, sizeof(time));
		x += grid_text(v->grid, y, x, 12, l->marked ? UI_ACCENT : UI_DIM, time);
	}
	int name = logscroll_name_width(p);
	if (name) {
		draw_name(v, y, x + (compact ? 0 : 2), l);
	}
	if (l->err) {
		grid_text(v->grid, y, x + (compact ? name : 0), 1, UI_WARN, "!");
	}
}

/* A part of a line in its row: bytes [from, to) of the text, columns [x, end). */
struct part {
	size_t from, to;
	int y, x, end;
};

static void draw_text(struct view *v, const struct logtext *t, const struct part *part)
{
	int x = part->x;
	for (size_t at = part->from; at < part->to && x < part->end;) {
		size_t stop = logtext_run_end(t, at);
		stop = stop > part->to ? part->to : stop;
		x += grid_textn(v->grid, part->y, x, part->end - x, logtext_style(t, at),
				t->text.data + at, stop - at);
		at = stop;
	}
}

/* How many columns these bytes take. */
static int columns_of(const struct logtext *t, size_t from, size_t to)
{
	int sum = 0;
	while (from < to) {
		int w;
		from += grid_step(t->text.data + from, t->text.len - from, &w);
		sum += w;
	}
	return sum;
}

static void underline(struct view *v, const struct logtext *t, const struct part *part, size_t from,
		      size_t to)
{
	from = from < part->from ? part->from : from;
	to = to > part->to ? part->to : to;
	if (from < to) {
		int x = part->x + columns_of(t, part->from, from);
		int width = columns_of(t, from, to);
		width = x + width > part->end ? part->end - x : width;
		grid_paint(v->grid, part->y, x, width, UI_UNDERLINE);
	}
}

/* What the search found. */
static void draw_hits(struct view *v, const struct logtext *t, const struct part *part)
{
	const struct logpane *p = &v->ui->logs;
	size_t at = 0;
	regmatch_t m;
	for (int n = 0; p->search[0] && n < HITS && at < part->to; n++) {
		if (regexec(&p->search_re, t->text.data + at, 1, &m, at ? REG_NOTBOL : 0) != 0) {
			return;
		}
		size_t from = at + (size_t)m.rm_so, to = at + (size_t)m.rm_eo;
		underline(v, t, part, from, to);
		at = to > from ? to : to + 1;
	}
}

/* Where the line goes on to either side. */
static void draw_ends(struct view *v, const struct logtext *t, const struct part *part)
{
	const struct logpane *p = &v->ui->logs;
	if (part->to < t->text.len && !p->wrap) {
		grid_text(v->grid, part->y, part->end - 1, 1, UI_ACCENT, ">");
	} else if (p->sideways && part->from && part->from >= t->text.len) {
		grid_text(v->grid, part->y, part->x, 1, UI_ACCENT, "<");
	}
}

static void draw_row(struct view *v, int y, const struct logrow *row)
{
	const struct logpane *p = &v->ui->logs;
	const struct rect *box = &v->layout.logs;
	int indent = logscroll_indent(p), width = box->w - indent;
	struct part part = {.y = y, .x = box->x + indent, .end = box->x + box->w};
	struct logtext t = {0};
	logtext_make(&t, p, logpane_get(p, row->line));
	for (int i = 0; i < row->part; i++) {
		part.from += logtext_fit(&t, part.from, width);
	}
	part.from = p->sideways ? logtext_fit(&t, 0, p->sideways) : part.from;
	part.to = part.from + (part.from < t.text.len ? logtext_fit(&t, part.from, width) : 0);
	if (row->part == 0) {
		draw_prefix(v, y, box->x, row->line);
	}
	draw_text(v, &t, &part);
	draw_hits(v, &t, &part);
	draw_ends(v, &t, &part);
	logtext_finish(&t);
}

void viewlogs_draw(struct view *v)
{
	struct logpane *p = &v->ui->logs;
	const struct rect *box = &v->layout.logs;
	struct logrow rows[GRID_MAX];
	p->rows = box->h > 1 && box->w > 0 ? box->h - 1 : 0;
	p->cols = box->w;
	p->utf8 = v->ui->utf8;
	if (box->h < 1 || box->w < 1) {
		return;
	}
	if (p->rows != p->settled_rows || p->cols != p->settled_cols) {
		logscroll_settle(p);
		p->settled_rows = p->rows;
		p->settled_cols = p->cols;
	}
	draw_title(v);
	int n = logscroll_window(p, rows, p->rows < GRID_MAX ? p->rows : GRID_MAX);
	for (int i = 0; i < n; i++) {
		draw_row(v, box->y + 1 + i, &rows[i]);
	}
}
