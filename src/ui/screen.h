/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_UI_SCREEN_H
#define PMCTL_UI_SCREEN_H
/*
 * screen - the terminal: a grid goes out, keys and the mouse come in. With screeninput.c the only
 * user of curses.
 *
 * One per program. Whatever ends the program, the terminal is given back as it was.
 */
#include <signal.h>
#include <stdbool.h>

#include "common/err.h"
#include "ui/grid.h"
#include "ui/input.h"
#include "ui/palette.h"

struct screen_conf {
	bool color; /* false: bold, underline and reverse only */
	bool mouse;
	sigset_t ending; /* signals that end the program; the caller blocks them, and takes them */
};

/* Take over the terminal of stdin and stdout. ERR_USAGE, and nothing touched: it is none, or one
 * that cannot move its cursor (TERM=dumb). */
bool screen_open(const struct screen_conf *conf, struct err *err);
/* Give it back. Fine if it was never opened. */
void screen_close(void);
/* A signal ends the program. A terminal that takes nothing has a second from now, then the program
 * is over with what could be given back. Ours by itself for signals that come while we write. */
void screen_end(int sig);
/* The signal that came then; 0 = none. */
int screen_ended_by(void);
/* For a while (Ctrl-Z, a pager), and back; what was drawn is drawn again. */
void screen_suspend(void);
void screen_resume(void);
/* Its size now; after SIGWINCH it is another one. */
void screen_size(int *rows, int *cols);
/* Show this grid; `before` is what was shown last, NULL = not known. Only what changed is sent. */
void screen_draw(const struct grid *g, const struct grid *before);
/* Whether it has not taken all that was sent: a slow line. */
bool screen_is_slow(void);
/* What is on it is not known any more. */
void screen_forget(void);
void screen_theme(enum palette_theme theme);
/* Ask the terminal to put text into the clipboard (OSC 52); at most SCREEN_COPY bytes of it. */
#define SCREEN_COPY 65536
void screen_copy(const char *text);

/* The next key that is there; false = none. Never waits. */
bool screen_input(struct ui_input *in);
void screen_mouse(bool on);

#endif
