/* SPDX-License-Identifier: MIT */
#include "ui/ui.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ui/layout.h"

void ui_init(struct ui *u, bool utf8)
{
	*u = (struct ui){.utf8 = utf8,
			 .braille = utf8,
			 .focus = PANE_LIST,
			 .lower = PANE_LOGS,
			 .side = true,
			 .mouse = true};
	model_init(&u->model);
	rows_init(&u->rows);
	logpane_init(&u->logs);
}

void ui_finish(struct ui *u)
{
	logpane_finish(&u->logs);
	rows_finish(&u->rows);
	model_finish(&u->model);
}

void ui_selector(const struct ui *u, char *out, size_t cap)
{
	const struct row *row = rows_selected(&u->rows);
	if (!row) {
		snprintf(out, cap, "%s", "");
	} else if (!row->app) {
		snprintf(out, cap, "@%s", row->ns);
	} else if (row->proc) {
		snprintf(out, cap, "%s:%d", row->app->name, row->proc->slot);
	} else {
		snprintf(out, cap, "%s", row->app->name);
	}
}

static void add_marked(char *out, size_t cap, int *n, const char *app, int slot)
{
	char sel[MODEL_NAME * 2];
	size_t len = strlen(out);
	snprintf(sel, sizeof(sel), slot < 0 ? "%s%s" : "%s%s:%d", len ? "," : "", app, slot);
	if (len + strlen(sel) < cap) {
		memcpy(out + len, sel, strlen(sel) + 1);
	}
	++*n;
}

/* Logs are those of all that is marked, else of the selection. */
static void choose_logs(struct ui *u, const char *selection)
{
	char want[LOGPANE_WANT] = "", title[MODEL_NAME];
	int n = 0;
	for (int i = 0; i < u->model.napps; i++) {
		const struct ui_app *a = u->model.app[i];
		if (a->marked) {
			add_marked(want, sizeof(want), &n, a->name, -1);
		}
		for (int k = 0; k < a->nprocs; k++) {
			if (a->proc[k]->marked && !a->marked) {
				add_marked(want, sizeof(want), &n, a->name, a->proc[k]->slot);
			}
		}
	}
	snprintf(title, sizeof(title), "%d marked", n);
	if (logpane_choose(&u->logs, n ? want : selection, n > 1 ? title : n ? want : selection)) {
		effects_add(&u->effects, EFFECT_LOGS, 0, NULL);
	}
}

/* The panes below the list show what is selected. */
static void follow_selection(struct ui *u)
{
	char sel[sizeof(u->detail.selector)];
	ui_selector(u, sel, sizeof(sel));
	if (strcmp(sel, u->detail.selector) != 0) {
		detail_clear(&u->detail, sel);
		effects_add(&u->effects, EFFECT_DETAIL, 0, sel);
	}
	choose_logs(u, sel);
}

/* Where there is much room, namespaces are the roots of the tree, if there are any. */
static void choose_form(struct ui *u)
{
	bool any = false;
	for (int i = 0; i < u->model.napps; i++) {
		any |= u->model.app[i]->ns[0] != '\0';
	}
	if (!u->form_chosen) {
		u->rows.form =
			any && layout_is_huge(u->height, u->width) ? ROWS_NAMESPACES : ROWS_TREE;
	}
}

void ui_resize(struct ui *u, int height, int width)
{
	bool other = u->height != height || u->width != width;
	u->height = height;
	u->width = width;
	if (other) {
		ui_refresh(u);
	}
}

void ui_refresh(struct ui *u)
{
	u->lower = u->focus > PANE_LIST ? u->focus : u->lower;
	alerts_update(&u->alerts, &u->model);
	choose_form(u);
	rows_update(&u->rows, &u->model);
	follow_selection(u);
}

void ui_say(struct ui *u, int style, bool stays, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(u->status.text, sizeof(u->status.text), fmt, ap);
	va_end(ap);
	u->status.style = style;
	u->status.stays = stays;
	u->status.t_ms = u->model.now_ms;
}
