/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_OPS_PRIV_H
#define PMCTL_DAEMON_OPS_PRIV_H
/* ops_priv - what ops.c (which target when), optarget.c (one target), opcancel.c, opprogress.c,
 * opreply.c (telling) and opkeep.c (for whoever comes after us) know of an operation. */
#include "common/limits.h"
#include "daemon/apps.h"
#include "daemon/ops.h"
#include "daemon/runner.h"

struct target {
	uint64_t id;
	enum op_kind kind; /* the operation's, but in an OP_APPLY */
	char app[LIMIT_NAME + 1];
	int slot;
	pid_t pid;
	uint32_t run; /* the process that ran when we began */
	bool begun, over, ok;
	bool overruled;		/* not ok, because another command came in between */
	bool swapping;		/* of OP_SWAP: all have stopped, it was started again */
	bool reverted;		/* the definition before is in force again */
	bool wanted;		/* ... to run, when we began */
	bool rolling;		/* a reload with a successor beside the one in the slot */
	pid_t old_pid;		/* what ran when we began; 0 = nothing */
	pid_t new_pid;		/* what was started for it, once a client was told; 0 = nothing */
	unsigned told;		/* which phases a client was told of: opprogress.c */
	uint32_t told_note;	/* ... and the checksum of which note */
	int64_t ending_mono_ms; /* since when the old one is on its way out */
	enum inst_state state;	/* at the end */
	const char *done;	/* "started", "already running" ...: static text, or own_done */
	char *own_done;		/* read from the state file; NULL = not */
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
	char key[LIMIT_OP_KEY + 1]; /* the client's name for it; "" = none */
	uint64_t conn_serial;	    /* who gets the answer; 0 = nobody, or it was sent */
	uint64_t answered_serial;   /* to whom it was sent */
	json_t *rpc_id;
	struct asker by;
	bool wait;     /* the client waits for the end */
	bool resumed;  /* a supervisor before us has begun it */
	bool unsaved;  /* the state file does not know yet what failed */
	bool gave_way; /* what it removes is gone */
	bool stuck;    /* nobody of it waits for an address any more: daemon/passon.h */
	bool pumping;  /* op_pump() is on the stack: changes of state come from our own acts */
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
/* The instance is about to be freed. */
void target_gone(struct op *op, struct target *t, const struct inst *in);

/* An operation without targets, at the end of the list. */
struct op *op_make(struct ops *o, enum op_kind kind, const struct asker *by);
struct target *op_add_target(struct op *op);
/* The instance of a target; NULL if it is no more. */
struct inst *op_find_inst(const struct op *op, const struct target *t);
/* Start or go on: begin what can begin, answer when all is over. The op may be gone afterwards. */
void op_pump(struct op *op);
/* Whether it changes anything: those that only wait are forgotten with the client that waits. */
bool op_changes(const struct op *op);
/* "reload": static text. */
const char *op_kind_name(enum op_kind kind);

/* The result as a JSON object. */
void opreply_write(const struct op *op, struct buf *out);
/* Send the results, unless the client is gone; at most once. */
void opreply_answer(struct op *op);
/* Send a result that was written before. */
void opreply_send(struct conn *c, const json_t *rpc_id, const char *result, size_t len);
/* What came of a reload, for the journal. */
void opreply_tell_reload(struct op *op);

/* It is over: keep the result if its client may come and ask for it. */
void opkeep_outcome(struct op *op);
void opkeep_on_conn_gone(struct ops *o, uint64_t serial);
void opkeep_finish(struct ops *o);

/* When it was asked for. */
void opprogress_note_begin(struct op *op);
/* Tell a client that waits what there is to do, and then all that is so already. */
void opprogress_begin(struct op *op);
/* Tell it what has changed since it was told last. Looks at the instances, so it may be called at
 * any time; once each turn of the loop in which one of them changed is enough. */
void opprogress_look(struct op *op);

#endif
