/* SPDX-License-Identifier: MIT */
/* list, status, is-active: the table, and exit statuses for scripts. */
#include <string.h>

#include "client/client.h"
#include "client/commands.h"
#include "client/drift.h"
#include "client/listview.h"
#include "client/listwatch.h"
#include "common/clock.h"

static bool all_online(const json_t *apps)
{
	size_t i;
	const json_t *app;
	json_array_foreach(apps, i, app)
	{
		const json_t *procs = json_object_get(app, "procs");
		size_t k;
		const json_t *p;
		json_array_foreach(procs, k, p)
		{
			if (strcmp(member_text(p, "state", ""), "online") != 0) {
				return false;
			}
		}
	}
	return true;
}

static void print(struct client *c, const json_t *apps)
{
	struct listview v = {.piped = !c->out_tty,
			     .instances = args_has(&c->args, "instances") || c->args.n > 0,
			     .color = c->out_color,
			     .utf8 = c->utf8,
			     .width = client_width(c),
			     .now_ms = clock_real_ms()};
	listview_print(&v, apps, &c->out);
	if (json_array_size(apps) == 0) {
		client_note(c, "no apps; start some: pmctl start");
	}
}

/* One line for each app needs no instances, unless it is wide enough for what they have. */
static bool wants_procs(const struct client *c)
{
	size_t width = client_width(c);
	return args_has(&c->args, "instances") || c->args.n > 0 ||
	       (c->out_tty && (width == 0 || width >= LISTVIEW_WIDE));
}

/* Print the selected apps; *online (may be NULL) tells whether all of them are. */
static int list(struct client *c, bool *online)
{
	int status = 0;
	json_t *params = client_selectors(c, 0);
	if (!c->json) {
		bool apps_only = !online && !wants_procs(c);
		client_set(params, "detail", json_string(apps_only ? "apps" : "rows"));
		if (c->out_tty) {
			client_set(params, "spark_points", json_integer(LISTVIEW_SPARK));
		}
	}
	if (client_ask(c, "list", params, &c->reply, &status)) {
		json_t *apps = json_object_get(c->reply.result, "apps");
		drift_look(c, c->reply.result);
		if (c->json) {
			client_print_json(c, c->reply.result);
		} else {
			print(c, apps);
		}
		if (online) {
			*online = all_online(apps);
		}
		status = client_flush(c) ? 0 : 1;
	}
	return status;
}

int cmd_list(struct client *c)
{
	return args_has(&c->args, "watch") ? listwatch_run(c) : list(c, NULL);
}

int cmd_status(struct client *c)
{
	bool online = true;
	int status = list(c, &online);
	return status == 0 && !online ? err_info(ERR_NOT_RUNNING)->exit_status : status;
}

int cmd_is_active(struct client *c)
{
	struct rpc_reply reply;
	int status = 0;
	if (client_ask(c, "list", client_selectors(c, 0), &reply, &status)) {
		json_t *apps = json_object_get(reply.result, "apps");
		size_t i;
		json_t *app;
		if (c->json) {
			client_print_json(c, reply.result);
		}
		json_array_foreach(apps, i, app)
		{
			if (!c->json) {
				client_add_text(&c->out, member_text(app, "name", "?"));
				buf_addc(&c->out, ' ');
				client_add_text(&c->out, member_text(app, "state", "?"));
				buf_addc(&c->out, '\n');
			}
		}
		status = !client_flush(c)   ? 1
			 : all_online(apps) ? 0
					    : err_info(ERR_NOT_RUNNING)->exit_status;
	}
	rpc_reply_finish(&reply);
	return status;
}
