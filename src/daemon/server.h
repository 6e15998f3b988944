/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_SERVER_H
#define PMCTL_DAEMON_SERVER_H
/*
 * server - the control socket and its connections.
 *
 * A connection is freed at one place, at the end of its own callback; everybody else sets
 * `closing`. Clients that send too much, stop in the middle of a line or do not read what they
 * subscribed to are cut off, never waited for.
 */
#include <ev.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/list.h"
#include "daemon/apps.h"
#include "daemon/events.h"
#include "daemon/sparefd.h"
#include "proto/lines.h"

struct daemon;
struct stage;
struct viewer;

struct conn {
	struct list node; /* server.conns, oldest first */
	struct server *server;
	int fd;
	uint64_t serial; /* unique; what an operation remembers instead of a pointer */
	struct asker peer;
	ev_io read_io, write_io;
	ev_timer line_timer; /* a line that was begun must end */
	struct lines in;
	struct buf out;
	bool closing;	   /* free at the end of the callback, after what is in `out` was written */
	bool eof;	   /* sends no more, may still read */
	bool greeted;	   /* has sent a complete message */
	unsigned busy;	   /* operations that will answer */
	bool follows;	   /* gets events */
	char **follow_sel; /* NULL = all */
	size_t nfollow_sel;
	struct stage *stage;   /* definitions of a request to come: methods_apply.c; or NULL */
	struct viewer *viewer; /* it watches the figures; NULL = not */
};

struct server {
	struct daemon *daemon;
	struct ev_loop *loop;
	int fd;
	char *path;
	ev_io accept_io;
	ev_timer pause; /* out of descriptors: accept again a little later */
	struct sparefd spare;
	struct list conns;
	unsigned nconns;
	uint64_t next_serial;
	uint64_t refused;
};

/* Take over a listening socket from before (fd >= 0) or make one. */
bool server_init(struct server *s, struct daemon *d, const char *path, int fd, struct err *err);
/* remove = the daemon ends: take the path away too. */
void server_finish(struct server *s, bool remove);
/* Leave a duplicate of the socket with the keeper (a new one). */
void server_deposit(struct server *s);
/* Make the socket anew if somebody removed it. */
void server_check_path(struct server *s);

/* What was sent ahead of a request is dropped: methods_apply.c. */
void stage_free(struct conn *c);
/* NULL if that connection is gone. */
struct conn *server_find(struct server *s, uint64_t serial);
/* Queue bytes (a whole line with its newline). */
void conn_send(struct conn *c, const char *line, size_t len);
/* Send an event to everybody who follows and selected it. */
void server_publish(struct server *s, const struct event *ev);
/* Write what is queued everywhere, for at most timeout_ms: the end is near. */
void server_flush(struct server *s, int timeout_ms);

#endif
