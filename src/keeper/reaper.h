/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_KEEPER_REAPER_H
#define PMCTL_KEEPER_REAPER_H
/* reaper - records each dead child in the ring, then reaps it. No heap. */
#include <stdbool.h>
#include <sys/types.h>

#include "keeper/shared.h"

/* Reap all that is dead. *supervisor_status is set if `supervisor` was among them (it is not
 * recorded). Returns true while the ring is full and somebody dead had to be left; orphans never
 * are, for nobody asks how they ended. */
bool reaper_run(struct ring *ring, int event_fd, pid_t supervisor, bool *supervisor_died,
		int *supervisor_status);

#endif
