/* SPDX-License-Identifier: MIT */
/* zsh - the completion script of zsh. */
#include "client/commands.h"
#include "client/complete/complete.h"

#define QUOTE "'\\''"

/* 'start:Start apps' for _describe; a colon in the name would end it. */
static void add_described(struct buf *out, const char *prefix, const char *name, const char *doc)
{
	struct buf text = {0};
	buf_addf(&text, "%s%s:%s", prefix, name, doc);
	complete_quoted(out, text.data, QUOTE);
	buf_finish(&text);
}

static void add_commands(struct buf *out)
{
	buf_adds(out, "\tcommands=(\n");
	for (size_t i = 0; i < commands_count; i++) {
		if (!(commands[i].flags & CMD_HIDDEN)) {
			buf_adds(out, "\t\t");
			add_described(out, "", commands[i].name, commands[i].summary);
			buf_addc(out, '\n');
		}
	}
	buf_adds(out, "\t)\n");
}

static void add_case(struct buf *out, const struct command *cmd)
{
	struct opt_set sets[COMMANDS_SETS];
	size_t n = commands_opts(cmd, sets);
	const char *words = complete_words(cmd);
	buf_addc(out, '\t');
	complete_pattern(out, cmd);
	buf_adds(out, ")\n\t\topts=(\n");
	for (size_t k = 0; k < n; k++) {
		for (size_t i = 0; i < sets[k].n; i++) {
			if (complete_offers(&sets[k].v[i])) {
				buf_adds(out, "\t\t\t");
				add_described(out, "--", sets[k].v[i].name, sets[k].v[i].doc);
				buf_addc(out, '\n');
			}
		}
	}
	buf_addf(out, "\t\t)\n\t\tnames=%d\n", cmd->flags & CMD_NAMES ? 1 : 0);
	if (words) {
		buf_addf(out, "\t\twords_here=(%s)\n", words);
	}
	buf_adds(out, "\t\t;;\n");
}

/* A name is whatever another machine says: what is none is not shown. */
static const char names[] =
	"_pmctl_names()\n{\n"
	"\tlocal -a found\n"
	"\tlocal line\n"
	"\tfor line in ${(f)\"$(command pmctl $where __names $1 2>/dev/null </dev/null)\"}; do\n"
	"\t\t[[ $line =~ $'^[A-Za-z0-9_.@-]+(\\t[a-z ]*)?$' ]] && found+=(${line/$'\\t'/:})\n"
	"\tdone\n"
	"\t_describe -t apps app found\n"
	"}\n";

static const char look[] =
	"\tfor ((i = 2; i < CURRENT; i++)); do\n"
	"\t\tword=${(Q)words[i]}\n"
	"\t\tcase $word in\n"
	"\t\t-c|--config) ((i++)); where+=(-c ${${(Q)words[i]}/#\\~\\//$HOME/}) ;;\n"
	"\t\t--config=*) where+=(-c ${${word#*=}/#\\~\\//$HOME/}) ;;\n"
	"\t\t--host) ((i++)); where+=(--host ${(Q)words[i]}) ;;\n"
	"\t\t--host=*) where+=(--host ${word#*=}) ;;\n"
	"\t\t--timeout|--color) ((i++)) ;;\n"
	"\t\t-*) ;;\n"
	"\t\t*) if [[ -z $cmd ]]; then cmd=$word; else ((operands++)); fi ;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\tprev=${words[CURRENT-1]}\n"
	"\tif [[ ${words[CURRENT]} == --*=* ]]; then\n"
	"\t\tprev=${words[CURRENT]%%=*}\n"
	"\t\tcompset -P '*='\n"
	"\tfi\n";

void complete_zsh(struct buf *out)
{
	buf_adds(out, "#compdef pmctl\n"
		      "# SPDX-License-Identifier: MIT\n"
		      "# zsh completion of pmctl; made by `pmctl __gen completion-zsh`, do not "
		      "edit.\n");
	buf_adds(out, names);
	buf_adds(out, "_pmctl()\n{\n"
		      "\tlocal -a commands opts words_here where\n"
		      "\tlocal cmd=\"\" prev word names=0 operands=0 i\n");
	add_commands(out);
	buf_adds(out, look);
	buf_adds(out, "\tcase $prev in\n");
	complete_value_cases(out, &(struct complete_bodies){.words = "compadd",
							    .files = "_files",
							    .profiles = "_pmctl_names profiles",
							    .hosts = "_hosts"});
	buf_adds(out, "\tesac\n"
		      "\tif [[ -z $cmd ]]; then\n"
		      "\t\t_describe -t commands command commands\n"
		      "\t\treturn\n"
		      "\tfi\n"
		      "\tcase $cmd in\n");
	for (size_t i = 0; i < commands_count; i++) {
		if (!(commands[i].flags & CMD_HIDDEN)) {
			add_case(out, &commands[i]);
		}
	}
	buf_adds(out, "\tesac\n"
		      "\tif [[ ${words[CURRENT]} == -* ]]; then\n"
		      "\t\t_describe -t options option opts\n"
		      "\t\treturn\n"
		      "\tfi\n"
		      "\tcase $cmd in\n"
		      "\thelp) _describe -t commands command commands; compadd exit-codes ;;\n"
		      "\tcheck|plan|apply|import) _files ;;\n"
		      "\tsignal) ((operands)) || words_here=(");
	complete_signals(out);
	buf_adds(out, ") ;;\n"
		      "\tesac\n"
		      "\tif (($#words_here)); then\n"
		      "\t\tcompadd -a words_here\n"
		      "\telif ((names)); then\n"
		      "\t\t_pmctl_names\n"
		      "\t\t[[ $cmd == start ]] && _files\n"
		      "\tfi\n"
		      "}\n"
		      "if [ \"$funcstack[1]\" = _pmctl ]; then _pmctl \"$@\"; else compdef _pmctl "
		      "pmctl; fi\n");
}
