/* SPDX-License-Identifier: MIT */
/* revisions and rollback: the definitions an app had before. */
#include <inttypes.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/mem.h"
#include "config/diff.h"
#include "daemon/apply.h"
#include "daemon/daemon.h"
#include "daemon/methods.h"
#include "daemon/revisions.h"

static struct app *find_app(struct call *call)
{
	const char *name = rpc_param_str(call->params, "app");
	struct app *app = apps_find(call->daemon, name);
	if (!app || app->deleting) {
		err_set(&call->err, ERR_NO_TARGET, "no app \"%.60s\"", name);
		return NULL;
	}
	return app;
}

static void write_diff(struct jw *w, const struct app_def *before, const struct app_def *def)
{
	struct diff diff = {0};
	jw_key(w, "keys");
	jw_arr(w);
	if (before && def) {
		diff_defs(&diff, before, def);
	}
	for (size_t i = 0; i < diff.n; i++) {
		plan_write_key(w, &diff.v[i]);
	}
	jw_end(w);
	diff_finish(&diff);
}

static void write_one(struct jw *w, const struct revision *r, const struct app_def *before)
{
	char at[CLOCK_RFC3339] = "";
	if (r->applied_real_ms) {
		clock_format_utc(r->applied_real_ms, at);
	}
	jw_obj(w);
	jw_kint(w, "revision", r->number);
	jw_kstr(w, "applied_at", at[0] ? at : NULL);
	jw_key(w, "by");
	jw_obj(w);
	jw_kint(w, "uid", r->by.uid);
	jw_kint(w, "pid", r->by.pid);
	jw_end(w);
	write_diff(w, before, r->def);
	jw_end(w);
}

bool method_revisions(struct call *call)
{
	struct app *app = find_app(call);
	struct revisions all;
	const struct app_def *before = NULL;
	if (!app) {
		return false;
	}
	revisions_load(app, &all);
	struct revision now = {.number = revisions_current(&all),
			       .applied_real_ms = app->applied_real_ms,
			       .by = app->applied_by,
			       .def = app->def};
	jw_obj(call->w);
	jw_kint(call->w, "v", 1);
	jw_kstr(call->w, "app", app->conf.name);
	jw_key(call->w, "revisions");
	jw_arr(call->w);
	for (size_t i = 0; i < all.n; i++) {
		write_one(call->w, &all.v[i], before);
		before = all.v[i].def;
	}
	write_one(call->w, &now, before);
	jw_end(call->w);
	jw_end(call->w);
	revisions_finish(&all);
	return true;
}

/* The definition of that number, or the last one before; owned by the caller. */
static struct app_def *take_def(struct call *call, const struct app *app, unsigned *number)
{
	struct revisions all;
	struct app_def *def = NULL;
	int64_t want = rpc_param_int(call->params, "revision", 0);
	revisions_load(app, &all);
	for (size_t i = 0; i < all.n; i++) {
		bool hit = want ? all.v[i].number == want : i + 1 == all.n;
		if (hit && all.v[i].def) {
			def = def_copy(all.v[i].def);
			*number = all.v[i].number;
		}
	}
	if (!def && !all.n) {
		err_set(&call->err, ERR_FAILED, "%s has had no other definition", app->conf.name);
	} else if (!def) {
		err_set(&call->err, ERR_FAILED,
			"%s has no revision %" PRId64 " to go back to; there are %u to %u",
			app->conf.name, want, all.v[0].number, all.v[all.n - 1].number);
	}
	revisions_finish(&all);
	return def;
}

static void begin(struct call *call, struct plan *plan, struct app *app)
{
	struct daemon *d = call->daemon;
	call->later = true;
	struct op *op = op_new(&d->ops, OP_APPLY, rpc_param_str(call->params, "key"), call->conn,
			       (json_t *)(uintptr_t)call->id, &call->conn->peer);
	applists_doubt(&d->lists, app); /* its file says something else */
	apply_plan(plan, op);
	op_run(op, rpc_param_bool(call->params, "wait", true));
}

static bool roll_back(struct call *call, struct app *app, struct plan *plan, unsigned number)
{
	if (rpc_param_bool(call->params, "dry_run", false)) {
		jw_obj(call->w);
		jw_kint(call->w, "v", 1);
		jw_kstr(call->w, "project", app->conf.project);
		jw_kint(call->w, "revision", number);
		plan_write(plan, call->w);
		jw_end(call->w);
		return true;
	}
	if (!apply_may_begin(call->daemon, plan, &call->err)) {
		return false;
	}
	begin(call, plan, app);
	return true;
}

bool method_rollback(struct call *call)
{
	struct app *app = find_app(call);
	unsigned number = 0;
	struct app_def *def = app ? take_def(call, app, &number) : NULL;
	struct plan plan = {0};
	if (!def) {
		return false;
	}
	/* As if a list came that has it alone. */
	struct applist list = {.file = def_list(app->def),
			       .project = def_list(app->def) ? app->def->project : NULL};
	bool ok = plan_make(&plan, call->daemon, &list, &def, 1, REST_ALONE, &call->err) &&
		  roll_back(call, app, &plan, number);
	plan_finish(&plan);
	return ok;
}
