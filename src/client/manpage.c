/* SPDX-License-Identifier: MIT */
#include "client/manpage.h"

#include <string.h>

#include "client/appopts.h"
#include "client/args.h"
#include "client/commands.h"
#include "client/import/map.h"
#include "client/manexamples.h"
#include "common/err.h"
#include "common/mem.h"
#include "config/filekeys.h"
#include "config/keys.h"
#include "ui/keyhelp.h"

/* Text in which scdoc must see no markup. */
static void add_plain(struct buf *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (strchr("\\*_#<>[]`.", s[i]) && s[i] != '.') {
			buf_addc(out, '\\');
		}
		buf_addc(out, s[i]);
	}
}

static void add_text(struct buf *out, const char *s)
{
	add_plain(out, s, strlen(s));
}

/* Paragraphs of a doc, each after an empty line. */
static void add_paragraphs(struct buf *out, const char *doc, const char *indent)
{
	for (const char *s = doc; *s;) {
		size_t len = strcspn(s, "\n");
		buf_adds(out, indent);
		add_plain(out, s, len);
		buf_adds(out, "\n\n");
		s += len + (s[len] == '\n');
	}
}

static void add_option(struct buf *out, const struct opt *o, const char *indent)
{
	bool family = o->name[strlen(o->name) - 1] == '.';
	buf_adds(out, indent);
	if (o->letter) {
		buf_addf(out, "*-%c*, ", o->letter);
	}
	buf_addf(out, "*--%s*%s", o->name, family ? "_NAME_" : "");
	if (o->meta) {
		buf_adds(out, o->flags & OPT_OPTIONAL ? "\\[=" : family ? "=" : " ");
		add_text(out, o->meta);
		buf_adds(out, o->flags & OPT_OPTIONAL ? "\\]" : "");
	}
	buf_addf(out, "\n%s\t", indent);
	add_text(out, o->doc);
	buf_adds(out, "\n\n");
}

static void add_options(struct buf *out, const struct opt *v, size_t n, const char *indent)
{
	for (size_t i = 0; i < n; i++) {
		if (!(v[i].flags & OPT_HIDDEN)) {
			add_option(out, &v[i], indent);
		}
	}
}

static void add_command(struct buf *out, const struct command *cmd)
{
	buf_addf(out, "*%s* ", cmd->name);
	add_text(out, cmd->args);
	buf_adds(out, "\n\t");
	add_text(out, cmd->summary);
	buf_adds(out, ".\n\n");
	add_paragraphs(out, cmd->doc, "\t");
	add_options(out, cmd->opts, cmd->nopts, "\t");
	if (cmd->flags & CMD_APP_OPTS) {
		struct opt_set set;
		buf_adds(out, "\tOptions of an ad hoc app, besides one for each key of "
			      "*pmctl.ini*(5):\n\n");
		set = appopts_short();
		add_options(out, set.v, set.n, "\t");
	}
	if (cmd->aliases) {
		buf_adds(out, "\tAlso: ");
		add_text(out, cmd->aliases);
		buf_adds(out, "\n\n");
	}
}

static void add_exit_statuses(struct buf *out)
{
	buf_adds(out, "# EXIT STATUS\n\n");
	for (int i = 0; i < ERR_COUNT; i++) {
		const struct err_info *info = err_info((enum err_code)i);
		if (info->meaning) {
			buf_addf(out, "*%d*\n\t", info->exit_status);
			add_text(out, info->meaning);
			buf_adds(out, "\n\n");
		}
	}
	buf_adds(out, "*130*, *143*\n\tended by SIGINT or SIGTERM\n\n");
}

/* What a table has no room for. */
static const char daemon_dies[] =
	"# WHEN THE DAEMON DIES MEANWHILE\n\n"
	"The supervisor may be killed or upgraded at any moment. *start*, *stop*, *restart*, "
	"*reload*,\n"
	"*scale* and *delete* are noted in the state file before anything is done: the next "
	"supervisor goes on with what\n"
	"is left, and *pmctl* waits for it and ends as it would have. Nothing is done twice. What "
	"follows (*logs -f*,\n"
	"*events -f*) and *wait* go on where they were; on a terminal one line says that the "
	"daemon "
	"is away, and one that it\n"
	"is back.\n\n"
	"A *daemon stop* that was asked for ends followers with exit 0, and commands that wait "
	"with "
	"exit 5. If the\n"
	"keeper was killed too, and nobody starts another daemon within 5 s, all of them end with "
	"exit 5; *pmctl\n"
	"daemon start* goes on with the commands.\n\n";

static const char remote[] =
	"# REMOTE\n\n"
	"*pmctl --host* _USER@HOST_ _COMMAND_ runs *ssh*(1), and that the same command there, with "
	"the same\n"
	"words, for the daemon of that user; _HOST_ is what *ssh_config*(5) knows. Nothing of ours "
	"listens on a\n"
	"network, and who may log in may use the daemon. Files (*-c*, app lists, scripts) and the "
	"current directory are\n"
	"those there; *-c -* sends one from here: *pmctl --host web1 start -c - < pmctl.ini*. "
	"*PMCTL_HOME* and the\n"
	"other variables are those there, but for NO_COLOR.\n\n"
	"On a terminal all is as here: *monit*, progress, colour, Ctrl-C. Exit statuses are those "
	"of the pmctl there; 5\n"
	"if the machine was not reached, the connection was lost, or no pmctl is in the PATH "
	"there. "
	"A change that was\n"
	"begun goes on when the connection is lost.\n\n";

static void add_examples(struct buf *out)
{
	buf_adds(out, "# EXAMPLES\n\n");
	for (size_t i = 0; i < commands_count; i++) {
		for (const char *s = commands[i].examples; s && *s;) {
			size_t len = strcspn(s, "\n");
			size_t tab = strcspn(s, "\t");
			buf_addc(out, '*');
			add_plain(out, s, tab);
			buf_adds(out, "*\n\t");
			add_plain(out, s + tab + 1, len - tab - 1);
			buf_adds(out, "\n\n");
			s += len + (s[len] == '\n');
		}
	}
}

/* A key of another program's list: what it is here, and what is different. */
static void add_foreign_key(struct buf *out, const struct import_key *k)
{
	static const char *const words[IMPORT_KINDS] = {
		"", "changed: ", "not supported: ", "without effect: ", ""};
	buf_adds(out, "*");
	for (const char *s = k->names; *s; s++) {
		char c[2] = {*s, 0};
		if (*s == ' ') {
			buf_adds(out, "* *");
		} else {
			add_text(out, c);
		}
	}
	buf_adds(out, "*\n\t");
	if (k->ours) {
		add_text(out, k->ours);
	}
	if (k->remark) {
		buf_adds(out, k->ours ? "; " : "");
		buf_adds(out, words[k->kind]);
		add_text(out, k->remark);
	}
	buf_adds(out, ".\n\n");
}

static void add_import(struct buf *out)
{
	static const struct import_table *const tables[] = {&import_pm2_keys, &import_sup_keys,
							    &import_sup_sections};
	buf_adds(out,
		 "# WHAT IMPORT MAKES OF A KEY\n\n"
		 "The report of *pmctl import* has a line for each key, with its line number where "
		 "the list is a text: *mapped* means the "
		 "same here, *changed* is there with another meaning, *unsupported* is not "
		 "there, *ignored* had no effect where it comes from either, *todo* has to be "
		 "given a value. Values of variables are not in it. Numbers of PM2 without a "
		 "unit are milliseconds, and become durations.\n\n"
		 "In a Procfile a line is an app: by *sh -c* where it has more than words in "
		 "it, and *release* is a job that the others come after. foreman's PORT, 5000 "
		 "and 100 more for each line, is told only. An _.env_ beside it becomes "
		 "*env\\_file*.\n\n");
	for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
		buf_addf(out, "## %s\n\n", tables[t]->title);
		for (size_t i = 0; i < tables[t]->n; i++) {
			add_foreign_key(out, &tables[t]->v[i]);
		}
	}
	buf_adds(out, "## What PM2 ignores, and what there is instead\n\n");
	for (size_t i = 0; i < import_pm2_wishes.n; i++) {
		const struct import_key wish = {.names = import_pm2_wishes.v[i].names,
						.ours = import_pm2_wishes.v[i].remark};
		add_foreign_key(out, &wish);
	}
}

/* The keys of the dashboard, by group. */
static void add_dashboard_keys(struct buf *out)
{
	buf_adds(out, "# KEYS OF THE DASHBOARD\n\n"
		      "What *pmctl monit* does with a key; some hold in one pane only, and no key "
		      "has two meanings in one. A click selects, on the mark it opens, on the "
		      "heading it sorts; a double click shows the pane alone, the right button "
		      "has the menu, Ctrl marks, the wheel scrolls what is under it.\n\n");
	for (int group = 0; group < KEYS_GROUPS; group++) {
		buf_addf(out, "*%s*\n\n", keymap_group((enum key_group)group));
		for (size_t i = 0; i < keymap_count; i++) {
			struct buf names = {0};
			if (keymap[i].group != (enum key_group)group) {
				continue;
			}
			keyhelp_keys(&keymap[i], false, &names);
			buf_adds(out, "\t*");
			add_text(out, names.data);
			buf_adds(out, "*\n\t\t");
			add_text(out, keymap[i].doc);
			buf_adds(out, "\n\n");
			buf_finish(&names);
		}
	}
}

static const char front[] =
	"pmctl(1)\n\n"
	"# NAME\n\n"
	"pmctl - run, watch and replace applications under pmctld\n\n"
	"# SYNOPSIS\n\n"
	"*pmctl* _COMMAND_ \\[OPTIONS\\] \\[OPERANDS\\]\n\n"
	"# DESCRIPTION\n\n"
	"*pmctl* is the command line of *pmctld*(8), a supervisor of processes. What is to run "
	"stands in "
	"an INI file, see *pmctl.ini*(5). Only *start*, *apply*, *resurrect* and *daemon start* "
	"start the "
	"daemon; "
	"reading commands say that it does not run.\n\n"
	"Options stand before or behind operands; *--* ends them. Neither commands nor options can "
	"be "
	"abbreviated. Results go to standard output, messages and progress to standard error. "
	"Sizes are "
	"in powers of 1024 (M is MiB); times are local for people and UTC in JSON.\n\n"
	"# SELECTORS\n\n"
	"_SEL_ names instances: *web* (all of an app), *web:2*, *web:0,3*, *web:1-3*, *@ns* (a "
	"namespace), "
	"a pattern such as *'web-\\*'*, *7* (an id), or *all*. All selectors are resolved before "
	"anything "
	"is done; if one matches nothing, nothing is done.\n\n"
	"# OPTIONS\n\n";

static const char back[] =
	"# ENVIRONMENT\n\n"
	"*PMCTL_HOME*\n\tAbsolute path of a directory with everything: run, state and log below "
	"it.\n\n"
	"*XDG_RUNTIME_DIR*, *XDG_STATE_HOME*, *HOME*\n\tWhere the files of a user's daemon are.\n\n"
	"*NO_COLOR*, *CLICOLOR_FORCE*, *FORCE_COLOR*, *CLICOLOR*, *TERM*\n\tWhether there is "
	"colour, "
	"in this order, where *--color* is not given.\n\n"
	"*COLUMNS*\n\tWidth, where the terminal does not tell it.\n\n"
	"# FILES\n\n"
	"_./pmctl.ini_\n\tThe app list.\n\n"
	"*pmctl daemon paths* prints the others; *pmctld*(8) explains them.\n\n";

static const char also[] = "# SEE ALSO\n\n*pmctl.ini*(5), *pmctld*(8), *pmctl-protocol*(7)\n";

void manpage_commands(struct buf *out)
{
	buf_adds(out, front);
	add_options(out, global_opts, global_opts_count, "");
	buf_adds(out,
		 "*-V*, *--version*\n\tPrint the versions of pmctl and of the daemon that answers."
		 "\n\n# COMMANDS\n\n");
	for (size_t i = 0; i < commands_count; i++) {
		if (!(commands[i].flags & CMD_HIDDEN)) {
			add_command(out, &commands[i]);
		}
	}
	add_import(out);
	add_dashboard_keys(out);
	add_exit_statuses(out);
	buf_adds(out, daemon_dies);
	buf_adds(out, remote);
	buf_adds(out, back);
	add_examples(out);
	buf_adds(out, also);
}

static const char ini_front[] =
	"pmctl.ini(5)\n\n"
	"# NAME\n\n"
	"pmctl.ini - what runs under pmctld\n\n"
	"# SYNOPSIS\n\n"
	"_./pmctl.ini_, or the file named with *pmctl -c*\n\n"
	"# DESCRIPTION\n\n"
	"An INI file with a section for each app. A line is *KEY = VALUE*; values are literal: "
	"*%*, *$*, "
	"*;* and *#* inside one mean themselves. A comment is a line that begins with *;* or *#*. "
	"Lines "
	"may be 64 KiB long. Relative paths are below the directory of the file.\n\n"
	"Unknown sections and keys, bad values and names given twice are errors. All of them are "
	"reported "
	"in one go as _FILE:LINE: \\[SECTION\\] KEY: REASON_, and nothing is applied then. *pmctl "
	"check* "
	"looks for them without a daemon.\n\n"
	"# SECTIONS\n\n"
	"*\\[pmctl\\]*\n\tWhat the file says of itself, see below.\n\n"
	"*\\[defaults\\]*\n\tAny key of an app; holds for the apps of this file that do not set "
	"it.\n\n"
	"*\\[app:NAME\\]*\n\tAn app. Names are 1 to 40 of A-Z a-z 0-9 \\_ . - and do not begin "
	"with . or -; "
	"they are not digits only, and not *all*.\n\n"
	"*\\[defaults@PROFILE\\]*, *\\[app:NAME@PROFILE\\]*\n\tKeys for one profile, chosen with "
	"*--env* "
	"PROFILE: of pmctl start, plan, apply and check. What is given in several places comes "
	"from "
	"the "
	"last of \\[defaults\\], \\[defaults@PROFILE\\], \\[app:NAME\\], \\[app:NAME@PROFILE\\]; "
	"one "
	"that "
	"says script or command outranks both of the places before it. Sections of profiles that "
	"are not "
	"chosen are checked all the same. The daemon remembers which profile a file was applied "
	"with.\n\n"
	"# VALUES\n\n"
	"Durations: *500ms*, *10s*, *5m*, *1h*; a bare number is seconds. Sizes: *512K*, *200M*, "
	"*2G* "
	"(powers of 1024); a bare number is bytes. Booleans: *yes no true false on off 1 0*. Words "
	"are "
	"separated by blanks; quotes and \\\\ work as in a shell.\n\n"
	"# KEYS OF THE FILE\n\n";

static const char ini_back[] =
	"# ENVIRONMENT OF AN APP\n\n"
	"An app begins with the environment of a login (PATH HOME USER SHELL LANG TZ and "
	"LC\\_\\*), never "
	"with that of the caller or the daemon. Added are what *env\\_file* and *env.NAME* say, "
	"NODE\\_APP\\_INSTANCE (or *instance\\_var*), PMCTL\\_APP, PMCTL\\_SLOT and PMCTL\\_ID; "
	"with "
	"*listen*, LISTEN\\_FDS, LISTEN\\_PID and LISTEN\\_FDNAMES; with *ready = notify*, "
	"NOTIFY\\_SOCKET.\n\n"
	"# LISTENING SOCKETS\n\n"
	"Sockets of *listen* are opened by *pmctld* and stay open while instances come and go: "
	"clients "
	"wait in their queue, nobody is refused. Every instance has all of them, as descriptors 3, "
	"4 and so "
	"on in the order of the file, by the protocol of *sd\\_listen\\_fds*(3): LISTEN\\_FDS is "
	"their number, "
	"LISTEN\\_PID the program's own pid, LISTEN\\_FDNAMES their names: each address as "
	"written, "
	"with \\_ for "
	"a colon. They block until the program says otherwise, but for node, which finds them with "
	"*listen({fd: 3})*.\n\n"
	"The program itself must be started, not a shell around it (*sh -c 'exec ...'* is fine): "
	"else "
	"LISTEN\\_PID is not its pid. gunicorn takes its sockets unasked, and says READY=1; puma "
	"takes "
	"the one "
	"with the address it is told to *--bind*; uvicorn is told *--fd 3*; python has "
	"*socket.socket(fileno=3)*, "
	"Go *net.FileListener*, Rust the listenfd crate. What cannot take a socket, such as *php "
	"-S*, "
	"can have a port "
	"for each instance, see *increment\\_var*.\n\n";

static void add_key(struct buf *out, const char *name, const char *more, const char *value,
		    const char *doc)
{
	buf_adds(out, "*");
	add_text(out, name);
	buf_adds(out, more);
	buf_adds(out, "* = ");
	add_text(out, value);
	buf_adds(out, "\n\t");
	add_text(out, doc);
}

void manpage_keys(struct buf *out)
{
	buf_adds(out, ini_front);
	for (size_t i = 0; i < file_keys_count; i++) {
		const struct file_key *k = &file_keys[i];
		add_key(out, k->name, "", k->meta, k->doc);
		buf_adds(out, "\n\n");
	}
	buf_adds(out, "# KEYS OF AN APP\n\n");
	for (size_t i = 0; i < keys_count; i++) {
		const struct key *k = &keys[i];
		bool family = k->name[strlen(k->name) - 1] == '.';
		add_key(out, k->name, family ? "NAME" : "", k->choices ? k->choices : k->meta,
			k->doc);
		if (k->def) {
			buf_adds(out, " Default: ");
			add_text(out, k->def);
			buf_addc(out, '.');
		}
		if (k->later) {
			buf_adds(out, " Not supported yet: setting it is an error.");
		}
		buf_adds(out, "\n\n");
	}
	buf_adds(out, ini_back);
	buf_adds(out, manexamples);
	buf_adds(out, "# SEE ALSO\n\n*pmctl*(1), *pmctld*(8)\n");
}
