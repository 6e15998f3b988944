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

struct link;
struct outputs;

struct output_conf {
	const char *app;
	int slot;
	bool is_err;
	const char *key;       /* unique: names the descriptors in the keeper */
	struct sink_conf file; /* its owner is the app's, of its pipe too */
};

struct output {
	struct list node; /* outputs.all */
	struct outputs *owner;
	struct sink *sink;
	ev_io io;
	ev_timer rest_timer;
	double rest_s; /* how long it rested last */
	int fd;	       /* our read end; -1 = end of file was seen */
	char key[40];
	char app[41];
	int slot;
	bool is_err;
	pid_t pid;
	int64_t start_offset; /* size of the file when this run began */
	struct buf carry;     /* an unfinished line, where lines are rewritten */
	bool detached;	      /* its instance has let go of it */
};

struct outputs {
	struct ev_loop *loop;
	struct link *link;
	struct list all, sinks;
	unsigned npipes;
};

void outputs_init(struct outputs *o, struct ev_loop *loop, struct link *link);
void outputs_finish(struct outputs *o);

/* Create a pipe and an output reading it; *child_fd is the app's end (the caller closes it). */
struct output *output_new(struct outputs *o, const struct output_conf *conf, int *child_fd,
			  struct err *err);
/* Open its file now and not at its first byte, to know that it can be. A full disk is no error. */
bool output_open(struct output *out, struct err *err);
/* Take back a pipe the keeper held. Owns fd. */
struct output *output_adopt(struct outputs *o, const struct output_conf *conf, int fd);
/* Of its pipe; 0 = none. */
uint64_t output_inode(const struct output *out);
/* The process on the other end is known now. */
void output_set_pid(struct output *out, pid_t pid);
/* Move everything that is in the pipe now. */
void output_drain(struct output *out);
/* Drain, then let go: it lives on by itself until end of file. NULL is fine. */
void output_detach(struct output *out);

/* The last n lines this run wrote, oldest first, at most cap bytes in all; appended to *text. */
void output_tail(struct output *out, int n, struct buf *text);

/* Empty or rotate the sinks whose path is `path`. Returns false if no such sink is open. */
bool outputs_flush(struct outputs *o, const char *path);
bool outputs_rotate(struct outputs *o, const char *path);
/* Bytes dropped on full disks so far. */
int64_t outputs_dropped(const struct outputs *o);

#endif
