/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "ui/view_priv.h"

/* What is not as it always is, or all of it where there is room. */
struct state {
	struct buf text;
	const char *between;
	bool all;
};

__attribute__((format(printf, 3, 4))) static void add(struct state *s, bool is_usual,
						      const char *fmt, ...)
{
	char text[200];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!is_usual || s->all) {
		buf_adds(&s->text, s->text.len ? s->between : "");
		buf_adds(&s->text, text);
	}
}

static int count_marked(const struct model *m)
{
	int n = 0;
	for (int i = 0; i < m->napps; i++) {
		n += m->app[i]->marked;
		for (int k = 0; k < m->app[i]->nprocs; k++) {
			n += m->app[i]->proc[k]->marked;
		}
	}
	return n;
}

static void add_sort(struct state *s, const struct view *v)
{
	static const char *const names[SORT_COUNT] = {"file", "APP", "STATE", "UP",
						      "RST",  "CPU", "MEM"};
	const struct rows *r = &v->ui->rows;
	char text[24];
	bool up = (r->sort == SORT_APP || r->sort == SORT_ORDER) != r->reverse;
	const char *arrow = v->ui->utf8 ? (up ? "↑" : "↓") : up ? "^" : "v";
	snprintf(text, sizeof(text), "%s%s", names[r->sort], r->sort || r->reverse ? arrow : "");
	add(s, true, "sort %s", text);
}

static void add_filter(struct state *s, const struct view *v)
{
	const struct rows *r = &v->ui->rows;
	if (r->filter[0]) {
		add(s, false, "filter %s", r->filter);
	} else {
		add(s, true, "filter %s", "off");
	}
	if (r->unhealthy) {
		add(s, false, "%s", "unhealthy only");
	}
	int marked = count_marked(&v->ui->model);
	if (marked) {
		add(s, false, "%d marked", marked);
	} else {
		add(s, true, "%d selected", r->sel >= 0);
	}
}

static void make_state(struct state *s, const struct view *v)
{
	static const char *const forms[] = {"tree", "flat", "namespaces"};
	const struct rows *r = &v->ui->rows;
	add_sort(s, v);
	add_filter(s, v);
	add(s, r->form == ROWS_TREE, "%s", forms[r->form]);
	add(s, true, "%s", "every 1s");
	if (v->ui->running > 1) {
		add(s, false, "%d commands run", v->ui->running);
	}
	add(s, v->ui->logs.follow, "follow %s", v->ui->logs.follow ? "on" : "off");
}

/* What the last action did, and when: right behind the state, or alone from the left. */
static void draw_said(struct view *v, int y, int x, const char *between)
{
	const struct ui_status *s = &v->ui->status;
	struct grid *g = v->grid;
	char clock[16];
	int end = g->cols - 9; /* of "14:03:07" and a blank */
	if (s->t_ms == 0 || !s->text[0]) {
		return;
	}
	x += grid_text(g, y, x, end - x, UI_DIM, between);
	grid_cut(g, y, x, end - x, s->style, s->text, v->ui->utf8);
	view_clock(s->t_ms, clock, sizeof(clock));
	grid_right(g, y, end, 9, UI_DIM, clock);
}

/* No line for it: for as long as something is said, it takes that of the keys. */
static void draw_over_keys(struct view *v)
{
	const struct ui_status *s = &v->ui->status;
	const char *error = v->ui->rows.compiled.error;
	int y = v->layout.keys.y;
	if (error[0] || (s->t_ms && s->text[0])) {
		grid_fill(v->grid, y, 0, v->grid->cols, UI_PLAIN, ' ');
		grid_cut(v->grid, y, 1, v->grid->cols - 1, error[0] ? UI_FAIL : s->style,
			 error[0] ? error : s->text, v->ui->utf8);
	}
}

void viewstatus_draw(struct view *v)
{
	const struct ui *u = v->ui;
	bool wide = v->layout.size >= LAYOUT_WIDE, quiet = !u->status.t_ms || !u->status.text[0];
	struct state s = {.between = !wide     ? "  "
				     : u->utf8 ? " │ "
					       : " | ",
			  .all = wide || (quiet && v->layout.size >= LAYOUT_NORMAL)};
	int y = v->layout.status.y, x = 1;
	if (!v->layout.status.h) {
		draw_over_keys(v);
		return;
	}
	if (u->rows.compiled.error[0]) {
		int w = 1 + grid_text(v->grid, y, 1, -1, UI_FAIL, "filter: ");
		grid_cut(v->grid, y, w, v->grid->cols - w, UI_FAIL, u->rows.compiled.error,
			 u->utf8);
		return;
	}
	if (!u->status.stays) {
		make_state(&s, v);
		/* at most half of it: an error of long words has the other half */
		int most = quiet ? v->grid->cols - 2 : v->grid->cols / (wide ? 1 : 2);
		x += s.text.len ? grid_cut(v->grid, y, x, most, UI_DIM, s.text.data, u->utf8) : 0;
	}
	draw_said(v, y, x, x > 1 ? s.between : "");
	buf_finish(&s.text);
}
