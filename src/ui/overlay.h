/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_UI_OVERLAY_H
#define PMCTL_UI_OVERLAY_H
/*
 * overlay - the box over the panes, or the prompt at the foot, that takes the keys. Pure.
 *
 * One at a time; Esc closes it. What its keys do stands in control_overlay.c, how it looks in
 * viewoverlay.c.
 */
#include <stdbool.h>

#include "common/buf.h"
#include "ui/model.h"
#include "ui/prompt.h"

#define OVERLAY_TEXT_MAX 8192
#define OVERLAY_CHOICES	 48
#define OVERLAY_TARGET	 4000

enum overlay_kind {
	OVERLAY_NONE,
	OVERLAY_HELP,	 /* the keys */
	OVERLAY_CONFIRM, /* a question with its effect */
	OVERLAY_MENU,	 /* a line each: actions, signals, columns, sorting */
	OVERLAY_TEXT,	 /* text to scroll: what a command printed, all alerts */
	OVERLAY_PROMPT,	 /* a line that is typed at the foot: filter, search, command, number */
};

enum overlay_check { CHECK_NONE, CHECK_OFF, CHECK_ON };

/* A line of a menu, or an answer to a question. */
struct overlay_choice {
	uint32_t key; /* the letter that takes it; 0 = none */
	int what;     /* the opener's own number */
	enum overlay_check check;
	char label[72];
};

struct overlay {
	enum overlay_kind kind;
	int what; /* which prompt, menu or question: the opener's own number */
	char title[128];
	char text[OVERLAY_TEXT_MAX]; /* what is said, lines with \n */
	struct overlay_choice choice[OVERLAY_CHOICES];
	int nchoices;
	int sel, top;		     /* the chosen one, the first line shown */
	struct prompt input;	     /* what is typed */
	char name[MODEL_NAME * 2];   /* that must be typed to confirm; "" = a choice is made */
	char label[64];		     /* what asks for it */
	char before[PROMPT_TEXT];    /* what a prompt that works while it is typed found */
	bool searching;		     /* in the help */
	char target[OVERLAY_TARGET]; /* the selectors it is about */
	/* told by the view: lines of the text, shown of it, and where those of a menu begin */
	int lines, height, first_y;
};

/* Open one, all else empty. */
void overlay_open(struct overlay *o, enum overlay_kind kind, int what, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void overlay_close(struct overlay *o);
/* Add to the text; what does not fit is left out. */
void overlay_say(struct overlay *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Add a choice. */
void overlay_choice(struct overlay *o, uint32_t key, int what, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Scroll the text, or move in the menu, by this many lines. */
void overlay_move(struct overlay *o, int by);
/* Whether characters are typed into it, and pasted. */
bool overlay_is_typed(const struct overlay *o);

/* Text in lines of at most this many columns, broken at blanks where it can be, an indented line
 * with a hanging indent; each ends with \n. Returns their number. */
int overlay_wrap(const char *text, int width, struct buf *out);

#endif
