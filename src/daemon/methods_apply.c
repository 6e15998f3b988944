/* SPDX-License-Identifier: MIT */
/*
 * plan, apply, stage, lists: an app list against what runs.
 *
 * A request has a limit and a list may be larger: then its definitions are staged before, in
 * several requests, and kept by the connection until one that needs them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/mem.h"
#include "daemon/apply.h"
#include "daemon/daemon.h"
#include "daemon/methods.h"
#include "daemon/runner.h"
#include "proto/defjson.h"

struct stage {
	struct app_def **v;
	size_t n, bytes;
};

static void stage_add(struct stage *s, struct app_def *def)
{
	if ((s->n & (s->n - 1)) == 0) { /* full at 0, 1, 2, 4, 8 ... */
		s->v = xreallocarray(s->v, s->n ? s->n * 2 : 1, sizeof(struct app_def *));
	}
	s->v[s->n++] = def;
}

void stage_free(struct conn *c)
{
	struct stage *s = c->stage;
	for (size_t i = 0; s && i < s->n; i++) {
		def_free(s->v[i]);
	}
	free(s ? s->v : NULL);
	free(s);
	c->stage = NULL;
}

static bool stage_defs(struct call *call, const json_t *apps)
{
	struct conn *c = call->conn;
	c->stage = c->stage ? c->stage : xcalloc(1, sizeof(*c->stage));
	for (size_t i = 0; i < json_array_size(apps); i++) {
		struct app_def *def = defjson_read(json_array_get(apps, i), &call->err);
		if (!def) {
			return false;
		}
		stage_add(c->stage, def);
		if (c->stage->n > LIMIT_APPS) {
			return err_set(&call->err, ERR_LIMIT, "more than %d apps", LIMIT_APPS);
		}
	}
	return true;
}

/* Bytes that are staged by all connections together. */
static size_t staged_bytes(const struct daemon *d)
{
	size_t sum = 0;
	const struct conn *c, *next;
	list_for_each(c, next, &d->server.conns, node)
	{
		sum += c->stage ? c->stage->bytes : 0;
	}
	return sum;
}

bool method_stage(struct call *call)
{
	const json_t *apps = json_object_get(call->params, "apps");
	bool ok = stage_defs(call, apps);
	if (ok) {
		call->conn->stage->bytes += LIMIT_MESSAGE; /* no request has more */
		ok = staged_bytes(call->daemon) <= LIMIT_STAGED ||
		     err_set(&call->err, ERR_LIMIT, "more than %d MiB of definitions are staged",
			     LIMIT_STAGED / (1024 * 1024));
	}
	if (!ok) {
		stage_free(call->conn);
		return false;
	}
	jw_obj(call->w);
	jw_kint(call->w, "staged", (int64_t)call->conn->stage->n);
	jw_end(call->w);
	return true;
}

/* A list of which a part is missing would look like one that apps were taken out of. */
static bool is_staged(struct call *call)
{
	int64_t want = rpc_param_int(call->params, "staged", 0);
	const struct stage *s = call->conn->stage;
	return want == (int64_t)(s ? s->n : 0) ||
	       err_set(&call->err, ERR_FAILED,
		       "the definitions that were sent ahead are lost; run it again");
}

/* A file that is being written, or was cut off, must not end all that runs. */
static bool is_not_empty(struct call *call, const struct plan *plan, const struct applist *list)
{
	return !plan->remove || plan->remove < plan->n ||
	       err_set(&call->err, ERR_CONFIG,
		       "no app is in the list of project %s, and all %zu of it would be deleted; "
		       "if that is meant: pmctl delete %s%s",
		       list->project, plan->remove, plan->v[0].app->conf.name,
		       plan->remove > 1 ? " ..." : "");
}

/* The definitions of the request behind those that were staged; the plan owns them. */
static bool make_plan(struct call *call, struct plan *plan, struct applist *list)
{
	struct daemon *d = call->daemon;
	bool prune = rpc_param_bool(call->params, "prune", false);
	bool ok = is_staged(call) && applist_read(call->params, list, &call->err) &&
		  stage_defs(call, json_object_get(call->params, "apps"));
	struct stage *s = call->conn->stage;
	if (ok && !list->project) {
		ok = err_set(&call->err, ERR_USAGE, "missing parameter \"list\"");
	} else if (ok && prune && !list->file && !list->named) {
		ok = err_set(&call->err, ERR_USAGE,
			     "prune: a list from standard input says by [pmctl] project which apps "
			     "are its own");
	}
	if (ok) {
		ok = plan_make(plan, d, list, s->v, s->n, prune ? REST_PRUNE : REST_KEEP,
			       &call->err) &&
		     is_not_empty(call, plan, list);
		s->n = 0; /* taken over */
	}
	stage_free(call->conn);
	/* What is left over is a difference, too: client/drift.c is to look for it. */
	list->read_ms = plan->left ? 0 : list->read_ms;
	return ok;
}

static void write_plan(struct jw *w, const struct plan *plan, const struct applist *list)
{
	jw_obj(w);
	jw_kint(w, "v", 1);
	jw_kstr(w, "project", list->project);
	jw_kstr(w, "file", list->file);
	jw_kstr(w, "profile", list->profile);
	plan_write(plan, w);
	jw_end(w);
}

bool method_plan(struct call *call)
{
	struct plan plan = {0};
	struct applist list = {0};
	bool ok = make_plan(call, &plan, &list);
	if (ok) {
		write_plan(call->w, &plan, &list);
	}
	plan_finish(&plan);
	applist_finish(&list);
	return ok;
}

/* What was seen is what is done. */
static bool is_the_plan(struct call *call, const struct plan *plan)
{
	const char *id = rpc_param_str(call->params, "if_plan");
	char now[12];
	snprintf(now, sizeof(now), "%08" PRIx32, plan->id);
	return !id || strcmp(id, now) == 0 ||
	       err_set(&call->err, ERR_FAILED,
		       "the plan is another one by now: %s, not %.20s; nothing was done", now, id);
}

/* The client asks again, and sends ahead nothing a second time. */
static void keep_staged(struct call *call, struct plan *plan, size_t bytes)
{
	size_t n = (size_t)rpc_param_int(call->params, "staged", 0);
	struct conn *c = call->conn;
	if (call->err.code != ERR_BUSY || !n) {
		return;
	}
	c->stage = xcalloc(1, sizeof(*c->stage));
	for (size_t i = 0; i < n; i++) {
		stage_add(c->stage, plan->v[i].def);
		plan->v[i].def = NULL;
	}
	c->stage->bytes = bytes;
}

/* Only the lines of a file may have moved: nothing that is worth an operation. */
static void answer_nothing(struct call *call, struct plan *plan, const struct applist *list)
{
	struct daemon *d = call->daemon;
	struct jw *w = call->w;
	bool moved = applists_note(&d->lists, list, true, &call->conn->peer);
	for (size_t i = 0; i < plan->n; i++) {
		moved |= plan->v[i].moved;
	}
	apply_plan(plan, NULL);
	if (moved) {
		store_save(&d->store);
	}
	jw_obj(w);
	jw_kbool(w, "ok", true);
	jw_key(w, "results");
	jw_arr(w);
	jw_end(w);
	jw_end(w);
}

static void begin(struct call *call, struct plan *plan, const struct applist *list)
{
	struct daemon *d = call->daemon;
	if (plan_is_empty(plan)) {
		answer_nothing(call, plan, list);
		return;
	}
	const char *key = rpc_param_str(call->params, "key");
	call->later = true;
	struct op *op = op_new(&d->ops, OP_APPLY, key, call->conn, (json_t *)(uintptr_t)call->id,
			       &call->conn->peer);
	applists_note(&d->lists, list, true, &call->conn->peer);
	apply_plan(plan, op);
	sampler_wake(&d->sampler);
	op_run(op, rpc_param_bool(call->params, "wait", true));
}

bool method_apply(struct call *call)
{
	struct plan plan = {0};
	struct applist list = {0};
	size_t bytes = call->conn->stage ? call->conn->stage->bytes : 0;
	bool ok = make_plan(call, &plan, &list) && is_the_plan(call, &plan) &&
		  apply_may_begin(call->daemon, &plan, &call->err);
	if (ok) {
		begin(call, &plan, &list);
	} else {
		keep_staged(call, &plan, bytes);
	}
	plan_finish(&plan);
	applist_finish(&list);
	return ok;
}

bool method_lists(struct call *call)
{
	jw_obj(call->w);
	jw_kint(call->w, "v", 1);
	jw_key(call->w, "lists");
	applists_write(&call->daemon->lists, call->w);
	jw_end(call->w);
	return true;
}
