/* SPDX-License-Identifier: MIT */
#include "client/manpage.h"

#include <string.h>

#include "client/appopts.h"
#include "client/args.h"
#include "client/commands.h"
#include "common/err.h"
#include "config/keys.h"

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

static const char front[] =
	"pmctl(1)\n\n"
	"# NAME\n\n"
	"pmctl - run, watch and replace applications under pmctld\n\n"
	"# SYNOPSIS\n\n"
	"*pmctl* _COMMAND_ \\[OPTIONS\\] \\[OPERANDS\\]\n\n"
	"# DESCRIPTION\n\n"
	"*pmctl* is the command line of *pmctld*(8), a supervisor of processes. What is to run "
	"stands in "
	"an INI file, see *pmctl.ini*(5). Only *start*, *resurrect* and *daemon start* start the "
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
	add_exit_statuses(out);
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
	"*\\[pmctl\\]*\n\t*project* is a name for all apps of the file, by default that of its "
	"folder; "
	"*include* is a pattern of more files.\n\n"
	"*\\[defaults\\]*\n\tAny key of an app; holds for the apps of this file that do not set "
	"it.\n\n"
	"*\\[app:NAME\\]*\n\tAn app. Names are 1 to 40 of A-Z a-z 0-9 \\_ . - and do not begin "
	"with . or -; "
	"they are not digits only, and not *all*.\n\n"
	"# VALUES\n\n"
	"Durations: *500ms*, *10s*, *5m*, *1h*; a bare number is seconds. Sizes: *512K*, *200M*, "
	"*2G* "
	"(powers of 1024); a bare number is bytes. Booleans: *yes no true false on off 1 0*. Words "
	"are "
	"separated by blanks; quotes and \\\\ work as in a shell.\n\n"
	"# KEYS\n\n";

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
	"for each instance, see *increment\\_var*.\n\n"
	"# EXAMPLES\n\n"
	"A node app, one worker for each CPU on one port:\n\n"
	"```\n[app:web]\nscript = server.js\ninstances = max\nenv.PORT = 3000\nmemory_max = "
	"512M\n```\n\n"
	"A Python program that gets its socket from us:\n\n"
	"```\n[app:api]\ncommand = .venv/bin/gunicorn app:api\nlisten = 127.0.0.1:8000\nready = "
	"notify\n"
	"```\n\n"
	"Two of uvicorn on one socket:\n\n"
	"```\n[app:asgi]\ncommand = .venv/bin/uvicorn --fd 3 shop.asgi:app\nlisten = "
	"127.0.0.1:8001\n"
	"instances = 2\n```\n\n"
	"# SEE ALSO\n\n*pmctl*(1), *pmctld*(8)\n";

void manpage_keys(struct buf *out)
{
	buf_adds(out, ini_front);
	for (size_t i = 0; i < keys_count; i++) {
		const struct key *k = &keys[i];
		bool family = k->name[strlen(k->name) - 1] == '.';
		buf_adds(out, "*");
		add_text(out, k->name);
		buf_adds(out, family ? "NAME* = " : "* = ");
		add_text(out, k->choices ? k->choices : k->meta);
		buf_adds(out, "\n\t");
		add_text(out, k->doc);
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
}
