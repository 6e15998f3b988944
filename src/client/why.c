/* SPDX-License-Identifier: MIT */
/* why: the story of each instance: state, reason, events, last lines. */
#include <string.h>

#include "client/client.h"
#include "client/commands.h"
#include "client/eventtext.h"
#include "client/state.h"
#include "common/units.h"

static void add_head(struct client *c, const json_t *slot)
{
	const char *state = member_text(slot, "state", "?");
	const char *note = member_text(slot, "note", "");
	if (c->out_tty) {
		const char *begin = c->out_color ? color_begin(state_style(state)) : "";
		buf_addf(&c->out, "%s%s%s ", begin, state_mark(state, c->utf8),
			 begin[0] ? COLOR_END : "");
	}
	client_add_text(&c->out, member_text(slot, "app", "?"));
	buf_addf(&c->out, ":%lld  ", (long long)member_int(slot, "slot", 0));
	client_add_text(&c->out, state);
	if (member_int(slot, "pid", 0)) {
		char age[24];
		units_format_age(member_int(slot, "up_ms", 0), age, sizeof(age));
		buf_addf(&c->out, ", pid %lld, up %s", (long long)member_int(slot, "pid", 0), age);
	}
	if (note[0]) {
		buf_adds(&c->out, ": ");
		client_add_text(&c->out, note);
	}
	buf_addc(&c->out, '\n');
}

static void print_slot(struct client *c, const json_t *slot)
{
	size_t i;
	const json_t *v;
	add_head(c, slot);
	json_array_foreach(json_object_get(slot, "events"), i, v)
	{
		buf_adds(&c->out, "  ");
		eventtext_add(&c->out, v);
	}
	const json_t *lines = json_object_get(slot, "lines");
	if (json_array_size(lines)) {
		buf_adds(&c->out, "  last lines:\n");
	}
	json_array_foreach(lines, i, v)
	{
		const char *stream = member_text(v, "stream", "");
		buf_addf(&c->out, "  %s ", strcmp(stream, "err") == 0 ? "!" : " ");
		client_add_text(&c->out, member_text(v, "text", ""));
		buf_addc(&c->out, '\n');
	}
}

int cmd_why(struct client *c)
{
	struct rpc_reply reply;
	int status = 0;
	if (client_ask(c, "why", client_selectors(c, 0), &reply, &status)) {
		size_t i;
		const json_t *slot;
		if (c->json) {
			client_print_json(c, reply.result);
		} else {
			json_array_foreach(json_object_get(reply.result, "slots"), i, slot)
			{
				buf_adds(&c->out, i ? "\n" : "");
				print_slot(c, slot);
			}
		}
		status = client_flush(c) ? 0 : 1;
	}
	rpc_reply_finish(&reply);
	return status;
}
