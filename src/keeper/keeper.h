/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_KEEPER_KEEPER_H
#define PMCTL_KEEPER_KEEPER_H
/*
 * keeper - the process that must not die: parent of everything.
 *
 * It reaps every child and writes the exit into the ring, holds duplicates of the supervisor's
 * long-lived descriptors, starts the supervisor again when it dies, and copies log pipes to their
 * files while it stays away. It knows no app, no configuration and no JSON, and once it runs it
 * uses no heap.
 */
#include <stdbool.h>

#include "keeper/shared.h"

struct keeper_options {
	bool foreground;
	int ready_fd; /* gets tell_launcher()'s word; -1 = nobody waits */
	int log_fd;
	int lock_fd;		   /* also the supervisor's, so that it outlives us */
	const char *notify_socket; /* sd_notify(3) of readiness; NULL = none */
	struct container container;
};

/* Runs until the supervisor ends as wanted. Returns the exit status of the process. */
int keeper_run(const struct keeper_options *opt);

/* The same for a process that was a keeper or a supervisor before execve(2): handover.h. 2: this is
 * no handover. */
int keeper_take_over(int handover_fd);

#endif
