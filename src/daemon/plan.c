/* SPDX-License-Identifier: MIT */
#include "daemon/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/limits.h"
#include "common/mem.h"
#include "common/siphash.h"
#include "daemon/daemon.h"
#include "daemon/passon.h"
#include "daemon/redefine.h"
#include "daemon/rollout.h"
#include "daemon/runner.h"

/* --- comparing --- */

bool plan_starts(const struct inst *in, enum apply_effect effect)
{
	bool rests = in->state == ST_DONE && effect < APPLY_RELOAD;
	return in->wanted && !states_is_live(in->state) && !rests;
}

static int count_starting(const struct plan_item *it)
{
	const struct app *app = it->app;
	int n = 0;
	for (int i = 0; i < app->count && i < it->count; i++) {
		n += plan_starts(app->slots[i], it->diff.effect);
	}
	return n + (it->count > app->count && apps_any_wanted(app) ? it->count - app->count : 0);
}

/* The processes of an app that differ from what is to be run. */
static enum plan_way way_of(struct app *app, enum apply_effect effect)
{
	if (!apps_any_live(app)) {
		return WAY_START;
	}
	if (effect == APPLY_RESTART) {
		return WAY_SWAP;
	}
	if (effect != APPLY_RELOAD) {
		return WAY_NONE;
	}
	for (int i = 0; i < app->nslots; i++) {
		struct inst *in = app->slots[i];
		if (in->state == ST_ONLINE && !in->leaving && !rollout_is_busy(in) &&
		    !runner_can_overlap(in)) {
			return WAY_RESTART;
		}
	}
	return WAY_RELOAD;
}

static void add_entry(struct diff *d, const char *key, char *before, char *after)
{
	d->v = xreallocarray(d->v, d->n + 1, sizeof(*d->v));
	d->v[d->n++] = (struct diff_entry){
		.key = xstrdup(key), .old_text = before, .new_text = after, .effect = APPLY_LIVE};
}

/* Scaled by hand; the list says what it has always said. */
static void add_scaled(struct plan_item *it)
{
	for (size_t i = 0; i < it->diff.n; i++) {
		if (strcmp(it->diff.v[i].key, "instances") == 0) {
			return;
		}
	}
	add_entry(&it->diff, "instances", xasprintf("%d, scaled by hand", it->now),
		  xasprintf("%d", it->count));
	it->diff.effect = it->diff.effect > APPLY_LIVE ? it->diff.effect : APPLY_LIVE;
}

static bool same_place(const struct app_def *a, const struct app_def *b)
{
	const char *fa = a->file ? a->file : "", *fb = b->file ? b->file : "";
	return strcmp(fa, fb) == 0 && strcmp(a->project, b->project) == 0;
}

static bool same_lines(const struct app_def *a, const struct app_def *b)
{
	bool same = a->line == b->line && a->nset == b->nset && same_place(a, b);
	for (size_t i = 0; same && i < a->nset; i++) {
		same = a->set[i].line == b->set[i].line;
	}
	return same;
}

static void compare(struct plan_item *it, const struct app_conf *conf)
{
	struct app *app = it->app;
	it->count = redefine_count(conf);
	it->autostart = conf->autostart;
	if (!app || app->deleting) {
		it->action = PLAN_NEW;
		it->way = WAY_START;
		return;
	}
	it->now = app->count;
	it->live = apps_count_live(app);
	if (!def_same(app->def, it->def)) {
		diff_defs(&it->diff, app->def, it->def);
	}
	if (app->scaled && it->now != it->count) {
		add_scaled(it);
	}
	if (it->diff.n) {
		it->action = PLAN_CHANGE;
		it->way = way_of(app, it->diff.effect);
		it->starting = count_starting(it);
	} else {
		it->action = PLAN_SAME;
		it->moved = !def_same(app->def, it->def) || !same_lines(app->def, it->def);
	}
}

/* --- what is not in the list --- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_rest(struct plan *p, struct daemon *d, const struct applist *list,
		     enum plan_action action)
{
	size_t n = p->n;
	const char **names = xcalloc(n + 1, sizeof(*names));
	struct app *app, *next;
	for (size_t i = 0; i < n; i++) {
		names[i] = p->v[i].def->name;
	}
	qsort(names, n, sizeof(*names), by_name);
	list_for_each(app, next, &d->apps, node)
	{
		const char *name = app->conf.name;
		if (app->deleting || !applist_owns(list, app->def) ||
		    bsearch(&name, names, n, sizeof(*names), by_name)) {
			continue;
		}
		p->v = xreallocarray(p->v, p->n + 1, sizeof(*p->v));
		p->v[p->n++] = (struct plan_item){.action = action,
						  .app = app,
						  .now = app->count,
						  .live = apps_count_live(app)};
	}
	free(names);
}

/* --- the whole --- */

/* All apps by name: lists are long, and so is what is known. */
struct index {
	struct app **v;
	size_t n;
};

static int by_app_name(const void *a, const void *b)
{
	return strcmp((*(struct app *const *)a)->conf.name, (*(struct app *const *)b)->conf.name);
}

static struct index index_apps(struct daemon *d)
{
	struct index x = {0};
	struct app *app, *next;
	list_for_each(app, next, &d->apps, node)
	{
		if ((x.n & (x.n - 1)) == 0) { /* full at 0, 1, 2, 4, 8 ... */
			x.v = xreallocarray(x.v, x.n ? x.n * 2 : 1, sizeof(struct app *));
		}
		x.v[x.n++] = app;
	}
	if (x.n) {
		qsort(x.v, x.n, sizeof(struct app *), by_app_name);
	}
	return x;
}

static int compare_name(const void *name, const void *entry)
{
	return strcmp(name, (*(struct app *const *)entry)->conf.name);
}

static struct app *index_find(const struct index *x, const char *name)
{
	struct app **app =
		x->n ? bsearch(name, x->v, x->n, sizeof(struct app *), compare_name) : NULL;
	return app ? *app : NULL;
}

static bool check_one(struct plan_item *it, const struct applist *list, struct app_conf *conf,
		      struct err *err)
{
	return applist_may_define(list, it->app, it->def, err) &&
	       redefine_decode(conf, it->def, err) && redefine_check_user(conf, err);
}

static bool look_at(struct plan_item *it, const struct applist *list, struct err *err)
{
	struct app_conf conf = {0};
	if (it->app && def_same(it->app->def, it->def) && applist_owns(list, it->def)) {
		compare(it, &it->app->conf); /* it is in force, so it is valid */
		return true;
	}
	bool ok = check_one(it, list, &conf, err);
	if (ok) {
		compare(it, &conf);
	}
	conf_finish(&conf);
	return ok;
}

static void count(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		switch (p->v[i].action) {
		case PLAN_SAME:
			p->same++;
			break;
		case PLAN_NEW:
			p->add++;
			break;
		case PLAN_CHANGE:
			p->change++;
			break;
		case PLAN_LEFT:
			p->left++;
			break;
		case PLAN_REMOVE:
			p->remove++;
			break;
		}
	}
}

/* Values are in it, secrets too: only who knows the key can try what they may be. */
static void number(struct plan *p, const uint64_t key[2])
{
	struct buf all = {0};
	for (size_t i = 0; i < p->n; i++) {
		const struct plan_item *it = &p->v[i];
		if (it->action == PLAN_SAME) {
			continue;
		}
		buf_addf(&all, "%s %d %d %d;", it->def ? it->def->name : it->app->conf.name,
			 it->action, it->now, it->count);
		for (size_t k = 0; k < it->diff.n; k++) {
			const struct diff_entry *e = &it->diff.v[k];
			buf_addf(&all, "%s=%s>%s;", e->key, e->old_text ? e->old_text : "",
				 e->new_text ? e->new_text : "");
		}
	}
	p->id = all.len ? (uint32_t)siphash(key, all.data, all.len) : 0;
	buf_finish(&all);
}

static bool check_total(const struct plan *p, struct daemon *d, struct err *err)
{
	size_t instances = 0, apps = 0;
	const struct app *app, *next;
	list_for_each(app, next, &d->apps, node)
	{
		instances += (size_t)app->count;
		apps++;
	}
	for (size_t i = 0; i < p->n; i++) {
		const struct plan_item *it = &p->v[i];
		instances += it->def ? (size_t)it->count : 0;
		instances -= it->def ? (size_t)it->now : 0;
		apps += it->def && !it->app;
	}
	if (apps > LIMIT_APPS || instances > LIMIT_INSTANCES) {
		return err_set(err, ERR_LIMIT,
			       "%zu apps with %zu instances; %d and %d are the most", apps,
			       instances, LIMIT_APPS, LIMIT_INSTANCES);
	}
	return true;
}

bool plan_make(struct plan *p, struct daemon *d, const struct applist *list,
	       struct app_def *const *defs, size_t n, enum plan_rest rest, struct err *err)
{
	bool ok = true;
	struct index index = index_apps(d);
	*p = (struct plan){.v = xcalloc(n + 1, sizeof(*p->v)), .n = n};
	for (size_t i = 0; i < n; i++) {
		p->v[i].def = defs[i];
	}
	for (size_t i = 0; i < n && ok; i++) {
		p->v[i].app = index_find(&index, defs[i]->name);
		ok = look_at(&p->v[i], list, err);
	}
	free(index.v);
	ok = ok && turns_check(d, defs, n, err) && check_total(p, d, err) && passon_check(p, err);
	if (!ok) {
		plan_finish(p);
		return false;
	}
	if (rest != REST_ALONE) {
		add_rest(p, d, list, rest == REST_PRUNE ? PLAN_REMOVE : PLAN_LEFT);
	}
	count(p);
	number(p, d->lists.key);
	return true;
}

void plan_finish(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		def_free(p->v[i].def);
		diff_finish(&p->v[i].diff);
	}
	free(p->v);
	*p = (struct plan){0};
}

bool plan_is_empty(const struct plan *p)
{
	return p->add + p->change + p->remove == 0;
}

/* --- telling --- */

static const char *action_name(enum plan_action action)
{
	static const char *const names[] = {"same", "add", "change", "left", "remove"};
	return names[action];
}

static const char *way_name(enum plan_way way)
{
	static const char *const names[] = {"none", "reload", "restart", "swap", "start"};
	return names[way];
}

static const char *effect_name(enum apply_effect effect)
{
	static const char *const names[] = {"none", "live", "reload", "restart"};
	return names[effect];
}

void plan_write_key(struct jw *w, const struct diff_entry *e)
{
	bool secret = strncmp(e->key, "env.", 4) == 0;
	jw_obj(w);
	jw_kstr(w, "key", e->key);
	jw_kstr(w, "old", e->old_text && secret ? "***" : e->old_text);
	jw_kstr(w, "new", e->new_text && secret ? "***" : e->new_text);
	jw_kstr(w, "effect", effect_name(e->effect));
	jw_end(w);
}

static void write_item(struct jw *w, const struct plan_item *it)
{
	jw_obj(w);
	jw_kstr(w, "app", it->def ? it->def->name : it->app->conf.name);
	jw_kstr(w, "action", action_name(it->action));
	jw_kstr(w, "way", way_name(it->way));
	jw_kint(w, "instances_now", it->now);
	jw_kint(w, "instances", it->count);
	jw_kint(w, "running", it->live);
	jw_kint(w, "starting", it->starting);
	jw_kbool(w, "autostart", it->autostart);
	jw_key(w, "keys");
	jw_arr(w);
	for (size_t i = 0; i < it->diff.n; i++) {
		plan_write_key(w, &it->diff.v[i]);
	}
	jw_end(w);
	jw_end(w);
}

void plan_write(const struct plan *p, struct jw *w)
{
	char id[12];
	snprintf(id, sizeof(id), "%08x", p->id);
	jw_kstr(w, "plan", id);
	jw_kint(w, "add", (int64_t)p->add);
	jw_kint(w, "change", (int64_t)p->change);
	jw_kint(w, "remove", (int64_t)p->remove);
	jw_kint(w, "left", (int64_t)p->left);
	jw_kint(w, "same", (int64_t)p->same);
	jw_key(w, "apps");
	jw_arr(w);
	for (size_t i = 0; i < p->n; i++) {
		if (p->v[i].action != PLAN_SAME) {
			write_item(w, &p->v[i]);
		}
	}
	jw_end(w);
	jw_key(w, "unchanged");
	jw_arr(w);
	for (size_t i = 0; i < p->n && p->same <= 20; i++) {
		if (p->v[i].action == PLAN_SAME) {
			jw_str(w, p->v[i].def->name);
		}
	}
	jw_end(w);
}
