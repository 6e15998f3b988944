/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_CLUSTER_PRIV_H
#define PMCTL_DAEMON_CLUSTER_PRIV_H
/*
 * cluster_priv - what cluster.c (keys), worker.c (channels) and dispatch.c (connections) know of
 * each other.
 *
 *   cluster -> keys -> lanes (listening sockets), members (worker + lane), waiting connections
 *           -> workers -> members, connections given and not yet accepted
 */
#include "daemon/cluster.h"
#include "proto/node.h"

/* An address under which workers listen. */
struct key {
	struct list node; /* cluster.keys */
	struct cluster *cluster;
	char *name; /* as node_make_key() */
	char *data; /* raw JSON of the first query: echoed to everybody */
	struct list lanes;
	struct list members; /* struct member.key_node; who is first gets the next connection */
	struct list waiting; /* connections we have and no worker wants yet: struct given */
	ev_timer retry;	     /* all workers have refused: ask again */
};

/* A listening socket of a key: the only one, or with `balance = reuseport` that of one slot. */
struct lane {
	struct list node; /* key.lanes */
	struct key *key;
	struct lsock *sock;
	ev_io accept_io; /* we accept from it ourselves, and hand on: dispatch.c */
	ev_timer pause;	 /* no descriptors left: a rest */
};

struct cluster {
	struct cluster_conf conf;
	char *app;
	struct list keys, workers;
	unsigned nkeys;
	json_t *saved; /* while adopting: what was saved of the workers */
};

/* A worker's membership in a key. */
struct member {
	struct list node;     /* worker.members */
	struct list key_node; /* key.members */
	struct worker *worker;
	struct key *key;
	struct lane *lane;
	bool listening;
	bool restored; /* from what a predecessor saved; its question may come again */
	bool uses;     /* counted as a user of the lane's socket */
};

/* A descriptor on its way to the program, until it says that it has it. */
struct sent {
	struct list node;   /* worker.sent */
	struct lsock *sock; /* NULL: a connection, seq is its number */
	int64_t seq;
	unsigned tries;
	size_t len;
	char line[];
};

struct worker {
	struct list node; /* cluster.workers */
	struct cluster *cluster;
	uint64_t id;
	int slot;
	struct worker_events events;
	void *ctx;
	struct channel channel;
	struct list members, sent;
	unsigned nsent;
	struct list given; /* connections it was given and has not answered: struct given */
	unsigned ngiven;
	int64_t seq; /* of our last message */
	bool online, intended, disconnecting;
	bool in_callback, dead; /* freed as soon as its own callback has returned */
};

/* --- cluster.c --- */

/* The key a query is about, opened if need be. NULL: *error is the errno, err the sentence. */
struct key *cluster_find_key(struct cluster *c, const char *name);
struct key *cluster_open_key(struct cluster *c, const struct node_msg *query, const char *name);
/* The lane of a key for a slot, opened if need be. */
struct lane *cluster_lane(struct key *k, int slot, const struct node_msg *query, struct err *err,
			  int *error);
/* Close a key that has neither member nor lane: its opening failed. */
void cluster_drop_empty(struct key *k);
struct member *cluster_join(struct worker *w, struct lane *lane, bool listening);
/* The worker is no member any more; drop = the key goes too if it was the last one. */
void cluster_leave(struct worker *w, struct member *m, bool drop);
/* It accepts no more: it was told to end, or its channel has closed. */
void cluster_retire(struct worker *w);
void cluster_changed(struct cluster *c);
bool cluster_is_at(const struct key *k, const struct cluster_place *at);
/* Give an adopted worker its flags and keys back. */
void cluster_readopt(struct worker *w);

/* --- worker.c --- */

/* Send a line with a descriptor that is not a listening socket. */
bool worker_send_fd(struct worker *w, const struct buf *line, int fd);
int64_t worker_next_seq(struct worker *w);

/* --- dispatch.c --- */

void dispatch_init_key(struct key *k);
void dispatch_init_lane(struct lane *l);
/* Close what waits; what a worker was given stays with it. */
void dispatch_finish_key(struct key *k);
void dispatch_finish_lane(struct lane *l);
/* Members have come, gone or got room: accept what can be given on, stop where nobody wants it. */
void dispatch_update(struct key *k);
/* Give a connection to this one; taken over. Its number, or -1. */
int64_t dispatch_offer(struct member *m, int fd);
/* A worker's answer to a connection. */
void dispatch_answered(struct worker *w, int64_t seq, bool accepted);
/* Accept and hand on what waits in a lane's queue. False if nothing is left in it. */
bool dispatch_drain_lane(struct lane *l);
/* The worker is gone: what it has not accepted is given to others. */
void dispatch_take_back(struct worker *w);

#endif
