/* SPDX-License-Identifier: MIT */
#include "daemon/methods.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/select.h"
#include "common/limits.h"
#include "common/mem.h"
#include "common/suggest.h"
#include "daemon/daemon.h"
#include "daemon/pastjson.h"
#include "daemon/runner.h"

static const struct rpc_param p_sel[] = {{.name = "sel", .type = RPC_STRS}};
static const struct rpc_param p_targets[] = {
	{.name = "sel", .type = RPC_STRS, .required = true},
	{.name = "wait", .type = RPC_BOOL},
};
static const struct rpc_param p_change[] = {
	{.name = "sel", .type = RPC_STRS, .required = true},
	{.name = "wait", .type = RPC_BOOL},
	{.name = "key", .type = RPC_STR},
	{.name = "again", .type = RPC_BOOL},
};
static const struct rpc_param p_start[] = {
	{.name = "apps", .type = RPC_DEFS}, {.name = "list", .type = RPC_ANY},
	{.name = "sel", .type = RPC_STRS},  {.name = "wait", .type = RPC_BOOL},
	{.name = "key", .type = RPC_STR},   {.name = "again", .type = RPC_BOOL},
};
static const struct rpc_param p_stage[] = {
	{.name = "apps", .type = RPC_DEFS, .required = true},
};
static const struct rpc_param p_plan[] = {
	{.name = "apps", .type = RPC_DEFS, .required = true},
	{.name = "list", .type = RPC_ANY, .required = true},
	{.name = "staged", .type = RPC_INT, .min = 0, .max = LIMIT_APPS},
	{.name = "prune", .type = RPC_BOOL},
};
static const struct rpc_param p_apply[] = {
	{.name = "apps", .type = RPC_DEFS, .required = true},
	{.name = "list", .type = RPC_ANY, .required = true},
	{.name = "staged", .type = RPC_INT, .min = 0, .max = LIMIT_APPS},
	{.name = "prune", .type = RPC_BOOL},
	{.name = "if_plan", .type = RPC_STR},
	{.name = "wait", .type = RPC_BOOL},
	{.name = "key", .type = RPC_STR},
	{.name = "again", .type = RPC_BOOL},
};
static const struct rpc_param p_revisions[] = {
	{.name = "app", .type = RPC_STR, .required = true},
};
static const struct rpc_param p_rollback[] = {
	{.name = "app", .type = RPC_STR, .required = true},
	{.name = "revision", .type = RPC_INT, .min = 0, .max = INT32_MAX},
	{.name = "dry_run", .type = RPC_BOOL},
	{.name = "wait", .type = RPC_BOOL},
	{.name = "key", .type = RPC_STR},
	{.name = "again", .type = RPC_BOOL},
};
static const struct rpc_param p_scale[] = {
	{.name = "app", .type = RPC_STR, .required = true},
	{.name = "count", .type = RPC_STR, .required = true},
	{.name = "wait", .type = RPC_BOOL},
	{.name = "key", .type = RPC_STR},
	{.name = "again", .type = RPC_BOOL},
};
static const struct rpc_param p_list[] = {
	{.name = "sel", .type = RPC_STRS},
	{.name = "detail", .type = RPC_STR},
	{.name = "spark_span_s", .type = RPC_INT, .min = 1, .max = PASTJSON_SPAN_S},
	{.name = "spark_points", .type = RPC_INT, .min = 0, .max = PASTJSON_POINTS},
};
static const struct rpc_param p_show[] = {
	{.name = "sel", .type = RPC_STRS, .required = true},
	{.name = "spark_span_s", .type = RPC_INT, .min = 1, .max = PASTJSON_SPAN_S},
	{.name = "spark_points", .type = RPC_INT, .min = 0, .max = PASTJSON_POINTS},
};
static const struct rpc_param p_watch[] = {
	{.name = "sel", .type = RPC_STRS},
	{.name = "detail", .type = RPC_STR},
	{.name = "interval_ms", .type = RPC_INT, .min = 500, .max = 60000},
	{.name = "spark_span_s", .type = RPC_INT, .min = 1, .max = PASTJSON_SPAN_S},
	{.name = "spark_points", .type = RPC_INT, .min = 0, .max = PASTJSON_POINTS},
};
static const struct rpc_param p_history[] = {
	{.name = "sel", .type = RPC_STRS},
	{.name = "span_s", .type = RPC_INT, .min = 1, .max = PASTJSON_SPAN_S},
	{.name = "points", .type = RPC_INT, .min = 1, .max = PASTJSON_POINTS},
};
static const struct rpc_param p_signal[] = {
	{.name = "sel", .type = RPC_STRS, .required = true},
	{.name = "signal", .type = RPC_STR, .required = true},
};
static const struct rpc_param p_env[] = {
	{.name = "sel", .type = RPC_STRS, .required = true},
	{.name = "reveal", .type = RPC_BOOL},
};
static const struct rpc_param p_wait[] = {
	{.name = "sel", .type = RPC_STRS, .required = true},
	{.name = "for", .type = RPC_STR, .required = true},
};
static const struct rpc_param p_send[] = {
	{.name = "sel", .type = RPC_STRS, .required = true},
	{.name = "message", .type = RPC_ANY, .required = true},
};
static const struct rpc_param p_events[] = {
	{.name = "sel", .type = RPC_STRS},
	{.name = "n", .type = RPC_INT, .min = 0, .max = LIMIT_EVENTS},
	{.name = "after_seq", .type = RPC_INT},
	{.name = "since_ms", .type = RPC_INT},
	{.name = "types", .type = RPC_STRS},
	{.name = "folded", .type = RPC_BOOL},
	{.name = "follow", .type = RPC_BOOL},
};
static const struct rpc_param p_cancel[] = {{.name = "op", .type = RPC_INT, .required = true}};
static const struct rpc_param p_metrics[] = {{.name = "prometheus", .type = RPC_BOOL}};
static const struct rpc_param p_upgrade[] = {{.name = "program", .type = RPC_STR}};
static const struct rpc_param p_stop[] = {{.name = "leave_running", .type = RPC_BOOL},
					  {.name = "exit_status", .type = RPC_INT}};

#define PARAMS(table) .params = (table), .nparams = ARRAY_LEN(table)

const struct method methods[] = {
	{"ping", method_ping, .doc = "Answers at once: pid and version."},
	{"status", method_status,
	 .doc = "The daemon itself: version, pids, paths; alerts: what is wrong with it now, as "
		"{kind, fail, text, fix}; warnings: the same as text, and what was lost before."},
	{"metrics", method_metrics, PARAMS(p_metrics),
	 .doc = "All figures as OpenMetrics text, or in the older format of Prometheus."},
	{"list", method_list, PARAMS(p_list),
	 .doc = "Apps and instances with their figures. detail: all, rows (what a table has room "
		"for), apps. spark_points: so many values of the last spark_span_s (900) "
		"seconds, in cpu_history and mem_history. daemon.alerts is that of status."},
	{"watch", method_watch, PARAMS(p_watch),
	 .doc = "Answers as list, and then sends a \"sample\" notification with the same object "
		"each interval_ms (1000), one that is not read in time being left out. As long as "
		"somebody watches, all figures are taken each second."},
	{"history", method_history, PARAMS(p_history),
	 .doc = "The figures of the last span_s (900) seconds in so many points (60), oldest "
		"first: means of CPU, highest memory, null where there was no sample; starts has "
		"the points in which a process started."},
	{"show", method_show, PARAMS(p_show), .doc = "As list, with definition and settings."},
	{"env", method_env, PARAMS(p_env),
	 .doc = "The environment an instance is started with; values only with reveal."},
	{"start", method_start, PARAMS(p_start), .changes = true,
	 .doc = "Start the apps of these definitions, or known apps. One of apps and sel. list is "
		"what the "
		"file of the apps says of itself: {file, project, metrics}; metrics is an address "
		"or "
		"null."},
	{"stop", method_stop, PARAMS(p_change), .changes = true, .doc = "Stop instances."},
	{"restart", method_restart, PARAMS(p_change), .changes = true,
	 .doc = "Stop and start, one instance of an app after the other."},
	{"reload", method_reload, PARAMS(p_change), .changes = true,
	 .doc = "As restart, but ends at the first instance that does not become ready."},
	{"delete", method_delete, PARAMS(p_change), .changes = true,
	 .doc = "Stop apps and forget them."},
	{"scale", method_scale, PARAMS(p_scale), .changes = true,
	 .doc = "Set the number of instances: \"4\", \"+2\" or \"-1\"."},
	{"stage", method_stage, PARAMS(p_stage),
	 .doc = "Keep these definitions for the next plan or apply of this connection, which takes "
		"them as if they stood before its own and says with staged how many they are."},
	{"plan", method_plan, PARAMS(p_plan),
	 .doc = "What apply would do with these definitions, all of one list: {file, project, "
		"profile, named, metrics}, where named says that the file names the project. plan "
		"is the name of the result."},
	{"apply", method_apply, PARAMS(p_apply), .changes = true,
	 .doc = "Make what runs match the list. With prune apps that are not in it any more are "
		"deleted; with if_plan nothing is done if the plan has another name by now. Error "
		"busy: another one is under way."},
	{"lists", method_lists, .doc = "The app lists that were applied or started."},
	{"revisions", method_revisions, PARAMS(p_revisions),
	 .doc = "The definitions an app has had, the oldest first and the one in force last, each "
		"with what was different from the one before it."},
	{"rollback", method_rollback, PARAMS(p_rollback), .changes = true,
	 .doc = "As apply of an earlier definition of this app: the one before (0) or of that "
		"number. With dry_run only the plan of it."},
	{"cancel", method_cancel, PARAMS(p_cancel),
	 .doc = "Begin nothing more of this reload, restart or apply; it answers once what is "
		"under "
		"way is over."},
	{"reset", method_reset, PARAMS(p_targets), .doc = "Set restart counters to zero."},
	{"signal", method_signal, PARAMS(p_signal), .doc = "Send a signal to main processes."},
	{"wait", method_wait, PARAMS(p_wait),
	 .doc = "Answers when all selected are \"ready\" or \"stopped\"."},
	{"send", method_send, PARAMS(p_send),
	 .doc = "Send a message to node programs (their process.on('message'))."},
	{"ports", method_ports, PARAMS(p_sel),
	 .doc = "The listening sockets of the selected instances, and how many connections wait."},
	{"logs", method_logs, PARAMS(p_sel), .doc = "The log files of the selected instances."},
	{"flush", method_flush, PARAMS(p_sel), .doc = "Empty log files."},
	{"rotate", method_rotate, PARAMS(p_sel), .doc = "Rotate log files now."},
	{"events", method_events, PARAMS(p_events),
	 .doc = "What happened: the last n (20), all after after_seq, or since a time in ms; only "
		"of these types; folded leaves out what stands between the first and the last of "
		"a row of equal ones. With follow, an \"event\" notification for each new one."},
	{"why", method_why, PARAMS(p_sel), .doc = "The story of each instance's last trouble."},
	{"save", method_save,
	 .doc = "Write the state file now; it is written at each change anyway."},
	{"daemon.stop", method_daemon_stop, PARAMS(p_stop),
	 .doc = "End the daemon, and the apps unless leave_running. exit_status is that of "
		"pmctld --foreground."},
	{"daemon.upgrade", method_daemon_upgrade, PARAMS(p_upgrade), .changes = true,
	 .doc = "Check this program, or what is installed now, and let it take over: the answer "
		"says "
		"that it does, the end of the connection follows, and \"upgrade\" in status how it "
		"went."},
};
const size_t methods_count = ARRAY_LEN(methods);

static const struct method *find(const char *name)
{
	for (size_t i = 0; i < methods_count; i++) {
		if (strcmp(methods[i].name, name) == 0) {
			return &methods[i];
		}
	}
	return NULL;
}

static void answer_unknown(struct conn *c, const struct rpc_request *req)
{
	struct suggest s;
	struct err err;
	struct buf out = {0};
	char guess[200];
	suggest_init(&s, req->method);
	for (size_t i = 0; i < methods_count; i++) {
		suggest_offer(&s, methods[i].name);
	}
	suggest_text(&s, guess, sizeof(guess));
	err_set(&err, ERR_USAGE, "no method \"%.60s\"%s", req->method, guess);
	rpc_write_error_code(&out, req->id, RPC_NO_METHOD, &err, NULL);
	conn_send(c, out.data, out.len);
	buf_finish(&out);
}

static bool run(struct call *call, const struct method *m)
{
	if (!rpc_params_check(call->params, m->params, m->nparams, &call->err)) {
		return err_wrap(&call->err, "%s", m->name);
	}
	if (m->changes && call->daemon->stopping) {
		return err_set(&call->err, ERR_FAILED, "pmctld is ending");
	}
	const char *key = m->changes ? rpc_param_str(call->params, "key") : NULL;
	if (key && ops_take_up(&call->daemon->ops, call, key)) {
		return call->err.code == ERR_NONE;
	}
	return m->handler(call);
}

static void carry_out(struct conn *c, const struct rpc_request *req, const struct method *m)
{
	struct buf out = {0};
	struct jw w;
	struct call call = {.daemon = c->server->daemon,
			    .conn = c,
			    .id = req->id,
			    .params = req->params,
			    .w = &w};
	rpc_write_result_begin(&out, req->id);
	jw_init(&w, &out);
	if (!run(&call, m)) {
		buf_reset(&out);
		rpc_write_error(&out, req->id, &call.err, call.hint[0] ? call.hint : NULL);
	} else if (call.later) {
		buf_reset(&out);
	} else {
		rpc_write_result_end(&out);
	}
	if (req->id && out.len) {
		conn_send(c, out.data, out.len);
	}
	buf_finish(&out);
}

bool methods_dispatch(struct conn *c, const char *line, size_t len)
{
	struct rpc_request req;
	struct err err;
	enum rpc_code code = rpc_parse_request(line, len, &req, &err);
	const struct method *m = code == RPC_OK ? find(req.method) : NULL;
	if (code != RPC_OK) {
		struct buf out = {0};
		rpc_write_error_code(&out, req.id, code, &err, NULL);
		conn_send(c, out.data, out.len);
		buf_finish(&out);
	} else if (!m) {
		answer_unknown(c, &req);
	} else {
		carry_out(c, &req, m);
	}
	rpc_request_finish(&req);
	return code != RPC_PARSE_ERROR;
}

const char **call_selectors(const struct call *call, size_t *n)
{
	const json_t *sel = json_object_get(call->params, "sel");
	*n = json_array_size(sel);
	const char **v = xcalloc(*n + 1, sizeof(*v));
	for (size_t i = 0; i < *n; i++) {
		v[i] = json_string_value(json_array_get(sel, i));
	}
	return v;
}

/* "apps: cron-report flaky mailer" */
static void hint_apps(struct daemon *d, char *out, size_t cap)
{
	struct app *app, *next;
	size_t len = (size_t)snprintf(out, cap, "apps:");
	if (list_empty(&d->apps)) {
		snprintf(out, cap, "no app is known; start one: pmctl start");
		return;
	}
	list_for_each(app, next, &d->apps, node)
	{
		if (len + LIMIT_NAME + 8 > cap) {
			snprintf(out + len, cap - len, " ...");
			return;
		}
		len += (size_t)snprintf(out + len, cap - len, " %s", app->conf.name);
	}
}

bool call_select(struct call *call, void (*fn)(void *ctx, struct inst *in), void *ctx)
{
	size_t n;
	const char **sel = call_selectors(call, &n);
	bool ok = apps_select(call->daemon, sel, n, fn, ctx, &call->err);
	free(sel);
	if (!ok && call->err.code == ERR_NO_TARGET) {
		hint_apps(call->daemon, call->hint, sizeof(call->hint));
	}
	return ok;
}

/* The list of methods for pmctl-protocol(7), as scdoc. A test compares it with what is there. */
void methods_print(FILE *f)
{
	static const char *const types[] = {
		[RPC_STR] = "string",	[RPC_STRS] = "strings",	    [RPC_INT] = "integer",
		[RPC_BOOL] = "boolean", [RPC_DEFS] = "definitions", [RPC_ANY] = "any value",
	};
	for (size_t i = 0; i < methods_count; i++) {
		const struct method *m = &methods[i];
		fprintf(f, "*%s*", m->name);
		for (size_t k = 0; k < m->nparams; k++) {
			const struct rpc_param *p = &m->params[k];
			fprintf(f, " %s_%s_ (%s)%s", p->required ? "" : "[", p->name,
				types[p->type], p->required ? "" : "]");
		}
		fprintf(f, "\n\t%s\n\n", m->doc);
	}
}
