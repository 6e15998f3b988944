/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_UI_ROWS_H
#define PMCTL_UI_ROWS_H
/*
 * rows - the model as the lines of the list: filtered, sorted, opened and closed. Pure.
 *
 * The selection follows the item, not the line. Rows borrow from the model and are made anew after
 * each change of it. While the user moves, and a little longer, the order stays as it is, so that
 * nothing moves away under the cursor.
 */
#include <stdbool.h>
#include <stddef.h>

#include "ui/filter.h"
#include "ui/model.h"

#define ROWS_HOLD_MS 2000
#define ROWS_NS	     -2 /* the slot of a selected namespace */
#define ROWS_CLOSED  32

enum rows_form { ROWS_TREE, ROWS_FLAT, ROWS_NAMESPACES };
enum rows_sort {
	SORT_ORDER, /* as the file has it */
	SORT_APP,
	SORT_STATE,
	SORT_UP,
	SORT_RESTARTS,
	SORT_CPU,
	SORT_MEM,
	SORT_COUNT
};

struct row {
	struct ui_app *app;   /* NULL = a namespace */
	struct ui_proc *proc; /* NULL = the whole app */
	const char *ns;	      /* of a namespace's row; "" = apps without one */
	int depth;	      /* 0 = at the left */
	bool last;	      /* of its siblings */
};

struct rows {
	struct row *v;
	int n, cap;
	/* chosen by the user */
	enum rows_form form;
	enum rows_sort sort;
	bool reverse, unhealthy;
	char filter[FILTER_TEXT];
	struct filter compiled; /* of it; its error is for the status line */
	char closed_ns[ROWS_CLOSED][MODEL_NAME];
	int nclosed;
	/* what is selected: a name, and a slot, or -1 = the app, or ROWS_NS */
	char sel_app[MODEL_NAME];
	int sel_slot;
	int sel; /* its line; -1 = there is none */
	int top; /* the first line that is shown */
	/* the order that is held */
	bool touched;
	int64_t held_until_ms;
	int sorted_by; /* sort, reverse and form when it was made */
};

void rows_init(struct rows *r);
void rows_finish(struct rows *r);
/* Make them anew from the model. */
void rows_update(struct rows *r, const struct model *m);
/* Select a line; beyond the ends the first or last one. */
void rows_select(struct rows *r, int line);
/* A key was pressed: hold the order. rows_select() does so, too. */
void rows_touch(struct rows *r);
/* Scroll so that the selection is among `height` lines. */
void rows_scroll(struct rows *r, int height);
/* The selected one; NULL = none. */
const struct row *rows_selected(const struct rows *r);
/* The instance a row of an app is about: an app of one is its instance, too. NULL = several. */
const struct ui_proc *rows_proc(const struct row *row);
/* Whether what is below an app or namespace is shown, and to show it or not. */
bool rows_is_open(const struct rows *r, const struct row *row);
void rows_set_open(struct rows *r, const struct row *row, bool open);
/* What is worst in an app: 0 = well; the more, the sooner somebody has to look; and the state word
 * that says so. */
int rows_worst(const struct ui_app *a, const char **state);

#endif
