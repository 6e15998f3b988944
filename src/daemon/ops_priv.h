/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_OPS_PRIV_H
#define PMCTL_DAEMON_OPS_PRIV_H
/* ops_priv - what ops.c (deciding) and opreply.c (telling) know of an operation. */
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
	bool rolling;	       /* a reload with a successor beside the one in the slot */
	enum inst_state state; /* at the end */
	const char *done;      /* static text: "started", "already running" ... */
	char *reason;	       /* NULL = none */
	char *lines;	       /* last log lines of a failure; NULL = none */
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
};

/* Send the results, unless the client is gone; at most once. */
void opreply_answer(struct op *op);
/* Tell a client that waits that something happened to a target. */
void opreply_progress(struct op *op, const struct target *t, const char *phase, const char *text);

#endif
