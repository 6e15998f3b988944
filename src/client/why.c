/* SPDX-License-Identifier: MIT */
/* why: the story of each instance: what it does, what happened last, what may help. */
#include <string.h>

#include "client/client.h"
#include "client/commands.h"
#include "client/lastlines.h"
#include "client/story.h"
#include "client/who.h"
#include "common/clock.h"
#include "sys/portowner.h"

#define LINES 10

static void add_holder(struct buf *out, int port)
{
	struct sock_req req = {.kind = SOCK_KIND_TCP, .port = (uint16_t)port};
	struct portowner owner;
	char text[256];
	if (portowner_find(&req, &owner)) {
		portowner_describe(&owner, text, sizeof(text));
		client_add_text(out, text);
	}
}

/* What the process of the last trouble wrote last: from its files, or as the daemon remembers. */
static json_t *lines_of(const json_t *slot, const json_t *files)
{
	struct lastlines want = {.app = member_text(slot, "app", ""),
				 .slot = (int)member_int(slot, "slot", 0),
				 .n = LINES};
	json_t *lines = NULL;
	if (story_span(slot, &want.since_ms, &want.until_ms)) {
		lines = lastlines_read(&want, files);
	}
	if (json_array_size(lines) == 0 && !member_int(slot, "pid", 0)) {
		json_decref(lines);
		lines = json_incref(json_object_get(slot, "lines"));
	}
	return lines;
}

static void tell(struct client *c, json_t *slot, const json_t *files)
{
	json_t *lines = lines_of(slot, files);
	struct buf text = {0};
	struct story s = {.slot = slot,
			  .lines = lines,
			  .now_ms = clock_real_ms(),
			  .marks = c->out_tty && !c->json,
			  .utf8 = c->utf8,
			  .color = c->out_color && !c->json,
			  .who = who_asked,
			  .holder = add_holder};
	story_add(&s, c->json ? &text : &c->out);
	if (c->json && json_is_object(slot)) {
		client_set(slot, "story", json_stringn(text.data, text.len));
		const json_t *trouble = story_trouble(slot);
		client_set(slot, "trouble", trouble ? json_deep_copy(trouble) : json_null());
		client_set(slot, "lines_then", lines ? json_deep_copy(lines) : json_array());
	}
	buf_finish(&text);
	json_decref(lines);
}

int cmd_why(struct client *c)
{
	struct rpc_reply reply, logs = {.id = -1};
	int status = 0;
	if (client_ask(c, "why", client_selectors(c, 0), &reply, &status) &&
	    client_ask(c, "logs", client_selectors(c, 0), &logs, &status)) {
		const json_t *files = json_object_get(logs.result, "files");
		size_t i;
		json_t *slot;
		json_array_foreach(json_object_get(reply.result, "slots"), i, slot)
		{
			if (!c->json && i) {
				buf_addc(&c->out, '\n');
			}
			tell(c, slot, files);
		}
		if (c->json) {
			client_print_json(c, reply.result);
		}
		status = client_flush(c) ? 0 : 1;
	}
	rpc_reply_finish(&logs);
	rpc_reply_finish(&reply);
	return status;
}
