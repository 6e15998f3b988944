/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_UI_UI_H
#define PMCTL_UI_UI_H
/*
 * ui - the dashboard's whole state: what is known, what is looked at, what was asked. Pure.
 *
 * State and keys in (ui/control.h), a grid of cells and effects out (ui/view.h, ui/effects.h).
 * Owned by client/monit.c.
 */
#include <stdbool.h>
#include <stdint.h>

#include "ui/alerts.h"
#include "ui/detail.h"
#include "ui/effects.h"
#include "ui/feed.h"
#include "ui/logpane.h"
#include "ui/model.h"
#include "ui/overlay.h"
#include "ui/rows.h"
#include "ui/style.h"

enum ui_pane { PANE_LIST = 1, PANE_LOGS, PANE_DETAIL, PANE_EVENTS, PANE_COUNT };

/* The line at the foot: what the last action did, or does. */
struct ui_status {
	char text[256];
	int style;    /* enum ui_style */
	int64_t t_ms; /* when it was said; 0 = nothing was */
	bool stays;   /* an error: until a key comes */
};

/* What the last command printed. */
struct ui_output {
	char title[128]; /* its command line */
	char text[OVERLAY_TEXT_MAX];
	bool is_plan;  /* of which something is to be done */
	char plan[32]; /* which one; "" = not known */
	bool fresh;    /* told to be there: Enter shows it */
};

struct ui {
	struct model model;
	struct rows rows;
	struct logpane logs;
	struct feed feed;
	struct alerts alerts;
	struct detail detail; /* of the selection */
	struct overlay overlay;
	struct effects effects;
	struct ui_status status;
	struct ui_output output;
	struct prompt_history history[4]; /* of prompts, by kind */
	const char *const *commands;	  /* names for completion, NULL-terminated; NULL = none */
	enum ui_pane focus;
	enum ui_pane lower; /* the pane below the list, where there is no side pane */
	unsigned columns;   /* those the user chose: 1 << enum column_id; 0 = what fits */
	bool form_chosen;   /* the form of the list by the user, not by its width */
	bool zoom;	    /* the focused pane alone */
	bool side;	    /* detail and events beside the logs, where there is room */
	bool utf8, mouse, paused;
	bool braille;	   /* the terminal has such dots: not so the Linux console */
	int running;	   /* commands that have not ended yet */
	int height, width; /* of the screen, as it was drawn last; 0 = not yet */
};

void ui_init(struct ui *u, bool utf8);
void ui_finish(struct ui *u);
/* The model or the feed has changed: rows, and what hangs on the selection. */
void ui_refresh(struct ui *u);
/* The screen has this size; where that is another one, as after ui_refresh(). */
void ui_resize(struct ui *u, int height, int width);
/* The selection as a selector of the command line: "web", "web:2", "@shop"; "" = none. */
void ui_selector(const struct ui *u, char *out, size_t cap);
/* Say something in the status line. */
void ui_say(struct ui *u, int style, bool stays, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
