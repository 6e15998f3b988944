/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_KEEPER_HANDOVER_H
#define PMCTL_KEEPER_HANDOVER_H
/*
 * handover - one process becomes the keeper by execve(2): the keeper itself when it is upgraded, or
 * a supervisor whose keeper was killed.
 *
 * The process keeps its pid, its children, its pending signals and its descriptors; what they are
 * is written into a memfd, whose number the new program gets: `pmctld --keeper FD`. No heap.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "keeper/fdstore.h"

struct handover {
	uint32_t protocol;	/* KEEPER_PROTOCOL */
	int32_t supervisor_pid; /* a child of ours that runs; 0 = none */
	int32_t ring_fd, event_fd, lock_fd, log_fd;
	int32_t sock_fd; /* to that supervisor; -1 = none */
	uint32_t nheld;	 /* entries of the store behind this struct */
};

/* Execute `program_fd` (-1 = the program we are) as a keeper that holds what the store holds. All
 * signals are blocked from then on, until it takes them. Returns only on failure, with errno, and
 * everything as it was. */
void handover_exec(struct handover *h, const struct fdstore *s, int program_fd);

/* The other side: read what handover_exec() wrote, close fd. Descriptors are close-on-exec again.
 * False: not ours. */
bool handover_read(int fd, struct handover *h, struct fdstore *s);

#endif
