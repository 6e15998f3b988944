/* SPDX-License-Identifier: MIT */
/* optarget - one target of an operation: what is done about it, and when it is over. */
#include <stdio.h>
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

/* What was overruled is neither. */
static void count(const struct target *t, const struct inst *in, bool ok)
{
	struct tally_app *r = t->kind == OP_RELOAD ? tally_of(in->app) : NULL;
	if (r) {
		*(ok ? &r->reloaded : &r->not_reloaded) += 1;
	}
}

static void succeed(struct op *op, struct target *t, const struct inst *in, const char *done)
{
	t->over = t->ok = true;
	t->done = done;
	t->state = in->state;
	t->pid = in->pid ? in->pid : t->pid;
	count(t, in, true);
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
	op->unsaved = true;
	count(t, in, false);
	ops_wake(op->ops);
}

/* Not the version was at fault, but somebody wanted something else. */
static void overrule(struct op *op, struct target *t, const struct inst *in)
{
	const char *how = in->overruled ? in->overruled : "stopped";
	char reason[120];
	if (in->overruler.pid) {
		snprintf(reason, sizeof(reason), "%s by another command (uid %u, pid %d)", how,
			 (unsigned)in->overruler.uid, (int)in->overruler.pid);
	} else {
		snprintf(reason, sizeof(reason), "%s meanwhile", how);
	}
	t->begun = t->over = t->overruled = true;
	t->ok = false;
	t->done = "overruled";
	t->state = in->app->slots[in->slot]->state;
	t->reason = xstrdup(reason);
	ops_wake(op->ops);
}

static void started_again(struct op *op, struct target *t, struct inst *in)
{
	char reason[100] = "started again meanwhile";
	if (in->starter.pid) {
		snprintf(reason, sizeof(reason), "started again meanwhile (uid %u, pid %d)",
			 (unsigned)in->starter.uid, (int)in->starter.pid);
	}
	fail(op, t, in, reason);
	t->overruled = true;
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
	bool fresh = t->kind == OP_START || in->run != t->run;
	switch (in->state) {
	case ST_ONLINE:
		if (fresh) {
			succeed(op, t, in,
				t->kind == OP_START    ? "started"
				: t->kind == OP_RELOAD ? "reloaded"
						       : "restarted");
			t->reason = t->kind == OP_START ? turns_passed_over(in->app) : NULL;
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
		if (in->held == HOLD_NO) {
			overrule(op, t, in);
		} else if (in->held != HOLD_WAITS) {
			fail(op, t, in, in->start_error);
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
	return t->over && t->done && strcmp(t->done, left_as_it_was) == 0;
}

/* An instance that is no more: with its app, or scaled away. */
static const char *end_word(const struct inst *in)
{
	return in->app->deleting ? "deleted" : "removed";
}

static void check_stopped(struct op *op, struct target *t, struct inst *in)
{
	bool to_end = t->kind == OP_STOP || t->kind == OP_DELETE;
	if (in->state == ST_STOPPED || in->state == ST_DONE || in->state == ST_FAILED) {
		if (to_end && rollout_is_busy(in)) {
			return; /* one that was replaced is still on its way out */
		}
		if (t->kind == OP_STOP || t->kind == OP_DELETE) {
			succeed(op, t, in, t->kind == OP_STOP ? "stopped" : end_word(in));
		} else {
			succeed(op, t, in, states_name(in->state));
		}
	} else if (to_end && in->wanted) {
		started_again(op, t, in);
	}
}

void target_gone(struct op *op, struct target *t, const struct inst *in)
{
	bool to_end = t->kind == OP_STOP || t->kind == OP_DELETE || t->kind == OP_WAIT_STOPPED;
	if (!to_end) {
		overrule(op, t, in);
	}
	t->begun = t->over = true;
	t->ok = to_end;
	t->done = to_end ? end_word(in) : "gone";
	t->state = ST_STOPPED;
}

/* `in` is the one in the slot, its successor, or the one that was replaced. */
static void check_reloaded(struct op *op, struct target *t, struct inst *in)
{
	if (in->role == ROLE_SLOT && !t->rolling) {
		/* Begun by a supervisor before us, the old process may still be on its way out. */
		if (!rollout_is_busy(in)) {
			check_started(op, t, in);
		}
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
		if (in->wanted) {
			fail(op, t, in, why(in));
		} else {
			overrule(op, t, in); /* it was called off */
		}
		break;
	case VERDICT_DONE:
		succeed(op, t, in->app->slots[in->slot], "reloaded");
		break;
	case VERDICT_STOPPED:
		overrule(op, t, in);
		break;
	case VERDICT_NONE:
		break;
	}
}

/* Stopped, it waits until all others of its app are: ops.c starts them. */
static void check_swapped(struct op *op, struct target *t, struct inst *in)
{
	if (!in->wanted) {
		overrule(op, t, in);
	} else if (t->swapping) {
		check_started(op, t, in);
	} else if (!states_is_live(in->state) && !rollout_is_busy(in)) {
		ops_wake(op->ops);
	}
}

void target_check(struct op *op, struct target *t, struct inst *in)
{
	if (!t->begun || t->over || (in->role != ROLE_SLOT && t->kind != OP_RELOAD)) {
		return;
	}
	switch (t->kind) {
	case OP_START:
	case OP_RESTART:
		check_started(op, t, in);
		break;
	case OP_SWAP:
		check_swapped(op, t, in);
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
	case OP_APPLY:
		break;
	}
}

/* That something is to run was asked for; then somebody else asked for the contrary. */
static bool is_overruled(const struct target *t, const struct inst *in)
{
	return (t->kind == OP_RESTART || t->kind == OP_RELOAD || t->kind == OP_SWAP) && !in->wanted;
}

static void stop(struct op *op, struct target *t, struct inst *in)
{
	bool rests = in->state == ST_STOPPED && !in->held && !rollout_is_busy(in);
	if (t->kind == OP_STOP && in->wanted) {
		started_again(op, t, in); /* while it waited */
	} else if (t->kind == OP_STOP && rests) {
		succeed(op, t, in, states_is_live(t->state) ? "stopped" : "already stopped");
	} else {
		runner_stop(in, &op->by);
		apps_collect(in);
	}
}

void target_act(struct op *op, struct target *t, struct inst *in)
{
	t->begun = true;
	if (is_overruled(t, in)) {
		overrule(op, t, in);
		return;
	}
	switch (t->kind) {
	case OP_START:
		if (in->state == ST_ONLINE) {
			succeed(op, t, in, in->run == t->run ? "already running" : "started");
		} else {
			runner_start(in, &op->by);
		}
		break;
	case OP_STOP:
	case OP_DELETE:
		stop(op, t, in);
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
		runner_overrule(in, "restarted", &op->by);
		rollout_call_off(in);
		runner_restart(in, &op->by);
		break;
	case OP_SWAP:
		runner_overrule(in, "restarted", &op->by);
		rollout_call_off(in);
		turns_drop(in);
		runner_event(in, EV_STOP); /* and it stays wanted */
		break;
	case OP_APPLY:
	case OP_WAIT_READY:
	case OP_WAIT_STOPPED:
		break;
	}
}
