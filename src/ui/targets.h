/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_UI_TARGETS_H
#define PMCTL_UI_TARGETS_H
/* targets - what an action is about: all that is marked, else the selection. Pure. */
#include <stdbool.h>

#include "common/buf.h"
#include "ui/overlay.h"
#include "ui/ui.h"

struct targets {
	char sel[OVERLAY_TARGET];  /* selectors for a command line, with blanks between */
	char name[MODEL_NAME * 2]; /* for people: "web", "web:2", "@shop", "all", "3 marked" */
	int n;			   /* selectors */
	int apps, insts, running;  /* apps that are touched; of their instances how many */
	bool parts;		   /* single instances are among them */
	bool broad;		   /* a namespace or everything: the name has to be typed */
	bool cut;		   /* more than fit into `sel` */
	const struct ui_app *app;  /* if it is only one */
};

/* False: nothing is selected or marked. */
bool targets_find(struct targets *t, const struct ui *u);
/* "web (4 instances), worker (2) and 3 more", of what is touched. */
void targets_list(const struct ui *u, struct buf *out);

#endif
