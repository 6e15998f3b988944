/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_PROTO_NODE_H
#define PMCTL_PROTO_NODE_H
/*
 * node - the messages of node's IPC channel and cluster module, as seen by the primary.
 *
 * One JSON text per line. A line that begins {"cmd":"NODE_ is internal and parsed here; everything
 * else is the application's and goes through as bytes, for it may hold what no JSON library takes.
 * The rules are in node's lib/internal/cluster/{child,primary}.js and lib/internal/child_process.js
 * and did not change between node 16 and 26.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "proto/jscan.h"

enum node_type {
	NODE_OTHER, /* internal and of no use to us */
	NODE_ONLINE,
	NODE_QUERY,	/* queryServer: wants to listen */
	NODE_LISTENING, /* does listen now */
	NODE_CLOSE,	/* does no longer listen on key */
	NODE_INTENDED,	/* exitedAfterDisconnect: must be answered with node_write_ack() */
	NODE_HANDLE, /* a descriptor came with it: must be answered with node_write_handle_ack() */
	NODE_HANDLE_ACK,
	NODE_HANDLE_NACK,
	NODE_REPLY /* to a message of ours: ack, accepted */
};

enum node_addr {
	NODE_ADDR_NONE, /* null: an inherited descriptor */
	NODE_ADDR_TCP4,
	NODE_ADDR_TCP6,
	NODE_ADDR_PIPE,
	NODE_ADDR_UDP4,
	NODE_ADDR_UDP6,
	NODE_ADDR_BAD /* something we do not know */
};

/* flags of a query */
enum { NODE_IPV6ONLY = 1, NODE_REUSEPORT = 2, NODE_UDP_REUSEADDR = 4 };

#define NODE_MAX_ADDRESS 1024

struct node_msg {
	enum node_type type;
	struct buf address; /* data NULL = null was sent */
	enum node_addr address_type;
	int port; /* -1 = none was sent */
	int fd;	  /* -1 = none was sent */
	int flags;
	int backlog;			 /* 0 = node's default */
	bool readable_all, writable_all; /* a unix path for everybody */
	int64_t index;
	int64_t seq; /* -1 = none was sent */
	int64_t ack;
	bool accepted;
	struct buf key;
	struct span data; /* raw JSON in the line, "null" where none was sent */
	struct span msg;  /* NODE_HANDLE: the wrapped message, raw; p NULL = none */
};

bool node_is_internal(const char *line, size_t len);

/* Parse an internal line. False if it is broken; a broken NODE_HANDLE is reported as such all the
 * same, because its sender waits for the answer. Spans point into line. Finish it in every case. */
bool node_parse(struct node_msg *m, const char *line, size_t len);
void node_msg_finish(struct node_msg *m);

/* Whether an application message is the JSON string `text`: "ready". */
bool node_is_text(const char *line, size_t len, const char *text);
/* Whether bytes are exactly one JSON value on one line, which is what a worker survives. */
bool node_message_ok(const char *json, size_t len);

/* The key under which listeners of one app are shared: address:port:type:fd, and the index for
 * port 0, where each listen is another port. */
void node_make_key(const struct node_msg *query, struct buf *out);

/* The address of a query or listening message for people: "tcp:127.0.0.1:3000". */
void node_describe(const struct node_msg *m, char *out, size_t cap);

enum node_kind { NODE_TCP, NODE_PIPE, NODE_UDP };

/* What every answer to a query carries. */
struct node_reply {
	const char *key;
	int64_t ack;	  /* seq of the query */
	int64_t seq;	  /* ours, never used before on this channel */
	struct span data; /* of the first query for this key */
};

/* All writers add one complete line. The lines of node_write_shared() and node_write_newconn()
 * must be sent with their descriptor in one sendmsg(2) of its own. */
void node_write_shared(struct buf *out, const struct node_reply *r, enum node_kind kind);
/* error is a negative errno. */
void node_write_error(struct buf *out, const struct node_reply *r, int error);
/* The worker gets its connections by newconn. address NULL: a pipe, which has no sockname. */
void node_write_round_robin(struct buf *out, const struct node_reply *r, const char *address,
			    bool v6, int port);
void node_write_newconn(struct buf *out, const char *key, int64_t seq);
void node_write_ack(struct buf *out, int64_t ack, int64_t seq);
void node_write_disconnect(struct buf *out, int64_t seq);
void node_write_handle_ack(struct buf *out);

#endif
