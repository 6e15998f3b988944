/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_OUTPUT_H
#define PMCTL_DAEMON_OUTPUT_H
/*
 * output - from the pipes of the apps into their log files.
 *
 * Each run of an instance has a pipe for stdout and one for stderr; several pipes may end in one
 * file (a sink). A pipe that woke us is drained once and then rested for a few milliseconds, so
 * that an app writing line by line does not wake us for every line. Raw bytes are spliced: they
 * are in the file before anybody looks at them. Outputs live until end of file, so what a child
 * left behind writes still arrives after its instance has gone on.
 */
#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/list.h"
#include "config/conf.h"
#include "daemon/sink.h"
#include "daemon/spoolhold.h"
#include "sys/spool.h"

struct link;
struct outputs;
struct tally_app;

struct output_conf {
	const char *app;
	int slot;
	bool is_err;
	const char *key;	 /* unique: names the descriptors in the keeper */
	struct tally_app *tally; /* counts its bytes; NULL = nobody does */
	struct sink_conf file;	 /* its user is the app's, owner of its pipe too */
};

struct output {
	struct list node; /* outputs.all */
	struct outputs *owner;
	struct sink *sink;
	ev_io io;
	ev_timer rest_timer;
	double rest_s;	 /* how long it rested last */
	bool has_waited; /* a second for room on the disk */
	int fd;		 /* our read end; -1 = end of file was seen */
	char key[40];
	char app[41];
	int slot;
	bool is_err;
	struct tally_app *tally; /* borrowed; another's once the app is gone */
	pid_t pid;
	int64_t start_offset; /* size of the file when this run began */
	struct spool spool;   /* where lines are rewritten */
	bool detached;	      /* its instance has let go of it */
};

struct outputs {
	struct ev_loop *loop;
	struct link *link;
	struct list all, sinks;
	unsigned npipes;
	struct spoolhold spools;
	/* Set by the owner: lines cannot be written, or can be again. */
	void (*on_trouble)(void *ctx, const struct output *out, const char *text);
	void *ctx;
	int64_t dropped; /* bytes, on full disks, so far */
};

void outputs_init(struct outputs *o, struct ev_loop *loop, struct link *link);
void outputs_finish(struct outputs *o);

/* Create a pipe and an output reading it; *child_fd is the app's end (the caller closes it). */
struct output *output_new(struct outputs *o, const struct output_conf *conf, int *child_fd,
			  struct err *err);
/* Open its file now and not at its first byte, to know that it can be. A full disk is no error. */
bool output_open(struct output *out, struct err *err);
/* Have a spool, for lines that are rewritten. False with errno. */
bool output_need_spool(struct output *out);
/* Take back a pipe the keeper held, and its spool if that is in `spools` already. Owns fd. */
struct output *output_adopt(struct outputs *o, const struct output_conf *conf, int fd);
/* From now on its lines go there. */
void output_redirect(struct output *out, const struct sink_conf *file);
/* Of its pipe; 0 = none. */
uint64_t output_inode(const struct output *out);
/* The process on the other end is known now. */
void output_set_pid(struct output *out, pid_t pid);
/* Move everything that is in the pipe now. */
void output_drain(struct output *out);
/* Drain, then let go: it lives on by itself until end of file. NULL is fine. */
void output_detach(struct output *out);

/* Empty or rotate the sinks whose path is `path`. Returns false if no such sink is open. */
bool outputs_flush(struct outputs *o, const char *path);
bool outputs_rotate(struct outputs *o, const char *path, struct err *err);
/* We are about to be replaced: put everything that is in flight into the files, with `last` also
 * lines that are not complete, as nobody keeps them. */
void outputs_settle(struct outputs *o, bool last);
/* Leave a duplicate of each pipe and its file or spool with the keeper (a new one). */
void outputs_deposit(struct outputs *o);

#endif
