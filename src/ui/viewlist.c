/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "ui/columns.h"
#include "ui/listtext.h"
#include "ui/look.h"
#include "ui/spark.h"
#include "ui/view_priv.h"

#define NAME_AT	  2 /* columns from a mark to its name */
#define INDENT	  2
#define CELLS_MAX 24
#define CPU_LEAST 5		       /* percent: the least scale */
#define MEM_LEAST (16.0 * 1024 * 1024) /* bytes, the same */

struct scales {
	const struct ui_app *app; /* whose they are */
	double cpu, mem;	  /* of its instances */
};

struct listview {
	struct view *v;
	struct columns c;
	struct scales scales;
	bool compact, away;
};

/* --- what there is to show of a row --- */

static const char *state_of(const struct row *row)
{
	return row->proc ? row->proc->state : row->app->state;
}

/* The word that gives the mark. */
static const char *worst_of(const struct row *row)
{
	const char *state = state_of(row);
	if (!row->proc) {
		rows_worst(row->app, &state);
	} else if (row->proc->leak && look_rank(state) < look_rank("degraded")) {
		state = "degraded";
	}
	return state;
}

static bool runs(const struct row *row)
{
	return row->proc ? look_runs(row->proc->state)
			 : row->app->online > 0 || look_runs(row->app->state);
}

/* --- marks and names --- */

static void draw_connector(const struct listview *l, int y, int x, const struct row *row)
{
	bool utf8 = l->v->ui->utf8;
	const struct rows *r = &l->v->ui->rows;
	const char *text = "";
	if (row->proc && row->depth > 0) {
		text = row->last ? (utf8 ? "└" : "`") : utf8 ? "├" : "|";
	} else if (!row->proc && (!row->app || row->app->nprocs > 1)) {
		bool open = rows_is_open(r, row);
		text = open ? (utf8 ? "▼" : "v") : utf8 ? "▶" : ">";
	}
	grid_text(l->v->grid, y, x, 1, UI_DIM, text);
}

static void draw_mark(const struct listview *l, int y, int x, const struct row *row)
{
	bool utf8 = l->v->ui->utf8;
	const char *state = worst_of(row);
	if (l->away && runs(row)) {
		grid_text(l->v->grid, y, x, 1, UI_DIM, utf8 ? "·" : ".");
	} else {
		grid_text(l->v->grid, y, x, 1, (int)look_style(state), look_mark(state, utf8));
	}
}

static void name_of(const struct row *row, char *out, size_t cap)
{
	if (!row->app) {
		snprintf(out, cap, "%s", row->ns[0] ? row->ns : "(no namespace)");
	} else if (!row->proc) {
		snprintf(out, cap, "%s", row->app->name);
	} else if (row->depth > 0) {
		snprintf(out, cap, "%d", row->proc->slot);
	} else if (row->app->nprocs > 1) {
		snprintf(out, cap, "%s:%d", row->app->name, row->proc->slot);
	} else {
		snprintf(out, cap, "%s", row->app->name);
	}
}

/* " ▼ ● web", "   ├ ● 0": the name stands two columns behind its mark. */
static void draw_name(const struct listview *l, int y, const struct row *row)
{
	struct grid *g = l->v->grid;
	char name[MODEL_NAME + 16];
	int x = l->c.name_x + INDENT * row->depth;
	int end = l->c.name_x + l->c.name_w;
	x -= row->app ? 0 : NAME_AT; /* no mark */
	bool marked = row->app && (row->proc ? row->proc->marked : row->app->marked);
	name_of(row, name, sizeof(name));
	if (!l->compact) {
		draw_connector(l, y, x - (row->app ? 2 * NAME_AT : NAME_AT), row);
	}
	if (row->app) {
		draw_mark(l, y, x - NAME_AT, row);
	}
	if (marked) {
		grid_text(g, y, x - 1, 1, UI_ACCENT, "+");
	}
	grid_cut(g, y, x, end - x,
		 marked	     ? UI_ACCENT
		 : !row->app ? UI_BOLD
			     : UI_PLAIN,
		 name, l->v->ui->utf8);
}

/* --- columns --- */

/* Scales are fixed for an app: its memory limit, or a step of 1-2-5 above all that is kept. */
static double scale_cpu(double peak)
{
	return spark_scale(peak, CPU_LEAST);
}

static double scale_mem(double peak, int64_t limit)
{
	const double mib = 1024 * 1024;
	return limit > 0 ? (double)limit : spark_scale(peak / mib, MEM_LEAST / mib) * mib;
}

static void find_scales(struct listview *l, const struct ui_app *a)
{
	double cpu = 0, mem = 0;
	if (l->scales.app == a) {
		return;
	}
	for (int i = 0; i < a->nprocs; i++) {
		double c = series_peak(&a->proc[i]->fig.cpu), m = series_peak(&a->proc[i]->fig.mem);
		cpu = c > cpu ? c : cpu;
		mem = m > mem ? m : mem;
	}
	l->scales.app = a;
	l->scales.cpu = scale_cpu(cpu);
	l->scales.mem = scale_mem(mem, a->nprocs > 0 ? a->proc[0]->fig.limit_bytes : 0);
}

static void draw_spark(struct listview *l, int y, const struct column_at *at, const struct row *row)
{
	const struct ui_figures *f = row->proc ? &row->proc->fig : &row->app->fig;
	bool cpu = at->id == COL_CPU_SPARK;
	const struct series *s = cpu ? &f->cpu : &f->mem;
	double v[CELLS_MAX], max;
	if (row->proc) {
		find_scales(l, row->app);
		max = cpu ? l->scales.cpu : l->scales.mem;
	} else {
		double peak = series_peak(s);
		max = cpu ? scale_cpu(peak) : scale_mem(peak, f->limit_bytes);
	}
	int n = at->w < CELLS_MAX ? at->w : CELLS_MAX;
	series_cells(s, l->v->ui->model.sampled_ms, cpu ? l->c.cpu_per : l->c.mem_per, v, n);
	for (int i = 0; i < n; i++) {
		grid_fill(l->v->grid, y, at->x + i, 1, l->away ? UI_DIM : UI_PLAIN,
			  spark_char(v[i], max, l->v->ui->utf8));
	}
}

/* Nothing is said about what is well; what is not has its colour beside its mark. */
static int style_of(const struct listview *l, enum column_id id, const struct row *row)
{
	if (!row->app || (l->away && runs(row))) {
		return row->app ? UI_DIM : UI_PLAIN;
	}
	const char *state = state_of(row);
	if (id == COL_STATE) {
		return look_rank(state) > 0 ? (int)look_style(state) : UI_PLAIN;
	}
	return id == COL_NOTE && (row->proc ? row->proc->leak : row->app->leak) ? UI_WARN
										: UI_PLAIN;
}

static void draw_cell(struct listview *l, int y, const struct column_at *at, const struct row *row)
{
	char text[MODEL_NOTE + 64];
	struct grid *g = l->v->grid;
	int style = style_of(l, at->id, row);
	if (at->id == COL_CPU_SPARK || at->id == COL_MEM_SPARK) {
		if (row->app) {
			draw_spark(l, y, at, row);
		}
		return;
	}
	if (at->id == COL_NOTE) {
		listtext_note(&l->v->ui->model, &l->v->ui->rows, row, at->w, l->v->ui->utf8, text,
			      sizeof(text));
	} else {
		listtext_cell(&l->v->ui->model, row, at->id, l->compact, text, sizeof(text));
	}
	if (columns_info[at->id].right) {
		grid_right(g, y, at->x, at->w, style, text);
	} else {
		grid_cut(g, y, at->x, at->w, style, text, l->v->ui->utf8);
	}
}

static void draw_row(struct listview *l, int y, const struct row *row)
{
	draw_name(l, y, row);
	for (int i = 0; i < l->c.n; i++) {
		draw_cell(l, y, &l->c.v[i], row);
	}
}

/* --- the heading --- */

static const char *arrow(const struct listview *l, enum rows_sort sort)
{
	const struct rows *r = &l->v->ui->rows;
	bool up = (sort == SORT_APP) != r->reverse;
	if (r->sort != sort || sort == SORT_ORDER) {
		return "";
	}
	return l->v->ui->utf8 ? (up ? "↑" : "↓") : up ? "^" : "v";
}

static void draw_heading(const struct listview *l, int y)
{
	const struct rows *r = &l->v->ui->rows;
	struct grid *g = l->v->grid;
	int height = l->v->layout.list.h - 1;
	char text[48];
	snprintf(text, sizeof(text), "APP%s", arrow(l, SORT_APP));
	grid_text(g, y, 1, l->c.name_x + l->c.name_w - 1, UI_BOLD, text);
	for (int i = 0; i < l->c.n; i++) {
		const struct column_at *at = &l->c.v[i];
		const struct column_info *info = &columns_info[at->id];
		bool cpu = at->id == COL_CPU_SPARK;
		snprintf(text, sizeof(text), "%s%s",
			 info->title ? info->title
			 : cpu	     ? l->c.cpu_span
				     : l->c.mem_span,
			 info->title ? arrow(l, info->sort) : "");
		/* an arrow may stand in the gap before a narrow column */
		int w = grid_width(text), x = info->right ? at->x + at->w - w : at->x;
		grid_text(g, y, x, w, UI_BOLD, text);
	}
	if (r->n > height) {
		snprintf(text, sizeof(text), "%d/%d", r->sel + 1, r->n);
		grid_right(g, y, 6, l->c.name_x + l->c.name_w - 6, UI_DIM, text);
	}
}

/* --- the list --- */

/* Cells that the widest text of each column needs, so that columns stand still while scrolling. */
static void measure(const struct listview *l, int need[COL_COUNT + 1])
{
	static const enum column_id ids[] = {COL_STATE, COL_RST, COL_PID,  COL_FD,
					     COL_THR,	COL_ID,	 COL_READY};
	const struct rows *r = &l->v->ui->rows;
	char text[MODEL_NAME + 64];
	memset(need, 0, sizeof(int) * (COL_COUNT + 1));
	for (int i = 0; i < r->n; i++) {
		const struct row *row = &r->v[i];
		for (size_t k = 0; k < ARRAY_LEN(ids); k++) {
			listtext_cell(&l->v->ui->model, row, ids[k], l->compact, text,
				      sizeof(text));
			int w = ids[k] == COL_STATE ? grid_width(text) : (int)strlen(text);
			need[ids[k]] = w > need[ids[k]] ? w : need[ids[k]];
		}
		name_of(row, text, sizeof(text));
		int w = grid_width(text) + INDENT * row->depth;
		need[COL_COUNT] = w > need[COL_COUNT] ? w : need[COL_COUNT];
	}
}

static void draw_empty(const struct listview *l, int y)
{
	const struct ui *u = l->v->ui;
	const char *why = u->model.napps > 0		? "nothing passes the filter (Esc: all)"
			  : u->model.link == UI_LINK_UP ? "no apps; to start one:  :start app.js"
							: "nothing is known yet";
	grid_text(l->v->grid, y, l->c.name_x, -1, UI_DIM, why);
}

void viewlist_columns(const struct view *v, struct columns *c)
{
	int need[COL_COUNT + 1];
	struct listview l = {.v = (struct view *)v, .compact = v->layout.size == LAYOUT_COMPACT};
	measure(&l, need);
	columns_fit(c, v->layout.size, v->layout.list.w, v->ui->columns, need);
}

void viewlist_draw(struct view *v)
{
	struct rows *r = &v->ui->rows;
	const struct rect *box = &v->layout.list;
	struct listview l = {.v = v,
			     .compact = v->layout.size == LAYOUT_COMPACT,
			     .away = v->ui->model.link == UI_LINK_AWAY};
	viewlist_columns(v, &l.c);
	rows_scroll(r, box->h - 1);
	draw_heading(&l, box->y);
	if (r->n == 0) {
		draw_empty(&l, box->y + 1);
	}
	for (int i = 0; i < box->h - 1 && r->top + i < r->n; i++) {
		draw_row(&l, box->y + 1 + i, &r->v[r->top + i]);
		if (r->top + i == r->sel) {
			grid_text(v->grid, box->y + 1 + i, 0, 1, UI_BOLD, ">");
			grid_paint(v->grid, box->y + 1 + i, 0, box->w, UI_REVERSE);
			v->grid->cur_y = box->y + 1 + i;
			v->grid->cur_x = 0;
		}
	}
}
