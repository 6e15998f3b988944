/* SPDX-License-Identifier: MIT */
/* Menus of the view, help, and boxes of text. */
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "ui/columns.h"
#include "ui/control_priv.h"
#include "ui/view_priv.h"

void menu_help(struct ui *u, enum action action, uint32_t key)
{
	(void)action;
	(void)key;
	overlay_open(&u->overlay, OVERLAY_HELP, 0, "Keys (Esc closes, / searches this list)");
}

/* --- sorting and columns --- */

void menu_sort(struct ui *u, enum action action, uint32_t key)
{
	static const struct {
		char key;
		enum rows_sort sort;
		const char *label;
	} sorts[] = {{'f', SORT_ORDER, "as the file has it"},
		     {'a', SORT_APP, "APP"},
		     {'s', SORT_STATE, "STATE: worst first"},
		     {'u', SORT_UP, "UP"},
		     {'r', SORT_RESTARTS, "RST: restarts"},
		     {'c', SORT_CPU, "CPU"},
		     {'m', SORT_MEM, "MEM"}};
	struct overlay *o = &u->overlay;
	(void)action;
	(void)key;
	overlay_open(o, OVERLAY_MENU, MENU_SORT, "Sort by (I reverses)");
	for (size_t i = 0; i < ARRAY_LEN(sorts); i++) {
		bool on = sorts[i].sort == u->rows.sort;
		overlay_choice(o, (uint32_t)sorts[i].key, (int)sorts[i].sort, "%s", sorts[i].label);
		o->choice[o->nchoices - 1].check = on ? CHECK_ON : CHECK_NONE;
		o->sel = on ? o->nchoices - 1 : o->sel;
	}
}

static unsigned shown_columns(struct ui *u)
{
	struct view v = {.ui = u};
	struct columns c;
	unsigned shown = 0;
	layout_make(&v.layout, u, u->height, u->width);
	viewlist_columns(&v, &c);
	for (int i = 0; i < c.n; i++) {
		shown |= 1u << c.v[i].id;
	}
	return shown;
}

void menu_columns(struct ui *u, enum action action, uint32_t key)
{
	struct overlay *o = &u->overlay;
	unsigned wanted = u->columns ? u->columns : shown_columns(u);
	(void)action;
	(void)key;
	overlay_open(o, OVERLAY_MENU, MENU_COLUMNS, "Columns (Space: yes or no)");
	overlay_choice(o, 'f', -1, "%-10s %s", "what fits", "chosen by the width");
	o->choice[0].check = u->columns ? CHECK_OFF : CHECK_ON;
	for (int id = COL_STATE + 1; id < COL_COUNT; id++) {
		const char *title = columns_info[id].title;
		overlay_choice(o, 0, id, "%-10s %s",
			       title		     ? title
			       : id == COL_CPU_SPARK ? "CPU graph"
						     : "MEM graph",
			       columns_info[id].doc);
		o->choice[o->nchoices - 1].check = wanted & 1u << id ? CHECK_ON : CHECK_OFF;
	}
}

/* The menu stays open; the view behind it changes at once. */
static void toggle_column(struct ui *u, const struct overlay_choice *c)
{
	struct overlay *o = &u->overlay;
	unsigned wanted = u->columns ? u->columns : shown_columns(u);
	u->columns = c->what < 0 ? 0 : (wanted ^ 1u << c->what) | 1u << COL_STATE;
	wanted = u->columns ? u->columns : shown_columns(u);
	for (int i = 0; i < o->nchoices; i++) {
		bool on = o->choice[i].what < 0 ? !u->columns : wanted & 1u << o->choice[i].what;
		o->choice[i].check = on ? CHECK_ON : CHECK_OFF;
	}
}

void menu_choice(struct ui *u, struct overlay_choice *c)
{
	if (u->overlay.what == MENU_COLUMNS) {
		toggle_column(u, c);
	} else if (u->overlay.what == MENU_SORT) {
		u->rows.sort = (enum rows_sort)c->what;
		overlay_close(&u->overlay);
	} else {
		do_menu_choice(u, c);
	}
}

/* --- alerts --- */

void menu_alerts(struct ui *u, enum action action, uint32_t key)
{
	struct buf text = {0};
	(void)action;
	(void)key;
	alerts_list(&u->alerts, &text);
	overlay_open(&u->overlay, OVERLAY_TEXT, BOX_ALERTS, "Alerts (a acknowledges)");
	overlay_say(&u->overlay, "%s", text.len ? text.data : "Nothing needs eyes.\n");
	buf_finish(&text);
}

void menu_acknowledge(struct ui *u, enum action action, uint32_t key)
{
	(void)action;
	(void)key;
	int n = u->alerts.fresh;
	alerts_acknowledge(&u->alerts, NULL);
	ui_say(u, UI_PLAIN, false, "%d alert%s acknowledged", n, n == 1 ? "" : "s");
}

/* --- plan --- */

void menu_plan(struct ui *u, enum action action, uint32_t key)
{
	(void)action;
	(void)key;
	do_command(u, "plan --exit-code");
}
