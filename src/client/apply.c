/* SPDX-License-Identifier: MIT */
/* plan and apply: what the app list says against what runs. */
#include <stdlib.h>

#include "client/appfile.h"
#include "client/client.h"
#include "client/commands.h"
#include "client/daemonize.h"
#include "client/deploy.h"
#include "client/planview.h"
#include "client/result.h"
#include "client/scripts.h"
#include "common/clock.h"
#include "common/units.h"
#include "common/words.h"

static const char *path_of(const struct client *c)
{
	return c->args.n ? c->args.operand[0] : c->config ? c->config : APPFILE_DEFAULT;
}

static bool is_pruning(const struct client *c)
{
	return args_has(&c->args, "prune");
}

/* Ask what would be done. Returns 0 or the exit status; the reply is the caller's. */
static int ask_plan(struct client *c, const struct deploy *d, struct rpc_reply *reply)
{
	struct conn_wait w = {0};
	struct err err;
	if (c->timeout_ms >= 0) {
		w.deadline_mono_ms = clock_mono_ms() + c->timeout_ms;
	}
	json_t *params = deploy_send(c, d, &err);
	if (!params) {
		return client_fail(c, &err, NULL);
	}
	client_set(params, "prune", json_boolean(is_pruning(c)));
	if (!conn_call(&c->conn, "plan", params, &w, reply, &err)) {
		return client_fail(c, &err, reply->hint);
	}
	return 0;
}

/* Of a command that is told. */
static void add_word(struct buf *out, const char *word)
{
	struct buf quoted = {0};
	words_add_quoted(&quoted, word);
	client_add_text(out, quoted.data);
	buf_finish(&quoted);
}

static void add_end(struct client *c, const json_t *plan, const char *path)
{
	bool empty = planview_is_empty(plan);
	buf_addc(&c->out, '\n');
	planview_add_counts(&c->out, plan, false);
	buf_adds(&c->out, empty ? ".\n" : ". Nothing was done.\nDo it: pmctl apply");
	if (!empty) {
		buf_adds(&c->out, is_pruning(c) ? " --prune" : "");
		if (args_has(&c->args, "env")) {
			buf_adds(&c->out, " --env=");
			add_word(&c->out, args_value(&c->args, "env", ""));
		}
		if (c->config || c->args.n) {
			buf_adds(&c->out, " -c ");
			add_word(&c->out, path);
		}
		buf_addf(&c->out, "   (just this: --if-plan %s)\n", member_text(plan, "plan", ""));
	}
}

static int show_plan(struct client *c, const struct deploy *d, const char *path)
{
	struct rpc_reply reply = {.id = -1};
	int status = ask_plan(c, d, &reply);
	if (status == 0) {
		bool pending = !planview_is_empty(reply.result);
		if (c->json) {
			client_print_json(c, reply.result);
		} else {
			planview_add(c, &c->out, reply.result, path);
			add_end(c, reply.result, path);
		}
		status = pending && args_has(&c->args, "exit-code")
				 ? err_info(ERR_PENDING)->exit_status
				 : 0;
		status = client_flush(c) ? status : 1;
	}
	rpc_reply_finish(&reply);
	return status;
}

int cmd_plan(struct client *c)
{
	struct deploy d;
	const char *path = path_of(c);
	int status = deploy_load(c, path, &d);
	if (status == 0) {
		scripts_warn(c, d.f.apps, d.f.napps);
		status = show_plan(c, &d, path);
	}
	deploy_finish(&d);
	return status;
}

/* --- apply --- */

static void show_before(struct client *c, const json_t *plan, const char *path)
{
	if (!c->json && !planview_is_empty(plan)) {
		planview_add(c, &c->out, plan, path);
		buf_addc(&c->out, '\n');
		client_flush(c);
	}
}

static void show_after(struct client *c, const json_t *plan, int64_t began_mono_ms)
{
	char age[24];
	struct buf text = {0};
	units_format_age(clock_mono_ms() - began_mono_ms, age, sizeof(age));
	planview_add_counts(&text, plan, true);
	if (planview_is_empty(plan)) {
		buf_addf(&c->out, "%s, %lld unchanged\n", text.data,
			 (long long)member_int(plan, "same", 0));
	} else {
		buf_addf(&c->out, "applied in %s: %s\n", age, text.data);
	}
	buf_finish(&text);
	client_flush(c);
}

static int send_apply(struct client *c, const struct deploy *d)
{
	struct err err;
	const char *if_plan = args_value(&c->args, "if-plan", NULL);
	json_t *params = deploy_send(c, d, &err);
	if (!params) {
		return client_fail(c, &err, NULL);
	}
	client_set(params, "prune", json_boolean(is_pruning(c)));
	if (if_plan) {
		client_set(params, "if_plan", json_string(if_plan));
	}
	return result_of(c, "apply", "apply", params);
}

static int apply(struct client *c, const struct deploy *d, const char *path)
{
	struct rpc_reply reply = {.id = -1};
	int64_t began = clock_mono_ms();
	int status = ask_plan(c, d, &reply);
	if (status == 0) {
		show_before(c, reply.result, path);
		status = send_apply(c, d);
	}
	if (status == 0 && !c->json && c->wait) {
		show_after(c, reply.result, began);
	}
	rpc_reply_finish(&reply);
	return status;
}

int cmd_apply(struct client *c)
{
	struct deploy d;
	struct err err;
	bool started;
	const char *path = path_of(c);
	int status = deploy_load(c, path, &d);
	if (status == 0) {
		scripts_warn(c, d.f.apps, d.f.napps);
	}
	if (status == 0 && args_has(&c->args, "dry-run")) {
		status = show_plan(c, &d, path);
	} else if (status == 0 && !daemonize(c, &started, &err)) {
		status = client_fail(c, &err, NULL);
	} else if (status == 0) {
		status = apply(c, &d, path);
	}
	deploy_finish(&d);
	return status;
}
