/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_SYS_RUNTAB_H
#define PMCTL_SYS_RUNTAB_H
/*
 * runtab - what runs right now, in a shared mapping that outlives the supervisor.
 *
 * One record per instance, written in place: no system call, no moment at which a killed supervisor
 * leaves less than the last complete record. A record counts only while its in_use word says so,
 * which is written last and cleared first. The table is of this boot only; what is wanted after a
 * reboot is in the state file. One writer at a time (the daemon's lock sees to that).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"
#include "common/limits.h"
#include "sys/proc.h"

#define RUNTAB_VERSION	1
#define RUNTAB_RESTARTS 16
#define RUNTAB_EXTRA	4

#define RUNTAB_GOING 1 /* flags: deleted or scaled away */
#define RUNTAB_LEFT  4 /* flags: lives, but its app is not known: left alone */
#define RUNTAB_OTHER 2 /* flags: beside the one in the slot: a successor, or a retired one */

struct runtab_rec {
	_Atomic uint32_t in_use; /* by runtab_commit() and runtab_free() only */
	uint8_t state, wanted, flags, spare0;
	uint64_t id;
	char app[LIMIT_NAME + 8]; /* NUL-terminated */
	int32_t slot;
	int32_t pid;	    /* 0 = not running */
	uint64_t starttime; /* of pid, ticks as in sys/proc.h */
	uint32_t restarts, in_a_row;
	int64_t started_real_ms, started_mono_ms;
	int64_t ready_mono_ms; /* 0 = not ready */
	int32_t exit_code, exit_signal;
	uint8_t exit_known, exit_core, exit_oom, exit_asked, spare1[4];
	int64_t exit_real_ms; /* 0 = has not ended yet */
	int64_t exit_uptime_ms;
	uint32_t window_count, window_next;
	int64_t window[RUNTAB_RESTARTS]; /* ring: monotonic ms of the last automatic restarts */
	uint64_t extra[RUNTAB_EXTRA];	 /* of the daemon */
	int32_t probe_pid;		 /* the command of a probe that runs; 0 = none */
	uint32_t spare2;
	uint64_t probe_starttime;
};

struct runtab; /* hidden: the mapping */

/* What became of an existing file. */
enum runtab_fresh {
	RUNTAB_KEPT,
	RUNTAB_MENDED, /* kept, but for records that were damaged */
	RUNTAB_NEW,
	RUNTAB_OTHER_BOOT,
	RUNTAB_DAMAGED
};

/* Open or make NAME below dirfd. A file that is of another version, damaged or not ours is kept as
 * NAME.old and begun anew; one of another boot is replaced, and on a full disk used again. NULL on
 * failure, such as a full disk. */
struct runtab *runtab_open(int dirfd, const char *name, const char boot_id[PROC_BOOT_ID],
			   enum runtab_fresh *fresh, struct err *err);
/* Whether runtab_open() would take it over, or make a new one without losing anything. */
bool runtab_is_known(int dirfd, const char *name, struct err *err);
void runtab_close(struct runtab *t);

/* A number no instance of this table had before. */
uint64_t runtab_next_id(struct runtab *t);
/* This number is taken. */
void runtab_reserve_id(struct runtab *t, uint64_t id);

/* A zeroed record, not valid before runtab_commit(). Records never move. NULL: LIMIT_INSTANCES is
 * reached or the disk is full. */
struct runtab_rec *runtab_alloc(struct runtab *t, struct err *err);
/* The record is complete from now on, also for whoever comes after a kill. */
void runtab_commit(struct runtab_rec *rec);
void runtab_free(struct runtab_rec *rec);

/* Record i of 0..runtab_capacity()-1; NULL if it is not in use. */
struct runtab_rec *runtab_get(const struct runtab *t, size_t i);
size_t runtab_capacity(const struct runtab *t);

/* Keep a restart at this time in the record's ring. */
void runtab_note_restart(struct runtab_rec *rec, int64_t mono_ms);

#endif
