/* SPDX-License-Identifier: MIT */
/* events: what happened; -f goes on, over an end of the daemon too. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/client.h"
#include "client/commands.h"
#include "client/eventtext.h"
#include "client/interrupt.h"

#define RETRY_MS 500

static void print_event(struct client *c, json_t *event)
{
	if (c->json) {
		client_print_json(c, event);
	} else {
		eventtext_add(&c->out, event);
	}
}

/* Ask for what there is and follow if asked to; prints it. after < 0 = the last n. */
static bool subscribe(struct client *c, int64_t n, bool follow, int64_t *after, int *status)
{
	struct rpc_reply reply;
	json_t *params = client_selectors(c, 0);
	if (*after >= 0) {
		client_set(params, "after_seq", json_integer(*after));
	} else {
		client_set(params, "n", json_integer(n));
	}
	client_set(params, "follow", json_boolean(follow));
	bool ok = client_ask(c, "events", params, &reply, status);
	if (ok) {
		size_t i;
		json_t *event;
		json_array_foreach(json_object_get(reply.result, "events"), i, event)
		{
			print_event(c, event);
		}
		int64_t last = member_int(reply.result, "last_seq", 0);
		*after = last > *after ? last : *after;
		ok = client_flush(c);
		*status = ok ? 0 : 1;
	}
	rpc_reply_finish(&reply);
	return ok;
}

/* Until the daemon is back; false if a signal came. */
static bool reconnect(struct client *c)
{
	struct err err;
	conn_close(&c->conn);
	client_note(c, "pmctl: the daemon is away; waiting for it");
	while (!interrupt_pending()) {
		usleep(RETRY_MS * 1000);
		if (client_connect(c, &err)) {
			client_note(c, "pmctl: connection back");
			return true;
		}
	}
	return false;
}

static int follow(struct client *c, int64_t after)
{
	struct rpc_reply n;
	struct err err;
	int status = 0;
	while (!interrupt_pending()) {
		int got = conn_next(&c->conn, -1, &n, &err);
		if (got > 0 && n.kind == RPC_NOTIFICATION && strcmp(n.method, "event") == 0) {
			int64_t seq = member_int(n.params, "seq", 0);
			after = seq > after ? seq : after;
			print_event(c, n.params);
			if (!client_flush(c)) {
				rpc_reply_finish(&n);
				return 1;
			}
		}
		rpc_reply_finish(&n);
		if (got < 0 && (!reconnect(c) || !subscribe(c, 0, true, &after, &status))) {
			break;
		}
	}
	return interrupt_pending() ? 128 + interrupt_pending() : status;
}

int cmd_events(struct client *c)
{
	const char *lines = args_value(&c->args, "lines", "20");
	bool wants_more = args_has(&c->args, "follow");
	char *end;
	long n = strtol(lines, &end, 10);
	int64_t after = -1;
	int status = 0;
	if (*end || end == lines || n < 0) {
		return client_usage(c, "--lines: \"%.40s\" is not a number", lines);
	}
	n = n > 1000 ? 1000 : n; /* the daemon keeps no more */
	if (!subscribe(c, n, wants_more, &after, &status) || !wants_more) {
		return status;
	}
	return follow(c, after);
}
