/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_CONN_H
#define PMCTL_DAEMON_CONN_H
/*
 * conn - one connection to the control socket: lines come in, answers go out.
 *
 * It is freed at one place, at the end of its own callback; everybody else sets `closing`. Clients
 * that send too much, stop in the middle of a line or do not read what they subscribed to are cut
 * off, never waited for. Owned by struct server.
 */
#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/list.h"
#include "daemon/apps.h"
#include "proto/lines.h"

struct event;
struct server;
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

/* Begin with a client that was accepted; it owns fd from now on. */
void conn_new(struct server *s, int fd, const struct asker *peer);
/* Only for the server: not while a callback of the connection runs. */
void conn_free(struct conn *c);
/* The client is gone for good; one that closed only its writing half waits for its answer. */
bool conn_is_dead(const struct conn *c);
/* Queue bytes (a whole line with its newline). */
void conn_send(struct conn *c, const char *line, size_t len);
/* Write what the client takes now. False if it is lost. */
bool conn_write(struct conn *c);
/* Whether it gets events, and selected this one. */
bool conn_follows(const struct conn *c, const struct event *ev);

/* What was sent ahead of a request is dropped: methods_apply.c. */
void stage_free(struct conn *c);

#endif
