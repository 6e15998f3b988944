/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_UI_VIEW_PRIV_H
#define PMCTL_UI_VIEW_PRIV_H
/* What the files that draw the panes share with view.c. */
#include "ui/columns.h"
#include "ui/grid.h"
#include "ui/layout.h"
#include "ui/ui.h"

struct view {
	struct ui *ui;
	struct grid *grid;
	struct layout layout;
};

void viewhead_draw(struct view *v);   /* header and alert line */
void viewlist_draw(struct view *v);   /* the tree of apps */
void viewlogs_draw(struct view *v);   /* the log pane with its title line */
void viewdetail_draw(struct view *v); /* the detail pane */
void viewevents_draw(struct view *v); /* the events pane */
void viewfoot_draw(struct view *v);   /* status line and key line */
void viewoverlay_draw(struct view *v);
void viewrules_draw(struct view *v);  /* the borders of the wide form */
void viewstatus_draw(struct view *v); /* the status line */

/* The columns of the list as it is drawn: for clicks on its heading. */
void viewlist_columns(const struct view *v, struct columns *c);
/* The title line of a pane: "DETAIL web:2", in the line above it where it has no borders. */
void view_title(struct view *v, const struct rect *box, enum ui_pane pane, const char *name,
		const char *what);

/* "14:03:07" in local time; out >= 16. */
void view_clock(int64_t t_ms, char *out, size_t cap);

#endif
