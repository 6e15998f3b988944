/* SPDX-License-Identifier: MIT */
/* show: all about an app: what is set and by which line, what runs, where its logs are. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/client.h"
#include "client/commands.h"
#include "client/listview.h"
#include "client/state.h"
#include "common/clock.h"
#include "common/units.h"

static void field(struct client *c, const char *title, const char *value)
{
	if (value && *value) {
		buf_addf(&c->out, "  %-9s ", title);
		client_add_text(&c->out, value);
		buf_addc(&c->out, '\n');
	}
}

static void add_head(struct client *c, const json_t *app)
{
	const char *state = member_text(app, "state", "?");
	const char *ns = member_text(app, "namespace", NULL);
	struct buf *out = &c->out;
	client_add_text(out, member_text(app, "name", "?"));
	buf_adds(out, "  ");
	if (c->out_tty) {
		const char *begin = c->out_color ? color_begin(state_style(state)) : "";
		buf_addf(out, "%s%s%s ", begin, state_mark(state, c->utf8),
			 begin[0] ? COLOR_END : "");
	}
	client_add_text(out, state);
	buf_addf(out, " %lld/%lld   project ", (long long)member_int(app, "online", 0),
		 (long long)member_int(app, "instances", 0));
	client_add_text(out, member_text(app, "project", "-"));
	if (ns) {
		buf_adds(out, ", namespace ");
		client_add_text(out, ns);
	}
	buf_addf(out, ", mode %s\n", member_text(app, "mode", "-"));
}

static void add_origin(struct client *c, const json_t *app)
{
	const char *file = member_text(app, "file", NULL);
	const json_t *by = json_object_get(app, "applied_by");
	long long at = listview_parse_time(member_text(app, "applied_at", NULL));
	struct buf text = {0};
	if (file) {
		buf_addf(&text, "%s:%lld", file, (long long)member_int(app, "line", 0));
	} else {
		buf_adds(&text, "none, given on the command line");
	}
	if (at > 0) {
		char hms[CLOCK_HMS];
		clock_format_local(at, hms);
		buf_addf(&text, "   applied %.8s", hms);
	}
	if (json_is_object(by)) {
		buf_addf(&text, " by uid %lld", (long long)member_int(by, "uid", -1));
	}
	field(c, "file", text.data);
	buf_finish(&text);
}

static void add_cron(struct client *c, const json_t *app)
{
	long long at = listview_parse_time(member_text(app, "next_cron", NULL));
	long long left = at - clock_real_ms();
	time_t when = (time_t)(at / 1000);
	struct tm tm;
	char day[32], age[24], text[80];
	if (at > 0 && localtime_r(&when, &tm) && strftime(day, sizeof(day), "%F %H:%M", &tm)) {
		units_format_age(left > 0 ? left : 0, age, sizeof(age));
		snprintf(text, sizeof(text), "next %s, in %s", day, age);
		field(c, "cron", text);
	}
}

static void add_health(struct client *c, const json_t *app)
{
	if (json_is_true(json_object_get(app, "health_shared"))) {
		field(c, "health", "asks a socket of listen, where any instance may answer");
	}
}

static void add_settings(struct client *c, const json_t *app)
{
	const json_t *settings = json_object_get(app, "settings");
	const char *file = member_text(app, "file", "");
	size_t i;
	const json_t *s;
	buf_adds(&c->out, "\n  SETTING            VALUE                                    FROM\n");
	json_array_foreach(settings, i, s)
	{
		struct buf value = {0};
		const char *v = member_text(s, "value", "");
		const char *from = member_text(s, "from", "");
		size_t len = strlen(file);
		buf_add_escaped(&value, v, strlen(v), 0);
		if (len && strncmp(from, file, len) == 0 && strrchr(file, '/')) {
			from = from + (strrchr(file, '/') + 1 - file);
		}
		buf_addf(&c->out, "  %-18s %-40s ", member_text(s, "key", "?"),
			 value.data ? value.data : "");
		client_add_text(&c->out, from);
		buf_addc(&c->out, '\n');
		buf_finish(&value);
	}
}

static void add_logs(struct client *c, const json_t *app)
{
	const json_t *logs = json_object_get(app, "logs");
	for (size_t i = 0; i < json_array_size(logs) && i < 8; i++) {
		field(c, i == 0 ? "logs" : "", json_string_value(json_array_get(logs, i)));
	}
	if (json_array_size(logs) > 8) {
		char more[48];
		snprintf(more, sizeof(more), "and %zu more", json_array_size(logs) - 8);
		field(c, "", more);
	}
}

static void show_app(struct client *c, const json_t *app)
{
	struct listview v = {.piped = !c->out_tty,
			     .color = c->out_color,
			     .utf8 = c->utf8,
			     .width = client_width(c),
			     .now_ms = clock_real_ms()};
	add_head(c, app);
	field(c, "note", member_text(app, "note", NULL));
	field(c, "command", member_text(app, "command", NULL));
	field(c, "cwd", member_text(app, "cwd", NULL));
	field(c, "user", member_text(app, "user", NULL));
	add_origin(c, app);
	add_cron(c, app);
	add_health(c, app);
	add_logs(c, app);
	add_settings(c, app);
	buf_addc(&c->out, '\n');
	listview_instances(&v, app, &c->out);
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

int cmd_show(struct client *c)
{
	struct rpc_reply reply;
	int status = 0;
	if (client_ask(c, "show", client_selectors(c, 0), &reply, &status)) {
		const json_t *apps = json_object_get(reply.result, "apps");
		size_t i;
		const json_t *app;
		if (c->json) {
			client_print_json(c, reply.result);
		}
		json_array_foreach(apps, i, app)
		{
			if (!c->json) {
				buf_adds(&c->out, i ? "\n" : "");
				show_app(c, app);
			}
		}
		status = client_flush(c) ? 0 : 1;
		if (c->out_tty && c->err_tty) {
			add_next(c, apps);
		}
	}
	rpc_reply_finish(&reply);
	return status;
}
