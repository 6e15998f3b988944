/* SPDX-License-Identifier: MIT */
/*
 * opresume - go on with an operation that a supervisor before us has begun.
 *
 * How far it came is read off the instances: a process with another run number than the one that
 * ran when the operation was asked for was started since, by the operation or in spite of it, and
 * is not started once more.
 */
#include <string.h>

#include "daemon/daemon.h"
#include "daemon/ops_priv.h"
#include "daemon/rollout.h"
#include "daemon/runner.h"

/* Whether an operation has begun to do one of these to it, and is not done. */
static bool any(const struct ops *o, const struct inst *in, enum op_kind a, enum op_kind b)
{
	const struct op *op, *next;
	list_for_each(op, next, &o->all, node)
	{
		for (size_t i = 0; op->resumed && i < op->ntargets; i++) {
			const struct target *t = &op->target[i];
			if (t->id == in->id && !t->over && (t->kind == a || t->kind == b)) {
				return true;
			}
		}
	}
	return false;
}

bool ops_will_stop(const struct ops *o, const struct inst *in)
{
	return any(o, in, OP_STOP, OP_DELETE);
}

bool ops_reloads(const struct ops *o, const struct inst *in)
{
	return any(o, in, OP_RELOAD, OP_RELOAD);
}

/* Whether something was done about it before. If not, its turn comes. */
static bool was_begun(const struct target *t, const struct inst *in)
{
	switch (t->kind) {
	case OP_START:
	case OP_SWAP:
		return in->run != t->run;
	case OP_RESTART:
	case OP_RELOAD:
		return in->run != t->run || in->state == ST_STOPPING || in->twin;
	default:
		return in->state == ST_STOPPING;
	}
}

static void resume_target(struct op *op, struct target *t)
{
	struct inst *in = op_find_inst(op, t);
	if (t->over || !in || !was_begun(t, in)) {
		return;
	}
	t->begun = true;
	t->swapping = t->kind == OP_SWAP;
	t->rolling = t->kind == OP_RELOAD && in->twin;
	target_check(op, t, in);
	if (in->twin) {
		target_check(op, t, in->twin);
	}
}

static void tell(const struct op *op, size_t from, size_t end)
{
	size_t done = 0;
	for (size_t i = from; i < end; i++) {
		done += op->target[i].over;
	}
	if (done < end - from) {
		events_add(&op->ops->daemon->events, op->target[from].app, -1,
			   op_kind_name(op->kind), &op->by,
			   "goes on after the supervisor was replaced; %zu of %zu done", done,
			   end - from);
	}
}

static void tell_apps(const struct op *op)
{
	for (size_t i = 0, end; i < op->ntargets; i = end) {
		const char *app = op->target[i].app;
		for (end = i + 1; end < op->ntargets && strcmp(op->target[end].app, app) == 0;) {
			end++;
		}
		tell(op, i, end);
	}
}

void ops_resume(struct ops *o)
{
	struct op *op, *next;
	list_for_each(op, next, &o->all, node)
	{
		for (size_t i = 0; op->resumed && i < op->ntargets; i++) {
			resume_target(op, &op->target[i]);
		}
		tell_apps(op);
	}
	ops_wake(o);
}
