/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_SINK_H
#define PMCTL_DAEMON_SINK_H
/*
 * sink - a log file being written, shared by every output with the same path.
 *
 * Opened at its first byte; notices that somebody moved or emptied it; rotated when it is full.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/list.h"
#include "config/conf.h"
#include "sys/logfile.h"

struct sink {
	struct list node; /* outputs.sinks */
	struct logfile file;
	unsigned refs;
	enum conf_log_format format;
	int64_t checked_at; /* when we last looked whether the path still leads to it */
	unsigned reopened;
	int gzip;      /* pidfd of the compression of FILE.1; -1 = we know of none */
	char why[200]; /* its last trouble */
	bool told;     /* ... as an event */
	bool failing;  /* the last write failed; said so once */
	bool stuck;    /* ... the last rotation */
};

struct user;

struct sink_conf {
	const char *path;	 /* absolute */
	const struct user *user; /* whose output it is; the file may belong to it */
	bool chosen;		 /* the path was */
	enum conf_log_format format;
	int64_t max_size; /* bytes; 0 = never rotate */
	int keep;
	bool compress;
};

/* The sink of this path in a list of sinks, made if need be; NULL from sink_find() if there is
 * none. sink_get() takes a reference. */
struct sink *sink_find(struct list *all, const char *path);
struct sink *sink_get(struct list *all, const struct sink_conf *c);
void sink_unref(struct sink *s);

/* Have the file open; *opened tells that it is another one than before. False (logged once) if it
 * cannot be opened. */
bool sink_open(struct sink *s, bool *opened);
/* Rotate, unless the last rotated file is still being compressed; `now`: end that, it begins again
 * after the rotation. True if another file is open; *err is set if nothing was rotated. */
bool sink_rotate(struct sink *s, bool now, struct err *err);
/* Say in the file how much found no room on the disk. */
void sink_write_drop_mark(struct sink *s);

#endif
