/* SPDX-License-Identifier: MIT */
#include "daemon/rollout.h"

#include "common/clock.h"
#include "common/mem.h"
#include "daemon/daemon.h"
#include "daemon/looptimer.h"
#include "daemon/readiness.h"
#include "daemon/runner.h"
#include "daemon/treekill.h"

bool rollout_is_busy(const struct inst *in)
{
	struct inst *other, *next;
	list_for_each(other, next, &in->app->others, other_node)
	{
		if (other->slot == in->slot) {
			return true;
		}
	}
	return false;
}

bool rollout_can(const struct inst *in)
{
	return in->state == ST_ONLINE && in->role == ROLE_SLOT && !in->leaving && !in->stranded &&
	       !rollout_is_busy(in);
}

static struct inst *add_other(struct app *app, int slot, uint64_t id, enum inst_role role)
{
	struct inst *in = inst_new(app, slot, id);
	in->role = role;
	list_add(&app->others, &in->other_node);
	return in;
}

/* Both have the same PMCTL_ID: whose orphan is whose is told by age. */
static void tell_apart(struct inst *old, const struct inst *young)
{
	tree_set_rival(&old->tree, young->pid, young->starttime);
}

void rollout_begin(struct inst *in, const struct asker *by)
{
	struct inst *trial = add_other(in->app, in->slot, in->id, ROLE_TRIAL);
	/* Descriptors and control groups are named by id and run: no number is used twice. */
	trial->run = in->run > in->last_run ? in->run : in->last_run;
	in->last_run = trial->run + 1;
	trial->twin = in;
	in->twin = trial;
	events_add(&in->app->daemon->events, in->app->conf.name, in->slot, "reload", by,
		   "replacing pid %d", (int)in->pid);
	runner_start(trial, by);
	tell_apart(in, trial);
}

/* The counters are of the slot, not of the process. */
static void inherit(struct inst *young, struct inst *old)
{
	struct history h = young->history;
	young->history = old->history;
	old->history = h;
	young->restarts = old->restarts;
	young->has_exited = old->has_exited;
	young->last_exit = old->last_exit;
	young->last_exit_real_ms = old->last_exit_real_ms;
	young->last_exit_asked = old->last_exit_asked;
	young->last_run = old->last_run;
	young->past = old->past;
	old->past = NULL;
	young->tally = old->tally;
	old->tally = NULL;
}

void rollout_take(struct inst *young)
{
	struct inst *old = young->twin;
	struct app *app = old->app;
	struct store *store = &app->daemon->store;
	list_remove(&young->other_node);
	list_add(&app->others, &old->other_node);
	old->role = ROLE_RETIRED;
	young->role = ROLE_SLOT;
	old->twin = young->twin = NULL;
	inherit(young, old);
	sampler_started(young);
	app->slots[old->slot] = young;
	store_inst(store, old); /* first: never two for one slot */
	store_inst(store, young);
	events_add(&app->daemon->events, app->conf.name, young->slot, "reload", NULL,
		   "pid %d takes over from pid %d", (int)young->pid, (int)old->pid);
	old->wanted = false;
	runner_event(old, EV_STOP);
	if (!states_is_live(old->state)) {
		ops_on_state(&app->daemon->ops, old); /* it had nothing to stop */
	}
	apps_collect(old);
}

void rollout_look_later(struct inst *trial)
{
	int64_t left = trial->proven_mono_ms - clock_mono_ms();
	looptimer_arm(trial->app->daemon->loop, &trial->trial_timer,
		      (double)(left > 0 ? left : 0) / 1000. + 0.001);
}

void rollout_on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	struct inst *trial = container_of(w, struct inst, trial_timer);
	if (trial->role == ROLE_TRIAL && trial->state == ST_ONLINE) {
		ev_now_update(loop);
		ops_on_state(&trial->app->daemon->ops, trial);
	}
}

void rollout_call_off(struct inst *in)
{
	if (in->twin && in->role == ROLE_SLOT) {
		in->twin->overruled = in->overruled;
		in->twin->overruler = in->overruler;
		in->twin->wanted = false;
		runner_event(in->twin, EV_STOP);
	}
}

void rollout_restored(struct app *app)
{
	struct inst *other, *next;
	list_for_each(other, next, &app->others, other_node)
	{
		struct inst *slot = app->slots[other->slot];
		slot->last_run = slot->last_run > other->run ? slot->last_run : other->run;
		if (!slot->pid || !other->pid) {
			continue;
		}
		bool slot_is_older = slot->run < other->run;
		struct inst *old = slot_is_older ? slot : other;
		struct inst *young = slot_is_older ? other : slot;
		tell_apart(old, young);
		tree_set_elder(&young->tree, old->pid);
	}
}

struct inst *rollout_restore(struct app *app, int slot, uint64_t id)
{
	return add_other(app, slot, id, ROLE_RETIRED);
}

bool rollout_go_on(struct inst *other)
{
	struct inst *slot = other->app->slots[other->slot];
	bool ready = other->state == ST_ONLINE;
	if (!other->pid || other->run <= slot->run || slot->twin || slot->state != ST_ONLINE ||
	    (!ready && other->state != ST_STARTING) ||
	    !ops_reloads(&other->app->daemon->ops, slot)) {
		return false;
	}
	other->role = ROLE_TRIAL;
	other->twin = slot;
	slot->twin = other;
	other->wanted = true;
	if (ready) { /* all of it: how well it was while nobody looked is not known */
		other->proven_mono_ms = clock_mono_ms() + other->app->conf.min_uptime_ms;
	} else {
		readiness_begin(other);
	}
	return true;
}

static void free_other(struct inst *in)
{
	struct app *app = in->app;
	int slot = in->slot;
	list_remove(&in->other_node);
	if (in->twin) {
		tree_set_rival(&in->twin->tree, 0, 0);
		in->twin->twin = NULL;
	}
	store_inst_gone(&app->daemon->store, in);
	inst_free(in);
	if (slot < app->nslots) {
		/* Another reload may wait for the slot, a stop for its last process. */
		ops_on_state(&app->daemon->ops, app->slots[slot]);
	}
	ops_wake(&app->daemon->ops);
}

void rollout_collect(struct app *app)
{
	struct inst *in, *next;
	list_for_each(in, next, &app->others, other_node)
	{
		if (!states_is_live(in->state) && in->state != ST_BACKOFF) {
			free_other(in);
		}
	}
}

void rollout_free_all(struct app *app)
{
	struct inst *in, *next;
	list_for_each(in, next, &app->others, other_node)
	{
		list_remove(&in->other_node);
		inst_free(in);
	}
}
