/* SPDX-License-Identifier: MIT */
#include "client/complete/complete.h"

#include <string.h>

#include "client/appfile.h"
#include "client/client.h"
#include "client/commands.h"
#include "common/clock.h"
#include "common/signals.h"

#define NAMES_MS 150

static void add_commands(struct buf *out)
{
	buf_adds(out, "\t_pmctl_commands=\"");
	for (size_t i = 0; i < commands_count; i++) {
		if (!(commands[i].flags & CMD_HIDDEN)) {
			buf_addf(out, "%s%s", i ? " " : "", commands[i].name);
		}
	}
	buf_adds(out, "\"\n");
}

static bool is_family(const char *name)
{
	return name[strlen(name) - 1] == '.';
}

bool complete_offers(const struct opt *o)
{
	return o->name && !(o->flags & OPT_HIDDEN) && !is_family(o->name);
}

void complete_pattern(struct buf *out, const struct command *cmd)
{
	buf_adds(out, cmd->name);
	for (const char *s = cmd->aliases; s && *s;) {
		size_t len = strcspn(s, " ");
		buf_addf(out, "|%.*s", (int)len, s);
		s += len + (s[len] == ' ');
	}
}

const char *complete_words(const struct command *cmd)
{
	static const struct {
		const char *name, *words;
	} all[] = {
		{"daemon", "start stop status upgrade paths"},
		{"completion", "bash zsh fish"},
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (strcmp(cmd->name, all[i].name) == 0) {
			return all[i].words;
		}
	}
	return NULL;
}

void complete_quoted(struct buf *out, const char *text, const char *quote)
{
	buf_addc(out, '\'');
	for (; *text; text++) {
		if (*text == '\'') {
			buf_adds(out, quote);
		} else {
			buf_addc(out, *text);
		}
	}
	buf_addc(out, '\'');
}

void complete_signals(struct buf *out)
{
	for (size_t i = 0; signals_each(i); i++) {
		buf_addf(out, "%s%s", i ? " " : "", signals_each(i));
	}
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

static void add_signals(struct buf *out)
{
	buf_adds(out, "\t\tsignal) [ \"$words\" = 0 ] && COMPREPLY=($(compgen -W \"");
	complete_signals(out);
	buf_adds(out, "\" -- \"$cur\")) ;;\n");
}

static void add_words(struct buf *out)
{
	for (size_t i = 0; i < commands_count; i++) {
		const char *words = complete_words(&commands[i]);
		if (words) {
			buf_addf(out, "\t\t%s) COMPREPLY=($(compgen -W \"%s\" -- \"$cur\")) ;;\n",
				 commands[i].name, words);
		}
	}
}

void complete_bash(struct buf *out)
{
	buf_adds(out,
		 "# SPDX-License-Identifier: MIT\n"
		 "# bash completion of pmctl; made by `pmctl __gen completion-bash`, do not edit.\n"
		 "_pmctl_options()\n{\n\tcase \"$1\" in\n");
	add_cases(out);
	buf_adds(out, "\t*) opts=\"--help --version --json\"; names=0 ;;\n\tesac\n}\n\n"
		      "_pmctl()\n{\n"
		      "\tlocal cur prev cmd=\"\" opts names words=0 i host=() _pmctl_commands\n"
		      "\tCOMPREPLY=()\n"
		      "\tcur=${COMP_WORDS[COMP_CWORD]}\n"
		      "\tprev=${COMP_WORDS[COMP_CWORD-1]}\n");
	add_commands(out);
	buf_adds(out,
		 "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
		 "\t\tcase \"${COMP_WORDS[i]}\" in\n"
		 "\t\t-c|--config|--timeout|--color) ((i++)) ;;\n"
		 /* ada@web1 is three words for bash. */
		 "\t\t--host) ((i++)); host=(--host \"${COMP_WORDS[i]}\")\n"
		 "\t\t\twhile [ \"${COMP_WORDS[i+1]}\" = @ ]; do\n"
		 "\t\t\t\thost[1]+=@${COMP_WORDS[i+2]}; ((i += 2))\n"
		 "\t\t\tdone ;;\n"
		 "\t\t-*) ;;\n"
		 "\t\t*) if [ -z \"$cmd\" ]; then cmd=${COMP_WORDS[i]}; else words=$((words + 1)); "
		 "fi ;;\n"
		 "\t\tesac\n"
		 "\tdone\n"
		 "\tcase \"$prev\" in\n"
		 "\t-c|--config|--cwd|--env-file|--log-out|--log-err) COMPREPLY=($(compgen -f -- "
		 "\"$cur\")); return ;;\n"
		 "\t--color) COMPREPLY=($(compgen -W \"auto always never\" -- \"$cur\")); return "
		 ";;\n"
		 "\t--host) COMPREPLY=($(compgen -A hostname -- \"$cur\")); return ;;\n"
		 "\t--for) COMPREPLY=($(compgen -W \"ready stopped\" -- \"$cur\")); return ;;\n"
		 "\tesac\n"
		 "\tif [ -z \"$cmd\" ]; then\n"
		 "\t\tCOMPREPLY=($(compgen -W \"$_pmctl_commands --help --version\" -- \"$cur\"))\n"
		 "\t\treturn\n"
		 "\tfi\n"
		 "\t_pmctl_options \"$cmd\"\n"
		 "\tcase \"$cur\" in\n"
		 "\t-*) COMPREPLY=($(compgen -W \"$opts\" -- \"$cur\")) ;;\n"
		 "\t*)\n"
		 "\t\tcase \"$cmd\" in\n"
		 "\t\thelp) COMPREPLY=($(compgen -W \"$_pmctl_commands exit-codes\" -- \"$cur\")) "
		 ";;\n"
		 "\t\tcheck|plan|apply|import) COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n");
	add_words(out);
	add_signals(out);
	buf_adds(out, "\t\tesac\n"
		      "\t\tif [ \"$names\" = 1 ] && [ ${#COMPREPLY[@]} = 0 ]; then\n"
		      "\t\t\tCOMPREPLY=($(compgen -W \"$(pmctl \"${host[@]}\" __names "
		      "2>/dev/null)\" -- \"$cur\"))\n"
		      "\t\t\t[ \"$cmd\" = start ] && COMPREPLY+=($(compgen -f -- \"$cur\"))\n"
		      "\t\tfi\n"
		      "\t\t;;\n"
		      "\tesac\n"
		      "}\n"
		      "complete -o filenames -o bashdefault -F _pmctl pmctl\n");
}

int cmd_completion(struct client *c)
{
	static const struct {
		const char *name;
		void (*write)(struct buf *out);
	} shells[] = {{"bash", complete_bash}, {"zsh", complete_zsh}, {"fish", complete_fish}};
	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
		if (strcmp(c->args.operand[0], shells[i].name) == 0) {
			shells[i].write(&c->out);
			return client_flush(c) ? 0 : 1;
		}
	}
	return client_usage(c, "no completion for \"%.40s\"; there is bash, zsh and fish",
			    c->args.operand[0]);
}

static bool add_live_names(struct client *c)
{
	struct rpc_reply reply = {.id = -1};
	struct err err;
	struct conn_wait w = {.deadline_mono_ms = clock_mono_ms() + NAMES_MS};
	bool ok = client_connect(c, &err) && conn_call(&c->conn, "list", NULL, &w, &reply, &err);
	size_t i;
	const json_t *app;
	json_array_foreach(json_object_get(reply.result, "apps"), i, app)
	{
		buf_addf(&c->out, "%s\n", member_text(app, "name", ""));
	}
	rpc_reply_finish(&reply);
	return ok;
}

/* __names: words for completion; never an error. */
int cmd_names(struct client *c)
{
	struct ini_file f;
	struct err_list errs = {0};
	struct err err;
	if (!add_live_names(c) && appfile_read(APPFILE_DEFAULT, NULL, &f, &errs, &err)) {
		for (size_t i = 0; i < f.napps; i++) {
			buf_addf(&c->out, "%s\n", f.apps[i]->name);
		}
		ini_file_finish(&f);
	}
	err_list_finish(&errs);
	client_flush(c);
	return 0;
}
