/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_CLUSTER_PRIV_H
#define PMCTL_DAEMON_CLUSTER_PRIV_H
/* cluster_priv - what cluster.c (keys) and worker.c (channels) know of each other. */
#include "daemon/cluster.h"
#include "proto/node.h"

/* A listener under which workers share a socket. */
struct key {
	struct list node; /* cluster.keys */
	char *name;	  /* as node_make_key() */
	char *data;	  /* raw JSON of the first query: echoed to everybody */
	struct lsock *sock;
	unsigned members;
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
	struct list node; /* worker.members */
	struct key *key;
	bool listening;
};

/* A descriptor on its way to the program, until it says that it has it. */
struct sent {
	struct list node; /* worker.sent */
	struct lsock *sock;
	unsigned tries;
	size_t len;
	char line[];
};

struct worker {
	struct list node; /* cluster.workers */
	struct cluster *cluster;
	uint64_t id;
	struct worker_events events;
	void *ctx;
	struct channel channel;
	struct list members, sent;
	unsigned nsent;
	int64_t seq; /* of our last message */
	bool online, intended, disconnecting;
	bool in_callback, dead; /* freed as soon as its own callback has returned */
};

/* The key a query is about, opened if need be. NULL: *error is the errno, err the sentence. */
struct key *cluster_find_key(struct cluster *c, const char *name);
struct key *cluster_open_key(struct cluster *c, const struct node_msg *query, const char *name,
			     struct err *err, int *error);
void cluster_join(struct worker *w, struct key *key, bool listening);
/* The worker is no member any more; drop = the key goes too if it was the last one. */
void cluster_leave(struct worker *w, struct member *m, bool drop);
void cluster_changed(struct cluster *c);
/* Give an adopted worker its flags and keys back. */
void cluster_readopt(struct worker *w);

#endif
