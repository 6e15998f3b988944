/* SPDX-License-Identifier: MIT */
#include "ui/layout.h"

#define TINY_ROWS   8
#define TINY_COLS   40
#define NORMAL_COLS 60
#define WIDE_COLS   120
#define WIDE_ROWS   20
#define HUGE_COLS   200
#define SIDE_COLS   41 /* of the side pane, or a third where there is more room */
#define STATUS_ROWS 12 /* from here on there is a status line */

static enum layout_size size_of(int rows, int cols)
{
	return rows < TINY_ROWS || cols < TINY_COLS ? LAYOUT_TINY
	       : cols < NORMAL_COLS		    ? LAYOUT_COMPACT
	       : cols < WIDE_COLS		    ? LAYOUT_NORMAL
	       : cols < HUGE_COLS		    ? LAYOUT_WIDE
						    : LAYOUT_HUGE;
}

bool layout_is_huge(int rows, int cols)
{
	return size_of(rows, cols) == LAYOUT_HUGE;
}

/* The list gets what it needs, but not more than half, or two thirds where there is little; the
 * panes get the rest. */
static int list_height(const struct ui *u, int room)
{
	int want = u->rows.n < 3 ? 3 : u->rows.n;
	int most = room < 12 ? room * 2 / 3 : room / 2;
	return want < most ? want : most;
}

/* One pane in all the room there is. */
static void set_pane(struct layout *l, enum ui_pane pane, struct rect r)
{
	*(pane == PANE_LIST	? &l->list
	  : pane == PANE_DETAIL ? &l->detail
	  : pane == PANE_EVENTS ? &l->events
				: &l->logs) = r;
}

static enum ui_pane lower_pane(const struct ui *u)
{
	return u->focus > PANE_LIST ? u->focus : u->lower;
}

/* Borders, and in them the logs and the side pane. */
static void cut_boxed(struct layout *l, int y, int h, int cols)
{
	int side = l->size == LAYOUT_HUGE ? cols / 3 : SIDE_COLS;
	int x = cols - side;
	l->boxed = true;
	l->rule = (struct rect){y, 0, 1, cols};
	l->lower = (struct rect){y + h - 1, 0, 1, cols};
	y++;
	h -= 2;
	int detail = h * 5 / 8;
	l->split = (struct rect){y, x - 1, h, 1};
	l->logs = (struct rect){y, 0, h, x - 1};
	l->detail = (struct rect){y, x, detail, side};
	l->events = (struct rect){y + detail, x, h - detail, side};
}

static void cut(struct layout *l, const struct ui *u, struct rect all)
{
	bool boxed = l->size >= LAYOUT_WIDE && u->side && all.h >= WIDE_ROWS - 4;
	/* without the heading, and what divides list and panes */
	int list = 1 + list_height(u, all.h - (boxed ? 4 : 2));
	if (u->zoom) {
		set_pane(l, u->focus, all);
		return;
	}
	l->list = (struct rect){all.y, 0, list, all.w};
	all.y += list;
	all.h -= list;
	if (boxed) {
		cut_boxed(l, all.y, all.h, all.w);
	} else {
		set_pane(l, lower_pane(u), all);
	}
}

void layout_make(struct layout *l, const struct ui *u, int rows, int cols)
{
	*l = (struct layout){.size = size_of(rows, cols)};
	l->head = (struct rect){0, 0, rows > 0 ? 1 : 0, cols};
	if (l->size == LAYOUT_TINY) {
		return;
	}
	int top = 1, bottom = rows;
	bool away = u->model.link == UI_LINK_AWAY;
	if (away || (u->alerts.n > 0 && l->size > LAYOUT_COMPACT)) {
		l->alert = (struct rect){top++, 0, 1, cols};
	}
	l->keys = (struct rect){--bottom, 0, 1, cols};
	if (rows > STATUS_ROWS) {
		l->status = (struct rect){--bottom, 0, 1, cols};
	}
	cut(l, u, (struct rect){top, 0, bottom - top, cols});
}
