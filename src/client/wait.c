/* SPDX-License-Identifier: MIT */
/*
 * wait: until all selected are ready, or stopped. The daemon answers when it is so; a second
 * connection looks now and then whether waiting for readiness has become of no use.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "client/away.h"
#include "client/client.h"
#include "client/commands.h"
#include "client/interrupt.h"
#include "common/clock.h"
#include "common/units.h"

#define LOOK_MS 1000

struct watch {
	struct client *c;
	int64_t next_mono_ms;
	bool for_ready;
	char hopeless[200]; /* "web:0 is failed"; "" = there is hope */
};

static void find_hopeless(struct watch *w, const json_t *apps)
{
	static const char *const dead[] = {"failed", "stopped", "done"};
	size_t i, k;
	const json_t *app, *proc;
	json_array_foreach(apps, i, app)
	{
		json_array_foreach(json_object_get(app, "procs"), k, proc)
		{
			const char *state = member_text(proc, "state", "");
			if (json_is_true(json_object_get(proc, "waits"))) {
				continue; /* for its turn to be started */
			}
			for (size_t d = 0; d < 3; d++) {
				if (strcmp(state, dead[d]) == 0) {
					snprintf(w->hopeless, sizeof(w->hopeless),
						 "%.60s:%lld is %s", member_text(app, "name", "?"),
						 (long long)member_int(proc, "slot", 0), state);
					return;
				}
			}
		}
	}
}

static void look(struct watch *w)
{
	struct conn conn;
	struct err err;
	struct rpc_reply reply;
	struct conn_wait limit = {.deadline_mono_ms = clock_mono_ms() + LOOK_MS};
	w->next_mono_ms = clock_mono_ms() + LOOK_MS;
	if (!w->for_ready || !conn_open(&conn, &w->c->paths, &err)) {
		return;
	}
	if (conn_call(&conn, "list", client_selectors(w->c, 0), &limit, &reply, &err)) {
		find_hopeless(w, json_object_get(reply.result, "apps"));
	}
	rpc_reply_finish(&reply);
	conn_close(&conn);
}

static void on_tick(void *ctx)
{
	struct watch *w = ctx;
	if (clock_mono_ms() >= w->next_mono_ms && !w->hopeless[0]) {
		look(w);
		if (w->hopeless[0]) {
			/* Ends the wait: the answer will not come. */
			shutdown(w->c->conn.fd, SHUT_RDWR);
		}
	}
}

static int not_running(struct client *c, const struct watch *w)
{
	struct err err;
	err_set(&err, ERR_NOT_RUNNING, "%s, so waiting is of no use", w->hopeless);
	return client_fail(c, &err, "the reason: pmctl why");
}

static int failed(struct client *c, struct err *err, const char *what, const char *hint)
{
	if (interrupt_pending()) {
		return 128 + interrupt_pending();
	}
	if (err->code == ERR_DEADLINE) {
		char age[24];
		units_format_duration(c->timeout_ms, age, sizeof(age));
		err_set(err, ERR_DEADLINE, "not %s within %s", what, age);
	}
	return client_fail(c, err, hint);
}

/* Until it is so, over the death of supervisors. */
static bool wait_for(struct watch *watch, const char *what, const struct conn_wait *w,
		     struct rpc_reply *reply, struct err *err)
{
	struct client *c = watch->c;
	for (;;) {
		bool stopped;
		json_t *params = client_selectors(c, 0);
		client_set(params, "for", json_string(what));
		if (conn_call(&c->conn, "wait", params, w, reply, err)) {
			return true;
		}
		if (watch->hopeless[0] || !away_is_lost(err)) {
			return false;
		}
		rpc_reply_finish(reply);
		if (!away_wait(c, w->deadline_mono_ms, &stopped, err)) {
			return false;
		}
	}
}

int cmd_wait(struct client *c)
{
	const char *what = args_value(&c->args, "for", "ready");
	struct watch watch = {.c = c, .for_ready = strcmp(what, "ready") == 0};
	struct conn_wait w = {.tick = on_tick, .ctx = &watch};
	struct rpc_reply reply = {.id = -1};
	struct err err;
	int status = 0;
	if (!watch.for_ready && strcmp(what, "stopped") != 0) {
		return client_usage(c, "wait: --for is ready or stopped, not \"%.40s\"", what);
	}
	if (c->timeout_ms >= 0) {
		w.deadline_mono_ms = clock_mono_ms() + c->timeout_ms;
	}
	if (!client_connect(c, &err)) {
		return client_fail(c, &err, NULL);
	}
	look(&watch);
	if (watch.hopeless[0]) {
		return not_running(c, &watch);
	}
	if (wait_for(&watch, what, &w, &reply, &err)) {
		if (c->json) {
			client_print_json(c, reply.result);
		}
		status = client_flush(c) ? 0 : 1;
	} else if (watch.hopeless[0]) {
		status = not_running(c, &watch);
	} else {
		status = failed(c, &err, what, reply.hint);
	}
	rpc_reply_finish(&reply);
	return status;
}
