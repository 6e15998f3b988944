/* SPDX-License-Identifier: MIT */
#include "client/block.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/color.h"
#include "client/table.h"
#include "common/mem.h"
#include "common/units.h"
#include "common/utf8.h"

#define BAR_CELLS  20
#define BAR_SMALL  10
#define NOTE_LINES 3

struct paint {
	const struct progress *p;
	const struct block_look *look;
	struct buf *out;
	size_t lines;
};

/* Text of others, safe for a terminal and on one line. */
static void add_text(struct buf *out, const char *s)
{
	size_t from = out->len;
	buf_add_escaped(out, s, strlen(s), 0);
	for (size_t i = from; i < out->len; i++) {
		out->data[i] = out->data[i] == '\t' ? ' ' : out->data[i];
	}
}

/* One line: a mark with its style, then the text, cut to what fits. */
static void add_line(struct paint *b, size_t indent, const char *mark, enum style style,
		     const struct buf *text)
{
	const struct block_look *l = b->look;
	const char *s = text->data ? text->data : "";
	size_t used = indent + (mark ? utf8_width(mark) + 1 : 0);
	size_t room = l->width > used + 1 ? l->width - used - 1 : 0;
	bool paint = l->color && style != STYLE_NONE;
	if (room < 4) { /* no place for both: a terminal this small gets the text alone */
		indent = 0;
		mark = NULL;
		room = l->width > 1 ? l->width - 1 : 0;
	}
	buf_addf(b->out, "%*s", (int)indent, "");
	if (mark) {
		buf_addf(b->out, "%s%s%s ", paint ? color_begin(style) : "", mark,
			 paint ? COLOR_END : "");
	} else if (paint) {
		buf_adds(b->out, color_begin(style));
	}
	if (utf8_width(s) > room) {
		table_add_cut(b->out, s, room, l->utf8);
	} else {
		buf_adds(b->out, s);
	}
	buf_adds(b->out, !mark && paint ? COLOR_END "\n" : "\n");
	b->lines++;
}

/* Whole seconds: tenths that change five times a second are a flicker. */
static const char *seconds(int64_t ms, char out[24])
{
	if (ms < 60000) {
		snprintf(out, 24, "%llds", ms > 0 ? (long long)ms / 1000 : 0LL);
	} else {
		units_format_age(ms, out, 24);
	}
	return out;
}

static const char *age(int64_t ms, char out[24])
{
	units_format_age(ms, out, 24);
	return out;
}

/* --- the heading --- */

static void draw_head(struct paint *b)
{
	const struct progress *p = b->p;
	struct buf s = {0};
	char within[24];
	buf_adds(&s, p->verb);
	if (p->napps == 1) {
		buf_addc(&s, ' ');
		add_text(&s, p->app[0].name);
	}
	buf_adds(&s, ":");
	if (p->napps > 1) {
		buf_addf(&s, " %zu apps,", p->napps);
	}
	buf_addf(&s, " %zu instance%s", p->nrows, p->nrows == 1 ? "" : "s");
	bool reload = strcmp(p->verb, "reload") == 0;
	if (p->napps == 1 && p->nrows > 1 && (reload || strcmp(p->verb, "restart") == 0)) {
		buf_addf(&s, ", %d at a time", reload ? p->app[0].parallel : 1);
	}
	if (p->napps == 1 && reload && p->app[0].ready[0]) {
		buf_adds(&s, ", ready = ");
		add_text(&s, p->app[0].ready);
		if (p->app[0].ready_timeout_ms >= 0) {
			units_format_duration(p->app[0].ready_timeout_ms, within, sizeof(within));
			buf_addf(&s, " within %s", within);
		}
	}
	add_line(b, 0, NULL, STYLE_NONE, &s);
	buf_finish(&s);
}

/* --- rows --- */

static void add_pids(const struct paint *b, struct buf *s, const struct progress_row *r)
{
	if (r->old_pid && r->new_pid) {
		buf_addf(s, "  %d %s %d", r->old_pid, b->look->utf8 ? "→" : "->", r->new_pid);
	} else if (r->old_pid || r->new_pid) {
		buf_addf(s, "  %d", r->old_pid ? r->old_pid : r->new_pid);
	}
}

static void add_waiting(const struct paint *b, struct buf *s, const struct progress_row *r)
{
	const struct progress_app *a = progress_app(b->p, r->app);
	char now[24], limit[24];
	buf_addf(s, "   waiting %s", seconds(b->look->now_mono_ms - r->since_mono_ms, now));
	if (a && a->ready_timeout_ms >= 0) {
		units_format_duration(a->ready_timeout_ms, limit, sizeof(limit));
		buf_addf(s, " of %s", limit);
	}
	if (r->text[0]) {
		buf_adds(s, ": ");
		add_text(s, r->text);
	}
}

static void add_failed(struct buf *s, const struct progress_row *r)
{
	if (r->old_pid && r->kept) {
		buf_addf(s, "  %d kept ", r->old_pid);
	}
	if (r->new_pid) {
		buf_addf(s, "  new %d", r->new_pid);
	}
	buf_adds(s, r->new_pid ? " " : "  ");
	add_text(s, r->text);
}

static void add_done(struct buf *s, const struct progress_row *r)
{
	char text[24];
	if (r->ready_ms >= 0) {
		buf_addf(s, "   ready %s", age(r->ready_ms, text));
	} else if (r->text[0]) {
		buf_adds(s, "   ");
		add_text(s, r->text);
	}
	if (r->ended_ms >= 0 && r->ready_ms >= 0) {
		buf_addf(s, "   old %s %s",
			 r->killed    ? "killed after"
			 : r->drained ? "drained"
				      : "ended",
			 age(r->ended_ms, text));
	} else if (r->ended_ms >= 0) {
		buf_addf(s, " after %s", age(r->ended_ms, text));
	}
}

static void add_step(const struct paint *b, struct buf *s, const struct progress_row *r)
{
	char text[24];
	int64_t since = b->look->now_mono_ms - r->since_mono_ms;
	switch (r->step) {
	case ROW_WAITS:
		if (r->text[0]) {
			buf_adds(s, "   ");
			add_text(s, r->text);
		}
		break;
	case ROW_STOPPING:
		buf_addf(s, "   stopping %s", seconds(since, text));
		break;
	case ROW_STARTING:
		add_waiting(b, s, r);
		break;
	case ROW_TRIAL:
		buf_addf(s, "   ready %s   on trial", age(r->ready_ms, text));
		break;
	case ROW_DRAINING:
		buf_addf(s, "   ready %s", age(r->ready_ms, text));
		buf_addf(s, "   old draining %s", seconds(since, text));
		break;
	case ROW_LEFT:
		buf_adds(s, "   left as it was");
		break;
	case ROW_DONE:
		add_done(s, r);
		break;
	case ROW_FAILED:
		break; /* add_failed(): it names the processes in its own order */
	}
}

/* Returns its width. */
static size_t add_name(struct buf *out, const struct progress_row *r)
{
	add_text(out, r->app);
	buf_addf(out, ":%d", r->slot);
	return utf8_width(out->data);
}

static void draw_row(struct paint *b, const struct progress_row *r, size_t name_width)
{
	static const struct {
		const char *utf8, *ascii;
		enum style style;
	} marks[] = {
		[ROW_WAITS] = {"·", ".", STYLE_DIM},	 [ROW_STOPPING] = {"◐", "~", STYLE_INFO},
		[ROW_STARTING] = {"◐", "~", STYLE_INFO}, [ROW_TRIAL] = {"◐", "~", STYLE_INFO},
		[ROW_DRAINING] = {"◐", "~", STYLE_INFO}, [ROW_DONE] = {"✔", "+", STYLE_OK},
		[ROW_FAILED] = {"✖", "X", STYLE_FAIL},	 [ROW_LEFT] = {"·", ".", STYLE_DIM},
	};
	struct buf s = {0};
	size_t width = add_name(&s, r);
	buf_addf(&s, "%*s", width < name_width ? (int)(name_width - width) : 0, "");
	if (r->step == ROW_FAILED) {
		add_failed(&s, r);
	} else {
		add_pids(b, &s, r);
		add_step(b, &s, r);
	}
	const char *mark = b->look->utf8 ? marks[r->step].utf8 : marks[r->step].ascii;
	add_line(b, 2, mark, marks[r->step].style, &s);
	buf_finish(&s);
}

static bool is_wanted(const struct progress_row *r, bool all)
{
	return all || progress_is_moving(r) || r->step == ROW_FAILED;
}

/* All rows if they fit, else those that move or have failed, as many as there is room for. */
static void draw_rows(struct paint *b, size_t room)
{
	const struct progress *p = b->p;
	bool all = p->nrows <= room;
	size_t wanted = 0, drawn = 0, name_width = 0;
	for (size_t i = 0; i < p->nrows; i++) {
		struct buf name = {0};
		if (is_wanted(&p->row[i], all)) {
			size_t w = add_name(&name, &p->row[i]);
			name_width = w > name_width ? w : name_width;
			wanted++;
		}
		buf_finish(&name);
	}
	size_t fit = wanted <= room ? wanted : room ? room - 1 : 0;
	for (size_t i = 0; i < p->nrows && drawn < fit; i++) {
		if (is_wanted(&p->row[i], all)) {
			draw_row(b, &p->row[i], name_width);
			drawn++;
		}
	}
	if (wanted > fit && room) {
		struct buf s = {0};
		buf_addf(&s, "and %zu more", wanted - fit);
		add_line(b, 4, NULL, STYLE_DIM, &s);
		buf_finish(&s);
	}
}

/* --- the bar --- */

static void add_bar(const struct block_look *l, struct buf *s, size_t cells, size_t done,
		    size_t total)
{
	size_t full = total ? done * cells / total : cells;
	for (size_t i = 0; i < cells; i++) {
		buf_adds(s, l->utf8 ? (i < full ? "█" : "░") : i < full ? "#" : "-");
	}
	buf_adds(s, cells ? "  " : "");
}

static void add_serving(const struct progress *p, struct buf *s)
{
	int serving = 0, total = 0;
	for (size_t i = 0; i < p->napps; i++) {
		serving += p->app[i].serving;
		total += p->app[i].total;
	}
	if (total) {
		buf_addf(s, "   serving %d of %d", serving, total);
	}
}

/* What does not fit goes in this order: the hint, half of the bar, who serves, the bar. */
static void draw_bar(struct paint *b)
{
	static const struct {
		size_t cells;
		bool serving, hint;
	} forms[] = {
		{BAR_CELLS, true, true},   {BAR_CELLS, true, false}, {BAR_SMALL, true, false},
		{BAR_SMALL, false, false}, {0, false, false},
	};
	const struct block_look *l = b->look;
	struct buf s = {0};
	char text[24];
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		size_t done = progress_done(b->p);
		buf_reset(&s);
		add_bar(l, &s, forms[i].cells, done, b->p->nrows);
		buf_addf(&s, "%zu/%zu  %s", done, b->p->nrows,
			 seconds(l->now_mono_ms - b->p->began_mono_ms, text));
		if (forms[i].serving) {
			add_serving(b->p, &s);
		}
		if (forms[i].hint && l->hint) {
			buf_addf(&s, "   %s", l->hint);
		}
		if (utf8_width(s.data) + 3 <= l->width) {
			break;
		}
	}
	add_line(b, 2, NULL, STYLE_NONE, &s);
	buf_finish(&s);
}

/* How many bytes of s make the next line of at most `width` columns, broken at a blank. */
static size_t line_length(const char *s, size_t width)
{
	size_t len = strlen(s);
	size_t used = 0, best = 0;
	for (size_t i = 0; i < len;) {
		size_t word = strcspn(s + i + 1, " ") + 1; /* with the blank before it */
		char *copy = xstrndup(s + i, word);
		used += utf8_width(copy);
		free(copy);
		if (used > width) {
			break;
		}
		i += word;
		best = i;
	}
	return best ? best : strcspn(s, " "); /* a word that is too long is cut later */
}

static void draw_note(struct paint *b, size_t room)
{
	const char *s = b->look->note;
	for (size_t i = 0; s && *s && i < NOTE_LINES && i < room; i++) {
		struct buf line = {0};
		size_t n = b->look->width > 3 ? line_length(s, b->look->width - 3) : strlen(s);
		buf_add(&line, s, n);
		add_line(b, 2, NULL, STYLE_WARN, &line);
		buf_finish(&line);
		s += n;
		s += *s == ' ';
	}
}

size_t block_draw(const struct progress *p, const struct block_look *look, struct buf *out)
{
	struct paint b = {.p = p, .look = look, .out = out};
	bool note = look->note && !look->last;
	size_t around = 1 + !look->last + (note ? NOTE_LINES : 0);
	draw_head(&b);
	draw_rows(&b, look->height > around ? look->height - around : 0);
	if (!look->last) {
		draw_bar(&b);
	}
	if (note) {
		draw_note(&b, look->height > b.lines ? look->height - b.lines : 0);
	}
	return b.lines;
}
