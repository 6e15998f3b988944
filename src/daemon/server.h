/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_SERVER_H
#define PMCTL_DAEMON_SERVER_H
/*
 * server - the control socket: who may connect, how many, and what all of them are told.
 */
#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/list.h"
#include "daemon/conn.h"
#include "daemon/events.h"
#include "daemon/sparefd.h"

struct daemon;

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

/* NULL if that connection is gone. */
struct conn *server_find(struct server *s, uint64_t serial);
/* Send an event to everybody who follows and selected it. */
void server_publish(struct server *s, const struct event *ev);
/* Write what is queued everywhere, for at most timeout_ms: the end is near. */
void server_flush(struct server *s, int timeout_ms);

#endif
