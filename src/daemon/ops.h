/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_OPS_H
#define PMCTL_DAEMON_OPS_H
/*
 * ops - operations that take time: start, stop, restart, reload, delete, scale, wait.
 *
 * An operation is a list of targets (instances). It is told of every change of state and decides
 * for each target whether it is done; when all are, it answers. It never holds an instance: they
 * are found by id. A client that goes away cancels nothing.
 */
#include <ev.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "app/states.h"
#include "common/list.h"
#include "daemon/apps.h"

struct conn;
struct daemon;
struct inst;

enum op_kind {
	OP_START,
	OP_STOP,
	OP_RESTART, /* one instance of an app after the other; goes on after a failure */
	OP_RELOAD,  /* as OP_RESTART, but ends at the first failure */
	OP_DELETE,
	OP_WAIT_READY,
	OP_WAIT_STOPPED
};

struct ops {
	struct daemon *daemon;
	struct list all;
	uint64_t last_id;
	ev_timer pump; /* operations go on from the loop, never below a change of state */
};

struct op;

void ops_init(struct ops *o, struct daemon *d);
void ops_finish(struct ops *o);

/* Begin an operation. The answer goes to connection `c` with this request id (borrowed). */
struct op *op_new(struct ops *o, enum op_kind kind, struct conn *c, json_t *rpc_id,
		  const struct asker *by);
void op_add(struct op *op, struct inst *in);
/* A line of the result for an app that is left alone. */
void op_note(struct op *op, struct inst *in, const char *done);
/* A line of the result for an app that could not even be made. */
void op_failed(struct op *op, const char *app, const char *reason);
/* Act on the targets, answer at once if nothing is left to wait for. wait = false: answer at
 * once in any case. op may be gone afterwards. */
void op_run(struct op *op, bool wait);
/* Replace one instance, asked for by nobody. */
void ops_reload_one(struct ops *o, struct inst *in);
/* Replace every running instance of an app, asked for by nobody: cron_restart, watch. One that
 * holds a port it opened by itself is stopped first, all others when the new one is ready. False if
 * none runs, or if the app is being reloaded already; nothing is done then. */
bool ops_reload_app(struct ops *o, struct app *app);
/* Whether a reload of this app is under way or waits. */
bool ops_is_reloading(const struct ops *o, const struct app *app);

/* Begin nothing more of a reload or restart: what was not begun is left as it was, what is under
 * way goes on, then it answers. ERR_NO_TARGET if it is over, ERR_USAGE if it is another kind. */
bool ops_cancel(struct ops *o, uint64_t id, struct err *err);

/* An instance changed its state. */
void ops_on_state(struct ops *o, struct inst *in);
/* Look at all operations on the loop's next turn. */
void ops_wake(struct ops *o);
/* The client is gone: nobody waits any more. What changes something goes on. */
void ops_on_conn_gone(struct ops *o, uint64_t serial);
/* An instance is about to be freed. */
void ops_on_gone(struct ops *o, struct inst *in);

#endif
