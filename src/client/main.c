/* SPDX-License-Identifier: MIT */
/* main of pmctl: find the command, check options and operands by its row, run it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/client.h"
#include "client/commands.h"
#include "client/help.h"
#include "client/interrupt.h"
#include "client/leftout.h"
#include "client/remote.h"
#include "client/skew.h"
#include "common/mem.h"
#include "common/units.h"
#include "version.h"

static bool read_globals(struct client *c, enum color_when *when, struct err *err)
{
	const struct args *a = &c->args;
	const char *color = args_value(a, "color", "auto");
	const char *timeout = args_value(a, "timeout", NULL);
	c->wait = !args_has(a, "no-wait");
	c->config = args_value(a, "config", NULL);
	if (args_has(a, "no-color")) {
		color = "never";
	}
	if (!color_parse(color, when)) {
		return err_set(err, ERR_USAGE, "--color is auto, always or never, not \"%.40s\"",
			       color);
	}
	if (timeout && !units_parse_duration(timeout, &c->timeout_ms)) {
		return err_set(err, ERR_USAGE,
			       "--timeout: \"%.40s\" is not a duration; use 500ms, 10s, 5m",
			       timeout);
	}
	return true;
}

static bool check_operands(const struct client *c, struct err *err)
{
	const struct command *cmd = c->cmd;
	const char *kind = cmd->flags & CMD_CHANGES ? "; nothing was done" : "";
	if (c->args.n < cmd->min) {
		return err_set(err, ERR_USAGE, "%s: an operand is missing%s; usage: pmctl %s %s",
			       cmd->name, kind, cmd->name, cmd->args);
	}
	if (c->args.n > cmd->max) {
		return err_set(err, ERR_USAGE,
			       "%s: unexpected operand \"%.60s\"; usage: pmctl %s %s", cmd->name,
			       c->args.operand[cmd->max], cmd->name, cmd->args);
	}
	return true;
}

/* The words without the name of the command. */
static bool parse(struct client *c, int argc, char **argv, int at, struct err *err)
{
	struct opt_set sets[COMMANDS_SETS];
	size_t n = commands_opts(c->cmd, sets);
	unsigned flags = (c->cmd->flags & CMD_NUMBERS ? ARGS_NUMBERS : 0) |
			 (c->cmd->flags & CMD_REST ? ARGS_REST : 0);
	char **words = xcalloc((size_t)argc, sizeof(*words));
	int count = 0;
	for (int i = 1; i < argc; i++) {
		if (i != at) {
			words[count++] = argv[i];
		}
	}
	bool ok = args_parse(&c->args, sets, n, flags, count, words, err);
	free(words);
	return ok;
}

static int run(struct client *c, int argc, char **argv, int at)
{
	enum color_when when = COLOR_AUTO;
	struct err err;
	c->cmd = commands_find(argv[at]);
	if (!c->cmd) {
		return commands_unknown(c, argv[at]);
	}
	if (args_has_word(argc, argv, "-h", "--help")) {
		return help_command(c, c->cmd);
	}
	if (!parse(c, argc, argv, at, &err)) {
		const char *instead = leftout_option(c->cmd->name, c->args.unknown);
		if (instead) {
			err_set(&err, ERR_USAGE, "no option \"%s\": %s", c->args.unknown, instead);
		}
		return client_fail(c, &err, NULL);
	}
	const struct given *host = args_find(&c->args, "host");
	if (host) {
		return remote_run(c, host);
	}
	if (!read_globals(c, &when, &err) || !check_operands(c, &err)) {
		return client_fail(c, &err, NULL);
	}
	client_init(c, when);
	if (c->cmd->flags & CMD_CATCH) {
		interrupt_catch();
	}
	return c->cmd->run(c);
}

static int without_command(struct client *c, int argc, char **argv)
{
	struct opt_set globals = {global_opts, global_opts_count};
	struct err err;
	if (args_has_word(argc, argv, "-h", "--help")) {
		return help_all(c);
	}
	if (argc == 1) {
		return help_short(c);
	}
	if (!args_parse(&c->args, &globals, 1, 0, argc - 1, argv + 1, &err)) {
		return client_fail(c, &err, NULL);
	}
	return client_usage(c, "no command given; all of them: pmctl help");
}

/* Closed ones would be taken by our socket, and what we print would go there. Such that writing to
 * one is the error it would have been. */
static void hold_std_descriptors(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0) {
			(void)!open("/dev/null", O_RDONLY);
		}
	}
}

int main(int argc, char **argv)
{
	hold_std_descriptors();
	struct client c = {.argv = argv, .timeout_ms = -1, .wait = true, .conn = {.fd = -1}};
	struct opt_set globals = {global_opts, global_opts_count};
	c.json = args_has_word(argc, argv, "--json", "--json");
	int at = args_find_command(&globals, argc, argv);
	int status;
	if (args_has_word(argc, argv, "--version", "-V") ||
	    (argc == 2 && strcmp(argv[1], "-v") == 0)) {
		status = help_version(&c);
	} else if (at == 0) {
		status = without_command(&c, argc, argv);
	} else {
		status = run(&c, argc, argv, at);
	}
	char skew[200];
	if (skew_text(c.conn.version, PMCTL_VERSION, skew, sizeof(skew))) {
		client_note(&c, "%s", skew);
	}
	client_finish(&c);
	return status;
}
