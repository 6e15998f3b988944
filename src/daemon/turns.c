/* SPDX-License-Identifier: MIT */
#include "daemon/turns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "daemon/daemon.h"
#include "daemon/looptimer.h"
#include "daemon/ops_priv.h"
#include "daemon/rollout.h"
#include "daemon/runner.h"

static void on_look(struct ev_loop *loop, ev_timer *w, int revents);

void turns_init(struct turns *t, struct daemon *d)
{
	*t = (struct turns){.daemon = d, .stale = true};
	ev_init(&t->look, on_look);
}

void turns_finish(struct turns *t)
{
	order_finish(&t->order);
	free(t->apps);
	t->apps = NULL;
}

/* --- the graph --- */

static void list_apps(struct daemon *d, struct order_app **out, struct app ***apps, size_t *n)
{
	struct app *app, *next;
	size_t cap = 0;
	list_for_each(app, next, &d->apps, node)
	{
		cap++;
	}
	*out = xcalloc(cap + 1, sizeof(**out));
	*apps = xcalloc(cap + 1, sizeof(struct app *));
	*n = 0;
	list_for_each(app, next, &d->apps, node)
	{
		(*out)[*n] = (struct order_app){.name = app->conf.name, .after = &app->conf.after};
		(*apps)[(*n)++] = app;
	}
}

static const struct order *order_of(struct daemon *d)
{
	struct turns *t = &d->turns;
	if (t->stale) {
		struct order_app *list;
		size_t n;
		turns_finish(t);
		list_apps(d, &list, &t->apps, &n);
		for (size_t i = 0; i < n; i++) {
			t->apps[i]->number = i;
		}
		/* A definition that runs on while another file's would close a cycle: the link that
		 * does is passed over. */
		order_init(&t->order, list, n, NULL, NULL);
		free(list);
		t->stale = false;
	}
	return &t->order;
}

void turns_changed(struct daemon *d)
{
	d->turns.stale = true;
	turns_wake(d);
}

void turns_wake(struct daemon *d)
{
	struct turns *t = &d->turns;
	if (t->any_held || d->stopping) {
		looptimer_soon(d->loop, &t->look);
	}
}

/* --- may it start? --- */

/* How an instance or an app stands, the better first. */
enum stand { STAND_STOPPED, STAND_READY, STAND_COMING, STAND_TRIED_AGAIN, STAND_FAILED };

static enum stand stand_of_inst(const struct inst *in)
{
	const struct exit_status *st = &in->last_exit;
	switch (in->state) {
	case ST_ONLINE:
		return STAND_READY;
	case ST_DONE: /* a job that has done its work is what others wait for */
		return st->known && st->signal == 0 && st->code == 0 ? STAND_READY : STAND_FAILED;
	case ST_BACKOFF:
		return STAND_TRIED_AGAIN;
	case ST_FAILED:
		return STAND_FAILED;
	default:
		return in->held == HOLD_IN_VAIN ? STAND_FAILED
		       : in->held == HOLD_LATE	? STAND_TRIED_AGAIN
						: STAND_COMING;
	}
}

/* STAND_STOPPED if nothing of it is wanted. */
static enum stand stand_of(const struct app *app)
{
	enum stand worst = STAND_STOPPED;
	for (int i = 0; i < app->count && !app->deleting; i++) {
		const struct inst *in = app->slots[i];
		enum stand s = in->wanted ? stand_of_inst(in) : STAND_STOPPED;
		worst = s > worst ? s : worst;
	}
	return worst;
}

/* The app that is most in the way; NULL if there is none. */
static const struct app *obstacle(struct app *app, enum stand *how)
{
	const struct order *o = order_of(app->daemon);
	const struct order_links *l = &o->after[app->number];
	const struct app *found = NULL;
	*how = STAND_READY;
	for (size_t i = 0; i < l->n; i++) {
		const struct app *other = app->daemon->turns.apps[l->v[i]];
		enum stand s = stand_of(other);
		if (s > *how) {
			found = other;
			*how = s;
		}
	}
	return found;
}

char *turns_passed_over(struct app *app)
{
	const struct words *after = &app->conf.after;
	struct buf names = {0};
	size_t n = 0;
	for (size_t i = 0; i < after->n; i++) {
		const struct app *other = apps_find(app->daemon, after->v[i]);
		if (!other || stand_of(other) == STAND_STOPPED) {
			buf_addf(&names, "%s%s", n++ ? ", " : "", after->v[i]);
		}
	}
	char *text = NULL;
	if (n) {
		text = xasprintf("%.200s %s stopped; not waited for", names.data,
				 n == 1 ? "is" : "are");
	}
	buf_finish(&names);
	return text;
}

static void tell(const struct inst *in, const char *text)
{
	events_add(&in->app->daemon->events, in->app->conf.name, in->slot, "start", NULL, "%s",
		   text);
}

static void tell_passed_over(struct inst *in)
{
	char *text = turns_passed_over(in->app);
	if (text) {
		tell(in, text);
	}
	free(text);
}

static void note_wait(struct inst *in, const struct app *other, enum hold hold)
{
	static const char *const more[] = {
		[HOLD_WAITS] = "",
		[HOLD_LATE] = ", which failed and is tried again",
		[HOLD_IN_VAIN] = ", which failed",
	};
	char text[128];
	snprintf(text, sizeof(text), "waits for %s%s", other->conf.name, more[hold]);
	if (in->held == HOLD_NO) {
		tell(in, text); /* once: how the other one fares is in its own story */
	}
	runner_note(in, text);
	in->held = hold;
	if (hold == HOLD_IN_VAIN) {
		exitpolicy_wake(in->app->daemon);
	}
	if (hold != HOLD_WAITS) {
		snprintf(in->start_error, sizeof(in->start_error),
			 "%s did not become ready; started by itself once it is", other->conf.name);
	}
}

bool turns_hold(struct inst *in)
{
	enum stand how;
	struct daemon *d = in->app->daemon;
	if (in->role != ROLE_SLOT || in->app->conf.after.n == 0 || d->stopping) {
		return false;
	}
	const struct app *other = obstacle(in->app, &how);
	if (!other) {
		tell_passed_over(in);
		return false;
	}
	/* Whether the other has failed is told by the loop: the same command may be about to start
	 * the other. */
	note_wait(in, other, HOLD_WAITS);
	d->turns.any_held = true;
	turns_wake(d);
	return true;
}

void turns_drop(struct inst *in)
{
	struct daemon *d = in->app->daemon;
	if (in->held != HOLD_NO) {
		in->held = HOLD_NO;
		runner_note(in, NULL);
		ops_on_state(&d->ops, in);
	}
	turns_wake(d);
}

static void go_on(struct inst *in)
{
	in->held = HOLD_NO;
	runner_note(in, NULL);
	tell_passed_over(in);
	runner_event(in, EV_START);
}

/* True if an instance of it is still held. */
static bool look_at(struct app *app)
{
	enum stand how = STAND_COMING;
	const struct app *other = NULL;
	bool any = false;
	for (int i = 0; i < app->count; i++) {
		struct inst *in = app->slots[i];
		bool first = in->held != HOLD_NO && !any;
		any |= in->held != HOLD_NO;
		other = first ? obstacle(app, &how) : other;
		if (in->held == HOLD_NO || !in->wanted || in->state != ST_STOPPED) {
			continue;
		}
		if (!other) {
			go_on(in);
			continue;
		}
		note_wait(in, other,
			  how == STAND_FAILED	     ? HOLD_IN_VAIN
			  : how == STAND_TRIED_AGAIN ? HOLD_LATE
						     : HOLD_WAITS);
		ops_on_state(&app->daemon->ops, in);
	}
	return any;
}

/* In the order of starting: one that waits in vain makes others do so. */
static void look_at_held(struct daemon *d)
{
	const struct order *o = order_of(d);
	struct turns *t = &d->turns;
	t->any_held = false;
	for (size_t i = 0; i < o->n; i++) {
		struct app *app = t->apps[o->sorted[i]];
		t->any_held |= app->conf.after.n && look_at(app);
	}
}

static void on_look(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	struct daemon *d = container_of(w, struct turns, look)->daemon;
	if (!d->stopping) {
		look_at_held(d);
	} else if (!d->leave_running) {
		turns_stop(d, false);
	}
}

/* --- may it be stopped, or replaced? --- */

struct looking {
	const struct turns *turns;
	const struct op *op;
};

bool turns_is_unfinished(const struct op *op, const struct app *app)
{
	bool more = !list_empty(&app->others);
	for (size_t i = 0; i < op->ntargets; i++) {
		const struct target *t = &op->target[i];
		if ((!t->over || more) && strcmp(t->app, app->conf.name) == 0) {
			return true;
		}
	}
	return false;
}

static bool is_unfinished(void *ctx, size_t number)
{
	const struct looking *l = ctx;
	return turns_is_unfinished(l->op, l->turns->apps[number]);
}

bool turns_must_wait(const struct op *op, int kind, const struct inst *in)
{
	struct daemon *d = op->ops->daemon;
	const struct order *o = order_of(d);
	struct looking l = {.turns = &d->turns, .op = op};
	switch ((enum op_kind)kind) {
	case OP_STOP:
	case OP_DELETE:
		/* What does not run must not be started by a timer meanwhile. */
		return states_is_live(in->state) &&
		       order_any(o, o->before, in->app->number, is_unfinished, &l);
	case OP_RESTART:
	case OP_RELOAD:
	case OP_SWAP:
		return order_any(o, o->after, in->app->number, is_unfinished, &l);
	default:
		return false; /* instances are held, not the operation */
	}
}

static bool is_live(void *ctx, size_t number)
{
	const struct turns *t = ctx;
	return apps_count_live(t->apps[number]) > 0;
}

/* Not runner_stop(): what is wanted stays wanted, for the next start. */
static void stop_app(struct app *app)
{
	for (int i = 0; i < app->nslots; i++) {
		rollout_call_off(app->slots[i]);
		runner_event(app->slots[i], EV_STOP);
	}
}

void turns_stop(struct daemon *d, bool at_once)
{
	const struct order *o = order_of(d);
	for (size_t i = 0; i < o->n; i++) {
		if (at_once || !order_any(o, o->before, i, is_live, &d->turns)) {
			stop_app(d->turns.apps[i]);
		}
	}
}

bool turns_check(struct daemon *d, struct app_def *const *defs, size_t n, struct err *err)
{
	struct order_app *known;
	struct app **apps;
	struct err_list errs = {0};
	size_t nknown, kept = 0;
	list_apps(d, &known, &apps, &nknown);
	for (size_t i = 0; i < nknown; i++) {
		if (!apps[i]->deleting) {
			known[kept++] = known[i];
		}
	}
	bool ok = order_check(defs, n, known, kept, &errs);
	if (!ok) {
		err_set(err, ERR_CONFIG, "%s", errs.count ? errs.msg[0] : "after: not valid");
	}
	err_list_finish(&errs);
	free(known);
	free(apps);
	return ok;
}
