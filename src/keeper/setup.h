/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_KEEPER_SETUP_H
#define PMCTL_KEEPER_SETUP_H
/* setup - what a keeper is as a process: its ring, limits, rights and signals. No heap. */
#include <stdbool.h>

#include "keeper/shared.h"

/* A new ring and eventfd, both close-on-exec; NULL with errno on failure. */
struct ring *setup_ring(int *ring_fd, int *event_fd);
/* The ring of a keeper before us; NULL: it is none that we know. */
struct ring *setup_old_ring(int ring_fd);

/* Note where our program is: what is there later is what an upgrade takes. */
void setup_program(struct ring *ring);

/* The limits we need, written down in the ring as they were before: the apps get those. */
void setup_limits(struct ring *ring);
/* Reaper of orphans, no core dumps, a name. After each execve(2). */
void setup_process(void);
/* Our pid into the lock file: who looks for us finds us there, and a second daemon the lock. */
void setup_pid_file(int lock_fd);
/* All signals we act on are blocked and read from the descriptor; -1 on failure. */
int setup_signals(void);

#endif
