/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_KEEPER_SHARED_H
#define PMCTL_KEEPER_SHARED_H
/*
 * shared - what keeper and supervisor agree on: a ring of exits in shared memory, and messages.
 *
 * The keeper starts the supervisor as `pmctld --supervisor` with three descriptors: the ring (a
 * memfd), an eventfd that is poked after each record, and one end of a SOCK_SEQPACKET pair.
 * Bump KEEPER_PROTOCOL when anything here changes.
 */
#include <stdatomic.h>
#include <stdint.h>

#define KEEPER_PROTOCOL 1

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

/*
 * head is written by the keeper only, tail by the supervisor only. While head - tail == RING_SIZE
 * the keeper leaves the dead unreaped, so no status is ever lost.
 */
struct ring {
	uint32_t protocol;
	int32_t keeper_pid;
	uint32_t supervisor_starts;	   /* 1 = the first one runs */
	int32_t last_supervisor_status;	   /* how the one before ended, as from waitpid(2) */
	int64_t started_mono_ms;	   /* when the keeper started */
	uint64_t nofile_soft, nofile_hard; /* the limits we were started with: the apps get these */
	uint64_t core_soft, core_hard;
	int32_t oom_score_adj;
	int32_t foreground;
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
	KM_REST	  /* to keeper: the same, but keep the apps; SIGUSR1 starts a supervisor again */
};

#define KEEPER_NAME 48

/*
 * Names: "control", "log" (the daemon's own log), "sock.ID", "chan.ID", "pipe.KEY" and
 * "file.KEY": a log pipe's read end and the file it is copied into; same KEY = the same stream.
 */
struct keeper_msg {
	uint32_t type;
	char name[KEEPER_NAME];
	char text[200]; /* KM_FAIL */
};

#endif
