/* SPDX-License-Identifier: MIT */
/* daemon upgrade: ask, then watch the new daemon until it has proven itself. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/away.h"
#include "client/client.h"
#include "client/commands.h"
#include "client/interrupt.h"
#include "client/upgrade.h"
#include "client/workdir.h"
#include "common/clock.h"

#define OUTCOME_MS 20000 /* start, trial and way back take 8 s at most */
#define ASK_MS	   90000 /* the daemon waits a minute for operations that are under way */
#define PAUSE_MS   20

static void nap(void)
{
	struct timespec ts = {0, PAUSE_MS * 1000000L};
	nanosleep(&ts, NULL);
}

/* What the keeper noted, from whoever answers now; NULL = nobody yet, or still on trial. */
static json_t *outcome(struct client *c, bool *took_over)
{
	struct rpc_reply reply = {.id = -1};
	struct err ignored;
	struct conn_wait w = {.deadline_mono_ms = clock_mono_ms() + 1000};
	json_t *found = NULL;
	if (conn_call(&c->conn, "status", NULL, &w, &reply, &ignored)) {
		const json_t *u = json_object_get(reply.result, "upgrade");
		const char *state = member_text(u, "state", "none");
		*took_over |= strcmp(state, "trial") == 0;
		if (strcmp(state, "trial") != 0) {
			found = json_incref(reply.result);
		}
	} else {
		conn_close(&c->conn);
	}
	rpc_reply_finish(&reply);
	return found;
}

/* NULL with the reason: not known in time, or nobody is left who could say. */
static json_t *wait_for_outcome(struct client *c, const json_t *accepted, struct err *err)
{
	int64_t end = clock_mono_ms() + (c->timeout_ms >= 0 ? c->timeout_ms : OUTCOME_MS);
	bool told = false, took_over = false, ignored;
	conn_close(&c->conn);
	for (; clock_mono_ms() < end && !interrupt_pending(); nap()) {
		if (!c->conn.open && !away_wait(c, end, &ignored, err)) {
			if (err->code != ERR_NO_DAEMON) {
				break;
			}
			return NULL;
		}
		json_t *status = outcome(c, &took_over);
		if (status) {
			return status;
		}
		if (took_over && !told) {
			told = true;
			client_note(c, "pmctld %s took over; on trial for 2 s",
				    member_text(accepted, "to", "?"));
		}
	}
	err_set(err, ERR_DEADLINE,
		"it is not known yet how the upgrade went; see: pmctl daemon status");
	return NULL;
}

static int report(struct client *c, const json_t *accepted, const json_t *status)
{
	const json_t *u = json_object_get(status, "upgrade");
	const char *state = member_text(u, "state", "none");
	const char *why = member_text(u, "why", "");
	bool done = strcmp(state, "done") == 0;
	if (c->json) {
		json_t *o = json_pack("{s:i,s:s,s:s,s:s,s:s,s:I}", "v", 1, "state", state, "from",
				      member_text(accepted, "from", "?"), "to",
				      member_text(accepted, "to", "?"), "why", why, "pid",
				      (json_int_t)member_int(status, "pid", 0));
		client_print_json(c, o);
		json_decref(o);
	} else if (done) {
		buf_addf(&c->out,
			 "upgraded: pmctld %s -> %s, pid %lld; %lld of %lld instances online\n",
			 member_text(accepted, "from", "?"), member_text(accepted, "to", "?"),
			 (long long)member_int(status, "pid", 0),
			 (long long)member_int(status, "online", 0),
			 (long long)member_int(status, "instances", 0));
	}
	bool ok = client_flush(c);
	if (done) {
		if (why[0]) {
			client_note(c, "%s", why);
		}
		return ok ? 0 : 1;
	}
	struct err err;
	err_set(&err, ERR_PARTIAL, "rolled back to pmctld %s, no app was touched: %s",
		member_text(status, "version", "?"), why[0] ? why : "pmctld.log may say why");
	return c->json ? err_info(err.code)->exit_status : client_fail(c, &err, NULL);
}

static json_t *params_of(struct client *c, struct err *err)
{
	const char *given = c->args.n > 1 ? c->args.operand[1] : NULL;
	if (!given) {
		return json_object();
	}
	char *path = workdir_absolute(given, err);
	json_t *params = path ? json_pack("{s:s}", "program", path) : NULL;
	if (path && !params) {
		err_set(err, ERR_USAGE, "the path is not UTF-8");
	}
	free(path);
	return params;
}

int cmd_update(struct client *c)
{
	return upgrade_daemon(c);
}

int upgrade_daemon(struct client *c)
{
	struct rpc_reply reply = {.id = -1};
	struct err err;
	struct conn_wait w = {.deadline_mono_ms = clock_mono_ms() +
						  (c->timeout_ms >= 0 ? c->timeout_ms : ASK_MS)};
	json_t *params = params_of(c, &err);
	if (!params || !client_connect(c, &err)) {
		json_decref(params);
		return client_fail(c, &err, NULL);
	}
	int status;
	if (!conn_call(&c->conn, "daemon.upgrade", params, &w, &reply, &err)) {
		status = interrupt_pending() ? 128 + interrupt_pending()
					     : client_fail(c, &err, reply.hint);
	} else {
		json_t *after = wait_for_outcome(c, reply.result, &err);
		if (after) {
			status = report(c, reply.result, after);
		} else if (interrupt_pending()) {
			status = 128 + interrupt_pending();
		} else {
			status = client_fail(c, &err, NULL);
		}
		json_decref(after);
	}
	rpc_reply_finish(&reply);
	return status;
}
