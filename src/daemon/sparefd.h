/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_SPAREFD_H
#define PMCTL_DAEMON_SPAREFD_H
/*
 * sparefd - a few descriptors held back. When there is no other one left, they let in the operator
 * who wants to know what is wrong.
 */
#include <stdbool.h>

#define SPAREFD_COUNT 4

struct sparefd {
	int fd[SPAREFD_COUNT]; /* -1 = given away */
};

/* All given away; sparefd_fill() takes them. */
void sparefd_init(struct sparefd *s);
/* Take as many as there are now, up to all. Cheap when none is missing. */
void sparefd_fill(struct sparefd *s);
/* Give one away: the next open, accept or pipe has it. False if there was none. */
bool sparefd_give(struct sparefd *s);
void sparefd_finish(struct sparefd *s);

#endif
