/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_UI_EFFECTS_H
#define PMCTL_UI_EFFECTS_H
/*
 * effects - what a key asks of the world outside the screen. Pure: a queue, performed by
 * client/monit.c in order.
 */
#include <stdbool.h>

#define EFFECTS_MAX  16
#define EFFECTS_TEXT 4200 /* a line of a log, or all selectors of an action */

enum effect_kind {
	EFFECT_NONE,
	EFFECT_QUIT,
	EFFECT_SUSPEND, /* Ctrl-Z */
	EFFECT_REDRAW,	/* the terminal may show something else: draw it all */
	EFFECT_RETRY,	/* look for the daemon now */
	EFFECT_COMMAND, /* text: a pmctl command line without "pmctl", run as a child */
	EFFECT_LOGS,	/* the log pane wants other lines: see ui/logpane.h */
	EFFECT_SEARCH,	/* text: look for it in all that is stored, number: -1 back, 1 on */
	EFFECT_PAGER,	/* the log files of the selection in $PAGER */
	EFFECT_SAVE,	/* text: a file to write the log pane's lines to */
	EFFECT_COPY,	/* text: into the clipboard of the terminal */
	EFFECT_MOUSE,	/* number: on or off */
	EFFECT_THEME,
	EFFECT_PAUSE,  /* number: nothing is read or drawn until a key comes */
	EFFECT_DETAIL, /* text: NAME or NAME:SLOT whose details are shown; "" = nobody's */
};

struct effect {
	enum effect_kind kind;
	int number;
	char text[EFFECTS_TEXT];
};

struct effects {
	struct effect v[EFFECTS_MAX];
	int n;
};

/* Add one; text may be NULL. More than fit are left out. */
void effects_add(struct effects *e, enum effect_kind kind, int number, const char *text);
/* Take the oldest one. False = none left. */
bool effects_take(struct effects *e, struct effect *out);

#endif
