/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_STORE_H
#define PMCTL_DAEMON_STORE_H
/*
 * store - what is wanted, on disk; and which processes live, in the run table.
 *
 * The state file (state directory) has the definitions and wishes and is written at once on every
 * change: atomically, with the previous one kept. The run table (runtime directory) is shared
 * memory in a file: it names the living processes, so that a new supervisor finds them again.
 */
#include <ev.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "sys/runtab.h"

struct daemon;
struct inst;

struct store {
	struct daemon *daemon;
	struct runtab *runtab;
	bool resuming;	   /* instances take their ids from the run table */
	bool dirty;	   /* the last save failed; it is tried again */
	char warning[300]; /* for `daemon status`; "" = none */
	ev_timer retry;
	pthread_t sync_thread;
	bool has_thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	int sync_fd; /* handed to the thread; -1 = none */
	bool end_thread;
};

/* Open the run table and read the state file: apps and wishes are created, nothing is started. */
bool store_init(struct store *s, struct daemon *d, struct err *err);
void store_finish(struct store *s);

/* Save definitions and wishes now. A failure is logged, shown and tried again. */
void store_save(struct store *s);

/* The id of a new instance: its record's, if a predecessor of ours had it; else a new one. */
uint64_t store_id_for(struct store *s, const char *app, int slot);
/* Write an instance's record into the run table. */
void store_inst(struct store *s, struct inst *in);
void store_inst_gone(struct store *s, struct inst *in);
/* The daemon ends and nothing runs: counters begin anew next time. */
void store_forget_all(struct store *s);

#endif
