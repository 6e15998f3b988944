/* SPDX-License-Identifier: MIT */
/* The panes but the logs: moving, opening, sorting, marking. */
#include <stdio.h>
#include <string.h>

#include "ui/control_priv.h"

/* --- moving --- */

int list_page(const struct ui *u, enum ui_pane pane)
{
	struct layout l;
	layout_make(&l, u, u->height, u->width);
	const struct rect *box = pane == PANE_LIST     ? &l.list
				 : pane == PANE_DETAIL ? &l.detail
				 : pane == PANE_EVENTS ? &l.events
						       : &l.logs;
	return box->h > 2 ? box->h - 1 : 1;
}

static int within(int64_t v, int64_t most)
{
	return (int)(v > most ? (most < 0 ? 0 : most) : v < 0 ? 0 : v);
}

void list_scroll(struct ui *u, enum ui_pane pane, int by)
{
	uint64_t events = u->feed.n < FEED_EVENTS ? u->feed.n : FEED_EVENTS;
	if (pane == PANE_LIST) {
		rows_select(&u->rows, u->rows.sel + by);
	} else if (pane == PANE_LOGS) {
		logpane_move(&u->logs, by);
	} else if (pane == PANE_DETAIL) {
		u->detail.top = within(u->detail.top + by, u->detail.n - 1);
	} else {
		u->feed.sel = (uint64_t)within((int64_t)u->feed.sel + by, (int64_t)events - 1);
	}
}

static void move_logs(struct ui *u, enum action action)
{
	struct logpane *p = &u->logs;
	switch (action) {
	case ACT_TOP:
		logpane_edge(p, -1);
		break;
	case ACT_BOTTOM:
		logpane_edge(p, 1);
		break;
	case ACT_PAGE_DOWN:
	case ACT_PAGE_UP:
		logpane_page(p, action == ACT_PAGE_DOWN ? 2 : -2);
		break;
	case ACT_HALF_DOWN:
	case ACT_HALF_UP:
		logpane_page(p, action == ACT_HALF_DOWN ? 1 : -1);
		break;
	default:
		logpane_move(p, action == ACT_DOWN ? 1 : -1);
	}
}

void list_move(struct ui *u, enum action action, uint32_t key)
{
	int page = list_page(u, u->focus), half = page / 2 > 0 ? page / 2 : 1;
	const int far = 1 << 20;
	(void)key;
	if (u->focus == PANE_LOGS) {
		move_logs(u, action);
		return;
	}
	list_scroll(u, u->focus,
		    action == ACT_DOWN	      ? 1
		    : action == ACT_UP	      ? -1
		    : action == ACT_TOP	      ? -far
		    : action == ACT_BOTTOM    ? far
		    : action == ACT_PAGE_DOWN ? page
		    : action == ACT_PAGE_UP   ? -page
		    : action == ACT_HALF_DOWN ? half
					      : -half);
}

/* --- panes --- */

void list_home(struct ui *u)
{
	u->zoom = false;
	u->focus = PANE_LIST;
}

void list_pane(struct ui *u, enum action action, uint32_t key)
{
	int n = PANE_COUNT - 1, at = (int)u->focus - 1;
	u->focus = (enum ui_pane)(action == ACT_PANE	    ? (int)(key - '0')
				  : action == ACT_NEXT_PANE ? (at + 1) % n + 1
							    : (at + n - 1) % n + 1);
}

void list_zoom(struct ui *u, enum action action, uint32_t key)
{
	(void)action;
	(void)key;
	u->zoom = !u->zoom;
}

/* The detail or the events, and back: below the list are the logs again then. */
void list_side_pane(struct ui *u, enum action action, uint32_t key)
{
	enum ui_pane pane = action == ACT_DETAIL ? PANE_DETAIL : PANE_EVENTS;
	(void)key;
	if (u->focus == pane) {
		list_home(u);
		u->lower = PANE_LOGS;
	} else {
		u->focus = pane;
	}
}

void list_quit(struct ui *u, enum action action, uint32_t key)
{
	(void)action;
	(void)key;
	if (u->zoom) {
		list_home(u);
	} else {
		effects_add(&u->effects, EFFECT_QUIT, 0, NULL);
	}
}

static bool unmark(struct ui *u)
{
	bool any = false;
	for (int i = 0; i < u->model.napps; i++) {
		struct ui_app *a = u->model.app[i];
		any |= a->marked;
		a->marked = false;
		for (int k = 0; k < a->nprocs; k++) {
			any |= a->proc[k]->marked;
			a->proc[k]->marked = false;
		}
	}
	return any;
}

static bool clear_logs(struct ui *u)
{
	struct logpane *p = &u->logs;
	if (p->search[0]) {
		logpane_search(p, "", NULL, 0);
	} else if (p->filter[0]) {
		logpane_filter(p, "", NULL, 0);
	} else {
		return false;
	}
	return true;
}

/* One thing at a time, the nearest first. */
void list_escape(struct ui *u, enum action action, uint32_t key)
{
	struct rows *r = &u->rows;
	(void)action;
	(void)key;
	if (logpane_cancel(&u->logs) || (u->focus == PANE_LOGS && clear_logs(u))) {
		return;
	}
	if (r->filter[0]) {
		r->filter[0] = '\0';
	} else if (r->unhealthy) {
		r->unhealthy = false;
	} else if (!unmark(u)) {
		list_home(u);
	}
}

/* --- opening --- */

static bool is_openable(const struct row *row)
{
	return row && (!row->app || (!row->proc && row->app->nprocs > 1));
}

/* The line of the app an instance belongs to, or of the namespace of an app; -1 = none. */
static int parent_of(const struct rows *r)
{
	int depth = r->v[r->sel].depth, at = r->sel - 1;
	while (at >= 0 && r->v[at].depth >= depth) {
		at--;
	}
	return at;
}

void list_toggle_row(struct ui *u, const struct row *row)
{
	if (is_openable(row)) {
		rows_set_open(&u->rows, row, !rows_is_open(&u->rows, row));
	}
}

void list_toggle(struct ui *u, enum action action, uint32_t key)
{
	(void)action;
	(void)key;
	rows_touch(&u->rows);
	list_toggle_row(u, rows_selected(&u->rows));
}

void list_open(struct ui *u, enum action action, uint32_t key)
{
	struct rows *r = &u->rows;
	const struct row *row = rows_selected(r);
	bool opens = action == ACT_OPEN;
	(void)key;
	rows_touch(r);
	if (!row) {
		return;
	}
	if (is_openable(row) && rows_is_open(r, row) != opens) {
		rows_set_open(r, row, opens);
	} else if (opens && is_openable(row)) {
		rows_select(r, r->sel + 1);
	} else if (!opens && parent_of(r) >= 0) {
		rows_select(r, parent_of(r));
	}
}

void list_toggle_all(struct ui *u, enum action action, uint32_t key)
{
	bool closed = false;
	(void)action;
	(void)key;
	for (int i = 0; i < u->model.napps; i++) {
		closed |= u->model.app[i]->nprocs > 1 && !u->model.app[i]->open;
	}
	for (int i = 0; i < u->model.napps; i++) {
		u->model.app[i]->open = closed;
	}
	rows_touch(&u->rows);
}

void list_form(struct ui *u, enum action action, uint32_t key)
{
	(void)action;
	(void)key;
	u->form_chosen = true;
	u->rows.form =
		u->rows.form == ROWS_NAMESPACES ? ROWS_TREE : (enum rows_form)(u->rows.form + 1);
}

/* --- what is shown, and in which order --- */

void list_unhealthy(struct ui *u, enum action action, uint32_t key)
{
	(void)action;
	(void)key;
	u->rows.unhealthy = !u->rows.unhealthy;
	ui_say(u, UI_PLAIN, false,
	       u->rows.unhealthy ? "only what needs eyes; f shows all" : "all apps");
}

void list_sort(struct ui *u, enum action action, uint32_t key)
{
	int by = (int)u->rows.sort;
	(void)key;
	if (action == ACT_REVERSE) {
		u->rows.reverse = !u->rows.reverse;
		return;
	}
	by = (by + (action == ACT_SORT_NEXT ? 1 : SORT_COUNT - 1)) % SORT_COUNT;
	u->rows.sort = (enum rows_sort)by;
}

/* --- marks --- */

static void mark_namespace(struct ui *u, const char *ns)
{
	bool all = true;
	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < u->model.napps; i++) {
			struct ui_app *a = u->model.app[i];
			if (strcmp(a->ns, ns) == 0 && pass == 0) {
				all &= a->marked;
			} else if (strcmp(a->ns, ns) == 0) {
				a->marked = !all;
			}
		}
	}
}

void list_mark(struct ui *u, enum action action, uint32_t key)
{
	const struct row *row = rows_selected(&u->rows);
	if (u->model.link != UI_LINK_UP && key == ' ') {
		effects_add(&u->effects, EFFECT_RETRY, 0, NULL);
		return;
	}
	(void)action;
	if (!row) {
		return;
	}
	if (!row->app) {
		mark_namespace(u, row->ns);
	} else if (row->proc) {
		row->proc->marked = !row->proc->marked;
	} else {
		row->app->marked = !row->app->marked;
	}
	if (key == ' ') {
		rows_select(&u->rows, u->rows.sel + 1);
	}
}

void list_mark_all(struct ui *u, enum action action, uint32_t key)
{
	(void)action;
	(void)key;
	for (int i = 0; i < u->rows.n; i++) {
		const struct row *row = &u->rows.v[i];
		if (row->proc && row->depth == 0) {
			row->proc->marked = true;
		} else if (row->app && !row->proc) {
			row->app->marked = true;
		}
	}
}

void list_unmark(struct ui *u, enum action action, uint32_t key)
{
	(void)action;
	(void)key;
	unmark(u);
}

/* --- events --- */

void list_go_to_event(struct ui *u, enum action action, uint32_t key)
{
	const struct feed_event *e = feed_get(&u->feed, u->feed.sel);
	(void)action;
	(void)key;
	if (!e) {
		return;
	}
	for (int i = 0; i < u->rows.n; i++) {
		const struct row *row = &u->rows.v[i];
		int slot = row->proc ? row->proc->slot : -1;
		if (row->app && strcmp(row->app->name, e->app) == 0 &&
		    (slot == e->slot || slot < 0)) {
			rows_select(&u->rows, i);
		}
	}
	u->focus = PANE_LOGS;
	ui_refresh(u);
	logpane_at(&u->logs, e->t_ms);
	effects_add(&u->effects, EFFECT_LOGS, 0, NULL);
}
