/* SPDX-License-Identifier: MIT */
/* bash - the completion script of bash. */
#include "client/commands.h"
#include "client/complete/complete.h"

static void add_commands(struct buf *out)
{
	buf_adds(out, "\tlocal commands=\"");
	for (size_t i = 0; i < commands_count; i++) {
		if (!(commands[i].flags & CMD_HIDDEN)) {
			buf_addf(out, "%s%s", i ? " " : "", commands[i].name);
		}
	}
	buf_adds(out, "\"\n");
}

static void add_opts(struct buf *out, const struct opt *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (complete_offers(&v[i])) {
			buf_addf(out, " --%s", v[i].name);
		}
	}
}

static void add_cases(struct buf *out)
{
	for (size_t i = 0; i < commands_count; i++) {
		const struct command *cmd = &commands[i];
		struct opt_set sets[COMMANDS_SETS];
		if (cmd->flags & CMD_HIDDEN) {
			continue;
		}
		buf_addc(out, '\t');
		complete_pattern(out, cmd);
		buf_adds(out, ") opts=\"");
		size_t n = commands_opts(cmd, sets);
		struct buf all = {0};
		for (size_t k = 0; k < n; k++) {
			add_opts(&all, sets[k].v, sets[k].n);
		}
		buf_addf(out, "%s\"; names=%d ;;\n", all.data ? all.data + 1 : "",
			 cmd->flags & CMD_NAMES ? 1 : 0);
		buf_finish(&all);
	}
}

static void add_words(struct buf *out)
{
	for (size_t i = 0; i < commands_count; i++) {
		const char *words = complete_words(&commands[i]);
		if (words) {
			buf_addf(out, "\t%s) [ $operands = 0 ] && _pmctl_offer %s ;;\n",
				 commands[i].name, words);
		}
	}
	buf_adds(out, "\tsignal) if [ $operands = 0 ]; then names=0; _pmctl_offer ");
	complete_signals(out);
	buf_adds(out, "; fi ;;\n");
}

static const char helpers[] =
	"# Words are compared, never expanded: a name is whatever another machine says.\n"
	"_pmctl_offer()\n{\n"
	"\tlocal word\n"
	"\tfor word; do\n"
	"\t\t[[ $word == \"$cur\"* ]] && COMPREPLY+=(\"$word\")\n"
	"\tdone\n"
	"}\n\n"
	"# readline does that itself, with all its quoting.\n"
	"_pmctl_files()\n{\n"
	"\tcompopt -o default 2>/dev/null\n"
	"}\n\n"
	"_pmctl_hosts()\n{\n"
	"\tmapfile -t COMPREPLY < <(compgen -A hostname -- \"$cur\")\n"
	"}\n\n"
	"# [profiles]\n"
	"_pmctl_names()\n{\n"
	"\tlocal line\n"
	"\twhile IFS= read -r line; do\n"
	"\t\tline=${line%%$'\\t'*}\n"
	"\t\t[[ $line == *[!A-Za-z0-9_.@-]* ]] || _pmctl_offer \"$line\"\n"
	"\tdone < <(command pmctl \"${where[@]}\" __names \"$@\" 2>/dev/null </dev/null)\n"
	"}\n\n";

/* = and @ are words of their own for bash: --host=ada@web1 are five. */
static const char look[] =
	"\tlocal cur=${2-${COMP_WORDS[COMP_CWORD]}} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	"\tlocal cmd=\"\" opts names operands=0 i word where=() IFS=$' \\t\\n'\n"
	"\tCOMPREPLY=()\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\tcase ${COMP_WORDS[i]} in\n"
	"\t\t-c|--config|--timeout|--color|--host)\n"
	"\t\t\tword=${COMP_WORDS[i]}\n"
	"\t\t\t((i++))\n"
	"\t\t\t[[ ${COMP_WORDS[i]} != = ]] || ((i++))\n"
	"\t\t\tcase $word in\n"
	"\t\t\t--host)\n"
	"\t\t\t\tword=${COMP_WORDS[i]}\n"
	"\t\t\t\twhile [[ ${COMP_WORDS[i+1]} == @ ]]; do\n"
	"\t\t\t\t\tword+=@${COMP_WORDS[i+2]}\n"
	"\t\t\t\t\t((i += 2))\n"
	"\t\t\t\tdone\n"
	"\t\t\t\twhere+=(--host \"$word\") ;;\n"
	"\t\t\t-c|--config)\n"
	"\t\t\t\tword=${COMP_WORDS[i]//[\"'\\\\\\\"\"]/}\n"
	"\t\t\t\twhere+=(-c \"${word/#\\~\\//$HOME/}\") ;;\n"
	"\t\t\tesac ;;\n"
	"\t\t=) ((i++)) ;;\n"
	"\t\t@|-*) ;;\n"
	"\t\t*) if [[ -z $cmd ]]; then cmd=${COMP_WORDS[i]}; else ((operands++)); fi ;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\tif [[ ${COMP_WORDS[COMP_CWORD]} == = ]]; then\n"
	"\t\tcur=\"\"\n"
	"\telif [[ $prev == = ]]; then\n"
	"\t\tprev=${COMP_WORDS[COMP_CWORD-2]}\n"
	"\tfi\n";

void complete_bash(struct buf *out)
{
	buf_adds(out,
		 "# SPDX-License-Identifier: MIT\n"
		 "# bash completion of pmctl; made by `pmctl __gen completion-bash`, do not edit.\n"
		 "_pmctl_options()\n{\n\tcase \"$1\" in\n");
	add_cases(out);
	buf_adds(out, "\t*) opts=\"--help --version --json\"; names=0 ;;\n\tesac\n}\n\n");
	buf_adds(out, helpers);
	buf_adds(out, "_pmctl()\n{\n");
	add_commands(out);
	buf_adds(out, look);
	buf_adds(out, "\tcase $prev in\n");
	complete_value_cases(out, &(struct complete_bodies){.words = "_pmctl_offer",
							    .files = "_pmctl_files",
							    .profiles = "_pmctl_names profiles",
							    .hosts = "_pmctl_hosts"});
	buf_adds(out, "\tesac\n"
		      "\tif [[ -z $cmd ]]; then\n"
		      "\t\t[[ $prev == @ ]] || _pmctl_offer $commands --help --version\n"
		      "\t\treturn\n"
		      "\tfi\n"
		      "\t_pmctl_options \"$cmd\"\n"
		      "\tif [[ $cur == -* ]]; then\n"
		      "\t\t_pmctl_offer $opts\n"
		      "\t\treturn\n"
		      "\tfi\n"
		      "\tcase $cmd in\n"
		      "\thelp) _pmctl_offer $commands exit-codes ;;\n"
		      "\tcheck|plan|apply|import) _pmctl_files ;;\n");
	add_words(out);
	buf_adds(out, "\tesac\n"
		      "\t[[ $names = 0 ]] || _pmctl_names\n"
		      "\t[[ $cmd != start || ${#COMPREPLY[@]} -gt 0 ]] || _pmctl_files\n"
		      "}\n"
		      "complete -F _pmctl pmctl\n");
}
