/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_MONITFILL_PRIV_H
#define PMCTL_CLIENT_MONITFILL_PRIV_H
/*
 * monitfill_priv - what the parts of monitfill share: places (monitfill.c), the two readers
 * (monitfill_read.c), lines and events (monitfill_lines.c), the search (monitfill_seek.c).
 */
#include "client/monitfill.h"

#define MONITFILL_SLICE 64    /* lines between looks at the clock */
#define MONITFILL_BLOCK 65536 /* of the forward reader */
#define NS		1000000

enum monitfill_back { BACK_LINE, BACK_ENDED, BACK_STOPPED };

struct logpane *monitfill_pane(const struct monitfill *f);
bool monitfill_is_over(int64_t deadline);

/* A line of a file, and what is told among them; the text stays the caller's. */
struct logpane_line monitfill_line_of(const struct monitfill *f, const struct logset_entry *e,
				      const struct logline *l, const char *text);
struct logpane_line monitfill_note_of(int64_t t_ms, const char *app, int slot, const char *text);
/* Events up to this time, at the end. True if any came. */
bool monitfill_pass_events(struct monitfill *f, int64_t until_ms);
/* Events down to this time, in front. */
void monitfill_pass_events_back(struct monitfill *f, int64_t down_to_ms);
/* Those up to this time are in front, the others at the end. */
void monitfill_place_events(struct monitfill *f, int64_t t_ms);

/* Have the readers pass over lines unseen that the search, or else the filter, does not want. */
void monitfill_pass_over(struct monitfill *f);
void monitfill_forget_filter(struct monitfill *f);

/* Both tell in f->spot where the line begins. The next older line, in f->copy as far as a pane
 * keeps it. A line longer than a piece gives only its first piece: before the others is a piece
 * that goes on. BACK_STOPPED: call it again. */
enum monitfill_back monitfill_take_back(struct monitfill *f, struct logpane_line *out);
/* The next younger line, valid until the next one. False: there is none now, or it was stopped. */
bool monitfill_take_forward(struct monitfill *f, struct logpane_line *out);
/* One line more at the end. False: there is none now. */
bool monitfill_take_newer(struct monitfill *f);

/* The pane around a line; without a text, around its time. */
void monitfill_place_around(struct monitfill *f, const struct logpane_line *line, int64_t deadline);

#endif
