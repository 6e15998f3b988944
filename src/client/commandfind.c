/* SPDX-License-Identifier: MIT */
/* commandfind - which command of the table a word means. */
#include <string.h>

#include "client/appopts.h"
#include "client/client.h"
#include "client/commands.h"
#include "client/leftout.h"
#include "common/suggest.h"
#include "common/words.h"

const struct command *commands_find(const char *name)
{
	for (size_t i = 0; i < commands_count; i++) {
		if (strcmp(commands[i].name, name) == 0 || words_named(commands[i].aliases, name)) {
			return &commands[i];
		}
	}
	return NULL;
}

int commands_unknown(const struct client *c, const char *name)
{
	const char *instead = leftout_find(name);
	if (instead) {
		struct err err;
		err_set(&err, ERR_USAGE, "%.40s: %s", name, instead);
		return client_fail(c, &err, NULL);
	}
	struct suggest s;
	char guess[200];
	suggest_init(&s, name);
	for (size_t i = 0; i < commands_count; i++) {
		if (!(commands[i].flags & CMD_HIDDEN)) {
			suggest_offer(&s, commands[i].name);
		}
	}
	suggest_text(&s, guess, sizeof(guess));
	return client_usage(c, "no command \"%.60s\"%s%s", name, guess,
			    guess[0] ? "" : "; all of them: pmctl help");
}

size_t commands_opts(const struct command *cmd, struct opt_set sets[COMMANDS_SETS])
{
	size_t n = 0;
	if (cmd->nopts) {
		sets[n++] = (struct opt_set){cmd->opts, cmd->nopts};
	}
	if (cmd->flags & CMD_APP_OPTS) {
		sets[n++] = appopts_short();
		sets[n++] = appopts_keys();
	}
	sets[n++] = (struct opt_set){global_opts, global_opts_count};
	return n;
}
