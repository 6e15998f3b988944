/* SPDX-License-Identifier: MIT */
#include "ui/logscroll.h"

#include <string.h>

#include "ui/logtext.h"

#define COMPACT_COLS 60
#define NAME_MAX     24
#define TIME_COLS    12 /* "13:52:01.118" */

bool logscroll_is_compact(const struct logpane *p)
{
	return p->cols < COMPACT_COLS;
}

bool logscroll_has_slots(const struct logpane *p)
{
	return logscroll_is_compact(p) && !strpbrk(p->want, ",:@*");
}

int logscroll_name_width(const struct logpane *p)
{
	if (p->several && logscroll_has_slots(p)) {
		return p->slot_width;
	}
	int most = logscroll_is_compact(p) ? NAME_MAX / 2 : NAME_MAX;
	return !p->several ? 0 : p->name_width < most ? p->name_width : most;
}

int logscroll_indent(const struct logpane *p)
{
	int name = logscroll_name_width(p);
	if (logscroll_is_compact(p)) {
		return 1 + name + 1;
	}
	return 1 + (p->times ? TIME_COLS : 0) + 2 + (name ? name + 1 : 0);
}

/* --- lines and their rows --- */

static int rows_of(const struct logpane *p, uint64_t number)
{
	const struct logpane_line *l = p->wrap ? logpane_get(p, number) : NULL;
	struct logtext t = {0};
	if (!l) {
		return 1;
	}
	logtext_make(&t, p, l);
	int rows = logtext_rows(&t, p->cols - logscroll_indent(p));
	logtext_finish(&t);
	return rows;
}

static uint64_t before(struct logpane *p, uint64_t number)
{
	while (number > p->first) {
		if (logpane_shows(p, --number)) {
			return number;
		}
	}
	return LOGSCROLL_NONE;
}

static uint64_t after(struct logpane *p, uint64_t number)
{
	while (++number < p->end) {
		if (logpane_shows(p, number)) {
			return number;
		}
	}
	return LOGSCROLL_NONE;
}

uint64_t logscroll_last(struct logpane *p)
{
	return before(p, p->end);
}

int logscroll_window(struct logpane *p, struct logrow *out, int rows)
{
	int n = 0, below = p->follow ? 0 : p->below;
	uint64_t line = before(p, p->follow ? p->end : p->bottom);
	p->top = line == LOGSCROLL_NONE ? p->first : line;
	while (line != LOGSCROLL_NONE && n < rows) {
		p->top = line;
		for (int part = rows_of(p, line) - 1 - below; part >= 0 && n < rows; part--) {
			out[rows - 1 - n++] = (struct logrow){line, part};
		}
		below = 0;
		line = before(p, line);
	}
	for (int i = 0; n < rows && i < n; i++) {
		out[i] = out[rows - n + i];
	}
	return n;
}

/* How many rows there are, up to that many. */
static int count_rows(struct logpane *p, int most)
{
	int n = 0, below = p->below;
	uint64_t line = before(p, p->bottom);
	while (line != LOGSCROLL_NONE && n < most) {
		p->top = line;
		n += rows_of(p, line) - below;
		below = 0;
		line = before(p, line);
	}
	return n < most ? n : most;
}

bool logscroll_is_sparse(struct logpane *p)
{
	return logpane_sieves(p) && !p->head_cut && count_rows(p, p->rows) < p->rows;
}

/* --- moving --- */

static bool row_up(struct logpane *p)
{
	uint64_t line = before(p, p->bottom);
	if (line == LOGSCROLL_NONE) {
		return false;
	}
	if (p->below + 1 < rows_of(p, line)) {
		p->below++;
		return true;
	}
	uint64_t older = before(p, line);
	if (older == LOGSCROLL_NONE) {
		return false;
	}
	p->bottom = older + 1;
	p->below = 0;
	return true;
}

static bool row_down(struct logpane *p)
{
	if (p->below > 0) {
		p->below--;
		return true;
	}
	uint64_t younger = after(p, p->bottom - 1);
	if (younger == LOGSCROLL_NONE) {
		return false;
	}
	p->bottom = younger + 1;
	p->below = rows_of(p, younger) - 1;
	return true;
}

/* The pane is full, as long as there are lines; the current line is in it. */
static void keep_in_sight(struct logpane *p)
{
	int rows = p->rows > 0 ? p->rows : 1;
	for (int n = count_rows(p, rows); n < rows && row_down(p); n++) {
	}
	count_rows(p, rows);
	uint64_t last = before(p, p->bottom);
	p->cur = p->cur < p->top ? p->top : p->cur;
	p->cur = last != LOGSCROLL_NONE && p->cur > last ? last : p->cur;
	if (!logpane_shows(p, p->cur) && last != LOGSCROLL_NONE) {
		uint64_t near = before(p, p->cur);
		p->cur = near == LOGSCROLL_NONE || near < p->top ? last : near;
	}
}

void logpane_follow(struct logpane *p, bool on)
{
	uint64_t last = logscroll_last(p);
	p->follow = on;
	p->below = 0;
	p->bottom = p->end;
	p->cur = last == LOGSCROLL_NONE ? p->first : last;
	p->fresh = 0;
	p->counts = !p->more && !p->tail_cut;
	if (on && (p->tail_cut || p->more)) {
		p->from = LOGPANE_TAIL; /* what is written now stands somewhere else */
		p->generation++;
	}
	if (!on) {
		count_rows(p, p->rows);
	}
}

static void move_current(struct logpane *p, bool down)
{
	uint64_t to = down ? after(p, p->cur) : before(p, p->cur);
	p->cur = to == LOGSCROLL_NONE ? p->cur : to;
}

static void move_up(struct logpane *p, int64_t by)
{
	for (; by > 0; by--) {
		uint64_t bottom = p->bottom;
		int below = p->below;
		if (row_up(p) && count_rows(p, p->rows) < p->rows) {
			p->bottom = bottom; /* the first line is in sight */
			p->below = below;
			p->want_older = true;
		}
		if (p->bottom != bottom || p->below == below) {
			move_current(p, false);
		}
	}
}

static bool move_down(struct logpane *p, int64_t by)
{
	for (; by > 0; by--) {
		uint64_t bottom = p->bottom;
		if (!row_down(p)) {
			return false;
		}
		if (p->bottom != bottom) {
			move_current(p, true);
		}
	}
	return p->below > 0 || after(p, p->bottom - 1) != LOGSCROLL_NONE;
}

void logpane_move(struct logpane *p, int64_t by)
{
	if (p->follow && by >= 0) {
		return;
	}
	if (p->follow) {
		logpane_follow(p, false);
	}
	if (by < 0) {
		move_up(p, -by);
	} else if (!move_down(p, by)) {
		if (!p->tail_cut && !p->more) {
			logpane_follow(p, true);
			return;
		}
		p->want_newer = true;
	}
	keep_in_sight(p);
}

void logpane_page(struct logpane *p, int halves)
{
	int rows = p->rows > 1 ? p->rows : 2;
	logpane_move(p, halves % 2 ? halves * (rows / 2) : halves / 2 * (rows - 1));
}

void logpane_edge(struct logpane *p, int dir)
{
	if (dir > 0) {
		logpane_follow(p, true);
		return;
	}
	if (p->follow) {
		logpane_follow(p, false);
	}
	p->want_older = true;
	p->bottom = p->first + 1;
	p->below = rows_of(p, p->first) - 1;
	p->cur = p->first;
	keep_in_sight(p);
}

void logscroll_show(struct logpane *p, uint64_t number)
{
	if (p->follow) {
		logpane_follow(p, false);
	}
	if (number < p->top || number >= p->bottom || (number + 1 == p->bottom && p->below)) {
		p->bottom = number + 1;
		p->below = 0;
		for (int i = 0; i < p->rows / 2 && row_down(p); i++) {
		}
	}
	p->cur = number;
	keep_in_sight(p);
}

void logscroll_settle(struct logpane *p)
{
	if (!p->follow) {
		keep_in_sight(p);
	}
}

void logpane_pick(struct logpane *p, int row)
{
	struct logrow rows[512];
	int n = logscroll_window(p, rows, p->rows < 512 ? p->rows : 512);
	if (row >= 0 && row < n) {
		if (p->follow) {
			logpane_follow(p, false);
		}
		p->cur = rows[row].line;
	}
}
