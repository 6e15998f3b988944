/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "ui/view_priv.h"

static int style_of(const struct feed_event *e)
{
	return strcmp(e->type, "failed") == 0 ? UI_FAIL : UI_PLAIN;
}

/* "13:21:07 worker reload done: 2 of 2 (uid 1000)" */
static void draw_event(struct view *v, int y, const struct rect *box, const struct feed_event *e)
{
	char clock[16], text[MODEL_NAME * 2 + MODEL_NOTE + 48], slot[16] = "";
	int x = box->x + 2, end = box->x + box->w;
	const struct ui_app *a = model_find(&v->ui->model, e->app);
	if (e->slot >= 0 && (!a || a->nprocs > 1)) {
		snprintf(slot, sizeof(slot), ":%d", e->slot);
	}
	view_clock(e->t_ms, clock, sizeof(clock));
	snprintf(text, sizeof(text), "%s%s %s%s%s%s", e->app, slot, e->text, e->by[0] ? " (" : "",
		 e->by, e->by[0] ? ")" : "");
	x += grid_text(v->grid, y, x, end - x, UI_DIM, clock) + 1;
	grid_cut(v->grid, y, x, end - x, style_of(e), text, v->ui->utf8);
}

void viewevents_draw(struct view *v)
{
	const struct rect *box = &v->layout.events;
	const struct feed *f = &v->ui->feed;
	bool focus = v->ui->focus == PANE_EVENTS;
	int room = box->h - 1;
	if (!box->h) {
		return;
	}
	view_title(v, box, PANE_EVENTS, v->layout.boxed ? "EVENTS" : "events", "");
	/* the selected one is shown, and the newest first where it can be */
	uint64_t sel = focus ? f->sel : 0;
	uint64_t from = room > 0 && sel >= (uint64_t)room ? sel - (uint64_t)room + 1 : 0;
	for (int i = 0; i < room; i++) {
		const struct feed_event *e = feed_get(f, from + (uint64_t)i);
		int y = box->y + 1 + i;
		if (!e) {
			return;
		}
		draw_event(v, y, box, e);
		if (focus && from + (uint64_t)i == sel) {
			grid_text(v->grid, y, box->x, 1, UI_BOLD, ">");
			grid_paint(v->grid, y, box->x, box->w, UI_REVERSE);
			v->grid->cur_y = y;
			v->grid->cur_x = box->x;
		}
	}
}
