/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_STORE_H
#define PMCTL_DAEMON_STORE_H
/*
 * store - what is wanted, on disk; and which processes live, in the run table.
 *
 * The state file (state directory) has the definitions and wishes and is written at once on every
 * change: atomically, with the previous one kept. The run table is shared
 * memory in a file: it names the living processes, so that a new supervisor finds them again.
 */
#include <ev.h>
#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "sys/runtab.h"

#define STORE_STATE  "state"	 /* in the state directory */
#define STORE_TABLE  "instances" /* there too */
#define STORE_FORMAT 1

struct daemon;
struct inst;

struct store {
	struct daemon *daemon;
	struct runtab *runtab;
	bool resuming;	   /* instances take their ids from the run table */
	bool dirty;	   /* the last save failed; it is tried again */
	uint64_t failures; /* of saves */
	char warning[300]; /* for `daemon status`: not saved; "" = none */
	char damage[300];  /* the same: what was wrong with the file that was read; it stays */
	char suspect[400]; /* the same: what was kept aside, as supervisors crashed over it */
	ev_timer retry;
	pthread_t sync_thread;
	bool has_thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	int sync_fd;	      /* handed to the thread; -1 = none */
	bool on_disk;	      /* what was saved last has reached the disk */
	char sync_error[200]; /* ... or why it has not; "" = no reason known */
	ev_async synced;      /* the thread has something to say */
	bool end_thread;
};

/* Open the run table and read the state file: apps and wishes are created, nothing is started. */
bool store_init(struct store *s, struct daemon *d, struct err *err);
void store_finish(struct store *s);

/* Whether this is a state we can read; a newer pmctld may have written it. */
bool store_knows(const json_t *root, struct err *err);

/* Save definitions and wishes now. A failure is logged, shown and tried again. */
void store_save(struct store *s);
/* Soon, from the loop: what was read does not say all that is so. */
void store_save_later(struct store *s);
/* Only how far operations are has changed. */
void store_save_ops(struct store *s);

/* Whether who comes after us finds what is wanted now. ERR_FAILED: it is not saved, or not where it
 * will be looked for. */
bool store_is_safe(struct store *s, struct err *err);

/* The id of a new instance: its record's, if a predecessor of ours had it; else a new one. */
uint64_t store_id_for(struct store *s, const char *app, int slot);
/* The record of a process that was left alone, as the state file did not know its app; NULL = none.
 * Its id is the one that store_id_for() gives. */
struct runtab_rec *store_left(struct store *s, const char *app, int slot);
/* Write an instance's record into the run table. */
void store_inst(struct store *s, struct inst *in);
void store_inst_gone(struct store *s, struct inst *in);
/* The daemon ends and nothing runs: counters begin anew next time. */
void store_forget_all(struct store *s);

#endif
