/* SPDX-License-Identifier: MIT */
/*
 * cancel: a reload or restart begins nothing more. What is under way goes on to its end, for a
 * slot is never left between two processes.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/daemon.h"
#include "daemon/methods.h"
#include "daemon/ops_priv.h"

static struct op *find_op(struct ops *o, uint64_t id)
{
	struct op *op, *next;
	list_for_each(op, next, &o->all, node)
	{
		if (op->id == id) {
			return op;
		}
	}
	return NULL;
}

bool ops_cancel(struct ops *o, uint64_t id, struct err *err)
{
	struct op *op = find_op(o, id);
	if (!op) {
		return err_set(err, ERR_NO_TARGET, "no operation %llu is under way",
			       (unsigned long long)id);
	}
	if (op->kind != OP_RELOAD && op->kind != OP_RESTART && op->kind != OP_APPLY) {
		return err_set(err, ERR_USAGE,
			       "operation %llu is all under way; only a reload, restart or apply "
			       "can be cancelled",
			       (unsigned long long)id);
	}
	op->cancelled = true;
	for (size_t i = 0; i < op->ntargets; i++) {
		struct target *t = &op->target[i];
		if (!t->begun) {
			target_leave(t);
		}
	}
	store_save_ops(&o->daemon->store);
	ops_wake(o);
	return true;
}

/* One app of it: who is under way, and an entry in the journal. */
static void tell_app(struct call *call, const struct op *op, const char *app)
{
	char now[60] = "";
	int left = 0;
	for (size_t i = 0; i < op->ntargets; i++) {
		const struct target *t = &op->target[i];
		if (strcmp(t->app, app) != 0) {
			continue;
		}
		left += target_is_left(t);
		if (!t->over && strlen(now) < sizeof(now) - 16) {
			size_t len = strlen(now);
			snprintf(now + len, sizeof(now) - len, "%s%d", len ? "," : " after slot ",
				 t->slot);
		}
	}
	if (left) {
		events_add(&call->daemon->events, app, -1, op_kind_name(op->kind),
			   &call->conn->peer, "asked to stop%s; %d left as before", now, left);
	}
}

static void write_answer(struct call *call, const struct op *op)
{
	struct jw *w = call->w;
	size_t done = 0, left = 0;
	jw_obj(w);
	jw_kint(w, "op", (int64_t)op->id);
	jw_key(w, "under_way");
	jw_arr(w);
	for (size_t i = 0; i < op->ntargets; i++) {
		const struct target *t = &op->target[i];
		bool is_left = target_is_left(t);
		left += is_left;
		done += t->over && t->ok && !is_left;
		if (!t->over) {
			jw_obj(w);
			jw_kstr(w, "app", t->app);
			jw_kint(w, "slot", t->slot);
			jw_end(w);
		}
	}
	jw_end(w);
	jw_kint(w, "new", (int64_t)done);
	jw_kint(w, "left", (int64_t)left);
	jw_kint(w, "total", (int64_t)op->ntargets);
	jw_end(w);
}

bool method_cancel(struct call *call)
{
	uint64_t id = (uint64_t)rpc_param_int(call->params, "op", 0);
	if (!ops_cancel(&call->daemon->ops, id, &call->err)) {
		return false;
	}
	const struct op *op = find_op(&call->daemon->ops, id);
	for (size_t i = 0; i < op->ntargets; i++) {
		if (i == 0 || strcmp(op->target[i].app, op->target[i - 1].app) != 0) {
			tell_app(call, op, op->target[i].app);
		}
	}
	write_answer(call, op);
	return true;
}
