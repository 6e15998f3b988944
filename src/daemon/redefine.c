/* SPDX-License-Identifier: MIT */
#include "daemon/redefine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/mem.h"
#include "config/diff.h"
#include "daemon/cluster.h"
#include "daemon/daemon.h"
#include "daemon/health.h"
#include "daemon/inquiry.h"
#include "daemon/launch.h"
#include "daemon/listen.h"
#include "daemon/readiness.h"
#include "daemon/runner.h"
#include "daemon/watch.h"
#include "daemon/workers.h"
#include "sys/cpus.h"

bool redefine_decode(struct app_conf *conf, const struct app_def *def, struct err *err)
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

static bool may_be(const struct user *user, const char *app, struct err *err)
{
	if (user->name && geteuid() != 0 && (user->uid != geteuid() || user->gid != getegid())) {
		return err_set(err, ERR_PERMISSION,
			       "%s: only a pmctld of root can run apps as another user or group",
			       app);
	}
	return true;
}

bool redefine_may_be_user(const struct app *app, struct err *err)
{
	return may_be(&app->user, app->conf.name, err);
}

bool redefine_check_user(const struct app_conf *conf, struct err *err)
{
	struct user user = {0};
	struct err ignored;
	bool ok = !users_resolve(conf->user, conf->group, &user, &ignored) ||
		  may_be(&user, conf->name, err);
	users_finish(&user);
	return ok;
}

/* Counting CPUs reads half a dozen files: only where the number depends on it. */
int redefine_count(const struct app_conf *c)
{
	return conf_instances(c, c->instances.kind == COUNT_NUMBER ? 1 : (int)cpus_usable());
}

/* --- what hangs on a definition --- */

static void each_inst(struct app *app, void (*fn)(struct inst *in))
{
	struct inst *in, *next;
	for (int i = 0; i < app->nslots; i++) {
		fn(app->slots[i]);
	}
	list_for_each(in, next, &app->others, other_node)
	{
		fn(in);
	}
}

static void let_go(struct inst *in)
{
	inquiry_end(in); /* it points into the settings */
	health_end(in);
	if (states_is_live(in->state)) {
		in->listen_stale = true; /* its process has them; the next one may get others */
	} else {
		listen_close(in);
	}
}

static void take_up(struct inst *in)
{
	if (!in->exited && in->state == ST_STARTING) {
		readiness_begin(in);
	} else if (!in->exited && in->state == ST_ONLINE) {
		health_begin(in);
	}
	if (in->pid) {
		launch_redirect(in);
	}
}

/* Kept where the old workers and the new ones are to share what they listen on. */
static bool keeps_cluster(const struct app *app, const struct app_conf *conf, bool live)
{
	return live && app->cluster && conf->mode == MODE_CLUSTER &&
	       conf->balance == app->conf.balance;
}

void redefine_set(struct app *app, struct app_def *def, struct app_conf *conf,
		  const struct asker *by)
{
	struct err ignored;
	bool keep = keeps_cluster(app, conf, apps_any_live(app));
	watch_end(app);
	each_inst(app, let_go);
	if (!keep) {
		cluster_free(app->cluster);
		app->cluster = NULL;
		app->listened = false;
	}
	conf_finish(&app->conf);
	app->def = def;
	app->conf = *conf;
	users_finish(&app->user);
	apps_resolve_user(app, &ignored); /* else at each start: it may come to exist */
	app->applied_real_ms = clock_real_ms();
	app->applied_by = *by;
	app->told_shared = false;
	turns_changed(app->daemon);
	if (keep) {
		workers_redefined(app);
	} else if (conf->mode == MODE_CLUSTER) {
		app->cluster = workers_new_cluster(app);
	}
	each_inst(app, take_up);
	schedule_changed(app);
	watch_update(app);
}

void redefine_lines(struct app *app, struct app_def *def)
{
	free(app->conf.project);
	app->conf.project = xstrdup(def->project);
	def_free(app->def);
	app->def = def;
}

/* --- another one --- */

/* Which keys are others now; never what they are: values may be secrets. */
static void tell_changes(const struct app *app, const struct app_def *def, const struct asker *by)
{
	struct diff diff = {0};
	struct buf text = {0};
	diff_defs(&diff, app->def, def);
	for (size_t i = 0; i < diff.n; i++) {
		buf_addf(&text, "%s%s", i ? ", " : "", diff.v[i].key);
	}
	events_add(&app->daemon->events, def->name, -1, "config", by, "%s: %.250s",
		   by ? "changed" : "as before", text.data ? text.data : "where it is defined");
	buf_finish(&text);
	diff_finish(&diff);
}

static void anew_histories(struct app *app)
{
	for (int i = 0; i < app->nslots; i++) {
		history_finish(&app->slots[i]->history);
		history_init(&app->slots[i]->history, app->conf.max_restarts);
	}
}

/* *old gets what was in force. asked says who wants it; NULL = nobody, it comes back. */
static bool set_other(struct app *app, struct app_def *def, const struct asker *by,
		      const struct asker *asked, struct app_def **old, struct err *err)
{
	struct app_conf conf = {0};
	if (!redefine_decode(&conf, def, err) || !redefine_check_user(&conf, err)) {
		conf_finish(&conf);
		def_free(def);
		return false;
	}
	*old = app->def;
	tell_changes(app, def, asked);
	redefine_set(app, def, &conf, by);
	return true;
}

bool redefine_app(struct app *app, struct app_def *def, const struct asker *by,
		  struct app_def **old, struct err *err)
{
	struct app_def *before;
	if (!set_other(app, def, by, by, &before, err)) {
		return false;
	}
	app->scaled = false;
	apps_resize(app, redefine_count(&app->conf));
	anew_histories(app);
	if (old) {
		*old = before;
	} else {
		def_free(before);
	}
	return true;
}

bool redefine_back(struct app *app, struct err *err)
{
	struct app_def *failed;
	struct previous p = app->previous;
	app->previous = (struct previous){0};
	if (!set_other(app, p.def, &p.applied_by, NULL, &failed, err)) {
		return false;
	}
	def_free(failed);
	app->applied_real_ms = p.applied_real_ms;
	app->scaled = p.scaled > 0;
	apps_resize(app, app->scaled ? p.scaled : redefine_count(&app->conf));
	anew_histories(app);
	return true;
}
