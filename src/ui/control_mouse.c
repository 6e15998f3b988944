/* SPDX-License-Identifier: MIT */
/* The mouse: what is under it is what a key is about. */
#include "ui/columns.h"
#include "ui/control_priv.h"
#include "ui/view_priv.h"

#define WHEEL	 3 /* lines */
#define MARK_AT	 4 /* columns from the mark of what is open to the name */
#define DEPTH_AT 2

static bool is_in(const struct rect *r, const struct ui_input *in)
{
	return in->y >= r->y && in->y < r->y + r->h && in->x >= r->x && in->x < r->x + r->w;
}

/* 0 = none. */
static int pane_at(const struct layout *l, const struct ui_input *in)
{
	return is_in(&l->list, in)     ? PANE_LIST
	       : is_in(&l->logs, in)   ? PANE_LOGS
	       : is_in(&l->detail, in) ? PANE_DETAIL
	       : is_in(&l->events, in) ? PANE_EVENTS
				       : 0;
}

/* A click on the heading: sort by it, and a second time the other way round. */
static void sort_by(struct ui *u, const struct columns *c, int x)
{
	enum rows_sort by = columns_sort_at(c, x);
	if (by == SORT_ORDER) {
		return;
	}
	u->rows.reverse = by == u->rows.sort ? !u->rows.reverse : false;
	u->rows.sort = by;
}

static void click_list(struct ui *u, const struct view *v, const struct ui_input *in)
{
	struct columns c;
	struct rows *r = &u->rows;
	int line = r->top + in->y - v->layout.list.y - 1;
	viewlist_columns(v, &c);
	if (in->y == v->layout.list.y) {
		if (in->key == UK_MOUSE_CLICK) {
			sort_by(u, &c, in->x);
		}
		return;
	}
	if (line >= r->n) {
		return;
	}
	rows_select(r, line);
	const struct row *row = &r->v[line];
	int name = c.name_x + DEPTH_AT * row->depth;
	if (in->key == UK_MOUSE_CLICK && in->x >= name - MARK_AT && in->x < name) {
		list_toggle_row(u, row);
	} else if (in->key == UK_MOUSE_CTRL) {
		control_action(u, ACT_MARK, UK_NONE);
	}
}

static void click(struct ui *u, const struct view *v, const struct ui_input *in)
{
	int pane = pane_at(&v->layout, in);
	if (!pane) {
		return;
	}
	u->focus = (enum ui_pane)pane;
	if (pane == PANE_LIST) {
		click_list(u, v, in);
	} else if (pane == PANE_LOGS && in->y > v->layout.logs.y) {
		logpane_pick(&u->logs, in->y - v->layout.logs.y - 1);
	} else if (pane == PANE_EVENTS && in->y > v->layout.events.y) {
		int page = list_page(u, PANE_EVENTS);
		uint64_t sel = u->feed.sel;
		uint64_t from = sel >= (uint64_t)page ? sel - (uint64_t)page + 1 : 0;
		u->feed.sel = from;
		list_scroll(u, PANE_EVENTS, in->y - v->layout.events.y - 1);
	}
	if (in->key == UK_MOUSE_DOUBLE) {
		u->zoom = !u->zoom;
	} else if (in->key == UK_MOUSE_RIGHT) {
		control_action(u, ACT_MENU, UK_NONE);
	}
}

static void box_input(struct ui *u, const struct ui_input *in, int wheel)
{
	struct overlay *o = &u->overlay;
	int line = in->y - o->first_y;
	if (wheel) {
		overlay_move(o, wheel);
	} else if (o->kind == OVERLAY_MENU && line >= 0 && line < o->height &&
		   o->top + line < o->nchoices) {
		o->sel = o->top + line;
		if (in->key == UK_MOUSE_DOUBLE ||
		    (in->key == UK_MOUSE_CLICK && o->what != MENU_SIGNALS)) {
			menu_choice(u, &o->choice[o->sel]);
		}
	}
}

void mouse_input(struct ui *u, const struct ui_input *in)
{
	struct view v = {.ui = u};
	int wheel = in->key == UK_MOUSE_WHEEL_UP     ? -WHEEL
		    : in->key == UK_MOUSE_WHEEL_DOWN ? WHEEL
						     : 0;
	layout_make(&v.layout, u, u->height, u->width);
	if (v.layout.size == LAYOUT_TINY) {
		return;
	}
	if (u->overlay.kind != OVERLAY_NONE) {
		box_input(u, in, wheel);
	} else if (wheel && pane_at(&v.layout, in)) {
		list_scroll(u, (enum ui_pane)pane_at(&v.layout, in), wheel);
	} else if (!wheel) {
		click(u, &v, in);
	}
}
