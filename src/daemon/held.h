/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_HELD_H
#define PMCTL_DAEMON_HELD_H
/*
 * held - the descriptors that the keeper held, each back to whom it belongs.
 *
 * Sorted by what must be there first: sockets before the channels, spools before the pipes. What
 * belongs to nobody any more is dropped; what is of a process that was left alone stays.
 */
#include <stddef.h>

struct daemon;
struct inst;
struct held_item;

struct held {
	struct daemon *daemon;
	struct held_item *item; /* until held_take() */
	size_t n;
};

/* Fetch all, and adopt what needs no instances: the control socket, figures, counters. */
void held_fetch(struct held *h, struct daemon *d);
/* All instances are known: hand out the others. Frees what h has. */
void held_take(struct held *h);
/* Those of one instance that became known later. */
void held_take_of(struct inst *in);

#endif
