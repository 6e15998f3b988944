/* SPDX-License-Identifier: MIT */
#include "daemon/ops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/mem.h"
#include "daemon/daemon.h"
#include "daemon/ops_priv.h"
#include "daemon/rollout.h"
#include "daemon/runner.h"

static void on_pump(struct ev_loop *loop, ev_timer *w, int revents);

void ops_init(struct ops *o, struct daemon *d)
{
	*o = (struct ops){.daemon = d};
	ev_init(&o->pump, on_pump);
	list_init(&o->all);
}

static void free_op(struct op *op)
{
	list_remove(&op->node);
	for (size_t i = 0; i < op->ntargets; i++) {
		free(op->target[i].reason);
		free(op->target[i].lines);
	}
	free(op->target);
	free(op->app);
	json_decref(op->rpc_id);
	free(op);
}

void ops_finish(struct ops *o)
{
	struct op *op, *next;
	list_for_each(op, next, &o->all, node)
	{
		free_op(op);
	}
}

struct op *op_new(struct ops *o, enum op_kind kind, struct conn *c, json_t *rpc_id,
		  const struct asker *by)
{
	struct op *op = xcalloc(1, sizeof(*op));
	op->ops = o;
	op->id = ++o->last_id;
	op->kind = kind;
	op->by = *by;
	op->rpc_id = json_incref(rpc_id);
	if (c) {
		op->conn_serial = c->serial;
		c->busy++;
	}
	list_add(&o->all, &op->node);
	return op;
}

static struct target *add_target(struct op *op, const struct inst *in)
{
	op->target = xreallocarray(op->target, op->ntargets + 1, sizeof(*op->target));
	struct target *t = &op->target[op->ntargets++];
	*t = (struct target){
		.id = in->id, .slot = in->slot, .pid = in->pid, .run = in->run, .state = in->state};
	snprintf(t->app, sizeof(t->app), "%s", in->app->conf.name);
	return t;
}

void op_add(struct op *op, struct inst *in)
{
	add_target(op, in);
}

void op_note(struct op *op, struct inst *in, const char *done)
{
	struct target *t = add_target(op, in);
	t->begun = t->over = t->ok = true;
	t->done = done;
}

void op_failed(struct op *op, const char *app, const char *reason)
{
	op->target = xreallocarray(op->target, op->ntargets + 1, sizeof(*op->target));
	struct target *t = &op->target[op->ntargets++];
	*t = (struct target){.begun = true,
			     .over = true,
			     .state = ST_STOPPED,
			     .done = "failed",
			     .reason = xstrdup(reason)};
	snprintf(t->app, sizeof(t->app), "%s", app);
}

static struct inst *find_inst(const struct op *op, const struct target *t)
{
	struct app *app = apps_find(op->ops->daemon, t->app);
	for (int i = 0; app && i < app->nslots; i++) {
		if (app->slots[i]->id == t->id) {
			return app->slots[i];
		}
	}
	return NULL;
}

/* --- deciding --- */

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

/* An instance that is no more: with its app, or scaled away. */
static const char *end_word(const struct inst *in)
{
	return in->app->deleting ? "deleted" : "removed";
}

static void check_stopped(struct op *op, struct target *t, struct inst *in)
{
	if (in->state == ST_STOPPED || in->state == ST_DONE || in->state == ST_FAILED) {
		if (op->kind == OP_STOP || op->kind == OP_DELETE) {
			succeed(op, t, in, op->kind == OP_STOP ? "stopped" : end_word(in));
		} else {
			succeed(op, t, in, states_name(in->state));
		}
	} else if (op->kind == OP_STOP && in->wanted) {
		fail(op, t, in, "started again meanwhile");
	}
}

/* `in` is the one in the slot, its successor, or the one that was replaced. */
static void check_reloaded(struct op *op, struct target *t, struct inst *in)
{
	switch (in->role) {
	case ROLE_TRIAL:
		if (in->state == ST_ONLINE) {
			rollout_prove(in);
		} else if (!states_is_live(in->state)) {
			fail(op, t, in, why(in));
		}
		break;
	case ROLE_RETIRED:
		if (!states_is_live(in->state)) {
			succeed(op, t, in->app->slots[in->slot], "reloaded");
		}
		break;
	case ROLE_SLOT:
		if (!t->rolling) {
			check_started(op, t, in);
		} else if (in->state == ST_STOPPED && !in->wanted) {
			fail(op, t, in, "stopped meanwhile");
		}
		break;
	}
}

static void check(struct op *op, struct target *t, struct inst *in)
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

static void act(struct op *op, struct target *t, struct inst *in)
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

static bool is_sequential(const struct op *op)
{
	return op->kind == OP_RESTART || op->kind == OP_RELOAD;
}

/* Whether target i has to wait for others, most often earlier ones of its app. */
static bool must_wait(const struct op *op, size_t i, const struct inst *in)
{
	int at_once = op->kind == OP_RELOAD && in ? in->app->conf.reload_parallel : 1;
	if (op->kind == OP_RELOAD && in && rollout_is_busy(in)) {
		return true; /* by another reload */
	}
	if (in && turns_must_wait(op, in)) {
		return true; /* for other apps */
	}
	for (size_t k = 0; is_sequential(op) && k < i; k++) {
		if (!op->target[k].over && strcmp(op->target[k].app, op->target[i].app) == 0 &&
		    --at_once <= 0) {
			return true;
		}
	}
	return false;
}

/* A reload ends at the first failure of its app: what has not begun is left as it is. */
static bool is_called_off(const struct op *op, size_t i)
{
	for (size_t k = 0; op->kind == OP_RELOAD && k < i; k++) {
		const struct target *t = &op->target[k];
		if (t->over && !t->ok && strcmp(t->app, op->target[i].app) == 0) {
			return true;
		}
	}
	return false;
}

/* True if it was its turn. */
static bool pump_target(struct op *op, size_t i)
{
	struct target *t = &op->target[i];
	struct inst *in = find_inst(op, t);
	if (t->begun || must_wait(op, i, in)) {
		return false;
	}
	if (!in) {
		t->begun = t->over = true;
		t->done = "gone";
		t->ok = op->kind == OP_STOP || op->kind == OP_DELETE;
	} else if (is_called_off(op, i)) {
		t->begun = t->over = t->ok = true;
		t->done = DONE_LEFT;
		t->state = in->state;
	} else {
		act(op, t, in);
		in = find_inst(op, t);
		if (in && !t->over) {
			check(op, t, in);
		}
	}
	return true;
}

static bool is_over(const struct op *op)
{
	for (size_t i = 0; i < op->ntargets; i++) {
		if (!op->target[i].over) {
			return false;
		}
	}
	return true;
}

/* Begin what can begin; answer when all is over. The op may be gone afterwards. */
static void op_pump(struct op *op)
{
	if (op->pumping) {
		return;
	}
	bool any = false;
	op->pumping = true;
	for (size_t i = 0; i < op->ntargets; i++) {
		any |= pump_target(op, i);
	}
	op->pumping = false;
	opprogress_look(op);
	if (is_over(op)) {
		opreply_answer(op);
		free_op(op);
	} else if (any) {
		ops_wake(op->ops); /* an earlier one may have waited for it */
	}
}

void op_run(struct op *op, bool wait)
{
	op->wait = wait;
	if (!wait) {
		opreply_answer(op);
	}
	opprogress_begin(op);
	op_pump(op);
}

void ops_reload_one(struct ops *o, struct inst *in)
{
	struct asker nobody = {0};
	struct op *op = op_new(o, OP_RELOAD, NULL, NULL, &nobody);
	op_add(op, in);
	op_run(op, false);
}

bool ops_is_reloading(const struct ops *o, const struct app *app)
{
	struct op *op, *next;
	list_for_each(op, next, &o->all, node)
	{
		for (size_t i = 0; op->kind == OP_RELOAD && i < op->ntargets; i++) {
			if (!op->target[i].over && strcmp(op->target[i].app, app->conf.name) == 0) {
				return true;
			}
		}
	}
	return false;
}

bool ops_reload_app(struct ops *o, struct app *app)
{
	struct asker nobody = {0};
	if (ops_is_reloading(o, app)) {
		return false;
	}
	struct op *op = op_new(o, OP_RELOAD, NULL, NULL, &nobody);
	for (int i = 0; i < app->count; i++) {
		if (app->slots[i]->state == ST_ONLINE) {
			op_add(op, app->slots[i]);
		}
	}
	if (!op->ntargets) {
		free_op(op);
		return false;
	}
	op_run(op, false);
	return true;
}

void ops_on_state(struct ops *o, struct inst *in)
{
	struct op *op, *next;
	list_for_each(op, next, &o->all, node)
	{
		for (size_t i = 0; i < op->ntargets; i++) {
			if (op->target[i].id == in->id) {
				check(op, &op->target[i], in);
			}
		}
		ops_wake(o); /* how many serve is told, whoever it is that changed */
	}
}

void ops_on_gone(struct ops *o, struct inst *in)
{
	struct op *op, *next;
	list_for_each(op, next, &o->all, node)
	{
		for (size_t i = 0; i < op->ntargets; i++) {
			struct target *t = &op->target[i];
			if (t->id == in->id && !t->over) {
				t->begun = t->over = true;
				t->ok = op->kind == OP_STOP || op->kind == OP_DELETE ||
					op->kind == OP_WAIT_STOPPED;
				t->done = t->ok ? end_word(in) : "gone";
				t->state = ST_STOPPED;
			}
		}
	}
	ops_wake(o);
}

void ops_on_conn_gone(struct ops *o, uint64_t serial)
{
	struct op *op, *next;
	list_for_each(op, next, &o->all, node)
	{
		bool waits = op->kind == OP_WAIT_READY || op->kind == OP_WAIT_STOPPED;
		if (waits && op->conn_serial == serial && !op->pumping) {
			free_op(op);
		}
	}
}

void ops_wake(struct ops *o)
{
	if (!ev_is_active(&o->pump) && !ev_is_pending(&o->pump)) {
		ev_timer_set(&o->pump, 0., 0.);
		ev_timer_start(o->daemon->loop, &o->pump);
	}
}

static void on_pump(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	struct ops *o = container_of(w, struct ops, pump);
	struct op *op, *next;
	list_for_each(op, next, &o->all, node)
	{
		op_pump(op);
	}
}
