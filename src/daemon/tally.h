/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_TALLY_H
#define PMCTL_DAEMON_TALLY_H
/*
 * tally - counters of apps and slots that only grow, for metrics: how processes ended, CPU time of
 * a slot over all its runs.
 *
 * They lie in one memfd, deposited with the keeper as "tally", so that they go on over the end of a
 * supervisor; they begin anew with the daemon. Owned by struct daemon; apps and instances borrow
 * their record. Where there is no such memory ordinary one is taken.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/limits.h"
#include "daemon/keptmap.h"

struct app;
struct daemon;
struct inst;
struct tally_file;

enum tally_cause {
	TALLY_ASKED,	/* stopped, restarted or reloaded because somebody wanted it */
	TALLY_SUCCESS,	/* exit status 0 */
	TALLY_ERROR,	/* another one */
	TALLY_SIGNAL,	/* killed */
	TALLY_OOM,	/* ... by the kernel, for want of memory */
	TALLY_START,	/* could not even be started */
	TALLY_REPLACED, /* by us: over memory_max, not healthy, not ready in time */
	TALLY_UNKNOWN,
	TALLY_CAUSES
};

struct tally_app {
	char app[LIMIT_NAME + 1]; /* "" = free */
	uint64_t starts;
	uint64_t ends[TALLY_CAUSES];
	uint64_t reloaded, not_reloaded; /* instances */
	uint64_t log_bytes[2];		 /* standard output, standard error */
};

struct tally_slot {
	char app[LIMIT_NAME + 1]; /* "" = free */
	int32_t slot;
	uint32_t run;	   /* what follows is of this one */
	uint64_t seen_us;  /* as much of its CPU time is in cpu_us */
	uint64_t group_us; /* as in struct sample */
	uint64_t cpu_us;   /* of all runs */
};

struct tally {
	struct daemon *daemon;
	struct tally_file *file; /* the mapping; NULL = none yet */
	struct keptmap map;
	size_t first_app, first_slot; /* no record before these is free */
};

void tally_init(struct tally *t, struct daemon *d);
void tally_finish(struct tally *t);
/* Take over what the keeper held; fd is taken. */
void tally_adopt(struct tally *t, int fd);
/* All apps are known again: each gets its record, the others are forgotten. */
void tally_resume(struct tally *t);
/* Leave it with the keeper (a new one). */
void tally_deposit(struct tally *t);

/* The record of an app, made where there is none. NULL: no room. */
struct tally_app *tally_of(struct app *app);
/* The app, the slot has gone for good. */
void tally_forget_app(struct app *app);
void tally_forget_slot(struct inst *in);

/* A process of it has started, and has ended; asked = somebody wanted it to. */
void tally_started(struct inst *in);
void tally_ended(struct inst *in, bool asked);
/* Something was read from a pipe of this app. r may be another app's by now, or NULL. */
void tally_log(struct tally_app *r, const char *app, bool is_err, size_t bytes);
/* Its process has used so much CPU time by now. */
void tally_cpu(struct inst *in, uint64_t used_us);
/* CPU time of the slot; -1 = not known yet. */
int64_t tally_cpu_us(const struct inst *in);

/* "asked", "success" ... */
const char *tally_cause_name(enum tally_cause cause);

#endif
