/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/near.h"
#include "ui/figtext.h"
#include "ui/graph.h"
#include "ui/look.h"
#include "ui/spark.h"
#include "ui/view_priv.h"

#define KEY_W	     9
#define BAR_W	     7
#define LIVE_ROWS    7
#define ROOMY	     50 /* cells, for more in a row */
#define AXIS_W	     7	/* "  214M┤" */
#define NOW_W	     8	/* " 214.6M" behind the graph */
#define GRAPH_H	     4	/* with its title: the least */
#define GRAPH_MOST   12
#define GRAPH_W	     128 /* cells; more are not used */
#define RESTARTS     16
#define ROOM_FOR_ALL 96 /* points, from which on all is shown that is kept */
#define MIB	     (1024.0 * 1024)

struct detailview {
	struct view *v;
	struct rect box;
	const struct row *row;
	const struct ui_figures *fig;
	int n; /* rows that are known while they run */
	struct {
		const char *key;
		char value[MODEL_NOTE + 64];
		int style;
	} live[LIVE_ROWS];
};

/* --- what the samples tell --- */

static char *live(struct detailview *d, const char *key, int style)
{
	d->live[d->n].key = key;
	d->live[d->n].style = style;
	return d->live[d->n++].value;
}

/* "online, ready after 0.4s", "1/2 degraded: try in 12s". */
static void live_state(struct detailview *d)
{
	const struct ui_app *a = d->row->app;
	const struct ui_proc *p = rows_proc(d->row);
	const char *state = d->row->proc ? p->state : a->state;
	const char *note = d->row->proc ? p->note : a->note;
	char count[32] = "", ready[48] = "", age[FIGTEXT];
	if (p && p->ready) {
		figtext_age(p->ready_ms, age);
		snprintf(ready, sizeof(ready), ", ready%s%s", p->ready_ms >= 0 ? " after " : "",
			 p->ready_ms >= 0 ? age : "");
	}
	if (!d->row->proc && a->instances > 1) {
		snprintf(count, sizeof(count), "%d/%d ", a->online, a->instances);
	}
	snprintf(live(d, "state", look_rank(state) > 0 ? (int)look_style(state) : UI_PLAIN),
		 sizeof(d->live[0].value), "%s%s%s%s%s", count, state, ready, note[0] ? ": " : "",
		 note);
}

/* "11m  last exit SIGSEGV 13:52" */
static void live_up(struct detailview *d)
{
	const struct ui_proc *p = rows_proc(d->row);
	char up[FIGTEXT], clock[16] = "", many[24] = "";
	/* "last exit 1", "last exit SIGSEGV" */
	const char *last = p && strncmp(p->exit, "exit ", 5) == 0 ? "  last " : "  last exit ";
	figtext_age(d->fig->up_ms, up);
	if (p && p->exit_ms > 0) {
		view_clock(p->exit_ms, clock, sizeof(clock));
		clock[5] = '\0'; /* to the minute */
	}
	if (d->fig->restarts > 0 && d->box.w >= ROOMY) {
		snprintf(many, sizeof(many), "  restarts %d", d->fig->restarts);
	}
	snprintf(live(d, "up", UI_PLAIN), sizeof(d->live[0].value), "%s%s%s%s%s%s", up, many,
		 p && p->exit[0] ? last : "", p ? p->exit : "", clock[0] ? " " : "", clock);
}

/* "█░░░░░░": how much of a limit is used. */
static void bar(const struct detailview *d, double part, char *out, size_t cap)
{
	bool utf8 = d->v->ui->utf8;
	int full = part <= 0 ? 0 : part >= 1 ? BAR_W : (int)(part * BAR_W + 0.5);
	size_t len = 0;
	full = full == 0 && part > 0 ? 1 : full;
	for (int i = 0; i < BAR_W && len + 4 < cap; i++) {
		len += (size_t)snprintf(out + len, cap - len, "%s",
					i < full ? (utf8 ? "█" : "#")
					: utf8	 ? "░"
						 : ".");
	}
}

/* "52.8/512M █░░░░░░  fd 31  threads 11" */
static void live_memory(struct detailview *d)
{
	const struct ui_figures *f = d->fig;
	char mem[FIGTEXT], fds[FIGTEXT * 2], thr[FIGTEXT], bars[BAR_W * 3 + 8] = "";
	const struct ui_proc *p = rows_proc(d->row);
	bool roomy = d->box.w >= ROOMY;
	bool limited = f->limit_bytes > 0 && f->mem_bytes >= 0;
	double part = limited ? (double)f->mem_bytes / (double)f->limit_bytes : 0;
	figtext_mem(f->mem_bytes, 0, mem);
	if (limited) {
		figtext_part(f->mem_bytes, f->limit_bytes, mem);
		bars[0] = ' ';
		bar(d, part, bars + 1, sizeof(bars) - 1);
	}
	figtext_int(f->fds, fds);
	if (p && p->fds_max > 0 && p->fds_most == f->fds) { /* it is one process that has them */
		size_t len = strlen(fds);
		snprintf(fds + len, sizeof(fds) - len, "/%lld", (long long)p->fds_max);
	}
	figtext_int(f->threads, thr);
	snprintf(live(d, "memory",
		      near_limit(f->mem_bytes, f->limit_bytes, false) ? UI_WARN : UI_PLAIN),
		 sizeof(d->live[0].value), "%s%s  fd %s%s%s", mem, bars, fds,
		 roomy ? "  threads " : "", roomy ? thr : "");
}

static void live_leak(struct detailview *d)
{
	const struct ui_proc *p = rows_proc(d->row);
	if (p && p->leak) {
		snprintf(live(d, "leak?", UI_WARN), sizeof(d->live[0].value), "%s%s%s",
			 p->leak_text, p->leak_left[0] ? ", " : "", p->leak_left);
	}
}

static void live_drift(struct detailview *d)
{
	if (d->row->app->drift[0]) {
		snprintf(live(d, "drift", UI_WARN), sizeof(d->live[0].value), "%s",
			 d->row->app->drift);
	}
}

/* --- rows --- */

static void draw_row(const struct detailview *d, int y, const char *key, int style,
		     const char *value)
{
	const struct rect *b = &d->box;
	grid_cut(d->v->grid, y, b->x + 2, KEY_W < b->w - 2 ? KEY_W - 1 : b->w - 2, UI_DIM, key,
		 d->v->ui->utf8);
	grid_cut(d->v->grid, y, b->x + 2 + KEY_W, b->w - 2 - KEY_W, style, value, d->v->ui->utf8);
}

static void draw_rows(const struct detailview *d, int y, int room)
{
	struct detail *more = &d->v->ui->detail;
	int n = d->n + more->n;
	int most = n > room ? n - room : 0;
	more->top = more->top > most ? most : more->top < 0 ? 0 : more->top;
	for (int i = more->top; i < n && i - more->top < room; i++, y++) {
		if (i < d->n) {
			draw_row(d, y, d->live[i].key, d->live[i].style, d->live[i].value);
		} else {
			draw_row(d, y, more->row[i - d->n].key, UI_PLAIN,
				 more->row[i - d->n].value);
		}
	}
}

/* --- graphs --- */

struct graph {
	const struct series *s;
	bool cpu;
	int y, h; /* with the title line */
	int w;	  /* cells */
	int per;  /* steps a point */
	const char *span;
	double max; /* of the scale */
};

static enum graph_kind kind_of(const struct detailview *d)
{
	const struct ui *u = d->v->ui;
	return !u->utf8 ? GRAPH_ASCII : u->braille ? GRAPH_BRAILLE : GRAPH_BLOCKS;
}

static void figure(const struct graph *g, double v, char *out)
{
	if (g->cpu) {
		figtext_cpu(v, out);
	} else {
		figtext_mem(isnan(v) ? -1 : (int64_t)v, v >= 100 * MIB, out);
	}
}

/* As wide as there is room, but no point shorter than a step. */
static void fit(const struct detailview *d, struct graph *g)
{
	int w = d->box.w - 1 - AXIS_W - NOW_W;
	g->w = w > GRAPH_W ? GRAPH_W : w;
	if (g->w < 1) {
		return;
	}
	int points = graph_points(kind_of(d), g->w);
	bool all = points >= ROOM_FOR_ALL;
	int steps = g->cpu ? (all ? 300 : 120) : all ? 240 : 60;
	g->per = (steps + points - 1) / points;
	int cells = (steps / g->per * g->w + points - 1) / points;
	g->w = cells < g->w ? cells : g->w;
	g->span = g->cpu ? (all ? "5 min" : "2 min") : all ? "60 min" : "15 min";
}

static double scale(const struct detailview *d, bool cpu)
{
	const struct ui_app *a = d->row->app;
	double peak = 0;
	if (!cpu && d->fig->limit_bytes > 0) {
		return (double)d->fig->limit_bytes;
	}
	/* one scale for all instances of an app */
	for (int i = 0; d->row->proc && i < a->nprocs; i++) {
		const struct ui_figures *f = &a->proc[i]->fig;
		double p = series_peak(cpu ? &f->cpu : &f->mem);
		peak = p > peak ? p : peak;
	}
	if (!d->row->proc) {
		peak = series_peak(cpu ? &d->fig->cpu : &d->fig->mem);
	}
	return cpu ? spark_scale(peak, 5) : spark_scale(peak / MIB, 16) * MIB;
}

static int by_value(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;
	return (a > b) - (a < b);
}

static void current(const struct detailview *d, const struct graph *g, char *out)
{
	int64_t mem = d->fig->mem_bytes;
	figure(g, g->cpu ? d->fig->cpu_pct : mem < 0 ? NAN : (double)mem, out);
}

/* "CPU 2 min  now 4%  p95 9%" */
static void draw_graph_title(const struct detailview *d, const struct graph *g, const double *v,
			     int n)
{
	double known[2 * GRAPH_W];
	char now[FIGTEXT], high[FIGTEXT], text[160];
	int k = 0;
	for (int i = 0; i < n; i++) {
		if (!isnan(v[i])) {
			known[k++] = v[i];
		}
	}
	qsort(known, (size_t)k, sizeof(known[0]), by_value);
	current(d, g, now);
	figure(g, k ? known[g->cpu ? k * 95 / 100 : k - 1] : NAN, high);
	int x = d->box.x + 1;
	snprintf(text, sizeof(text), "%s %s", g->cpu ? "CPU" : "MEM", g->span);
	x += grid_cut(d->v->grid, g->y, x, d->box.w - 1, UI_BOLD, text, d->v->ui->utf8);
	snprintf(text, sizeof(text), "  now %s  %s %s", now, g->cpu ? "p95" : "max", high);
	if (grid_width(text) < d->box.x + d->box.w - x) {
		grid_text(d->v->grid, g->y, x, -1, UI_DIM, text);
	}
}

/* The scale at the left: its ends, and its middle where there is room. */
static void draw_axis(const struct detailview *d, const struct graph *g, int h)
{
	const char *tick = d->v->ui->utf8 ? "┤" : "|";
	for (int i = 0; i < h; i++) {
		char text[FIGTEXT] = "";
		int y = g->y + 1 + i, middle = h % 2 && h > 2 && i == h / 2;
		if (i == 0 || i == h - 1 || middle) {
			double at = i == 0 ? g->max : middle ? g->max / 2 : 0;
			if (g->cpu || at <= 0) {
				figtext_plain(at, text);
			} else {
				figtext_mem((int64_t)at, 1, text);
			}
		}
		grid_right(d->v->grid, y, d->box.x + 1, AXIS_W - 2, UI_DIM, text);
		grid_text(d->v->grid, y, d->box.x + AXIS_W - 1, 1, UI_DIM, tick);
	}
}

/* "5 min ago        now", below a graph of h rows. */
static void draw_time(const struct detailview *d, const struct graph *g, int h)
{
	int y = g->y + 1 + h, x = d->box.x + AXIS_W;
	if (g->w > 16) {
		grid_textf(d->v->grid, y, x, g->w, UI_DIM, "%s ago", g->span);
		grid_right(d->v->grid, y, x + g->w - 3, 3, UI_DIM, "now");
	}
}

/* When the selection was started anew, as the events tell. */
static int restarts(const struct detailview *d, int64_t out[RESTARTS])
{
	int n = 0;
	const struct feed_event *e;
	for (uint64_t k = 0; n < RESTARTS && (e = feed_get(&d->v->ui->feed, k)); k++) {
		bool ours = strcmp(e->app, d->row->app->name) == 0 &&
			    (!d->row->proc || e->slot == d->row->proc->slot);
		if (ours && (strcmp(e->type, "exit") == 0 || strcmp(e->type, "failed") == 0)) {
			out[n++] = e->t_ms;
		}
	}
	if (n == 0 && rows_proc(d->row) && rows_proc(d->row)->exit_ms > 0) {
		out[n++] = rows_proc(d->row)->exit_ms;
	}
	return n;
}

/* In the blank cells above the area, so that nothing of it is hidden; but always at the top. */
static void draw_restarts(const struct detailview *d, const struct graph *g, int h, int points,
			  const uint32_t *cells)
{
	int64_t at[RESTARTS];
	int n = restarts(d, at);
	for (int i = 0; i < n; i++) {
		int cell = series_cell_of(g->s, d->v->ui->model.sampled_ms, at[i], g->per, points);
		int x = cell * g->w / points;
		for (int k = 0; cell >= 0 && k < h && (k == 0 || cells[k * g->w + x] == ' '); k++) {
			grid_text(d->v->grid, g->y + 1 + k, d->box.x + AXIS_W + x, 1, UI_ACCENT,
				  d->v->ui->utf8 ? "┊" : ":");
		}
	}
}

static void draw_graph(const struct detailview *d, struct graph *g)
{
	double v[2 * GRAPH_W];
	uint32_t cells[GRAPH_W * GRAPH_MOST];
	char now[FIGTEXT];
	int h = g->h - 1;
	fit(d, g);
	if (h > GRAPH_H) {
		draw_time(d, g, --h); /* there is a row for it */
	}
	if (g->w < 1 || h < 1) {
		return;
	}
	int points = graph_points(kind_of(d), g->w);
	g->max = scale(d, g->cpu);
	series_cells(g->s, d->v->ui->model.sampled_ms, g->per, v, points);
	draw_graph_title(d, g, v, points);
	draw_axis(d, g, h);
	graph_draw(kind_of(d), v, g->max, h, g->w, cells);
	for (int i = 0; i < h * g->w; i++) {
		grid_fill(d->v->grid, g->y + 1 + i / g->w, d->box.x + AXIS_W + i % g->w, 1, UI_INFO,
			  cells[i]);
	}
	draw_restarts(d, g, h, points, cells);
	current(d, g, now);
	grid_text(d->v->grid, g->y + h, d->box.x + AXIS_W + g->w + 1, NOW_W - 1, UI_PLAIN, now);
}

/* Below the rows, as many as there is room for: CPU first. */
static void draw_graphs(const struct detailview *d, int y, int room)
{
	int n = room >= 2 * GRAPH_H ? 2 : room >= GRAPH_H ? 1 : 0;
	for (int i = 0; i < n; i++) {
		int h = room / n > GRAPH_MOST ? GRAPH_MOST : room / n;
		struct graph g = {.s = i ? &d->fig->mem : &d->fig->cpu,
				  .cpu = i == 0,
				  .y = y + i * h,
				  .h = h};
		draw_graph(d, &g);
	}
}

/* --- the pane --- */

static void draw_title(const struct detailview *d)
{
	const struct ui_proc *p = d->row && d->row->app ? rows_proc(d->row) : NULL;
	const char *selector = d->v->ui->detail.selector;
	char what[MODEL_NAME * 3], pid[FIGTEXT] = "";
	if (p && p->pid > 0) {
		snprintf(pid, sizeof(pid), "  pid %d", p->pid);
	}
	if (d->v->layout.boxed) {
		snprintf(what, sizeof(what), "%s%s", selector, pid);
		view_title(d->v, &d->box, PANE_DETAIL, "DETAIL", what);
	} else {
		snprintf(what, sizeof(what), "%s detail%s", d->v->ui->utf8 ? "─" : "-", pid);
		view_title(d->v, &d->box, PANE_DETAIL, selector, what);
	}
}

void viewdetail_draw(struct view *v)
{
	struct detailview d = {.v = v, .box = v->layout.detail, .row = rows_selected(&v->ui->rows)};
	int room = d.box.h - 1;
	if (!d.box.h) {
		return;
	}
	draw_title(&d);
	if (!d.row || !d.row->app) {
		return;
	}
	d.fig = d.row->proc ? &d.row->proc->fig : &d.row->app->fig;
	live_state(&d);
	live_up(&d);
	live_memory(&d);
	live_leak(&d);
	live_drift(&d);
	int rows = d.n + v->ui->detail.n;
	int least = room / 2 < GRAPH_H ? (room >= GRAPH_H + 2 ? GRAPH_H : 0) : room / 2;
	int graphs = room - rows > least ? room - rows : least;
	draw_rows(&d, d.box.y + 1, room - graphs);
	draw_graphs(&d, d.box.y + 1 + room - graphs, graphs);
}
