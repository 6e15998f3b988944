/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_ALIVE_H
#define PMCTL_DAEMON_ALIVE_H
/*
 * alive - whether a process that a predecessor noted still lives, asked until it is known.
 *
 * For the beginning only: where there are no descriptors or no memory to look, it looks again, and
 * after a second ends the supervisor. To guess would be to start what lives a second time.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sys/proc.h"

struct daemon;

/* Whether this very process is there; *st is of it then. */
bool alive_is(struct daemon *d, pid_t pid, uint64_t starttime, struct proc_stat *st);
/* Its pidfd; -1 if it is gone. */
int alive_pidfd(struct daemon *d, pid_t pid, uint64_t starttime);

#endif
