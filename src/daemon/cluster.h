/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_CLUSTER_H
#define PMCTL_DAEMON_CLUSTER_H
/*
 * cluster - the primary of one app's node workers.
 *
 * A worker that wants to listen asks for it under a key; the first question opens the socket, all
 * get the same one, with the `data` of the first (TLS ticket keys) echoed. Workers are members of
 * keys. A key whose last member died stays, so that connections wait for the replacement; it goes
 * when the program itself closes it or with cluster_trim().
 *
 * How connections get to them is `balance`: from one queue (shared), from one queue a slot
 * (reuseport), or by our hand (round-robin, daemon/dispatch.c).
 *
 * A struct worker is one instance's channel. Programs in fork mode have one too, with cluster NULL:
 * messages only. Owned by struct app (cluster) and struct inst (worker).
 */
#include <ev.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/list.h"
#include "config/conf.h"
#include "daemon/channel.h"
#include "daemon/sockets.h"

struct cluster;
struct worker;

/* ctx is the worker's. A callback may free any worker, also its own. Texts and messages are
 * borrowed for the call. */
struct worker_events {
	void (*online)(void *ctx, struct worker *w);
	/* name: "tcp:0.0.0.0:3000" */
	void (*listening)(void *ctx, struct worker *w, const char *name);
	/* An application message, raw JSON without newline; not checked, never parse it with trust.
	 */
	void (*message)(void *ctx, struct worker *w, const char *raw, size_t len);
	/* "cannot listen on 0.0.0.0:3000: in use by pid ..." */
	void (*listen_failed)(void *ctx, struct worker *w, const char *text);
	/* It has accepted, or refused, the connection that worker_offer() numbered so. */
	void (*offered)(void *ctx, struct worker *w, int64_t seq, bool accepted);
	/* The program said that its end will be intended: no crash. */
	void (*intended_exit)(void *ctx, struct worker *w);
	/* The channel is closed and all was read. */
	void (*eof)(void *ctx, struct worker *w);
	/* For the log: the worker sent something wrong. */
	void (*problem)(void *ctx, struct worker *w, const char *text);
};

struct cluster_conf {
	const char *app; /* copied */
	struct ev_loop *loop;
	struct sockets *sockets;
	enum conf_balance balance;
	size_t ninherited; /* sockets of `listen =`: listen({fd: 3}) is the first */
	/* A reference to number i of them for a slot; NULL with err and *error. */
	struct lsock *(*inherited)(void *ctx, size_t i, int slot, struct err *err, int *error);
	bool as_user; /* socket files are made with these rights */
	uid_t uid;
	gid_t gid;
	/* Keys or members changed: save now (cluster_save, sockets_save). May be NULL. */
	void (*changed)(void *ctx, struct cluster *c);
	void *ctx;
};

struct cluster *cluster_new(const struct cluster_conf *conf);
/* From now on; what is open stays so. app and balance must be the same. */
void cluster_reconfigure(struct cluster *c, const struct cluster_conf *conf);
/* Its workers go on without it. NULL is fine. */
void cluster_free(struct cluster *c);
/* The slot has no process and will have none soon: with `balance = reuseport` its sockets go; what
 * waits in them is given to the others. */
void cluster_release_slot(struct cluster *c, int slot);
/* Close the keys that have no member. Call it when all wanted instances are ready (what the
 * program no longer listens on goes) and when none runs nor will be started (the ports go). */
void cluster_trim(struct cluster *c);

/* One JSON object with all that must survive the supervisor. */
void cluster_save(const struct cluster *c, struct jw *w);
/* On a new cluster, after sockets_restore() and before worker_adopt(). What is broken or has lost
 * its socket is left out. */
void cluster_restore(struct cluster *c, const json_t *saved);

struct worker_conf {
	struct ev_loop *loop;
	struct cluster *cluster; /* NULL: messages only */
	uint64_t id;		 /* of the process, unique in the daemon's life */
	int slot;
	const struct worker_events *events;
	void *ctx;
};

/* fd is taken over. */
struct worker *worker_new(const struct worker_conf *conf, int fd);
/* The same for a channel that was in use: takes back its keys and flags, and goes on with numbers
 * that were never used. */
struct worker *worker_adopt(const struct worker_conf *conf, int fd);
/* Ends the channel, which the program sees at once; NULL is fine. */
void worker_free(struct worker *w);
/* Of its channel, still the worker's; -1 = closed. */
int worker_fd(const struct worker *w);
/* The process has ended: deliver all it wrote, then eof. */
void worker_drain(struct worker *w);

/* Ask for the graceful end and keep the channel open until the worker closes it. False if that is
 * not possible: no cluster, not online, channel closed. Asking twice is fine. */
bool worker_disconnect(struct worker *w);
/* Send one application message. False if it is not one JSON value, or was not taken. */
bool worker_send_raw(struct worker *w, const char *json, size_t len);

/* Where something listens: a TCP port, or with port 0 a Unix path. */
struct cluster_place {
	uint16_t port;
	const char *path;
};
/* Whether a worker of the cluster has listened there; then all of them share it. */
bool cluster_has(const struct cluster *c, const struct cluster_place *at);
/* Hand a connection to this very worker, as if its listener there had accepted it. fd is taken
 * over. 0 if it does not listen there; -1 if it takes no more connections; else the number for the
 * event `offered`. */
int64_t worker_offer(struct worker *w, const struct cluster_place *at, int fd);

/* Whether it listens wherever another worker of its cluster does; if not, *missing is the name of
 * one such place. */
bool worker_covers(const struct worker *w, const struct worker *other, const char **missing);

/* How many of its listeners listen, and the names of the first max of them. */
size_t worker_listening(const struct worker *w, const char **names, size_t max);

#endif
