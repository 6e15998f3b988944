/* SPDX-License-Identifier: MIT */
#include "daemon/apply.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/units.h"
#include "daemon/daemon.h"
#include "daemon/ops_priv.h"
#include "daemon/redefine.h"
#include "daemon/revisions.h"
#include "daemon/runner.h"

bool apply_may_begin(struct daemon *d, const struct plan *p, struct err *err)
{
	const struct op *op, *next;
	list_for_each(op, next, &d->ops.all, node)
	{
		if (op->kind == OP_APPLY && !op->by.pid) {
			return err_set(err, ERR_BUSY, "an apply is being taken back");
		}
		if (op->kind == OP_APPLY) {
			return err_set(err, ERR_BUSY, "another apply is under way (uid %u, pid %d)",
				       (unsigned)op->by.uid, (int)op->by.pid);
		}
	}
	for (size_t i = 0; i < p->n; i++) {
		const struct plan_item *it = &p->v[i];
		if (it->action != PLAN_SAME && it->action != PLAN_LEFT && it->app &&
		    ops_is_reloading(&d->ops, it->app)) {
			return err_set(err, ERR_BUSY, "%s is being reloaded", it->app->conf.name);
		}
	}
	return true;
}

/* --- one app --- */

static void add_new(struct plan_item *it, struct op *op)
{
	struct daemon *d = op->ops->daemon;
	struct err err;
	const char *file = it->def->file ? it->def->file : "the command line";
	char *name = xstrdup(it->def->name);
	events_add(&d->events, name, -1, "config", &op->by, "new, by %.200s", file);
	if (it->app) {
		struct app *app = it->app;
		bool ok = redefine_app(app, it->def, &op->by, NULL, &err);
		it->def = NULL;
		apps_undelete(app);
		it->app = ok ? app : NULL;
	} else {
		it->app = apps_add(d, it->def, &op->by, &err);
		it->def = NULL;
	}
	if (!it->app) {
		op_failed(op, name, err.msg);
	}
	for (int i = 0; it->app && i < it->app->count; i++) {
		struct inst *in = it->app->slots[i];
		if (it->app->conf.autostart) {
			in->wanted = true;
			op_add_kind(op, in, OP_START);
		} else {
			op_note(op, in, "added (autostart = no)");
		}
	}
	free(name);
}

static void remove_app(struct plan_item *it, struct op *op)
{
	it->app->deleting = true;
	it->app->deleter = op->by;
	for (int i = 0; i < it->app->nslots; i++) {
		struct inst *in = it->app->slots[i];
		in->wanted = false;
		store_inst(&op->ops->daemon->store, in);
		op_add_kind(op, in, OP_DELETE);
	}
}

static enum op_kind kind_of(enum plan_way way)
{
	static const enum op_kind kinds[] = {[WAY_NONE] = OP_START,
					     [WAY_RELOAD] = OP_RELOAD,
					     [WAY_RESTART] = OP_RESTART,
					     [WAY_SWAP] = OP_SWAP,
					     [WAY_START] = OP_START};
	return kinds[way];
}

/* One that was there before and stays. */
static void change_inst(const struct plan_item *it, struct inst *in, struct op *op)
{
	if (!in->wanted) {
		op_note(op, in, "changed; it stays stopped");
	} else if (plan_starts(in, it->diff.effect)) {
		op_add_kind(op, in, OP_START);
	} else if (!states_is_live(in->state)) {
		op_note(op, in, "changed; its work is done");
	} else if (it->way == WAY_NONE) {
		op_note(op, in, "changed, not restarted");
	} else {
		op_add_kind(op, in, kind_of(it->way));
	}
}

/* It stays as it is now. */
static void confirm(struct app *app)
{
	struct previous *p = &app->previous;
	revisions_push(app, p->def, p->applied_real_ms, &p->applied_by);
	def_free(p->def);
	*p = (struct previous){0};
}

static void change_app(struct plan_item *it, struct op *op)
{
	struct app *app = it->app;
	struct err err;
	struct previous previous = {.applied_real_ms = app->applied_real_ms,
				    .applied_by = app->applied_by,
				    .scaled = app->scaled ? app->count : 0};
	bool run = apps_any_wanted(app);
	int before = app->count;
	for (int i = it->count; i < before; i++) {
		op_add_kind(op, app->slots[i], OP_DELETE);
		runner_overrule(app->slots[i], "scaled away", &op->by);
	}
	bool ok = redefine_app(app, it->def, &op->by, &previous.def, &err);
	it->def = NULL;
	if (!ok) {
		op_failed(op, app->conf.name, err.msg);
		return;
	}
	for (int i = 0; i < app->count; i++) {
		struct inst *in = app->slots[i];
		if (i < before) {
			change_inst(it, in, op);
		} else if (run) {
			in->wanted = true;
			op_add_kind(op, in, OP_START);
		} else {
			op_note(op, in, "added, stopped as the others");
		}
	}
	bool rolls = it->way == WAY_RELOAD || it->way == WAY_RESTART || it->way == WAY_SWAP;
	def_free(app->previous.def);
	app->previous = previous;
	if (!rolls) {
		confirm(app);
	}
}

void apply_plan(struct plan *p, struct op *op)
{
	for (size_t i = 0; i < p->n; i++) {
		if (p->v[i].action == PLAN_REMOVE) { /* first: ops.c lets the others wait for it */
			remove_app(&p->v[i], op);
		}
	}
	for (size_t i = 0; i < p->n; i++) {
		struct plan_item *it = &p->v[i];
		switch (it->action) {
		case PLAN_SAME:
			if (it->moved) {
				redefine_lines(it->app, it->def);
				it->def = NULL;
			}
			break;
		case PLAN_NEW:
			add_new(it, op);
			break;
		case PLAN_CHANGE:
			change_app(it, op);
			break;
		case PLAN_REMOVE:
		case PLAN_LEFT:
			break;
		}
	}
}

/* --- what came of it --- */

/* How one app has come through. */
struct outcome {
	size_t total, fresh;
	bool under_way;
	const struct target *failed; /* the first one; NULL = none */
	bool left;		     /* cancelled before all had their turn */
};

static bool replaces(const struct target *t)
{
	return t->kind == OP_RELOAD || t->kind == OP_RESTART || t->kind == OP_SWAP;
}

static struct outcome outcome_of(const struct op *op, const char *app)
{
	struct outcome o = {0};
	for (size_t i = 0; i < op->ntargets; i++) {
		const struct target *t = &op->target[i];
		if (strcmp(t->app, app) != 0 || t->kind == OP_DELETE) {
			continue;
		}
		o.total++;
		o.under_way |= !t->over;
		o.left |= target_is_left(t);
		o.fresh += t->over && t->ok && !target_is_left(t);
		if (t->over && !t->ok && !t->overruled && !o.failed) {
			o.failed = t;
		}
	}
	return o;
}

static void succeed(struct op *op, struct app *app, const struct outcome *o)
{
	char age[24];
	confirm(app);
	units_format_age(clock_mono_ms() - op->began_mono_ms, age, sizeof(age));
	events_add(&op->ops->daemon->events, app->conf.name, -1, "applied", &op->by,
		   "%zu of %zu new in %s", o->fresh, o->total, age);
}

/* What runs by the definition that failed goes back to the one before it. */
static void put_inst_back(struct op *back, struct target *t, struct inst *in)
{
	t->reverted = true;
	bool fresh = in->run != t->run || !states_is_live(in->state);
	if (replaces(t) && fresh && in->wanted) {
		bool same = states_is_live(in->state) || t->kind == OP_SWAP;
		op_add_kind(back, in, same ? t->kind : OP_RESTART);
	}
}

/* What was scaled away is there again, as another instance if it had gone already. */
static void grow_back(struct op *back, struct target *t, const struct app *app)
{
	if (t->slot >= app->count) {
		return;
	}
	struct inst *in = app->slots[t->slot];
	t->begun = t->over = t->ok = true;
	t->done = t->wanted ? "started again" : "kept, stopped";
	if (t->wanted) {
		in->wanted = true;
		op_add_kind(back, in, OP_START);
	}
}

static void put_back(struct op *op, struct app *app)
{
	struct asker nobody = {0};
	struct op *back = op_new(op->ops, OP_APPLY, NULL, NULL, NULL, &nobody);
	for (size_t i = 0; i < op->ntargets; i++) {
		struct target *t = &op->target[i];
		struct inst *in = op_find_inst(op, t);
		if (strcmp(t->app, app->conf.name) != 0) {
			continue;
		}
		if (t->kind == OP_DELETE) {
			grow_back(back, t, app);
		} else if (in && !in->leaving) {
			put_inst_back(back, t, in);
		}
	}
	op_run(back, false);
}

static void revert(struct op *op, struct app *app, const struct outcome *o)
{
	struct err err;
	const struct target *t = o->failed;
	applists_doubt(&op->ops->daemon->lists, app);
	/* client/story.c knows these words. */
	if (t) {
		events_add(&op->ops->daemon->events, app->conf.name, -1, "apply", NULL,
			   "taken back: %s:%d %.160s", app->conf.name, t->slot,
			   t->reason ? t->reason : t->done);
	} else {
		events_add(&op->ops->daemon->events, app->conf.name, -1, "apply", NULL,
			   "taken back: it was cancelled");
	}
	if (redefine_back(app, &err)) {
		put_back(op, app);
	} else {
		events_add(&op->ops->daemon->events, app->conf.name, -1, "failed", NULL,
			   "not taken back: %.200s", err.msg);
	}
	op->unsaved = true;
}

void apply_settle(struct op *op)
{
	struct daemon *d = op->ops->daemon;
	struct app *app, *next;
	bool any = false;
	list_for_each(app, next, &d->apps, node)
	{
		if (!app->previous.def) {
			continue;
		}
		struct outcome o = outcome_of(op, app->conf.name);
		if (o.under_way || !o.total) {
			continue;
		}
		any = true;
		if (o.failed || o.left) {
			revert(op, app, &o);
		} else {
			succeed(op, app, &o);
		}
	}
	if (any) {
		store_save(&d->store);
	}
}

void apply_forget_lost(struct daemon *d)
{
	struct app *app, *next;
	const struct op *op, *after;
	bool going_on = false, any = false;
	list_for_each(op, after, &d->ops.all, node)
	{
		going_on |= op->kind == OP_APPLY;
	}
	list_for_each(app, next, &d->apps, node)
	{
		if (!going_on && app->previous.def) {
			confirm(app);
			any = true;
		}
	}
	if (any) {
		store_save(&d->store);
	}
}
