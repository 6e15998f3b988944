/* SPDX-License-Identifier: MIT */
/* start, stop, restart, reload, delete, scale, reset, signal, wait, send: what shall be. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/mem.h"
#include "common/signals.h"
#include "daemon/applist.h"
#include "daemon/cluster.h"
#include "daemon/daemon.h"
#include "daemon/methods.h"
#include "daemon/redefine.h"
#include "daemon/revisions.h"
#include "daemon/runner.h"
#include "proto/defjson.h"

static void add_to_op(void *ctx, struct inst *in)
{
	op_add(ctx, in);
}

static bool wants_to_wait(const struct call *call)
{
	return rpc_param_bool(call->params, "wait", true);
}

static struct op *begin(struct call *call, enum op_kind kind)
{
	const char *key = rpc_param_str(call->params, "key");
	call->later = true;
	return op_new(&call->daemon->ops, kind, key, call->conn, (json_t *)(uintptr_t)call->id,
		      &call->conn->peer);
}

static void count_one(void *ctx, struct inst *in)
{
	(void)in;
	++*(size_t *)ctx;
}

/* Run one kind of operation on the selected instances. */
static bool run_op(struct call *call, enum op_kind kind, void (*before)(void *, struct inst *))
{
	size_t n = 0;
	if (!call_select(call, count_one, &n)) {
		return false;
	}
	struct op *op = begin(call, kind);
	call_select(call, add_to_op, op);
	if (before) {
		call_select(call, before, call);
	}
	op_run(op, wants_to_wait(call));
	return true;
}

static void want_down(void *ctx, struct inst *in)
{
	(void)ctx;
	in->wanted = false;
}

static void want_up(void *ctx, struct inst *in)
{
	(void)ctx;
	in->wanted = true;
}

bool method_stop(struct call *call)
{
	return run_op(call, OP_STOP, want_down);
}

bool method_restart(struct call *call)
{
	return run_op(call, OP_RESTART, want_up);
}

bool method_reload(struct call *call)
{
	return run_op(call, OP_RELOAD, want_up);
}

static void mark_deleted(void *ctx, struct inst *in)
{
	struct call *call = ctx;
	in->app->deleting = true;
	in->app->deleter = call->conn->peer;
	in->wanted = false;
	store_inst(&call->daemon->store,
		   in); /* it may have to wait for its end, and we may die meanwhile */
}

static bool only_whole_apps(struct call *call)
{
	size_t n;
	const char **sel = call_selectors(call, &n);
	bool ok = true;
	for (size_t i = 0; i < n && ok; i++) {
		ok = !strchr(sel[i], ':');
		if (!ok) {
			err_set(&call->err, ERR_USAGE,
				"delete takes whole apps, not \"%.60s\"; fewer instances: pmctl "
				"scale",
				sel[i]);
		}
	}
	free(sel);
	return ok;
}

bool method_delete(struct call *call)
{
	return only_whole_apps(call) && run_op(call, OP_DELETE, mark_deleted);
}

/* --- start --- */

/* Check all definitions before anything is done about one of them. */
static struct app_def **read_defs(struct call *call, const json_t *apps, const struct applist *list)
{
	size_t n = json_array_size(apps);
	struct app_def **defs = xcalloc(n + 1, sizeof(struct app_def *));
	bool ok = true;
	for (size_t i = 0; i < n && ok; i++) {
		defs[i] = defjson_read(json_array_get(apps, i), &call->err);
		ok = defs[i] && applist_may_define(list, apps_find(call->daemon, defs[i]->name),
						   defs[i], &call->err);
		struct app_conf conf = {0};
		struct err_list errs = {0};
		if (ok && !conf_decode(&conf, defs[i], &errs)) {
			ok = err_set(&call->err, ERR_CONFIG, "%s",
				     errs.count ? errs.msg[0] : "not valid");
		}
		conf_finish(&conf);
		err_list_finish(&errs);
	}
	ok = ok && turns_check(call->daemon, defs, n, &call->err);
	for (size_t i = 0; i < n && !ok; i++) {
		def_free(defs[i]);
	}
	if (!ok) {
		free(defs);
		return NULL;
	}
	return defs;
}

static void add_app_to_op(struct op *op, struct app *app, bool autostart_only)
{
	for (int i = 0; i < app->count; i++) {
		struct inst *in = app->slots[i];
		if (autostart_only && !app->conf.autostart && !in->wanted) {
			op_note(op, in, "autostart = no");
		} else {
			in->wanted = true;
			op_add(op, in);
		}
	}
}

static bool redefine_stopped(struct call *call, struct app *app, struct app_def *def)
{
	struct app_def *old;
	int64_t since = app->applied_real_ms;
	struct asker by = app->applied_by;
	if (!redefine_app(app, def, &call->conn->peer, &old, &call->err)) {
		return false;
	}
	revisions_push(app, old, since, &by);
	def_free(old);
	return true;
}

/* One definition: a new app, a stopped one that changes, or one that runs and is left alone. */
static bool start_def(struct call *call, struct op *op, struct app_def *def, bool only_one)
{
	struct app *app = apps_find(call->daemon, def->name);
	/* One that was named is started; start SCRIPT --no-autostart only makes it known. */
	bool autostart_only = !only_one || (!app && !def->file);
	if (!app) {
		app = apps_add(call->daemon, def, &call->conn->peer, &call->err);
		if (!app) {
			return false;
		}
		events_add(&call->daemon->events, app->conf.name, -1, "config", &call->conn->peer,
			   "new, by %.200s", def->file ? def->file : "the command line");
	} else if (!apps_differs(app, def)) {
		def_free(def);
	} else if (apps_any_live(app)) {
		for (int i = 0; i < app->count; i++) {
			op_note(op, app->slots[i],
				app->def->file
					? "changed in the file: pmctl apply"
					: "runs with another definition; pmctl delete it first");
		}
		def_free(def);
		return true;
	} else if (!redefine_stopped(call, app, def)) {
		return false;
	}
	apps_undelete(app);
	add_app_to_op(op, app, autostart_only);
	return true;
}

static bool start_defs(struct call *call, const json_t *apps)
{
	struct applist list;
	struct app_def **defs =
		applist_read(call->params, &list, &call->err) ? read_defs(call, apps, &list) : NULL;
	if (!defs) {
		applist_finish(&list);
		return false;
	}
	if (applists_note(&call->daemon->lists, &list, false, &call->conn->peer)) {
		store_save(&call->daemon->store); /* of a list without apps, too */
	}
	applist_finish(&list);
	size_t n = json_array_size(apps);
	struct op *op = begin(call, OP_START);
	for (size_t i = 0; i < n; i++) {
		if (!start_def(call, op, defs[i], n == 1)) {
			op_failed(
				op,
				json_string_value(json_object_get(json_array_get(apps, i), "name")),
				call->err.msg);
		}
	}
	free(defs);
	sampler_wake(&call->daemon->sampler);
	op_run(op, wants_to_wait(call));
	return true;
}

bool method_start(struct call *call)
{
	const json_t *apps = json_object_get(call->params, "apps");
	const json_t *sel = json_object_get(call->params, "sel");
	if (!apps == !sel) {
		return err_set(&call->err, ERR_USAGE, "start takes either apps or sel");
	}
	return apps ? start_defs(call, apps) : run_op(call, OP_START, want_up);
}

/* --- scale --- */

static bool parse_count(const char *text, int now, int *count)
{
	char *end;
	errno = 0;
	long n = strtol(text, &end, 10);
	if (end == text || *end || errno || n > LIMIT_INSTANCES_APP || n < -LIMIT_INSTANCES_APP) {
		return false; /* also before it is added to anything */
	}
	long v = text[0] == '+' || text[0] == '-' ? now + n : n;
	*count = (int)v;
	return v >= 1 && v <= LIMIT_INSTANCES_APP;
}

bool method_scale(struct call *call)
{
	const char *name = rpc_param_str(call->params, "app");
	const char *text = rpc_param_str(call->params, "count");
	struct app *app = apps_find(call->daemon, name);
	int count;
	if (!app || app->deleting) {
		const char *sel[] = {name};
		return apps_select(call->daemon, sel, 1, count_one, &(size_t){0}, &call->err) &&
		       err_set(&call->err, ERR_USAGE, "scale takes the name of one app");
	}
	if (!parse_count(text, app->count, &count)) {
		return err_set(&call->err, ERR_USAGE,
			       "scale %s: \"%.20s\" does not lead to a number from 1 to %d; now %d",
			       name, text, LIMIT_INSTANCES_APP, app->count);
	}
	int before = app->count;
	bool run = apps_any_wanted(app);
	struct op *op = begin(call, count < before ? OP_DELETE : OP_START);
	for (int i = count; i < before; i++) {
		op_add(op, app->slots[i]);
		runner_overrule(app->slots[i], "scaled away", &call->conn->peer);
	}
	app->scaled = true;
	apps_resize(app, count);
	for (int i = before; i < count; i++) {
		if (run) {
			app->slots[i]->wanted = true;
			op_add(op, app->slots[i]);
		} else {
			op_note(op, app->slots[i], "added, stopped as the others");
		}
	}
	events_add(&call->daemon->events, name, -1, "scale", &call->conn->peer,
		   "from %d to %d instances", before, count);
	op_run(op, wants_to_wait(call));
	return true;
}

/* --- small ones --- */

static void answer_count(struct call *call, const char *key, int64_t n)
{
	jw_obj(call->w);
	jw_kint(call->w, key, n);
	jw_end(call->w);
}

static void reset_one(void *ctx, struct inst *in)
{
	struct call *call = ctx;
	if (in->restarts || in->history.count) {
		events_add(&call->daemon->events, in->app->conf.name, in->slot, "reset",
			   &call->conn->peer, "counters set to zero, %u restarts were counted",
			   in->restarts);
	}
	in->restarts = 0;
	history_clear(&in->history);
	store_inst(&in->app->daemon->store, in);
}

bool method_reset(struct call *call)
{
	size_t n = 0;
	if (!call_select(call, count_one, &n)) {
		return false;
	}
	call_select(call, reset_one, call);
	answer_count(call, "reset", (int64_t)n);
	return true;
}

struct signalling {
	int sig, sent;
	const struct asker *by;
	const char *name;
};

static void signal_one(void *ctx, struct inst *in)
{
	struct signalling *s = ctx;
	if (runner_signal(in, s->sig)) {
		s->sent++;
		in->signalled = s->sig;
		events_add(&in->app->daemon->events, in->app->conf.name, in->slot, "signal", s->by,
			   "%s sent to pid %d", s->name, (int)in->pid);
	}
}

bool method_signal(struct call *call)
{
	const char *name = rpc_param_str(call->params, "signal");
	struct signalling s = {.sig = signals_number(name), .by = &call->conn->peer, .name = name};
	if (s.sig <= 0) {
		return err_set(&call->err, ERR_USAGE, "\"%.30s\" is not a signal", name);
	}
	if (!call_select(call, signal_one, &s)) {
		return false;
	}
	if (!s.sent && !list_empty(&call->daemon->apps)) {
		return err_set(&call->err, ERR_NOT_RUNNING, "none of the selected instances runs");
	}
	answer_count(call, "signalled", s.sent);
	return true;
}

bool method_wait(struct call *call)
{
	const char *what = rpc_param_str(call->params, "for");
	if (strcmp(what, "ready") == 0) {
		return run_op(call, OP_WAIT_READY, NULL);
	}
	if (strcmp(what, "stopped") == 0) {
		return run_op(call, OP_WAIT_STOPPED, NULL);
	}
	return err_set(&call->err, ERR_USAGE, "wait is for \"ready\" or \"stopped\", not \"%.30s\"",
		       what);
}

struct sending {
	char *text;
	int sent;
};

static void send_one(void *ctx, struct inst *in)
{
	struct sending *s = ctx;
	s->sent += in->worker && worker_send_raw(in->worker, s->text, strlen(s->text));
}

/* One of node's own would be obeyed, wherever in the object cmd stands. */
static bool is_nodes_own(const json_t *message)
{
	const json_t *cmd = json_object_get(message, "cmd");
	return json_is_string(cmd) && json_string_length(cmd) > 5 &&
	       strncmp(json_string_value(cmd), "NODE_", 5) == 0;
}

bool method_send(struct call *call)
{
	const json_t *message = json_object_get(call->params, "message");
	if (is_nodes_own(message)) {
		return err_set(&call->err, ERR_USAGE, "messages with cmd NODE_... are node's own");
	}
	struct sending s = {.text = json_dumps(message, JSON_COMPACT | JSON_ENCODE_ANY)};
	bool ok = call_select(call, send_one, &s);
	free(s.text);
	if (ok) {
		answer_count(call, "sent", s.sent);
	}
	return ok;
}
