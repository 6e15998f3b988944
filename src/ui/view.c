/* SPDX-License-Identifier: MIT */
#include "ui/view.h"

#include <stdio.h>
#include <time.h>

#include "ui/view_priv.h"

#define ALL_WORDS 24 /* columns, for a whole sentence */

void view_clock(int64_t t_ms, char *out, size_t cap)
{
	struct tm tm;
	time_t t = (time_t)(t_ms / 1000);
	localtime_r(&t, &tm);
	snprintf(out, cap, "%02d:%02d:%02d", tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void view_draw(struct ui *u, struct grid *g)
{
	struct view v = {.ui = u, .grid = g};
	grid_clear(g);
	u->height = g->rows;
	u->width = g->cols;
	u->logs.rows = 0; /* hidden, unless it is drawn */
	layout_make(&v.layout, u, g->rows, g->cols);
	viewhead_draw(&v);
	if (v.layout.size == LAYOUT_TINY) {
		grid_text(g, 1, 0, -1, UI_DIM,
			  g->cols < ALL_WORDS ? "needs 40x8" : "too small: 40x8 at least");
		return;
	}
	viewrules_draw(&v);
	if (v.layout.list.h) {
		viewlist_draw(&v);
	}
	if (v.layout.logs.h) {
		viewlogs_draw(&v);
	}
	viewdetail_draw(&v);
	viewevents_draw(&v);
	viewfoot_draw(&v);
	viewoverlay_draw(&v);
}
