/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_UI_LAYOUT_H
#define PMCTL_UI_LAYOUT_H
/* layout - how the screen is cut into panes. Pure. */
#include <stdbool.h>

#include "ui/ui.h"

struct rect {
	int y, x, h, w; /* h or w 0 = not shown */
};

enum layout_size {
	LAYOUT_TINY,	/* under 40x8: one line and a note */
	LAYOUT_COMPACT, /* under 60 columns: a tmux split */
	LAYOUT_NORMAL,	/* 80x24 */
	LAYOUT_WIDE,	/* from 120 columns on: a side pane */
	LAYOUT_HUGE	/* from 200 columns on */
};

struct layout {
	enum layout_size size;
	/* Each pane below the list has its title line: where they are boxed a line of text, else
	 * the line that divides it from the list. */
	struct rect head, alert, list, logs, detail, events, status, keys;
	/* boxed only: the lines above and below the panes, and the border before the side pane */
	struct rect rule, lower, split;
	bool boxed;
};

/* Whether there is room for all columns. */
bool layout_is_huge(int rows, int cols);
/* The panes of a screen of this size, as the ui wants them. */
void layout_make(struct layout *l, const struct ui *u, int rows, int cols);

#endif
