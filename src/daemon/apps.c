/* SPDX-License-Identifier: MIT */
#include "daemon/apps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/select.h"
#include "common/clock.h"
#include "common/limits.h"
#include "common/mem.h"
#include "common/suggest.h"
#include "config/diff.h"
#include "daemon/cluster.h"
#include "daemon/daemon.h"
#include "daemon/listen.h"
#include "daemon/looptimer.h"
#include "daemon/redefine.h"
#include "daemon/resume.h"
#include "daemon/revisions.h"
#include "daemon/rollout.h"
#include "daemon/runner.h"
#include "daemon/watch.h"
#include "daemon/workers.h"

struct app *apps_find(struct daemon *d, const char *name)
{
	struct app *app, *next;
	list_for_each(app, next, &d->apps, node)
	{
		if (strcmp(app->conf.name, name) == 0) {
			return app;
		}
	}
	return NULL;
}

bool apps_resolve_user(struct app *app, struct err *err)
{
	return app->user.name || users_resolve(app->conf.user, app->conf.group, &app->user, err);
}

static void free_app(struct app *app)
{
	turns_changed(app->daemon);
	watch_end(app);
	rollout_free_all(app);
	for (int i = 0; i < app->nslots; i++) {
		inst_free(app->slots[i]);
	}
	free(app->slots);
	list_remove(&app->node);
	cluster_free(app->cluster);
	tally_forget_app(app);
	users_finish(&app->user);
	conf_finish(&app->conf);
	def_free(app->def);
	def_free(app->previous.def);
	free(app);
}

struct app *apps_add(struct daemon *d, struct app_def *def, const struct asker *by, struct err *err)
{
	struct app_conf conf = {0};
	if (!redefine_decode(&conf, def, err)) {
		conf_finish(&conf);
		def_free(def);
		return NULL;
	}
	struct app *app = xcalloc(1, sizeof(*app));
	app->daemon = d;
	list_init(&app->others);
	list_add(&d->apps, &app->node);
	redefine_set(app, def, &conf, by);
	if (!redefine_may_be_user(app, err)) {
		free_app(app);
		return NULL;
	}
	apps_resize(app, redefine_count(&app->conf));
	return app;
}

bool apps_differs(const struct app *app, const struct app_def *def)
{
	struct diff diff = {0};
	if (def_same(app->def, def)) {
		return false;
	}
	diff_defs(&diff, app->def, def);
	bool differs = diff.n > 0;
	diff_finish(&diff);
	return differs;
}

static void add_slots(struct app *app, int count)
{
	struct daemon *d = app->daemon;
	if (count > app->nslots) {
		app->slots = xreallocarray(app->slots, (size_t)count, sizeof(struct inst *));
	}
	for (int slot = app->nslots; slot < count; slot++) {
		app->slots[slot] =
			inst_new(app, slot, store_id_for(&d->store, app->conf.name, slot));
		app->nslots++;
		if (!d->store.resuming && !resume_left(app->slots[slot])) {
			store_inst(&d->store, app->slots[slot]);
		}
	}
}

void apps_resize(struct app *app, int count)
{
	add_slots(app, count);
	app->count = count;
	for (int slot = 0; slot < count; slot++) {
		app->slots[slot]->leaving = false;
	}
	for (int slot = app->nslots - 1; slot >= count; slot--) {
		struct inst *in = app->slots[slot];
		in->leaving = true;
		runner_stop(in, NULL);
		apps_collect(in);
	}
}

void apps_restore_leaving(struct app *app, int slot)
{
	int first = app->nslots;
	if (slot < LIMIT_INSTANCES_APP) {
		add_slots(app, slot + 1);
	}
	for (int i = first; i < app->nslots; i++) {
		app->slots[i]->leaving = true;
	}
}

void apps_undelete(struct app *app)
{
	if (app->deleting) {
		app->deleting = app->scaled = false;
		apps_resize(app, redefine_count(&app->conf)); /* some may be gone already */
	}
}

bool apps_any_wanted(const struct app *app)
{
	for (int i = 0; i < app->count; i++) {
		if (app->slots[i]->wanted) {
			return true;
		}
	}
	return false;
}

bool apps_any_live(const struct app *app)
{
	if (!list_empty(&app->others)) {
		return true;
	}
	for (int i = 0; i < app->nslots; i++) {
		if (states_is_live(app->slots[i]->state)) {
			return true;
		}
	}
	return false;
}

int apps_count_live(const struct app *app)
{
	struct inst *in, *next;
	int n = 0;
	for (int i = 0; i < app->nslots; i++) {
		n += states_is_live(app->slots[i]->state);
	}
	list_for_each(in, next, &app->others, other_node)
	{
		n += states_is_live(in->state);
	}
	return n;
}

/* Whether nothing of the slot runs or will run by itself. */
static bool is_at_rest(const struct inst *in)
{
	return !states_is_live(in->state) && in->state != ST_BACKOFF && !rollout_is_busy(in);
}

/* Ports are given back. */
static void release_sockets(struct app *app)
{
	bool idle = true;
	for (int i = 0; i < app->nslots; i++) {
		if (is_at_rest(app->slots[i])) {
			listen_close(app->slots[i]);
			workers_release_slot(app->slots[i]);
		} else {
			idle = false;
		}
	}
	if (idle) {
		workers_idle(app);
	}
}

/* The last one of its project: what the app list wanted for itself is not wanted any more. */
static void forget_list_of(const struct app *app)
{
	struct daemon *d = app->daemon;
	const char *project = app->conf.project;
	const struct app *other, *next;
	list_for_each(other, next, &d->apps, node)
	{
		if (other != app && strcmp(other->conf.project, project) == 0) {
			return;
		}
	}
	exporter_forget(&d->exporter, project);
	applists_forget(&d->lists, project);
}

void apps_on_collect(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	struct daemon *d = container_of(w, struct daemon, collect);
	struct app *app, *next;
	list_for_each(app, next, &d->apps, node)
	{
		rollout_collect(app);
		watch_update(app);
		release_sockets(app);
		while (app->nslots > (app->deleting ? 0 : app->count)) {
			struct inst *in = app->slots[app->nslots - 1];
			if (states_is_live(in->state) || rollout_is_busy(in)) {
				break;
			}
			store_inst_gone(&d->store, in);
			inst_free(in);
			app->nslots--;
			/* Also while it is deleted: whoever counts to `count` finds an instance. */
			app->count = app->count < app->nslots ? app->count : app->nslots;
		}
		if (app->deleting && app->nslots == 0 && list_empty(&app->others)) {
			revisions_forget(app);
			events_add(&d->events, app->conf.name, -1, "delete", &app->deleter,
				   "deleted");
			forget_list_of(app);
			free_app(app);
			store_save(&d->store);
			ops_wake(&d->ops); /* an apply may wait for what it gave up */
		}
	}
}

/* From the loop, not here: whoever calls still holds the instance. */
void apps_collect(struct inst *in)
{
	struct daemon *d = in->app->daemon;
	looptimer_soon(d->loop, &d->collect);
}

void apps_free_all(struct daemon *d)
{
	struct app *app, *next;
	list_for_each(app, next, &d->apps, node)
	{
		free_app(app);
	}
}

/* --- selecting --- */

static bool match_any(struct daemon *d, const struct selector *sel)
{
	struct app *app, *next;
	list_for_each(app, next, &d->apps, node)
	{
		for (int i = 0; i < app->nslots; i++) {
			struct select_target t = {.app = app->conf.name,
						  .ns = app->conf.namespace_,
						  .slot = i,
						  .id = app->slots[i]->id};
			if (selector_matches(sel, &t)) {
				return true;
			}
		}
	}
	return false;
}

static bool nothing_matches(struct daemon *d, const char *text, struct err *err)
{
	struct suggest s;
	struct app *app, *next;
	char guess[200];
	struct buf safe = {0};
	suggest_init(&s, text[0] == '@' ? text + 1 : text);
	list_for_each(app, next, &d->apps, node)
	{
		if (text[0] != '@') {
			suggest_offer(&s, app->conf.name);
		} else if (app->conf.namespace_) {
			suggest_offer(&s, app->conf.namespace_);
		}
	}
	suggest_text(&s, guess, sizeof(guess));
	buf_add_escaped(&safe, text, strnlen(text, 80), 0);
	err_set(err, ERR_NO_TARGET,
		"no app, instance, namespace or id \"%s\"%s%s Nothing was done.",
		safe.data ? safe.data : "", guess, guess[0] ? "" : ".");
	buf_finish(&safe);
	return false;
}

/* In web:0,9 each of them must be there. */
static bool match_each(struct daemon *d, const struct selector *sel)
{
	struct selector one = *sel;
	bool ok = sel->nranges > 0 || match_any(d, sel);
	for (int i = 0; ok && i < sel->nranges; i++) {
		one.nranges = 1;
		one.range[0] = sel->range[i];
		ok = match_any(d, &one);
	}
	return ok;
}

static bool resolve(struct daemon *d, const char *const *text, size_t n, struct selector *sel,
		    struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		if (!selector_parse(&sel[i], text[i], err)) {
			return false;
		}
		if (sel[i].kind != SEL_ALL && !match_each(d, &sel[i])) {
			return nothing_matches(d, text[i], err);
		}
	}
	return true;
}

bool apps_select(struct daemon *d, const char *const *text, size_t n,
		 void (*fn)(void *ctx, struct inst *in), void *ctx, struct err *err)
{
	struct selector *sel = xcalloc(n, sizeof(*sel));
	struct app *app, *next;
	bool ok = resolve(d, text, n, sel, err);
	if (ok) {
		list_for_each(app, next, &d->apps, node)
		{
			for (int i = 0; i < app->nslots; i++) {
				struct inst *in = app->slots[i];
				struct select_target t = {.app = app->conf.name,
							  .ns = app->conf.namespace_,
							  .slot = in->slot,
							  .id = in->id};
				bool hit = n == 0;
				for (size_t k = 0; k < n && !hit; k++) {
					hit = selector_matches(&sel[k], &t);
				}
				if (hit) {
					fn(ctx, in);
				}
			}
		}
	}
	free(sel);
	return ok;
}
