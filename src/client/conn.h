/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_CONN_H
#define PMCTL_CLIENT_CONN_H
/*
 * conn - a blocking connection to the daemon's control socket: one request at a time.
 *
 * Owned by struct client, or by `logs -f` for a second one. Never starts a daemon.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "proto/lines.h"
#include "proto/rpc.h"
#include "sys/paths.h"

struct conn {
	int fd; /* -1 = not connected */
	struct lines lines;
	int64_t last_id;
	bool open;
	bool lost;	  /* the daemon closed it */
	bool greeted;	  /* with the first request of a connection goes a ping, id GREETING_ID */
	char version[32]; /* of the daemon, from its answer; "" = not known */
};

/* What happens while a call waits. Zeroed = wait for as long as it takes, in silence. */
struct conn_wait {
	int64_t deadline_mono_ms; /* 0 = none */
	void (*notify)(void *ctx, const struct rpc_reply *n);
	void (*tick)(void *ctx); /* about five times a second */
	/* A signal came (interrupt.h). True if it was taken and the wait goes on. */
	bool (*signal)(void *ctx, int sig);
	void *ctx;
};

/* ERR_NO_DAEMON: nobody is there; ERR_PERMISSION: not ours. */
bool conn_open(struct conn *c, const struct paths *paths, struct err *err);
/* The same, but one try: a queue of connections that is full is ERR_NO_DAEMON at once. */
bool conn_open_now(struct conn *c, const struct paths *paths, struct err *err);
void conn_close(struct conn *c);

/* Send a request and wait for its answer, which is finished by the caller in every case. False:
 * the daemon's own error with its code, ERR_NO_DAEMON (it went away), ERR_DEADLINE, or ERR_NONE
 * after a signal (interrupt.h). params is taken over; NULL = {}. */
bool conn_call(struct conn *c, const char *method, json_t *params, const struct conn_wait *wait,
	       struct rpc_reply *reply, struct err *err);

/* Send a request whose answer is taken with conn_next(), by *id. Waits at most deadline_ms for
 * room. False: ERR_NO_DAEMON, ERR_DEADLINE, ERR_LIMIT, or ERR_NONE after a signal. params is taken
 * over. */
bool conn_send(struct conn *c, const char *method, json_t *params, int deadline_ms, int64_t *id,
	       struct err *err);

/* The next notification of a subscription, or the answer to a conn_send(); waits at most timeout_ms
 * (-1 = for ever). 1 = got one, 0 = time is over or a signal came, -1 = the daemon went away. */
int conn_next(struct conn *c, int timeout_ms, struct rpc_reply *reply, struct err *err);

#endif
