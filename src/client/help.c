/* SPDX-License-Identifier: MIT */
#include "client/help.h"

#include <string.h>

#include "client/client.h"
#include "client/commands.h"
#include "common/clock.h"
#include "common/mem.h"
#include "common/units.h"
#include "version.h"

#define WIDTH 80

/* Words of text in lines that begin at `column`, where the first line has `used` columns already.
 */
static void add_wrapped(struct buf *out, const char *text, size_t len, size_t column, size_t used)
{
	for (size_t i = 0; i < len;) {
		size_t n = strcspn(text + i, " ");
		n = n < len - i ? n : len - i;
		if (used + n + 1 > WIDTH && used > column) {
			buf_addf(out, "\n%*s", (int)column, "");
			used = column;
		} else if (used > column) {
			buf_addc(out, ' ');
			used++;
		}
		buf_add(out, text + i, n);
		used += n;
		i += n;
		while (i < len && text[i] == ' ') {
			i++;
		}
	}
	buf_addc(out, '\n');
}

static int show_short(struct client *c, const char *const *names, size_t n)
{
	buf_adds(&c->out, "usage: pmctl COMMAND [OPTIONS] [OPERANDS]\n\n");
	for (size_t i = 0; i < n; i++) {
		const struct command *cmd = commands_find(names[i]);
		buf_addf(&c->out, "  %-9s %s\n", cmd->name, cmd->summary);
	}
	buf_adds(&c->out, "\n  pmctl start                        every app of ./pmctl.ini\n"
			  "  pmctl start app.js -i max          one node app on all CPUs\n\n"
			  "All commands: pmctl help           One of them: pmctl help COMMAND\n"
			  "Manual pages: pmctl(1), pmctl.ini(5), pmctld(8), pmctl-protocol(7)\n");
	return client_flush(c) ? 0 : 1;
}

int help_short(struct client *c)
{
	static const char *const names[] = {"start", "stop", "restart", "reload", "scale",
					    "list",  "show", "logs",	"why",	  "delete"};
	return show_short(c, names, ARRAY_LEN(names));
}

static void add_options(struct buf *out, const struct opt *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct opt *o = &v[i];
		struct buf left = {0};
		if (o->flags & OPT_HIDDEN) {
			continue;
		}
		bool family = o->name && o->name[strlen(o->name) - 1] == '.';
		buf_addf(&left, "  %c%c%s--%s%s%s%s%s", o->letter ? '-' : ' ',
			 o->letter ? o->letter : ' ', o->letter ? ", " : "  ", o->name,
			 family ? "NAME" : "",
			 o->meta ? (o->flags & OPT_OPTIONAL ? "[="
				    : family		    ? "="
							    : " ")
				 : "",
			 o->meta ? o->meta : "", o->meta && (o->flags & OPT_OPTIONAL) ? "]" : "");
		if (left.len > 26) {
			buf_addf(out, "%s\n%*s", left.data, 28, "");
		} else {
			buf_addf(out, "%-28s", left.data);
		}
		add_wrapped(out, o->doc, strlen(o->doc), 28, 28);
		buf_finish(&left);
	}
}

int help_all(struct client *c)
{
	struct buf *out = &c->out;
	buf_adds(out, "usage: pmctl COMMAND [OPTIONS] [OPERANDS]\n\nCommands:\n");
	for (size_t i = 0; i < commands_count; i++) {
		if (!(commands[i].flags & CMD_HIDDEN)) {
			buf_addf(out, "  %-11s %s\n", commands[i].name, commands[i].summary);
		}
	}
	buf_adds(out, "\nOptions of every command:\n");
	add_options(out, global_opts, global_opts_count);
	buf_adds(out, "\nSEL is an app (web), instances of it (web:2, web:0,3, web:1-3), a "
		      "namespace (@shop),\n"
		      "a pattern ('web-*'), an id (7) or all.\n\n"
		      "One command: pmctl help COMMAND    Exit statuses: pmctl help exit-codes\n");
	return client_flush(c) ? 0 : 1;
}

static void add_doc(struct buf *out, const char *doc)
{
	for (const char *s = doc; *s;) {
		size_t len = strcspn(s, "\n");
		buf_addc(out, '\n');
		add_wrapped(out, s, len, 0, 0);
		s += len + (s[len] == '\n');
	}
}

static void add_examples(struct buf *out, const char *examples)
{
	buf_adds(out, "\nExamples:\n");
	for (const char *s = examples; *s;) {
		size_t len = strcspn(s, "\n");
		size_t tab = strcspn(s, "\t");
		buf_addf(out, "  %-42.*s  %.*s\n", (int)tab, s, (int)(len - tab - 1), s + tab + 1);
		s += len + (s[len] == '\n');
	}
}

int help_command(struct client *c, const struct command *cmd)
{
	struct buf *out = &c->out;
	struct opt_set sets[COMMANDS_SETS];
	size_t n = commands_opts(cmd, sets);
	buf_addf(out, "usage: pmctl %s [OPTIONS]%s%s\n", cmd->name, cmd->args[0] ? " " : "",
		 cmd->args);
	if (cmd->aliases) {
		buf_addf(out, "also:  %s\n", cmd->aliases);
	}
	buf_addf(out, "\n%s.\n", cmd->summary);
	add_doc(out, cmd->doc);
	buf_adds(out, "\nOptions:\n");
	for (size_t i = 0; i < n; i++) {
		add_options(out, sets[i].v, sets[i].n);
	}
	if (cmd->examples) {
		add_examples(out, cmd->examples);
	}
	return client_flush(c) ? 0 : 1;
}

static int help_exit_codes(struct client *c)
{
	for (int i = 0; i < ERR_COUNT; i++) {
		const struct err_info *info = err_info((enum err_code)i);
		if (info->meaning) {
			buf_addf(&c->out, "%3d  %s\n", info->exit_status, info->meaning);
		}
	}
	buf_adds(&c->out, "130  interrupted (SIGINT)\n143  terminated (SIGTERM)\n");
	return client_flush(c) ? 0 : 1;
}

int cmd_help(struct client *c)
{
	const char *topic = c->args.n ? c->args.operand[0] : NULL;
	if (!topic) {
		return help_all(c);
	}
	if (strcmp(topic, "exit-codes") == 0) {
		return help_exit_codes(c);
	}
	const struct command *cmd = commands_find(topic);
	return cmd ? help_command(c, cmd) : commands_unknown(c, topic);
}

/* The daemon's line, if one answers at once. */
static void add_daemon_version(struct client *c)
{
	struct err err;
	struct rpc_reply reply = {0};
	char age[24];
	if (!client_connect(c, &err)) {
		return;
	}
	struct conn_wait w = {.deadline_mono_ms = clock_mono_ms() + 500};
	if (conn_call(&c->conn, "status", NULL, &w, &reply, &err)) {
		const char *version = member_text(reply.result, "version", "?");
		units_format_age(member_int(reply.result, "up_ms", 0), age, sizeof(age));
		buf_adds(&c->out, "pmctld ");
		buf_add_escaped(&c->out, version, strlen(version), 0);
		buf_addf(&c->out, " (pid %lld, up %s)\n",
			 (long long)member_int(reply.result, "pid", 0), age);
	}
	rpc_reply_finish(&reply);
}

int help_version(struct client *c)
{
	buf_addf(&c->out, "pmctl %s\n", PMCTL_VERSION);
	add_daemon_version(c);
	return client_flush(c) ? 0 : 1;
}
