/* SPDX-License-Identifier: MIT */
/* show: all about an app: what is set and by which line, what runs, where its logs are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "client/client.h"
#include "client/commands.h"
#include "client/drift.h"
#include "client/lastlines.h"
#include "client/showview.h"
#include "client/who.h"
#include "common/clock.h"
#include "common/mem.h"

#define LINES	 4
#define KEEP_MAX 100

/* The file and those it was rotated to. */
static int64_t size_of(const char *path)
{
	static const char *const ends[] = {"", ".gz"};
	struct stat st;
	int64_t sum = stat(path, &st) == 0 ? st.st_size : 0;
	bool any = true;
	for (int i = 1; any && i <= KEEP_MAX; i++) {
		any = false;
		for (size_t k = 0; k < ARRAY_LEN(ends); k++) {
			char *old = xasprintf("%s.%d%s", path, i, ends[k]);
			bool there = stat(old, &st) == 0;
			sum += there ? st.st_size : 0;
			any |= there;
			free(old);
		}
	}
	return sum;
}

static int64_t logs_size(const json_t *app)
{
	int64_t sum = 0;
	size_t i;
	const json_t *path;
	json_array_foreach(json_object_get(app, "logs"), i, path)
	{
		const json_t *before =
			i ? json_array_get(json_object_get(app, "logs"), i - 1) : NULL;
		sum += before && json_equal(before, path) ? 0 : size_of(json_string_value(path));
	}
	return sum;
}

static void show_app(struct client *c, const json_t *app, const json_t *files)
{
	struct lastlines want = {
		.app = member_text(app, "name", ""), .slot = -1, .n = LINES, .until_ms = INT64_MAX};
	json_t *lines = lastlines_read(&want, files);
	struct showview v = {.list = {.piped = !c->out_tty,
				      .color = c->out_color,
				      .utf8 = c->utf8,
				      .width = client_width(c),
				      .now_ms = clock_real_ms()},
			     .lines = lines,
			     .log_bytes = logs_size(app),
			     .user = who_user};
	showview_app(&v, app, &c->out);
	json_decref(lines);
}

static void add_next(struct client *c, const json_t *apps)
{
	struct buf name = {0};
	const char *s = member_text(json_array_get(apps, 0), "name", "");
	buf_add_escaped(&name, s, strlen(s), 0);
	if (json_array_size(apps) == 1) {
		client_note(c, "Next: pmctl logs -f %s    pmctl why %s    pmctl env %s", name.data,
			    name.data, name.data);
	}
	buf_finish(&name);
}

static json_t *params_of(struct client *c)
{
	json_t *params = client_selectors(c, 0);
	if (c->out_tty && !c->json) {
		client_set(params, "spark_points", json_integer(LISTVIEW_SPARK));
	}
	return params;
}

int cmd_show(struct client *c)
{
	struct rpc_reply reply, logs = {.id = -1};
	int status = 0;
	if (client_ask(c, "show", params_of(c), &reply, &status) &&
	    (c->json || client_ask(c, "logs", client_selectors(c, 0), &logs, &status))) {
		const json_t *apps = json_object_get(reply.result, "apps");
		size_t i;
		const json_t *app;
		drift_look(c, reply.result);
		if (c->json) {
			client_print_json(c, reply.result);
		}
		json_array_foreach(apps, i, app)
		{
			if (!c->json) {
				buf_adds(&c->out, i ? "\n" : "");
				show_app(c, app, json_object_get(logs.result, "files"));
			}
		}
		status = client_flush(c) ? 0 : 1;
		if (c->out_tty && c->err_tty) {
			add_next(c, apps);
		}
	}
	rpc_reply_finish(&logs);
	rpc_reply_finish(&reply);
	return status;
}
