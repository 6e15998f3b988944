/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "ui/view_priv.h"

/* The borders of the wide form. */
void viewrules_draw(struct view *v)
{
	const struct layout *l = &v->layout;
	bool utf8 = v->ui->utf8;
	uint32_t across = utf8 ? 0x2500 : '-', down = utf8 ? 0x2502 : '|';
	if (!l->boxed) {
		return;
	}
	grid_fill(v->grid, l->rule.y, 0, l->rule.w, UI_DIM, across);
	grid_fill(v->grid, l->lower.y, 0, l->lower.w, UI_DIM, across);
	grid_fill(v->grid, l->rule.y, l->split.x, 1, UI_DIM, utf8 ? 0x252c : '+');
	grid_fill(v->grid, l->lower.y, l->split.x, 1, UI_DIM, utf8 ? 0x2534 : '+');
	for (int i = 0; i < l->split.h; i++) {
		grid_fill(v->grid, l->split.y + i, l->split.x, 1, UI_DIM, down);
	}
}

void view_title(struct view *v, const struct rect *box, enum ui_pane pane, const char *name,
		const char *what)
{
	bool focus = v->ui->focus == pane;
	char text[300];
	if (v->layout.boxed) {
		snprintf(text, sizeof(text), "%c%s%s%s", focus ? '>' : ' ', name,
			 what[0] ? " " : "", what);
		grid_cut(v->grid, box->y, box->x, box->w, focus ? UI_ACCENT : UI_BOLD, text,
			 v->ui->utf8);
		return;
	}
	grid_fill(v->grid, box->y, box->x, box->w, UI_DIM, v->ui->utf8 ? 0x2500 : '-');
	snprintf(text, sizeof(text), "%c%s%s%s ", focus ? '>' : ' ', name, what[0] ? " " : "",
		 what);
	grid_cut(v->grid, box->y, box->x + 2, box->w - 4, focus ? UI_ACCENT : UI_BOLD, text,
		 v->ui->utf8);
}
