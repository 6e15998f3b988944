/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_LIVE_H
#define PMCTL_CLIENT_LIVE_H
/*
 * live - the last lines of a terminal, rewritten in place.
 *
 * The cursor rests under the lines, at the left edge, whenever nothing is being written, and no
 * mode of the terminal is ever changed: whatever ends the program leaves a terminal that needs no
 * repair. Nothing is drawn while the program is in the background. Where what was drawn can no
 * longer be found (the window became narrower, the program was stopped meanwhile) the lines begin
 * anew below.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

struct live {
	int fd;
	size_t lines;  /* drawn and still ours */
	size_t widest; /* of them */
	int64_t drawn_mono_ms;
};

/* fd is a terminal. */
void live_init(struct live *l, int fd);
/* Columns and lines of the terminal as it is now; never 0. */
void live_size(const struct live *l, size_t *columns, size_t *lines);
/* Whether it is time to draw again: five times a second, and only in the foreground. */
bool live_is_due(const struct live *l, int64_t now_mono_ms);
/* Put `text` (lines with newlines, n of them) in the place of what was there. */
void live_show(struct live *l, const struct buf *text, size_t n, int64_t now_mono_ms);
/* Take what was drawn away. */
void live_clear(struct live *l);
/* What was drawn stays: the next thing is written below. */
void live_keep(struct live *l);

#endif
