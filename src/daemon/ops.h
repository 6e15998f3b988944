/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_OPS_H
#define PMCTL_DAEMON_OPS_H
/*
 * ops - operations that take time: start, stop, restart, reload, delete, scale, apply, wait.
 *
 * An operation is a list of targets (instances). It is told of every change of state and decides
 * for each target whether it is done; when all are, it answers. It never holds an instance: they
 * are found by id. A client that goes away cancels nothing.
 *
 * A supervisor that dies cancels nothing either: operations that change something are part of the
 * state file, in one write with the wishes, before anything is done about them. The next supervisor
 * goes on with what is left. The client, which gave its operation a key, sends the same request
 * once more, and gets the answer of that operation: nothing is done twice.
 */
#include <ev.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "app/states.h"
#include "common/list.h"
#include "daemon/apps.h"

struct call;
struct conn;
struct daemon;
struct inst;

enum op_kind {
	OP_START,
	OP_STOP,
	OP_RESTART, /* one instance of an app after the other; goes on after a failure */
	OP_RELOAD,  /* as OP_RESTART, but ends at the first failure */
	OP_DELETE,
	OP_SWAP,  /* all instances of an app stop, then all start */
	OP_APPLY, /* definitions change; what that means is a kind of its own for each target */
	OP_WAIT_READY,
	OP_WAIT_STOPPED
};

struct ops {
	struct daemon *daemon;
	struct list all;
	struct list outcomes; /* results somebody may still ask for, the oldest first: opkeep.c */
	uint64_t last_id;
	ev_timer pump; /* operations go on from the loop, never below a change of state */
};

struct op;

void ops_init(struct ops *o, struct daemon *d);
void ops_finish(struct ops *o);

/* Begin an operation. The answer goes to connection `c` with this request id (borrowed); key is the
 * client's name for it, NULL = none. */
struct op *op_new(struct ops *o, enum op_kind kind, const char *key, struct conn *c, json_t *rpc_id,
		  const struct asker *by);
void op_add(struct op *op, struct inst *in);
/* The same for a part of an OP_APPLY. */
void op_add_kind(struct op *op, struct inst *in, enum op_kind kind);
/* A line of the result for an app that is left alone. */
void op_note(struct op *op, struct inst *in, const char *done);
/* A line of the result for an app that could not even be made. */
void op_failed(struct op *op, const char *app, const char *reason);
/* Save the wishes and the operation, act on the targets, answer at once if nothing is left to wait
 * for. wait = false: answer at once in any case. op may be gone afterwards. */
void op_run(struct op *op, bool wait);
/* Replace one instance, asked for by nobody. */
void ops_reload_one(struct ops *o, struct inst *in);
/* Replace every running instance of an app, asked for by nobody: cron_restart, watch. One that
 * holds a port it opened by itself is stopped first, all others when the new one is ready. False if
 * none runs, or if the app is being reloaded already; nothing is done then. */
bool ops_reload_app(struct ops *o, struct app *app);
/* Whether a reload of this app is under way or waits. */
bool ops_is_reloading(const struct ops *o, const struct app *app);

/* Whether one that changes something is under way. */
bool ops_is_busy(const struct ops *o);

/* A request with a key. If such an operation is under way or has ended, the caller gets its
 * answer: true (also on failure: call->err). False: there is none, so it is to be begun. */
bool ops_take_up(struct ops *o, struct call *call, const char *key);

/* What is under way or may still be asked for, for the state file; NULL if there is nothing. */
json_t *ops_write(const struct ops *o);
/* Read it back. What was under way waits for ops_resume(). */
void ops_read(struct ops *o, const json_t *saved);
/* Go on with what a supervisor before us has begun: all that lives is adopted, what is wanted is
 * started. */
void ops_resume(struct ops *o);
/* Whether an operation that was read back will stop this instance when its turn has come, or
 * reloads it. */
bool ops_will_stop(const struct ops *o, const struct inst *in);
bool ops_reloads(const struct ops *o, const struct inst *in);

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
