/* SPDX-License-Identifier: MIT */
#include "daemon/ops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/rollout.h"
#include "common/clock.h"
#include "common/limits.h"
#include "common/mem.h"
#include "daemon/apply.h"
#include "daemon/daemon.h"
#include "daemon/looptimer.h"
#include "daemon/ops_priv.h"
#include "daemon/passon.h"
#include "daemon/rollout.h"
#include "daemon/runner.h"

static void on_pump(struct ev_loop *loop, ev_timer *w, int revents);

void ops_init(struct ops *o, struct daemon *d)
{
	*o = (struct ops){.daemon = d};
	ev_init(&o->pump, on_pump);
	list_init(&o->all);
	list_init(&o->outcomes);
}

static void free_op(struct op *op)
{
	list_remove(&op->node);
	for (size_t i = 0; i < op->ntargets; i++) {
		free(op->target[i].own_done);
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
	opkeep_finish(o);
}

const char *op_kind_name(enum op_kind kind)
{
	static const char *const names[] = {"start", "stop",  "restart",    "reload",	   "delete",
					    "swap",  "apply", "wait ready", "wait stopped"};
	return names[kind];
}

struct op *op_make(struct ops *o, enum op_kind kind, const struct asker *by)
{
	struct op *op = xcalloc(1, sizeof(*op));
	op->ops = o;
	op->id = ++o->last_id;
	op->kind = kind;
	op->by = *by;
	list_add(&o->all, &op->node);
	return op;
}

struct op *op_new(struct ops *o, enum op_kind kind, const char *key, struct conn *c, json_t *rpc_id,
		  const struct asker *by)
{
	struct op *op = op_make(o, kind, by);
	op->rpc_id = json_incref(rpc_id);
	snprintf(op->key, sizeof(op->key), "%s", key ? key : "");
	if (c) {
		op->conn_serial = c->serial;
		c->busy++;
	}
	return op;
}

bool op_changes(const struct op *op)
{
	return op->kind < OP_WAIT_READY;
}

bool ops_is_busy(const struct ops *o)
{
	const struct op *op, *next;
	list_for_each(op, next, &o->all, node)
	{
		if (op_changes(op)) {
			return true;
		}
	}
	return false;
}

struct target *op_add_target(struct op *op)
{
	op->target = xreallocarray(op->target, op->ntargets + 1, sizeof(*op->target));
	struct target *t = &op->target[op->ntargets++];
	*t = (struct target){.kind = op->kind};
	return t;
}

static struct target *add_target(struct op *op, const struct inst *in)
{
	struct target *t = op_add_target(op);
	*t = (struct target){.id = in->id,
			     .kind = op->kind,
			     .slot = in->slot,
			     .pid = in->pid,
			     .run = in->run,
			     .wanted = in->wanted,
			     .state = in->state};
	snprintf(t->app, sizeof(t->app), "%s", in->app->conf.name);
	return t;
}

void op_add(struct op *op, struct inst *in)
{
	add_target(op, in);
}

void op_add_kind(struct op *op, struct inst *in, enum op_kind kind)
{
	add_target(op, in)->kind = kind;
}

void op_note(struct op *op, struct inst *in, const char *done)
{
	struct target *t = add_target(op, in);
	t->begun = t->over = t->ok = true;
	t->done = done;
}

void op_failed(struct op *op, const char *app, const char *reason)
{
	struct target *t = op_add_target(op);
	*t = (struct target){.kind = op->kind,
			     .begun = true,
			     .over = true,
			     .state = ST_STOPPED,
			     .done = "failed",
			     .reason = xstrdup(reason)};
	snprintf(t->app, sizeof(t->app), "%s", app);
}

struct inst *op_find_inst(const struct op *op, const struct target *t)
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
		for (size_t i = 0; op->id < id && i < op->ntargets; i++) {
			if (op->target[i].kind == OP_RELOAD && !op->target[i].over &&
			    strcmp(op->target[i].app, app) == 0) {
				return true;
			}
		}
	}
	return false;
}

/* Instances of one app are restarted and reloaded one after the other. */
static enum rollout_turn turn_of(struct op *op, size_t i, const struct inst *in)
{
	struct rollout_progress p = {0};
	enum op_kind kind = op->target[i].kind;
	bool reload = kind == OP_RELOAD;
	if (reload && in &&
	    (rollout_is_busy(in) || is_reloading_before(op->ops, in->app->conf.name, op->id))) {
		return TURN_WAIT; /* one reload of an app at a time */
	}
	if (in && turns_must_wait(op, kind, in)) {
		return TURN_WAIT; /* for other apps */
	}
	if (op->kind == OP_APPLY && passon_must_wait(op, kind, in)) {
		return TURN_WAIT;
	}
	for (size_t k = 0; (reload || kind == OP_RESTART) && k < i; k++) {
		const struct target *t = &op->target[k];
		if (t->kind == kind && strcmp(t->app, op->target[i].app) == 0) {
			p.moving += !t->over;
			/* What another command did says nothing about the new version. */
			p.failed |= reload && t->over && !t->ok && !t->overruled;
		}
	}
	return rollout_turn(&p, reload && in ? in->app->conf.reload_parallel : 1);
}

/* True if it was its turn. */
static bool pump_target(struct op *op, size_t i)
{
	struct target *t = &op->target[i];
	struct inst *in = op_find_inst(op, t);
	enum rollout_turn turn = t->begun ? TURN_WAIT : turn_of(op, i, in);
	if (turn == TURN_WAIT) {
		return false;
	}
	if (!in) {
		t->begun = t->over = true;
		t->ok = t->kind == OP_STOP || t->kind == OP_DELETE;
		const struct app *app = apps_find(op->ops->daemon, t->app);
		t->done = !t->ok ? "gone" : app && !app->deleting ? "removed" : "deleted";
	} else if (turn == TURN_LEAVE) {
		target_leave(t);
		t->state = in->state;
	} else {
		target_act(op, t, in);
		in = op_find_inst(op, t);
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

/* The end: the answer, or the result is kept for a client that lost its supervisor. */
static void end_op(struct op *op)
{
	struct store *store = &op->ops->daemon->store;
	bool changes = op_changes(op);
	if (op->kind == OP_RELOAD) {
		opreply_tell_reload(op);
	}
	opreply_answer(op);
	if (changes) {
		opkeep_outcome(op);
	}
	free_op(op);
	if (changes) {
		store_save_ops(store);
	}
}

/* Whether all of an app that are to be swapped have come to rest. */
static bool has_app_stopped(const struct op *op, const char *app)
{
	for (size_t i = 0; i < op->ntargets; i++) {
		const struct target *t = &op->target[i];
		struct inst *in = t->kind == OP_SWAP && !t->over && strcmp(t->app, app) == 0
					  ? op_find_inst(op, t)
					  : NULL;
		if (in && (!t->begun || states_is_live(in->state) || rollout_is_busy(in))) {
			return false;
		}
	}
	return true;
}

/* All instances of an app have stopped that were to: now they start. */
static bool start_swapped(struct op *op)
{
	bool any = false;
	for (size_t i = 0; i < op->ntargets; i++) {
		struct target *t = &op->target[i];
		if (t->kind != OP_SWAP || !t->begun || t->over || t->swapping ||
		    !has_app_stopped(op, t->app)) {
			continue;
		}
		for (size_t k = i; k < op->ntargets; k++) { /* before the first one runs again */
			struct target *same = &op->target[k];
			same->swapping |= same->kind == OP_SWAP && strcmp(same->app, t->app) == 0;
		}
		for (size_t k = i; k < op->ntargets; k++) {
			struct target *same = &op->target[k];
			struct inst *in =
				same->swapping && !same->over && strcmp(same->app, t->app) == 0
					? op_find_inst(op, same)
					: NULL;
			if (in) {
				runner_start(in, &op->by);
				any = true;
			}
		}
	}
	return any;
}

static bool pump_targets(struct op *op)
{
	bool any = false;
	for (size_t i = 0; i < op->ntargets; i++) {
		any |= pump_target(op, i);
	}
	return any;
}

void op_pump(struct op *op)
{
	if (op->pumping) {
		return;
	}
	op->pumping = true;
	bool any = pump_targets(op);
	if (op->kind == OP_APPLY && !any && passon_give_up(op)) {
		any = pump_targets(op);
	}
	any |= start_swapped(op);
	op->pumping = false;
	if (op->kind == OP_APPLY) {
		apply_settle(op);
	}
	opprogress_look(op);
	if (is_over(op)) {
		end_op(op);
		return;
	}
	if (op->unsaved && (op->kind == OP_RELOAD || op->kind == OP_APPLY)) {
		op->unsaved = false; /* a supervisor after us shall not try it again */
		store_save_ops(&op->ops->daemon->store);
	}
	if (any) {
		ops_wake(op->ops); /* an earlier one may have waited for it */
	}
}

void op_run(struct op *op, bool wait)
{
	op->wait = wait;
	opprogress_note_begin(op);
	if (op_changes(op)) {
		/* Before anything is done; asked for by somebody, with the wishes. */
		struct store *s = &op->ops->daemon->store;
		op->by.pid ? store_save(s) : store_save_ops(s);
	}
	if (!wait) {
		opreply_answer(op);
	}
	opprogress_begin(op);
	op_pump(op);
}

void ops_reload_one(struct ops *o, struct inst *in)
{
	struct asker nobody = {0};
	struct op *op = op_new(o, OP_RELOAD, NULL, NULL, NULL, &nobody);
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
	struct op *op = op_new(o, OP_RELOAD, NULL, NULL, NULL, &nobody);
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
				target_gone(op, t, in);
			}
		}
	}
	ops_wake(o);
}

void ops_on_conn_gone(struct ops *o, uint64_t serial)
{
	struct op *op, *next;
	opkeep_on_conn_gone(o, serial);
	list_for_each(op, next, &o->all, node)
	{
		if (!op_changes(op) && op->conn_serial == serial && !op->pumping) {
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
