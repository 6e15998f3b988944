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
#include "daemon/rollout.h"
#include "daemon/runner.h"
#include "daemon/watch.h"
#include "daemon/workers.h"
#include "sys/cpus.h"

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

/* All of the errors in one message; the client has checked before, so there are few. */
static bool decode(struct app_conf *conf, const struct app_def *def, struct err *err)
{
	struct err_list errs = {0};
	bool ok = conf_decode(conf, def, &errs);
	if (!ok) {
		err_set(err, ERR_CONFIG, "%s",
			errs.count ? errs.msg[0] : "the definition is not valid");
		for (size_t i = 1; i < errs.count; i++) {
			size_t len = strlen(err->msg);
			snprintf(err->msg + len, sizeof(err->msg) - len, "\n%s", errs.msg[i]);
		}
	}
	err_list_finish(&errs);
	return ok;
}

/* Only root may run apps as somebody else; that is an error of the definition. */
static bool may_be_user(const struct app *app, struct err *err)
{
	if (app->user.name && geteuid() != 0 &&
	    (app->user.uid != geteuid() || app->user.gid != getegid())) {
		return err_set(err, ERR_PERMISSION,
			       "%s: only a pmctld of root can run apps as another user or group",
			       app->conf.name);
	}
	return true;
}

bool apps_resolve_user(struct app *app, struct err *err)
{
	return app->user.name || users_resolve(app->conf.user, app->conf.group, &app->user, err);
}

/* Counting CPUs reads half a dozen files: only where the number depends on it. */
static int wanted_count(const struct app_conf *c)
{
	return conf_instances(c, c->instances.kind == COUNT_NUMBER ? 1 : (int)cpus_usable());
}

static void close_sockets(struct app *app)
{
	for (int i = 0; i < app->nslots; i++) {
		listen_close(app->slots[i]);
	}
}

static void set_definition(struct app *app, struct app_def *def, struct app_conf *conf,
			   const struct asker *by)
{
	struct err ignored;
	watch_end(app);
	close_sockets(app);
	cluster_free(app->cluster);
	app->cluster = NULL;
	conf_finish(&app->conf);
	def_free(app->def);
	app->def = def;
	app->conf = *conf;
	users_finish(&app->user);
	apps_resolve_user(app, &ignored); /* else at each start: it may come to exist */
	app->applied_real_ms = clock_real_ms();
	app->applied_by = *by;
	app->listened = app->told_shared = false;
	turns_changed(app->daemon);
	if (conf->mode == MODE_CLUSTER) {
		app->cluster = workers_new_cluster(app);
	}
	schedule_changed(app);
	watch_update(app);
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
	users_finish(&app->user);
	conf_finish(&app->conf);
	def_free(app->def);
	free(app);
}

struct app *apps_add(struct daemon *d, struct app_def *def, const struct asker *by, struct err *err)
{
	struct app_conf conf = {0};
	if (!decode(&conf, def, err)) {
		conf_finish(&conf);
		def_free(def);
		return NULL;
	}
	struct app *app = xcalloc(1, sizeof(*app));
	app->daemon = d;
	list_init(&app->others);
	list_add(&d->apps, &app->node);
	set_definition(app, def, &conf, by);
	if (!may_be_user(app, err)) {
		free_app(app);
		return NULL;
	}
	apps_resize(app, wanted_count(&app->conf));
	return app;
}

bool apps_redefine(struct app *app, struct app_def *def, const struct asker *by, struct err *err)
{
	struct app_conf conf = {0};
	if (!decode(&conf, def, err)) {
		conf_finish(&conf);
		def_free(def);
		return false;
	}
	set_definition(app, def, &conf, by);
	if (!may_be_user(app, err)) {
		return false;
	}
	app->scaled = false;
	apps_resize(app, wanted_count(&app->conf));
	for (int i = 0; i < app->nslots; i++) {
		history_finish(&app->slots[i]->history);
		history_init(&app->slots[i]->history, app->conf.max_restarts);
	}
	return true;
}

bool apps_differs(const struct app *app, const struct app_def *def)
{
	struct diff diff = {0};
	diff_defs(&diff, app->def, def);
	bool differs = diff.n > 0;
	diff_finish(&diff);
	return differs;
}

void apps_resize(struct app *app, int count)
{
	struct daemon *d = app->daemon;
	if (count > app->nslots) {
		app->slots = xreallocarray(app->slots, (size_t)count, sizeof(struct inst *));
	}
	for (int slot = app->nslots; slot < count; slot++) {
		app->slots[slot] =
			inst_new(app, slot, store_id_for(&d->store, app->conf.name, slot));
		app->nslots++;
		if (!d->store.resuming) {
			store_inst(&d->store, app->slots[slot]);
		}
	}
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

void apps_undelete(struct app *app)
{
	if (app->deleting) {
		app->deleting = app->scaled = false;
		apps_resize(app, wanted_count(&app->conf)); /* some may be gone already */
	}
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
			events_add(&d->events, app->conf.name, -1, "delete", NULL, "deleted");
			free_app(app);
			store_save(&d->store);
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
