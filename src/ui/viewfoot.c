/* SPDX-License-Identifier: MIT */
#include "ui/keyhelp.h"
#include "ui/view_priv.h"

void viewfoot_draw(struct view *v)
{
	const struct rect *keys = &v->layout.keys;
	const struct ui *u = v->ui;
	bool away = u->model.link != UI_LINK_UP;
	struct buf line = {0};
	if (v->layout.size >= LAYOUT_WIDE && u->focus == PANE_LIST) {
		keyhelp_wide(away, u->utf8, &line);
	} else {
		keyhelp_foot(u->focus, away, keys->w - 2, &line);
	}
	grid_text(v->grid, keys->y, 1, -1, UI_DIM, line.data);
	buf_finish(&line);
	viewstatus_draw(v);
}
