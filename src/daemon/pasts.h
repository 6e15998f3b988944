/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_PASTS_H
#define PMCTL_DAEMON_PASTS_H
/*
 * pasts - the memory that the figures of all slots are kept in: one memfd, deposited with the
 * keeper, so that graphs go on over the end of a supervisor.
 *
 * A record of 16 kB a slot; pages are there once they are written to. What a
 * predecessor left is checked, and forgotten where it makes no sense. Where there is no such memory
 * ordinary one is taken. Owned by struct daemon; struct inst borrows its record.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/leak.h"
#include "app/past.h"
#include "common/limits.h"
#include "daemon/keptmap.h"

struct daemon;
struct inst;
struct pasts_file;

/* What is kept of a slot. */
struct pasts_rec {
	char app[LIMIT_NAME + 1]; /* "" = free */
	int32_t slot;
	struct leak leak;
	struct past past;
};

struct pasts {
	struct daemon *daemon;
	struct pasts_file *file; /* the mapping */
	struct keptmap map;
	size_t first_free; /* no record before it is free */
};

void pasts_init(struct pasts *p, struct daemon *d);
void pasts_finish(struct pasts *p);
/* Take over what the keeper held; fd is taken. */
void pasts_adopt(struct pasts *p, int fd);
/* All slots that there were have been made: each gets its record, the others are forgotten. */
void pasts_resume(struct pasts *p);
/* Leave it with the keeper (a new one). */
void pasts_deposit(struct pasts *p);

/* Make a record for this slot, in->past, unless it has one. False where there is no room. */
bool pasts_want(struct inst *in);
/* The slot has gone for good. */
void pasts_forget(struct inst *in);
/* Now, on the clock of struct past. */
uint32_t pasts_now(void);
/* The same, from clock_boot_ms(). */
uint32_t pasts_second(int64_t boot_ms);

#endif
