/* SPDX-License-Identifier: MIT */
/* optarget - one target of an operation: what is done about it, and when it is over. */
#include <stdlib.h>
#include <string.h>

#include "app/rollout.h"
#include "common/clock.h"
#include "common/mem.h"
#include "daemon/daemon.h"
#include "daemon/ops_priv.h"
#include "daemon/rollout.h"
#include "daemon/runner.h"

static const char left_as_it_was[] = "left as it was";

static void succeed(struct op *op, struct target *t, const struct inst *in, const char *done)
{
	t->over = t->ok = true;
	t->done = done;
	t->state = in->state;
	t->pid = in->pid ? in->pid : t->pid;
	ops_wake(op->ops); /* it is told from there */
}

static void fail(struct op *op, struct target *t, struct inst *in, const char *reason)
{
	t->over = true;
	t->ok = false;
	/* A successor that failed leaves the slot as it was. */
	const struct inst *slot = in->app->slots[in->slot];
	bool kept = in->role == ROLE_TRIAL && slot->state == ST_ONLINE;
	t->done = kept ? "kept" : "failed";
	t->state = slot->state;
	t->reason = xstrdup(reason);
	t->lines = in->held ? NULL : xstrdup(in->last_lines);
	ops_wake(op->ops);
}

static const char *why(const struct inst *in)
{
	if (in->note[0]) {
		return in->note;
	}
	return in->start_error[0] ? in->start_error : "stopped before it was ready";
}

static void check_started(struct op *op, struct target *t, struct inst *in)
{
	bool fresh = op->kind == OP_START || in->run != t->run;
	switch (in->state) {
	case ST_ONLINE:
		if (fresh) {
			succeed(op, t, in,
				op->kind == OP_START	 ? "started"
				: op->kind == OP_RESTART ? "restarted"
							 : "reloaded");
			t->reason = op->kind == OP_START ? turns_passed_over(in->app) : NULL;
		}
		break;
	case ST_DONE:
		if (fresh && in->last_exit.known && !in->last_exit.signal && !in->last_exit.code) {
			succeed(op, t, in, "ran to its end");
		} else if (fresh) {
			fail(op, t, in, why(in));
		}
		break;
	case ST_BACKOFF:
	case ST_FAILED:
		if (fresh) {
			fail(op, t, in, why(in));
		}
		break;
	case ST_STOPPED:
		if (in->held != HOLD_WAITS) {
			fail(op, t, in, in->held ? in->start_error : "stopped meanwhile");
		}
		break;
	default:
		break;
	}
}

void target_leave(struct target *t)
{
	t->begun = t->over = t->ok = true;
	t->done = left_as_it_was;
}

bool target_is_left(const struct target *t)
{
	return t->over && t->done == left_as_it_was;
}

/* An instance that is no more: with its app, or scaled away. */
const char *target_end_word(const struct inst *in)
{
	return in->app->deleting ? "deleted" : "removed";
}

static void check_stopped(struct op *op, struct target *t, struct inst *in)
{
	bool to_end = op->kind == OP_STOP || op->kind == OP_DELETE;
	if (in->state == ST_STOPPED || in->state == ST_DONE || in->state == ST_FAILED) {
		if (to_end && rollout_is_busy(in)) {
			return; /* one that was replaced is still on its way out */
		}
		if (op->kind == OP_STOP || op->kind == OP_DELETE) {
			succeed(op, t, in, op->kind == OP_STOP ? "stopped" : target_end_word(in));
		} else {
			succeed(op, t, in, states_name(in->state));
		}
	} else if (to_end && in->wanted) {
		fail(op, t, in, "started again meanwhile");
	}
}

/* `in` is the one in the slot, its successor, or the one that was replaced. */
static void check_reloaded(struct op *op, struct target *t, struct inst *in)
{
	if (in->role == ROLE_SLOT && !t->rolling) {
		check_started(op, t, in);
		return;
	}
	switch (rollout_judge(in->role, in->state, in->wanted, in->proven_mono_ms,
			      clock_mono_ms())) {
	case VERDICT_LATER:
		rollout_look_later(in);
		break;
	case VERDICT_TAKE:
		rollout_take(in);
		break;
	case VERDICT_FAILED:
		fail(op, t, in, why(in));
		break;
	case VERDICT_DONE:
		succeed(op, t, in->app->slots[in->slot], "reloaded");
		break;
	case VERDICT_STOPPED:
		fail(op, t, in, "stopped meanwhile");
		break;
	case VERDICT_NONE:
		break;
	}
}

void target_check(struct op *op, struct target *t, struct inst *in)
{
	if (!t->begun || t->over || (in->role != ROLE_SLOT && op->kind != OP_RELOAD)) {
		return;
	}
	switch (op->kind) {
	case OP_START:
	case OP_RESTART:
		check_started(op, t, in);
		break;
	case OP_RELOAD:
		check_reloaded(op, t, in);
		break;
	case OP_WAIT_READY:
		if (in->state == ST_ONLINE) {
			succeed(op, t, in, "ready");
		}
		break;
	case OP_STOP:
	case OP_DELETE:
	case OP_WAIT_STOPPED:
		check_stopped(op, t, in);
		break;
	}
}

void target_act(struct op *op, struct target *t, struct inst *in)
{
	t->begun = true;
	switch (op->kind) {
	case OP_START:
		if (in->state == ST_ONLINE) {
			succeed(op, t, in, "already running");
		} else {
			runner_start(in, &op->by);
		}
		break;
	case OP_STOP:
	case OP_DELETE:
		if (op->kind == OP_STOP && in->wanted) {
			fail(op, t, in, "started again meanwhile"); /* while it waited */
		} else if (op->kind == OP_STOP && in->state == ST_STOPPED && !in->held) {
			succeed(op, t, in, "already stopped");
		} else {
			runner_stop(in, &op->by);
			apps_collect(in);
		}
		break;
	case OP_RELOAD:
		/* That its port is taken an operator hears; else nobody would, ever. */
		if (op->by.pid ? rollout_can(in) : runner_can_overlap(in)) {
			t->rolling = true;
			rollout_begin(in, &op->by);
			break;
		}
		runner_restart(in, &op->by); /* nothing serves there */
		break;
	case OP_RESTART:
		rollout_call_off(in);
		runner_restart(in, &op->by);
		break;
	case OP_WAIT_READY:
	case OP_WAIT_STOPPED:
		break;
	}
}
