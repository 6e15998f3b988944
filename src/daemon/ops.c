/* SPDX-License-Identifier: MIT */
#include "daemon/ops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/rollout.h"
#include "common/clock.h"
#include "common/limits.h"
#include "common/mem.h"
#include "daemon/daemon.h"
#include "daemon/looptimer.h"
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

/* Whether a reload of the app that was asked for before this operation is not over. */
static bool is_reloading_before(const struct ops *o, const char *app, uint64_t id)
{
	struct op *op, *next;
	list_for_each(op, next, &o->all, node)
	{
		for (size_t i = 0; op->kind == OP_RELOAD && op->id < id && i < op->ntargets; i++) {
			if (!op->target[i].over && strcmp(op->target[i].app, app) == 0) {
				return true;
			}
		}
	}
	return false;
}

/* Instances of one app are restarted and reloaded one after the other. */
static enum rollout_turn turn_of(const struct op *op, size_t i, const struct inst *in)
{
	struct rollout_progress p = {0};
	bool reload = op->kind == OP_RELOAD;
	if (reload && in &&
	    (rollout_is_busy(in) || is_reloading_before(op->ops, in->app->conf.name, op->id))) {
		return TURN_WAIT; /* one reload of an app at a time */
	}
	if (in && turns_must_wait(op, in)) {
		return TURN_WAIT; /* for other apps */
	}
	for (size_t k = 0; (reload || op->kind == OP_RESTART) && k < i; k++) {
		const struct target *t = &op->target[k];
		if (strcmp(t->app, op->target[i].app) == 0) {
			p.moving += !t->over;
			p.failed |= reload && t->over && !t->ok;
		}
	}
	return rollout_turn(&p, reload && in ? in->app->conf.reload_parallel : 1);
}

/* True if it was its turn. */
static bool pump_target(struct op *op, size_t i)
{
	struct target *t = &op->target[i];
	struct inst *in = find_inst(op, t);
	enum rollout_turn turn = t->begun ? TURN_WAIT : turn_of(op, i, in);
	if (turn == TURN_WAIT) {
		return false;
	}
	if (!in) {
		t->begun = t->over = true;
		t->done = "gone";
		t->ok = op->kind == OP_STOP || op->kind == OP_DELETE;
	} else if (turn == TURN_LEAVE) {
		target_leave(t);
		t->state = in->state;
	} else {
		target_act(op, t, in);
		in = find_inst(op, t);
		if (in && !t->over) {
			target_check(op, t, in);
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
	return is_reloading_before(o, app->conf.name, UINT64_MAX);
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
				target_check(op, &op->target[i], in);
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
				t->done = t->ok ? target_end_word(in) : "gone";
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
	looptimer_soon(o->daemon->loop, &o->pump);
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
