/* SPDX-License-Identifier: MIT */
/* env: the environment instances are started with; values are masked unless asked for. */
#include <string.h>

#include "client/client.h"
#include "client/commands.h"

static void print_proc(struct client *c, const json_t *proc, bool heading)
{
	const json_t *env = json_object_get(proc, "env");
	const char *file = member_text(proc, "env_file", NULL);
	size_t i;
	const json_t *pair;
	if (heading) {
		buf_adds(&c->out, "# ");
		client_add_text(&c->out, member_text(proc, "app", "?"));
		buf_addf(&c->out, ":%lld\n", (long long)member_int(proc, "slot", 0));
	}
	json_array_foreach(env, i, pair)
	{
		const char *name = json_string_value(json_array_get(pair, 0));
		const char *value = json_string_value(json_array_get(pair, 1));
		client_add_text(&c->out, name ? name : "?");
		buf_addc(&c->out, '=');
		client_add_text(&c->out, value ? value : "***");
		buf_addc(&c->out, '\n');
	}
	if (file) {
		client_note(c, "and what %s has at each start", file);
	}
}

int cmd_env(struct client *c)
{
	struct rpc_reply reply;
	int status = 0;
	bool reveal = args_has(&c->args, "reveal");
	json_t *params = client_selectors(c, 0);
	client_set(params, "reveal", json_boolean(reveal));
	if (client_ask(c, "env", params, &reply, &status)) {
		const json_t *procs = json_object_get(reply.result, "procs");
		if (c->json) {
			client_print_json(c, reply.result);
		} else {
			for (size_t i = 0; i < json_array_size(procs); i++) {
				buf_adds(&c->out, i ? "\n" : "");
				print_proc(c, json_array_get(procs, i), json_array_size(procs) > 1);
			}
		}
		status = client_flush(c) ? 0 : 1;
		if (!reveal && c->err_tty) {
			client_note(c, "(*** = masked; --reveal prints the values)");
		}
	}
	rpc_reply_finish(&reply);
	return status;
}
