/* SPDX-License-Identifier: MIT */
/* fish - the completion script of fish. */
#include <string.h>

#include "client/commands.h"
#include "client/complete/complete.h"

#define QUOTE "\\'"

/* -n '__pmctl_is list ls l ps' */
static void add_condition(struct buf *out, const struct command *cmd)
{
	buf_addf(out, " -n '__pmctl_is %s%s%s'", cmd->name, cmd->aliases ? " " : "",
		 cmd->aliases ? cmd->aliases : "");
}

static void add_option(struct buf *out, const struct command *cmd, const struct opt *o)
{
	static const char *const values[] = {
		[VALUE_FREE] = " -x",
		[VALUE_FILES] = " -r -F",
		[VALUE_PROFILES] = " -x -a '(__pmctl_names profiles)'",
		[VALUE_HOSTS] = " -x -a '(__fish_complete_user_at_hosts)'",
	};
	buf_adds(out, "complete -c pmctl");
	if (cmd) {
		add_condition(out, cmd);
	}
	buf_addf(out, " -l %s", o->name);
	if (o->letter) {
		buf_addf(out, " -s %c", o->letter);
	}
	struct buf words = {0};
	enum complete_value value = complete_value_of(o, &words);
	if (value == VALUE_WORDS) {
		buf_addf(out, " -x -a '%s'", words.data);
	} else if (o->meta && !(o->flags & OPT_OPTIONAL)) {
		buf_adds(out, values[value]);
	}
	buf_finish(&words);
	buf_adds(out, " -d ");
	complete_quoted(out, o->doc, QUOTE);
	buf_addc(out, '\n');
}

/* The global ones stand at the end of the sets, and are added once for all commands. */
static void add_command(struct buf *out, const struct command *cmd)
{
	struct opt_set sets[COMMANDS_SETS];
	size_t n = commands_opts(cmd, sets);
	const char *words = complete_words(cmd);
	buf_addf(out, "complete -c pmctl -n '__pmctl_is \"\"' -a %s -d ", cmd->name);
	complete_quoted(out, cmd->summary, QUOTE);
	buf_addc(out, '\n');
	for (size_t k = 0; k < n; k++) {
		for (size_t i = 0; sets[k].v != global_opts && i < sets[k].n; i++) {
			if (complete_offers(&sets[k].v[i])) {
				add_option(out, cmd, &sets[k].v[i]);
			}
		}
	}
	if (words) {
		buf_adds(out, "complete -c pmctl");
		add_condition(out, cmd);
		buf_addf(out, " -a '%s'\n", words);
	}
	if (cmd->flags & CMD_NAMES) {
		buf_adds(out, "complete -c pmctl");
		add_condition(out, cmd);
		buf_adds(out, " -a '(__pmctl_names)'\n");
	}
}

static const char helpers[] =
	"# SPDX-License-Identifier: MIT\n"
	"# fish completion of pmctl; made by `pmctl __gen completion-fish`, do not "
	"edit.\n"
	"function __pmctl_command\n"
	"\tset -l skip 0\n"
	"\tfor word in (commandline -opc)[2..-1]\n"
	"\t\tif test $skip = 1\n"
	"\t\t\tset skip 0\n"
	"\t\t\tcontinue\n"
	"\t\tend\n"
	"\t\tswitch $word\n"
	"\t\t\tcase -c --config --timeout --color --host\n"
	"\t\t\t\tset skip 1\n"
	"\t\t\tcase '-*'\n"
	"\t\t\tcase '*'\n"
	"\t\t\t\techo $word\n"
	"\t\t\t\treturn\n"
	"\t\tend\n"
	"\tend\n"
	"\techo\n"
	"end\n"
	"function __pmctl_is\n"
	"\tcontains -- (__pmctl_command) $argv\n"
	"end\n"
	/* A name is whatever another machine says: what is none is not shown. */
	"function __pmctl_names\n"
	"\tset -l words (commandline -opc)\n"
	"\tset -l where\n"
	"\tfor i in (seq 2 (count $words))\n"
	"\t\tswitch $words[$i]\n"
	"\t\t\tcase -c --config\n"
	"\t\t\t\tset -a where -c $words[(math $i + 1)]\n"
	"\t\t\tcase '--config=*'\n"
	"\t\t\t\tset -a where $words[$i]\n"
	"\t\t\tcase --host\n"
	"\t\t\t\tset -a where --host $words[(math $i + 1)]\n"
	"\t\t\tcase '--host=*'\n"
	"\t\t\t\tset -a where $words[$i]\n"
	"\t\tend\n"
	"\tend\n"
	"\tcommand pmctl $where __names $argv 2>/dev/null </dev/null |\n"
	"\t\tstring match -r '^[A-Za-z0-9_.@-]+(?:\\t[a-z ]*)?$'\n"
	"end\n"
	"complete -c pmctl -f\n"
	"complete -c pmctl -n '__pmctl_is start check plan apply import' -F\n";

void complete_fish(struct buf *out)
{
	buf_adds(out, helpers);
	for (size_t i = 0; i < global_opts_count; i++) {
		if (complete_offers(&global_opts[i])) {
			add_option(out, NULL, &global_opts[i]);
		}
	}
	for (size_t i = 0; i < commands_count; i++) {
		if (!(commands[i].flags & CMD_HIDDEN)) {
			add_command(out, &commands[i]);
		}
	}
	buf_adds(out, "complete -c pmctl -n '__pmctl_is signal' -a '");
	complete_signals(out);
	buf_adds(out, "'\n");
}
