/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_KEEPER_SHARED_H
#define PMCTL_KEEPER_SHARED_H
/*
 * shared - what keeper and supervisor agree on: a ring of exits in shared memory, and messages.
 *
 * The keeper starts the supervisor as `pmctld --supervisor` with three descriptors: the ring (a
 * memfd), an eventfd that is poked after each record, and one end of a SOCK_SEQPACKET pair. The
 * ring outlives both programs: the next keeper goes on with it (keeper/handover.h).
 * Bump KEEPER_PROTOCOL when anything here changes.
 */
#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>

#define KEEPER_PROTOCOL 2

/* The exit status of a supervisor that finds another one in the ring. Never to be changed, nor is
 * the place of `protocol`: it is all that such a supervisor may say to such a keeper. */
#define KEEPER_EXIT_PROTOCOL 3

enum { KEEPER_FD_RING = 3, KEEPER_FD_EVENT = 4, KEEPER_FD_SOCK = 5, KEEPER_FD_LOCK = 6 };

/* One exit, written before the process is reaped: its pid cannot be used again before that. */
struct ring_record {
	uint64_t starttime; /* field 22 of /proc/PID/stat, clock ticks since boot; 0 = unknown */
	int64_t real_ms;    /* CLOCK_REALTIME */
	int64_t mono_ms;    /* CLOCK_MONOTONIC */
	int32_t pid;
	int32_t status; /* as from waitpid(2) */
};

#define RING_SIZE 4096

/* How the last change to another program went; written by the keeper, `state` last. */
enum upgrade_state {
	UPGRADE_NONE,
	UPGRADE_TRIAL,	    /* the new supervisor runs, but has to prove itself */
	UPGRADE_DONE,	    /* supervisor and keeper are the new program */
	UPGRADE_ROLLED_BACK /* the new supervisor failed, the old program runs again: `why` */
};

struct upgrade_note {
	_Atomic uint32_t state;
	uint32_t told;	 /* by the supervisor, as an event */
	int64_t real_ms; /* of the last change */
	char why[200];
};

enum exit_on { EXIT_ON_NEVER, EXIT_ON_ANY, EXIT_ON_ALL };

/* What a daemon in the foreground was asked for, and how it ends: daemon/foreground.h. */
struct container {
	int32_t exit_on;     /* enum exit_on */
	int32_t has_list;    /* what runs is told by whoever started us, not by the state */
	int32_t pass_env;    /* the apps get our environment, too */
	int32_t exit_status; /* of the keeper, if it has no other; written by the supervisor */
};

/*
 * head is written by the keeper only, tail by the supervisor only. While head - tail == RING_SIZE
 * the keeper leaves the dead unreaped, so no status is ever lost.
 */
struct ring {
	uint32_t protocol;
	int32_t keeper_pid;
	uint32_t supervisor_starts;	   /* 1 = the first one runs */
	int32_t last_supervisor_status;	   /* how the one before ended, as from waitpid(2) */
	int64_t last_supervisor_real_ms;   /* when; 0 = none ended yet */
	uint32_t crashes;		   /* that many in a row crashed by themselves, early */
	int64_t started_mono_ms;	   /* when the keeper started */
	uint64_t nofile_soft, nofile_hard; /* the limits we were started with: the apps get these */
	uint64_t core_soft, core_hard;
	int32_t oom_score_adj;
	int32_t foreground;
	struct container container;
	char notify[112];	/* sd_notify(3) socket of the service manager; "" = none */
	char program[PATH_MAX]; /* where pmctld was when it was started; "" = unknown */
	struct upgrade_note upgrade;
	_Atomic uint64_t head;
	_Atomic uint64_t tail;
	struct ring_record rec[RING_SIZE];
};

enum keeper_msg_type {
	KM_PUT,	  /* to keeper: hold this descriptor under this name (replaces) */
	KM_DROP,  /* to keeper: close what is held under this name */
	KM_FETCH, /* to keeper: hand everything back: KM_ITEM ... KM_END */
	KM_ITEM,  /* to supervisor: a held descriptor (a copy) */
	KM_END,	  /* to supervisor: that was all */
	KM_READY, /* to keeper: the control socket answers */
	KM_FAIL,  /* to keeper: cannot work at all, text says why; end */
	KM_STOP,  /* to keeper: this end is wanted, do not start another supervisor */
	KM_REST,  /* to keeper: the same, but keep the apps; SIGUSR1 starts a supervisor again */
	KM_TRY	  /* to keeper: our end is wanted; the next supervisor is this program, on trial */
};

#define KEEPER_NAME 48

/*
 * Names: "control", "log" (the daemon's own log), "sock.ID", "chan.ID", "pipe.KEY" and
 * "file.KEY": a log pipe's read end and the file it is copied into; same KEY = the same stream;
 * "past": the figures of before (daemon/pasts.h); "tally": counters (daemon/tally.h);
 * "http.ID": where metrics are served (daemon/exporter.h);
 * "pid.KEY": the pidfd of a process that is no child of this keeper, to have its exit status.
 */
struct keeper_msg {
	uint32_t type;
	char name[KEEPER_NAME];
	char text[200]; /* KM_FAIL */
};

#endif
