/* SPDX-License-Identifier: MIT */
#include "ui/rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "ui/look.h"

#define UNHEALTHY 2 /* from this rank on */

void rows_init(struct rows *r)
{
	*r = (struct rows){.sel = -1, .sel_slot = -1};
}

void rows_finish(struct rows *r)
{
	filter_finish(&r->compiled);
	free(r->v);
	*r = (struct rows){.sel = -1};
}

static void add(struct rows *r, struct row row)
{
	if (r->n == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 64;
		r->v = xreallocarray(r->v, (size_t)r->cap, sizeof(*r->v));
	}
	r->v[r->n++] = row;
}

/* --- what is shown --- */

static int rank_of(const struct ui_proc *p)
{
	int rank = look_rank(p->state);
	return p->leak && rank < look_rank("degraded") ? look_rank("degraded") : rank;
}

int rows_worst(const struct ui_app *a, const char **state)
{
	const char *worst = a->state;
	int rank = look_rank(a->state);
	if (a->leak && rank < look_rank("degraded")) {
		worst = "degraded";
		rank = look_rank(worst);
	}
	for (int i = 0; i < a->nprocs; i++) {
		int other = rank_of(a->proc[i]);
		/* one that was stopped on purpose makes no trouble */
		if (other <= rank || other < UNHEALTHY) {
			continue;
		}
		rank = other;
		/* "degraded" says that one waits for its next try */
		if (strcmp(worst, "degraded") != 0 || other > look_rank("backoff")) {
			worst = a->proc[i]->leak && look_rank(a->proc[i]->state) < rank
					? "degraded"
					: a->proc[i]->state;
		}
	}
	if (state) {
		*state = worst;
	}
	return rank;
}

static bool is_proc_shown(const struct rows *r, const struct ui_app *a, const struct ui_proc *p)
{
	return (!r->unhealthy || rank_of(p) >= UNHEALTHY) && filter_match(&r->compiled, a, p);
}

/* Of an app that passes as a whole all instances are shown, else those that pass. */
static bool is_app_shown(const struct rows *r, const struct ui_app *a)
{
	if (filter_match(&r->compiled, a, NULL)) {
		return !r->unhealthy || rows_worst(a, NULL) >= UNHEALTHY;
	}
	for (int i = 0; i < a->nprocs; i++) {
		if (is_proc_shown(r, a, a->proc[i])) {
			return true;
		}
	}
	return false;
}

static bool is_below(const struct rows *r, const struct ui_app *a, const struct ui_proc *p)
{
	if (r->unhealthy) {
		return is_proc_shown(r, a, p);
	}
	return filter_match(&r->compiled, a, NULL) || filter_match(&r->compiled, a, p);
}

/* --- sorting --- */

static double number_of(const struct ui_figures *f, enum rows_sort sort, int rank)
{
	switch (sort) {
	case SORT_STATE:
		return rank;
	case SORT_UP:
		return (double)f->up_ms;
	case SORT_RESTARTS:
		return f->restarts;
	case SORT_CPU:
		return isnan(f->cpu_pct) ? -1 : f->cpu_pct;
	case SORT_MEM:
		return (double)f->mem_bytes;
	default:
		return 0;
	}
}

static int by_number(const struct rows *r, double a, double b)
{
	int c = a > b ? -1 : a < b;
	return r->reverse ? -c : c;
}

static int by_order(const struct rows *r, const struct ui_app *a, const struct ui_app *b)
{
	int c = r->sort == SORT_APP ? strcmp(a->name, b->name) : 0;
	c = c ? c : a->order - b->order;
	return r->reverse && r->sort <= SORT_APP ? -c : c;
}

static int by_namespace(const struct rows *r, const struct ui_app *a, const struct ui_app *b)
{
	if (r->form != ROWS_NAMESPACES || strcmp(a->ns, b->ns) == 0) {
		return 0;
	}
	return !a->ns[0] ? 1 : !b->ns[0] ? -1 : strcmp(a->ns, b->ns);
}

static int compare_apps(const void *x, const void *y, void *ctx)
{
	const struct rows *r = ctx;
	const struct ui_app *a = *(struct ui_app *const *)x, *b = *(struct ui_app *const *)y;
	int ra = r->sort == SORT_STATE ? rows_worst(a, NULL) : 0;
	int rb = r->sort == SORT_STATE ? rows_worst(b, NULL) : 0;
	int c = by_namespace(r, a, b);
	c = c ? c : by_number(r, number_of(&a->fig, r->sort, ra), number_of(&b->fig, r->sort, rb));
	return c ? c : by_order(r, a, b);
}

/* Lines of the flat form. */
static int compare_procs(const void *x, const void *y, void *ctx)
{
	const struct rows *r = ctx;
	const struct row *a = x, *b = y;
	int c = by_number(r, number_of(&a->proc->fig, r->sort, rank_of(a->proc)),
			  number_of(&b->proc->fig, r->sort, rank_of(b->proc)));
	c = c ? c : by_order(r, a->app, b->app);
	return c ? c : a->proc->slot - b->proc->slot;
}

/* As it was; what is new comes last. place 0 = new. */
static int by_place(int a, int b, int else_)
{
	return a == b ? else_ : !a ? 1 : !b ? -1 : a - b;
}

static int compare_app_places(const void *x, const void *y, void *ctx)
{
	const struct rows *r = ctx;
	const struct ui_app *a = *(struct ui_app *const *)x, *b = *(struct ui_app *const *)y;
	int c = by_namespace(r, a, b);
	return c ? c : by_place(a->place, b->place, a->order - b->order);
}

static int compare_proc_places(const void *x, const void *y, void *ctx)
{
	const struct row *a = x, *b = y;
	(void)ctx;
	int c = a->app == b->app ? a->proc->slot - b->proc->slot : a->app->order - b->app->order;
	return by_place(a->proc->place, b->proc->place, c);
}

/* Whether the order of the last time is kept. */
static bool is_held(struct rows *r, const struct model *m)
{
	int by = (int)r->form * 100 + (int)r->sort * 2 + r->reverse;
	if (r->touched) {
		r->held_until_ms = m->now_ms + ROWS_HOLD_MS;
		r->touched = false;
	}
	/* until then, but not if the clock was set back */
	bool held = by == r->sorted_by && m->now_ms < r->held_until_ms &&
		    m->now_ms > r->held_until_ms - 2 * ROWS_HOLD_MS;
	r->sorted_by = by;
	return held;
}

/* --- the lines --- */

static void add_procs(struct rows *r, struct ui_app *a, int depth)
{
	int last = -1;
	for (int i = 0; i < a->nprocs; i++) {
		if (is_below(r, a, a->proc[i])) {
			last = r->n;
			add(r, (struct row){.app = a, .proc = a->proc[i], .depth = depth});
		}
	}
	if (last >= 0) {
		r->v[last].last = true;
	}
}

static void add_tree(struct rows *r, struct ui_app **v, size_t n)
{
	const char *ns = NULL;
	bool open = true;
	int depth = r->form == ROWS_NAMESPACES;
	for (size_t i = 0; i < n; i++) {
		if (depth && (!ns || strcmp(ns, v[i]->ns) != 0)) {
			struct row row = {.ns = v[i]->ns};
			ns = v[i]->ns;
			open = rows_is_open(r, &row);
			add(r, row);
		}
		if (open) {
			add(r, (struct row){.app = v[i], .depth = depth});
		}
		if (open && v[i]->open && v[i]->nprocs > 1) {
			add_procs(r, v[i], depth + 1);
		}
	}
}

static void add_flat(struct rows *r, struct ui_app **v, size_t n, bool held)
{
	int shown = 0;
	for (size_t i = 0; i < n; i++) {
		for (int k = 0; k < v[i]->nprocs; k++) {
			add(r, (struct row){.app = v[i], .proc = v[i]->proc[k]});
		}
	}
	if (r->n > 0) { /* else there may be no memory to sort */
		qsort_r(r->v, (size_t)r->n, sizeof(*r->v),
			held ? compare_proc_places : compare_procs, r);
	}
	for (int i = 0; i < r->n; i++) {
		r->v[i].proc->place = i + 1;
		if (is_proc_shown(r, r->v[i].app, r->v[i].proc)) {
			r->v[shown++] = r->v[i];
		}
	}
	r->n = shown;
}

/* --- the selection --- */

static bool is_selected(const struct rows *r, const struct row *row)
{
	if (!row->app) {
		return r->sel_slot == ROWS_NS && strcmp(row->ns, r->sel_app) == 0;
	}
	return strcmp(row->app->name, r->sel_app) == 0 &&
	       (row->proc ? row->proc->slot : -1) == r->sel_slot;
}

static void set_selection(struct rows *r, int line)
{
	r->sel = r->n == 0 ? -1 : line < 0 ? 0 : line >= r->n ? r->n - 1 : line;
	const struct row *row = rows_selected(r);
	if (row) {
		snprintf(r->sel_app, sizeof(r->sel_app), "%s", row->app ? row->app->name : row->ns);
		r->sel_slot = !row->app ? ROWS_NS : row->proc ? row->proc->slot : -1;
	}
}

/* The line of what was selected; where it is gone, its app or what took its line. */
static void find_selection(struct rows *r)
{
	int app = -1, was = r->sel;
	r->sel = -1;
	for (int i = 0; i < r->n; i++) {
		if (is_selected(r, &r->v[i])) {
			r->sel = i;
			return;
		}
		if (app < 0 && r->v[i].app && strcmp(r->v[i].app->name, r->sel_app) == 0) {
			app = i;
		}
	}
	set_selection(r, app >= 0 ? app : was);
}

void rows_update(struct rows *r, const struct model *m)
{
	struct ui_app **v = xcalloc((size_t)m->napps + 1, sizeof(struct ui_app *));
	size_t n = 0;
	bool held = is_held(r, m);
	filter_set(&r->compiled, r->filter);
	for (int i = 0; i < m->napps; i++) {
		v[i] = m->app[i];
	}
	qsort_r(v, (size_t)m->napps, sizeof(struct ui_app *),
		held ? compare_app_places : compare_apps, r);
	/* those that are not shown have their place in the order, too */
	for (int i = 0; i < m->napps; i++) {
		v[i]->place = i + 1;
		if (r->form == ROWS_FLAT || is_app_shown(r, v[i])) {
			v[n++] = v[i];
		}
	}
	r->n = 0;
	if (r->form == ROWS_FLAT) {
		add_flat(r, v, n, held);
	} else {
		add_tree(r, v, n);
	}
	free(v);
	find_selection(r);
}

void rows_touch(struct rows *r)
{
	r->touched = true;
}

void rows_select(struct rows *r, int line)
{
	r->touched = true;
	set_selection(r, line);
}

void rows_scroll(struct rows *r, int height)
{
	height = height < 1 ? 1 : height;
	int most = r->n > height ? r->n - height : 0;
	if (r->sel >= 0 && r->sel < r->top) {
		r->top = r->sel;
	} else if (r->sel >= r->top + height) {
		r->top = r->sel - height + 1;
	}
	r->top = r->top > most ? most : r->top < 0 ? 0 : r->top;
}

const struct row *rows_selected(const struct rows *r)
{
	return r->sel >= 0 && r->sel < r->n ? &r->v[r->sel] : NULL;
}

/* --- open and closed --- */

static int find_closed(const struct rows *r, const char *ns)
{
	for (int i = 0; i < r->nclosed; i++) {
		if (strcmp(r->closed_ns[i], ns) == 0) {
			return i;
		}
	}
	return -1;
}

bool rows_is_open(const struct rows *r, const struct row *row)
{
	return row->app ? row->app->open : find_closed(r, row->ns) < 0;
}

void rows_set_open(struct rows *r, const struct row *row, bool open)
{
	if (row->app) {
		row->app->open = open;
		return;
	}
	int at = find_closed(r, row->ns);
	if (open && at >= 0) {
		memmove(r->closed_ns + at, r->closed_ns + at + 1,
			(size_t)(--r->nclosed - at) * sizeof(r->closed_ns[0]));
	} else if (!open && at < 0 && r->nclosed < ROWS_CLOSED) {
		snprintf(r->closed_ns[r->nclosed++], MODEL_NAME, "%s", row->ns);
	}
}

const struct ui_proc *rows_proc(const struct row *row)
{
	return row->proc ? row->proc : row->app->nprocs == 1 ? row->app->proc[0] : NULL;
}
