/* SPDX-License-Identifier: MIT */
/* history and rollback: the definitions an app has had. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "client/commands.h"
#include "client/planview.h"
#include "client/result.h"
#include "client/who.h"
#include "common/limits.h"

static void add_keys(struct buf *out, const json_t *keys, bool first)
{
	size_t i;
	const json_t *k;
	json_array_foreach(keys, i, k)
	{
		buf_addf(out, "%s%s", i ? ", " : "", member_text(k, "key", "?"));
	}
	if (json_array_size(keys) == 0) {
		buf_adds(out, first ? "the oldest that is kept" : "where it is defined");
	}
}

static void add_row(struct client *c, const json_t *r, bool first, bool last)
{
	struct buf by = {0}, keys = {0};
	const char *at = member_text(r, "applied_at", "-");
	who_user(&by, member_int(json_object_get(r, "by"), "uid", -1));
	add_keys(&keys, json_object_get(r, "keys"), first);
	buf_addf(&c->out, "%c %4lld  %-24s  %-10s  ", last ? '*' : ' ',
		 (long long)member_int(r, "revision", 0), at, by.len ? by.data : "-");
	client_add_text(&c->out, keys.data);
	buf_addc(&c->out, '\n');
	buf_finish(&by);
	buf_finish(&keys);
}

int cmd_history(struct client *c)
{
	struct rpc_reply reply;
	int status = 0;
	size_t i;
	const json_t *r;
	json_t *params = json_pack("{s:s}", "app", c->args.operand[0]);
	if (client_ask(c, "revisions", params, &reply, &status)) {
		const json_t *all = json_object_get(reply.result, "revisions");
		if (c->json) {
			client_print_json(c, reply.result);
		} else {
			buf_addf(&c->out, "   REV  %-24s  %-10s  CHANGED\n", "APPLIED", "BY");
		}
		json_array_foreach(c->json ? NULL : all, i, r)
		{
			add_row(c, r, i == 0, i + 1 == json_array_size(all));
		}
		status = client_flush(c) ? 0 : 1;
	}
	rpc_reply_finish(&reply);
	return status;
}

static json_t *params_of(struct client *c, long revision)
{
	json_t *params = json_object();
	client_set(params, "app", json_string(c->args.operand[0]));
	client_set(params, "revision", json_integer(revision));
	return params;
}

/* The plan of it on stdout. Returns 0 or the exit status; *empty if there is nothing to do. */
static int show_plan(struct client *c, long revision, bool *empty)
{
	struct rpc_reply reply;
	int status = 0;
	json_t *params = params_of(c, revision);
	client_set(params, "dry_run", json_true());
	if (client_ask(c, "rollback", params, &reply, &status)) {
		if (c->json && args_has(&c->args, "dry-run")) {
			client_print_json(c, reply.result);
		} else if (!c->json) {
			char what[LIMIT_NAME + 40];
			snprintf(what, sizeof(what), "%.*s as of revision %lld", LIMIT_NAME,
				 c->args.operand[0],
				 (long long)member_int(reply.result, "revision", 0));
			planview_add(c, &c->out, reply.result, what);
			buf_adds(&c->out,
				 planview_is_empty(reply.result) ? "\nnothing to do.\n" : "\n");
		}
		*empty = planview_is_empty(reply.result);
		status = client_flush(c) ? 0 : 1;
	}
	rpc_reply_finish(&reply);
	return status;
}

int cmd_rollback(struct client *c)
{
	long revision = 0;
	if (c->args.n > 1) {
		char *end;
		const char *text = c->args.operand[1];
		errno = 0;
		revision = strtol(text, &end, 10);
		if (errno || *end || end == text || revision < 1 || revision > INT32_MAX) {
			return client_usage(c, "rollback: \"%.40s\" is no number of pmctl history",
					    text);
		}
	}
	bool empty = false;
	int status = show_plan(c, revision, &empty);
	if (status || args_has(&c->args, "dry-run") || (empty && !c->json)) {
		return status;
	}
	return result_of(c, "rollback", "rollback", params_of(c, revision));
}
