/* SPDX-License-Identifier: MIT */
/* events: what happened; -f goes on, over an end of the daemon too. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "client/away.h"
#include "client/client.h"
#include "client/commands.h"
#include "client/eventtext.h"
#include "client/interrupt.h"
#include "client/logtime.h"
#include "common/clock.h"
#include "common/limits.h"

#define LOOK_MS 1000 /* whether anybody still reads */

/* What is asked for, beside the selectors. */
struct wish {
	struct client *c;
	int64_t n, since_ms; /* real; 0 = not given */
	json_t *types;	     /* array; NULL = all */
	bool follow;
};

static bool has_type(const struct wish *w, const json_t *event)
{
	size_t i;
	const json_t *t;
	json_array_foreach(w->types, i, t)
	{
		if (strcmp(json_string_value(t), member_text(event, "type", "")) == 0) {
			return true;
		}
	}
	return json_array_size(w->types) == 0;
}

static void print_event(const struct wish *w, json_t *event)
{
	struct client *c = w->c;
	if (!has_type(w, event)) {
		return; /* a follower is sent all of them */
	}
	if (c->json) {
		client_print_json(c, event);
	} else {
		eventtext_add(&c->out, event);
	}
}

static void tell_missed(const struct client *c, int64_t after, const json_t *result)
{
	int64_t first = member_int(result, "first_seq", 0);
	if (after >= 0 && first > after + 1) {
		client_note(c, "pmctl: up to %lld events of the time between are not kept any more",
			    (long long)(first - after - 1));
	}
}

static json_t *params_of(const struct wish *w, int64_t after)
{
	json_t *params = client_selectors(w->c, 0);
	if (after >= 0) {
		client_set(params, "after_seq", json_integer(after));
	} else {
		client_set(params, "n", json_integer(w->n));
		client_set(params, "since_ms", json_integer(w->since_ms));
		client_set(params, "folded", json_boolean(!w->c->json));
	}
	if (w->types) {
		client_set(params, "types", json_incref(w->types));
	}
	client_set(params, "follow", json_boolean(w->follow));
	return params;
}

static bool print_all(const struct wish *w, const json_t *result, int64_t *after)
{
	size_t i;
	json_t *event;
	json_array_foreach(json_object_get(result, "events"), i, event)
	{
		print_event(w, event);
	}
	int64_t last = member_int(result, "last_seq", 0);
	*after = last > *after ? last : *after;
	return client_flush(w->c);
}

/* Once more, after the daemon was away: what happened after *after, and then what comes. */
static bool subscribe(const struct wish *w, int64_t *after, struct err *err)
{
	struct rpc_reply reply;
	bool ok = conn_call(&w->c->conn, "events", params_of(w, *after), NULL, &reply, err);
	if (ok) {
		tell_missed(w->c, *after, reply.result);
		ok = print_all(w, reply.result, after) || err_set(err, ERR_NONE, "told");
	}
	rpc_reply_finish(&reply);
	return ok;
}

static void tell(const struct client *c, const char *text)
{
	if (c->err_tty) {
		client_note(c, "pmctl: %s", text);
	}
}

/* The daemon is away: until the next one has told what happened since. False: *status says how it
 * ends. */
static bool come_back(const struct wish *w, int64_t *after, int *status)
{
	struct client *c = w->c;
	struct err err;
	bool stopped;
	tell(c, "the daemon is away; waiting");
	while (away_wait(c, 0, &stopped, &err)) {
		if (subscribe(w, after, &err)) {
			tell(c, "the daemon is back");
			return true;
		}
		if (!away_is_lost(&err)) {
			break;
		}
	}
	*status = interrupt_pending()	 ? 128 + interrupt_pending()
		  : stopped		 ? 0
		  : err.code == ERR_NONE ? 1
					 : client_fail(c, &err, NULL);
	return false;
}

static int follow(const struct wish *w, int64_t after)
{
	struct client *c = w->c;
	struct rpc_reply n;
	struct err err;
	int status = 0;
	while (!interrupt_pending()) {
		int got = conn_next(&c->conn, LOOK_MS, &n, &err);
		if (client_is_unread()) {
			rpc_reply_finish(&n);
			return 128 + SIGPIPE;
		}
		if (got > 0 && n.kind == RPC_NOTIFICATION && strcmp(n.method, "event") == 0) {
			int64_t seq = member_int(n.params, "seq", 0);
			after = seq > after ? seq : after;
			print_event(w, n.params);
			if (!client_flush(c)) {
				rpc_reply_finish(&n);
				return 1;
			}
		}
		rpc_reply_finish(&n);
		if (got < 0 && !come_back(w, &after, &status)) {
			return status;
		}
	}
	return 128 + interrupt_pending();
}

/* "exit,failed" */
static json_t *split(const char *text)
{
	json_t *types = json_array();
	for (size_t n; *text; text += n + (text[n] == ',')) {
		n = strcspn(text, ",");
		if (n) {
			json_array_append_new(types, json_stringn(text, n));
		}
	}
	return types;
}

static int parse(struct wish *w)
{
	struct client *c = w->c;
	const char *lines = args_value(&c->args, "lines", NULL);
	const char *since = args_value(&c->args, "since", NULL);
	const char *types = args_value(&c->args, "type", NULL);
	char *end;
	/* The daemon keeps no more. */
	w->n = lines ? strtol(lines, &end, 10) : since ? LIMIT_EVENTS : 20;
	if (lines && (*end || end == lines || w->n < 0)) {
		return client_usage(c, "--lines: \"%.40s\" is not a number", lines);
	}
	if (since && !logtime_parse(since, clock_real_ms(), &w->since_ms)) {
		return client_usage(c,
				    "--since: \"%.60s\" is no time; use 10m, 2h, 14:00, yesterday "
				    "or 2026-11-22T14:03:01Z",
				    since);
	}
	w->n = w->n > LIMIT_EVENTS ? LIMIT_EVENTS : w->n;
	w->types = types ? split(types) : NULL;
	w->follow = args_has(&c->args, "follow");
	return 0;
}

int cmd_events(struct client *c)
{
	struct wish w = {.c = c};
	struct rpc_reply reply = {.id = -1};
	int64_t after = -1;
	int status = parse(&w);
	if (status == 0 && client_ask(c, "events", params_of(&w, -1), &reply, &status) &&
	    !print_all(&w, reply.result, &after)) {
		status = 1;
	}
	rpc_reply_finish(&reply);
	status = status == 0 && w.follow ? follow(&w, after) : status;
	json_decref(w.types);
	return status;
}
