/* SPDX-License-Identifier: MIT */
/* signal, reset, flush, rotate, save, metrics: one request, one line or text. */
#include "client/client.h"
#include "client/commands.h"
#include "common/signals.h"

/* Send it, print "N THINGS DONE" or the answer as JSON. */
static int count(struct client *c, const char *method, json_t *params, const char *member,
		 const char *one, const char *many, const char *done)
{
	struct rpc_reply reply;
	int status = 0;
	if (client_ask(c, method, params, &reply, &status)) {
		long long n = member_int(reply.result, member, 0);
		if (c->json) {
			client_print_json(c, reply.result);
		} else {
			buf_addf(&c->out, "%lld %s %s\n", n, n == 1 ? one : many, done);
		}
		status = client_flush(c) ? 0 : 1;
	}
	rpc_reply_finish(&reply);
	return status;
}

int cmd_signal(struct client *c)
{
	char name[SIGNALS_NAME];
	int sig = signals_number(c->args.operand[0]);
	if (!sig) {
		return client_usage(
			c,
			"no signal \"%.40s\"; use a name such as HUP or SIGUSR2, or a number; "
			"nothing was done",
			c->args.operand[0]);
	}
	json_t *params = client_selectors(c, 1);
	client_set(params, "signal", json_string(signals_name(sig, name)));
	return count(c, "signal", params, "signalled", "process", "processes", "signalled");
}

int cmd_reset(struct client *c)
{
	return count(c, "reset", client_selectors(c, 0), "reset", "counter", "counters", "reset");
}

int cmd_flush(struct client *c)
{
	return count(c, "flush", client_selectors(c, 0), "files", "log file", "log files",
		     "emptied");
}

int cmd_rotate(struct client *c)
{
	return count(c, "rotate", client_selectors(c, 0), "files", "log file", "log files",
		     "rotated");
}

int cmd_save(struct client *c)
{
	struct rpc_reply reply;
	int status = 0;
	if (client_ask(c, "save", NULL, &reply, &status)) {
		if (c->json) {
			client_print_json(c, reply.result);
		} else {
			buf_adds(&c->out,
				 "saved (every change is saved at once, without being asked)\n");
		}
		status = client_flush(c) ? 0 : 1;
	}
	rpc_reply_finish(&reply);
	return status;
}

int cmd_metrics(struct client *c)
{
	struct rpc_reply reply;
	int status = 0;
	json_t *params = json_object();
	client_set(params, "prometheus", json_boolean(args_has(&c->args, "prometheus")));
	if (client_ask(c, "metrics", params, &reply, &status)) {
		const json_t *text = json_object_get(reply.result, "text");
		if (c->json) {
			client_print_json(c, reply.result);
		} else {
			buf_add(&c->out, json_string_value(text), json_string_length(text));
		}
		status = client_flush(c) ? 0 : 1;
	}
	rpc_reply_finish(&reply);
	return status;
}
