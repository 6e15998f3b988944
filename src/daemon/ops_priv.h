/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_OPS_PRIV_H
#define PMCTL_DAEMON_OPS_PRIV_H
/* ops_priv - what ops.c (which target when), optarget.c (one target), opcancel.c, opprogress.c and
 * opreply.c (telling) know of an operation. */
#include "common/limits.h"
#include "daemon/apps.h"
#include "daemon/ops.h"
#include "daemon/runner.h"

struct target {
	uint64_t id;
	char app[LIMIT_NAME + 1];
	int slot;
	pid_t pid;
	uint32_t run; /* the process that ran when we began */
	bool begun, over, ok;
	bool rolling;		/* a reload with a successor beside the one in the slot */
	pid_t old_pid;		/* what ran when we began; 0 = nothing */
	pid_t new_pid;		/* what was started for it, once a client was told; 0 = nothing */
	unsigned told;		/* which phases a client was told of: opprogress.c */
	uint32_t told_note;	/* ... and the checksum of which note */
	int64_t ending_mono_ms; /* since when the old one is on its way out */
	enum inst_state state;	/* at the end */
	const char *done;	/* static text: "started", "already running" ... */
	char *reason;		/* NULL = none */
	char *lines;		/* last log lines of a failure; NULL = none */
};

/* One of the apps an operation is about. */
struct op_app {
	char name[LIMIT_NAME + 1];
	int total, serving;   /* instances it has, and how many are online */
	int told_serving;     /* ... as far as a client was told */
	int least;	      /* the fewest that were online since we began */
	size_t left;	      /* targets whose end was not told yet */
	int64_t over_mono_ms; /* when the last one's was; 0 = not yet */
};

struct op {
	struct list node; /* ops.all */
	struct ops *ops;
	uint64_t id;
	enum op_kind kind;
	uint64_t conn_serial;
	json_t *rpc_id;
	struct asker by;
	bool wait;    /* the client waits for the end */
	bool pumping; /* op_pump() is on the stack: changes of state come from our own acts */
	struct target *target;
	size_t ntargets;
	bool cancelled; /* nothing more is begun */
	int64_t began_mono_ms;
	struct op_app *app; /* none if nobody waits */
	size_t napps;
};

/* Do to it what the operation is for. */
void target_act(struct op *op, struct target *t, struct inst *in);
/* Whether it is over: `in` is the instance, its successor or the one that was replaced. */
void target_check(struct op *op, struct target *t, struct inst *in);
/* It is not touched, because the operation ends before its turn. */
void target_leave(struct target *t);
bool target_is_left(const struct target *t);
/* Of an instance that is no more: static text. */
const char *target_end_word(const struct inst *in);

/* Send the results, unless the client is gone; at most once. */
void opreply_answer(struct op *op);

/* Tell a client that waits what there is to do. Once, after all targets were added. */
void opprogress_begin(struct op *op);
/* Tell it what has changed since it was told last. Looks at the instances, so it may be called at
 * any time; once each turn of the loop in which one of them changed is enough. */
void opprogress_look(struct op *op);

#endif
