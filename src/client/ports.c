/* SPDX-License-Identifier: MIT */
/* ports: the sockets apps listen on, and what waits in the kernel's queue of each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "client/commands.h"
#include "client/table.h"
#include "common/mem.h"

enum { C_APP, C_ADDRESS, C_KIND, C_BALANCE, C_WAITING, C_BACKLOG, C_COUNT };

static const struct column columns[C_COUNT] = {
	[C_APP] = {.title = "APP", .shrink = 6},
	[C_ADDRESS] = {.title = "ADDRESS", .gap = 2, .shrink = 12},
	[C_KIND] = {.title = "KIND", .gap = 2},
	[C_BALANCE] = {.title = "BALANCE", .gap = 2},
	[C_WAITING] = {.title = "WAITING", .right = true, .gap = 2},
	[C_BACKLOG] = {.title = "BACKLOG", .right = true, .gap = 2},
};

/* What goes first where the width does not suffice. */
static const struct drop drops[] = {{C_BALANCE, -1, -1}, {C_KIND, -1, -1}, {C_BACKLOG, -1, -1}};

static void set_number(struct table *t, size_t col, enum style style, int64_t n)
{
	char text[24] = "-";
	if (n >= 0) {
		snprintf(text, sizeof(text), "%lld", (long long)n);
	}
	table_set(t, col, style, text);
}

static void add_socket(struct table *t, const json_t *s)
{
	const char *app = member_text(s, "app", "?");
	const char *address = member_text(s, "address", "?");
	size_t kind = strcspn(address, ":"); /* "tcp:0.0.0.0:3000" */
	int64_t slot = member_int(s, "slot", -1);
	int64_t waiting = member_int(s, "waiting", -1);
	int64_t backlog = member_int(s, "backlog", -1);
	char *name = slot >= 0 ? xasprintf("%s:%lld", app, (long long)slot) : xstrdup(app);
	char *word = xstrndup(address, kind);
	/* New connections are lost once it is full. */
	bool filling = backlog > 0 && waiting >= backlog / 2;
	table_row(t);
	table_set_foreign(t, C_APP, STYLE_NONE, name);
	table_set_foreign(t, C_ADDRESS, STYLE_NONE, address[kind] ? address + kind + 1 : address);
	table_set_foreign(t, C_KIND, STYLE_NONE, word);
	table_set_foreign(t, C_BALANCE, STYLE_NONE, member_text(s, "balance", "-"));
	set_number(t, C_WAITING, filling ? STYLE_WARN : STYLE_NONE, waiting);
	set_number(t, C_BACKLOG, STYLE_NONE, backlog);
	free(name);
	free(word);
}

static void print(struct client *c, const json_t *sockets)
{
	struct table t;
	struct table_look look = {.color = c->out_color, .heading = true, .utf8 = c->utf8};
	size_t i;
	const json_t *s;
	if (json_array_size(sockets) == 0) {
		client_note(c, "no sockets: only those of `listen =` and of node clusters are kept "
			       "by the daemon");
		return;
	}
	table_init(&t, columns, C_COUNT, drops, ARRAY_LEN(drops), ARRAY_LEN(drops));
	json_array_foreach(sockets, i, s)
	{
		add_socket(&t, s);
	}
	table_fit(&t, &look, client_width(c));
	table_render(&t, &look, &c->out);
	table_finish(&t);
}

int cmd_ports(struct client *c)
{
	struct rpc_reply reply;
	int status = 0;
	if (client_ask(c, "ports", client_selectors(c, 0), &reply, &status)) {
		if (c->json) {
			client_print_json(c, reply.result);
		} else {
			print(c, json_object_get(reply.result, "sockets"));
		}
		status = client_flush(c) ? 0 : 1;
	}
	rpc_reply_finish(&reply);
	return status;
}
