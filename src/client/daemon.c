/* SPDX-License-Identifier: MIT */
/* daemon start|stop|status|paths, ping, kill, resurrect. */
#include <string.h>

#include "client/away.h"
#include "client/client.h"
#include "client/commands.h"
#include "client/daemonize.h"
#include "client/interrupt.h"
#include "client/upgrade.h"
#include "common/clock.h"
#include "common/mem.h"
#include "common/suggest.h"
#include "common/units.h"
#include "sys/paths.h"

static int print_status(struct client *c, const json_t *s, const char *word)
{
	char age[24];
	units_format_age(member_int(s, "up_ms", 0), age, sizeof(age));
	buf_adds(&c->out, "pmctld ");
	client_add_text(&c->out, member_text(s, "version", "?"));
	buf_addf(&c->out, " %s (pid %lld, up %s), %lld app%s, %lld of %lld instances online\n",
		 word, (long long)member_int(s, "pid", 0), age, (long long)member_int(s, "apps", 0),
		 member_int(s, "apps", 0) == 1 ? "" : "s", (long long)member_int(s, "online", 0),
		 (long long)member_int(s, "instances", 0));
	return 0;
}

static int start(struct client *c)
{
	struct err err;
	struct rpc_reply reply;
	bool started;
	int status = 0;
	if (!daemonize(c, &started, &err)) {
		return client_fail(c, &err, NULL);
	}
	if (client_ask(c, "status", NULL, &reply, &status)) {
		if (c->json) {
			client_print_json(c, reply.result);
		} else {
			print_status(c, reply.result, started ? "started" : "runs already");
		}
		status = client_flush(c) ? 0 : 1;
	}
	rpc_reply_finish(&reply);
	return status;
}

static void print_stopped(struct client *c, const json_t *result)
{
	long long stopped = member_int(result, "stopped", -1);
	long long left = member_int(result, "left", 0);
	if (left > 0) {
		buf_addf(&c->out,
			 "pmctld stopped; %lld instance%s left running, the next daemon takes %s "
			 "over: pmctl daemon start\n",
			 left, left == 1 ? "" : "s", left == 1 ? "it" : "them");
	} else if (stopped < 0) {
		buf_adds(&c->out, "pmctld stopped\n");
	} else {
		buf_addf(&c->out, "pmctld stopped, and %lld instance%s with it\n", stopped,
			 stopped == 1 ? "" : "s");
	}
}

/* A supervisor that is killed before it has ended leaves its successor with everything to do. If
 * one ended without having told us how many apps it stopped, that is null in the result. */
static bool ask_to_stop(struct client *c, bool leave_running, struct rpc_reply *reply,
			struct err *err)
{
	struct conn_wait w = {0};
	if (c->timeout_ms >= 0) {
		w.deadline_mono_ms = clock_mono_ms() + c->timeout_ms;
	}
	for (;;) {
		bool stopped;
		json_t *params = json_pack("{s:b}", "leave_running", leave_running);
		if (conn_call(&c->conn, "daemon.stop", params, &w, reply, err)) {
			return true;
		}
		if (!away_is_lost(err)) {
			return false;
		}
		rpc_reply_finish(reply);
		if (!away_wait(c, w.deadline_mono_ms, &stopped, err)) {
			reply->root = reply->result = json_pack("{s:n,s:n}", "stopped", "left");
			return stopped;
		}
	}
}

static int stop(struct client *c, bool leave_running)
{
	struct rpc_reply reply = {.id = -1};
	struct err err;
	int status = 0;
	if (!client_connect(c, &err)) {
		if (err.code != ERR_NO_DAEMON) {
			return client_fail(c, &err, NULL);
		}
		if (!away_is_locked(c)) {
			client_note(c, "pmctld was not running");
			return 0;
		}
		/* It runs, but somebody took its socket away: pmctld makes it put one there. */
		if (!daemonize(c, NULL, &err)) {
			return client_fail(c, &err, NULL);
		}
	}
	if (ask_to_stop(c, leave_running, &reply, &err)) {
		/* It is over when nobody holds the lock any more, a moment after the answer. */
		struct rpc_reply more = {.id = -1};
		struct err ignored;
		while (c->conn.open && conn_next(&c->conn, 5000, &more, &ignored) == 1) {
			rpc_reply_finish(&more);
		}
		rpc_reply_finish(&more);
		if (c->json) {
			client_print_json(c, reply.result);
		} else {
			print_stopped(c, reply.result);
		}
		status = client_flush(c) ? 0 : 1;
	} else if (interrupt_pending()) {
		client_note(c, "the daemon goes on ending without us");
		status = 128 + interrupt_pending();
	} else {
		status = client_fail(c, &err, reply.hint);
	}
	rpc_reply_finish(&reply);
	return status;
}

static void add_member(struct client *c, const char *title, const char *value)
{
	buf_addf(&c->out, "  %-10s ", title);
	client_add_text(&c->out, value);
	buf_addc(&c->out, '\n');
}

/* What became of the supervisors before, and of the last upgrade. */
static void print_history(struct client *c, const json_t *s)
{
	const json_t *end = json_object_get(s, "last_end");
	const json_t *upgrade = json_object_get(s, "upgrade");
	const char *why = member_text(upgrade, "why", "");
	long long restarts = member_int(s, "supervisor_restarts", 0);
	if (restarts) {
		buf_addf(&c->out,
			 "  %-10s %lld time%s, no app was lost; the last one ended at %s: ",
			 "restarted", restarts, restarts == 1 ? "" : "s",
			 member_text(end, "at", "?"));
		if (json_is_string(json_object_get(end, "signal"))) {
			client_add_text(&c->out, member_text(end, "signal", "?"));
		} else {
			buf_addf(&c->out, "exited %lld", (long long)member_int(end, "code", 0));
		}
		buf_addc(&c->out, '\n');
	}
	if (json_is_object(upgrade)) {
		buf_addf(&c->out, "  %-10s %s at %s%s", "upgrade",
			 member_text(upgrade, "state", "?"), member_text(upgrade, "at", "?"),
			 why[0] ? ": " : "");
		client_add_text(&c->out, why);
		buf_addc(&c->out, '\n');
	}
}

static void print_details(struct client *c, const json_t *s)
{
	const json_t *paths = json_object_get(s, "paths");
	const json_t *warnings = json_object_get(s, "warnings");
	size_t i;
	const json_t *w;
	print_status(c, s, "runs");
	buf_addf(&c->out, "  %-10s %lld\n", "keeper pid",
		 (long long)member_int(s, "keeper_pid", 0));
	add_member(c, "program", member_text(s, "program", "?"));
	add_member(c, "runtime", member_text(paths, "runtime", "-"));
	add_member(c, "state", member_text(paths, "state", "-"));
	add_member(c, "log", member_text(paths, "log", "-"));
	add_member(c, "cgroup", member_text(s, "cgroup", "none"));
	print_history(c, s);
	json_array_foreach(json_object_get(s, "metrics"), i, w)
	{
		const char *why = member_text(w, "error", NULL);
		char *text = xasprintf("%s%s%s", member_text(w, "address", "?"), why ? ": " : "",
				       why ? why : "");
		add_member(c, "metrics", text);
		free(text);
	}
	json_array_foreach(warnings, i, w)
	{
		add_member(c, "warning", json_string_value(w) ? json_string_value(w) : "?");
	}
}

static int daemon_status(struct client *c)
{
	struct rpc_reply reply;
	int status = 0;
	if (client_ask(c, "status", NULL, &reply, &status)) {
		if (c->json) {
			client_print_json(c, reply.result);
		} else {
			print_details(c, reply.result);
		}
		status = client_flush(c) ? 0 : 1;
	}
	rpc_reply_finish(&reply);
	return status;
}

static int print_paths(struct client *c)
{
	struct err err;
	if (!client_paths(c, &err)) {
		return client_fail(c, &err, NULL);
	}
	const struct {
		const char *name, *value;
	} rows[] = {{"runtime", c->paths.runtime},
		    {"state", c->paths.state},
		    {"log", c->paths.log},
		    {"socket", c->paths.socket},
		    {"lock", c->paths.lock}};
	if (c->json) {
		json_t *o = json_pack("{s:i}", "v", 1);
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			json_t *v = json_string(rows[i].value);
			client_set(o, rows[i].name, v ? v : json_null());
		}
		client_print_json(c, o);
		json_decref(o);
	} else {
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			buf_addf(&c->out, "%-8s ", rows[i].name);
			client_add_text(&c->out, rows[i].value);
			buf_addc(&c->out, '\n');
		}
	}
	return client_flush(c) ? 0 : 1;
}

int cmd_daemon(struct client *c)
{
	static const char *const words[] = {"start", "stop", "status", "upgrade", "paths"};
	const char *what = c->args.operand[0];
	bool leave = args_has(&c->args, "leave-running");
	if (leave && strcmp(what, "stop") != 0) {
		return client_usage(c, "--leave-running belongs to: pmctl daemon stop");
	}
	if (c->args.n > 1 && strcmp(what, "upgrade") != 0) {
		return client_usage(c, "daemon %s takes nothing more", what);
	}
	if (strcmp(what, "start") == 0) {
		return start(c);
	}
	if (strcmp(what, "stop") == 0) {
		return stop(c, leave);
	}
	if (strcmp(what, "status") == 0) {
		return daemon_status(c);
	}
	if (strcmp(what, "paths") == 0) {
		return print_paths(c);
	}
	if (strcmp(what, "upgrade") == 0) {
		return upgrade_daemon(c);
	}
	struct suggest s;
	char guess[200];
	suggest_init(&s, what);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		suggest_offer(&s, words[i]);
	}
	suggest_text(&s, guess, sizeof(guess));
	return client_usage(c, "daemon: no \"%.40s\"%s usage: pmctl daemon %s", what,
			    guess[0] ? guess : ";", c->cmd->args);
}

int cmd_ping(struct client *c)
{
	struct rpc_reply reply;
	int status = 0;
	if (client_ask(c, "ping", NULL, &reply, &status)) {
		if (c->json) {
			client_print_json(c, reply.result);
		} else {
			buf_addf(&c->out, "pmctld %s answers, pid %lld\n",
				 member_text(reply.result, "version", "?"),
				 (long long)member_int(reply.result, "pid", 0));
		}
		status = client_flush(c) ? 0 : 1;
	}
	rpc_reply_finish(&reply);
	return status;
}

int cmd_kill(struct client *c)
{
	return stop(c, false);
}

int cmd_resurrect(struct client *c)
{
	return start(c);
}
