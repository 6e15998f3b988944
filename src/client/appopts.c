/* SPDX-License-Identifier: MIT */
#include "client/appopts.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/import/shellline.h"
#include "client/workdir.h"
#include "common/limits.h"
#include "common/mem.h"
#include "common/words.h"
#include "config/keys.h"
#include "config/names.h"

/* A bare number of PM2's is in milliseconds where ours is in seconds. */
#define MS(name, letter, key, doc)                                                                 \
	{                                                                                          \
		name, letter, "MS", doc, OPT_HIDDEN, key, NULL                                     \
	}

/* PM2's that mean nothing here: taken, with a note that says why. */
#define WITHOUT_EFFECT(name, letter, meta, doc)                                                    \
	{                                                                                          \
		name, letter, meta, doc, OPT_HIDDEN, NULL, NULL                                    \
	}

static const struct opt others[] = {
	{"name", 'n', "NAME", "Name of the app; default the script's without extension.", 0, NULL,
	 NULL},
	{"instances", 'i', "N|max|max-N|N%", "How many run.", 0, "instances", NULL},
	{"memory-max", 0, "SIZE", "See memory_max.", OPT_HIDDEN, "memory_max", NULL},
	{"max-memory-restart", 0, "SIZE", "As --memory-max.", 0, "memory_max", NULL},
	{"cron", 0, "CRON", "As --cron-restart.", 0, "cron_restart", NULL},
	{"node-args", 0, "WORDS", "As --interpreter-args.", 0, "interpreter_args", NULL},
	{"output", 'o', "PATH", "As --log-out.", 0, "log_out", NULL},
	{"error", 'e', "PATH", "As --log-err.", 0, "log_err", NULL},
	{"log", 'l', "PATH", "As --log-out and --log-err with the same file.", 0, "log_out", NULL},
	{"uid", 0, "NAME|UID", "As --user.", 0, "user", NULL},
	{"gid", 0, "NAME|GID", "As --group.", 0, "group", NULL},
	{"ignore-watch", 0, "WORDS", "As --watch-ignore.", 0, "watch_ignore", NULL},
	{"wait-ready", 0, NULL, "As --ready message.", 0, "ready", "message"},
	{"time", 0, NULL, "As --log-format time.", 0, "log_format", "time"},
	{"log-type", 0, "FORMAT", "As --log-format.", OPT_HIDDEN, "log_format", NULL},
	{"no-autorestart", 0, NULL, "As --autorestart never.", 0, "autorestart", "never"},
	{"no-treekill", 0, NULL, "As --kill-mode process.", 0, "kill_mode", "process"},
	{"port", 0, "N", "As --env.PORT.", OPT_HIDDEN, "env.PORT", NULL},
	{"exec-mode", 0, "MODE", "As --mode.", OPT_HIDDEN, "mode", NULL},
	{"exec-interpreter", 0, "PROGRAM", "As --interpreter.", OPT_HIDDEN, "interpreter", NULL},
	{"parallel", 0, "N", "As --reload-parallel.", OPT_HIDDEN, "reload_parallel", NULL},
	{"log-date-format", 0, "FORMAT", "As --log-format time.", OPT_HIDDEN, "log_format", "time"},
	{"disable-logs", 0, NULL, "As --log-out none --log-err none.", OPT_HIDDEN, "log_out",
	 "none"},
	WITHOUT_EFFECT(
		"update-env", 'a', NULL,
		"an app never has the caller's environment; see --env NAME=VALUE, --env-file"),
	WITHOUT_EFFECT("filter-env", 0, "NAMES", "an app never has the caller's environment"),
	WITHOUT_EFFECT("merge-logs", 0, NULL,
		       "a file named with --log-out is that of all instances anyway"),
	WITHOUT_EFFECT("force", 'f', NULL, "names are unique; give another with --name"),
	WITHOUT_EFFECT("silent", 's', NULL, "there is nothing to be silent about"),
	WITHOUT_EFFECT("no-daemon", 0, NULL,
		       "apps are kept by pmctld; in a container: pmctld --foreground"),
	WITHOUT_EFFECT("attach", 0, NULL, "see pmctl logs -f"),
	WITHOUT_EFFECT("no-pmx", 0, NULL, "nothing is put into programs"),
	WITHOUT_EFFECT("no-automation", 0, NULL, "nothing is put into programs"),
	WITHOUT_EFFECT("no-vizion", 0, NULL, "no version control is looked at"),
	WITHOUT_EFFECT("source-map-support", 0, NULL,
		       "node does that: --node-args=--enable-source-maps"),
	WITHOUT_EFFECT("disable-source-map-support", 0, NULL, "nothing is put into programs"),
	WITHOUT_EFFECT("execute-command", 'x', NULL, "a program is run as it is anyway"),
	WITHOUT_EFFECT("pid", 'p', "FILE", "a process is known by itself: pmctl list -i --json"),
	WITHOUT_EFFECT("trace", 0, NULL, "nothing is put into programs"),
	WITHOUT_EFFECT("disable-trace", 0, NULL, "nothing is put into programs"),
	WITHOUT_EFFECT("v8", 0, NULL, "nothing is put into programs"),
	WITHOUT_EFFECT("event-loop-inspector", 0, NULL, "nothing is put into programs"),
	WITHOUT_EFFECT("deep-monitoring", 0, NULL, "nothing is put into programs"),
	WITHOUT_EFFECT("shutdown-with-message", 0, NULL,
		       "a stop is a signal; see --stop-signal and --stop-timeout"),
	MS("kill-timeout", 'k', "stop_timeout", "As --stop-timeout, a bare number in ms."),
	MS("listen-timeout", 0, "ready_timeout", "As --ready-timeout, a bare number in ms."),
	MS("exp-backoff-restart-delay", 0, "restart_delay",
	   "As --restart-delay, a bare number in ms."),
};

struct opt_set appopts_short(void)
{
	return (struct opt_set){others, ARRAY_LEN(others)};
}

static char *option_name(const char *prefix, const char *key)
{
	char *name = xasprintf("%s%s", prefix, key);
	for (char *s = name; *s; s++) {
		*s = *s == '_' ? '-' : *s;
	}
	return name;
}

static bool is_yes_no(const struct key *k)
{
	return strncmp(k->meta, "BOOL", 4) == 0;
}

struct opt_set appopts_keys(void)
{
	static struct opt *made;
	static size_t n;
	if (made) {
		return (struct opt_set){made, n};
	}
	made = xcalloc(2 * keys_count, sizeof(*made));
	for (size_t i = 0; i < keys_count; i++) {
		const struct key *k = &keys[i];
		if (strcmp(k->name, "script") == 0 || strcmp(k->name, "instances") == 0) {
			continue;
		}
		made[n++] = (struct opt){.name = option_name("", k->name),
					 .meta = k->meta,
					 .doc = k->doc,
					 .flags = is_yes_no(k) ? OPT_OPTIONAL : 0,
					 .key = k->name,
					 .fixed = is_yes_no(k) ? "yes" : NULL};
		if (is_yes_no(k)) {
			made[n++] = (struct opt){.name = option_name("no-", k->name),
						 .doc = k->doc,
						 .flags = OPT_HIDDEN,
						 .key = k->name,
						 .fixed = "no"};
		}
	}
	return (struct opt_set){made, n};
}

static bool is_app_option(const struct given *g)
{
	const struct opt *o = g->opt;
	bool profile = g->value && !strchr(g->value, '='); /* --env production is of an app list */
	return o->key || (o >= others && o < others + ARRAY_LEN(others)) ||
	       (o->name && strcmp(o->name, "env") == 0 && !profile);
}

const char *appopts_note(const struct given *g)
{
	static char text[200];
	const struct opt *o = g->opt;
	long n = g->value && !g->value[strspn(g->value, "0123456789")] ? atol(g->value) : 0;
	if (o >= others && o < others + ARRAY_LEN(others) && !o->key &&
	    strcmp(o->name, "name") != 0) {
		snprintf(text, sizeof(text), "--%s has no effect: %s", o->name, o->doc);
		return text;
	}
	/* Durations of ours that PM2 has under the same name, in milliseconds. */
	if (n >= 100 && o->key && !(o->meta && strcmp(o->meta, "MS") == 0) &&
	    (strcmp(o->key, "restart_delay") == 0 || strcmp(o->key, "min_uptime") == 0 ||
	     strcmp(o->key, "watch_delay") == 0)) {
		snprintf(text, sizeof(text),
			 "--%s %ld is in seconds; milliseconds, as in PM2, are %ldms", o->name, n,
			 n);
		return text;
	}
	return NULL;
}

bool appopts_any(const struct args *a)
{
	for (size_t i = 0; i < a->ngiven; i++) {
		if (is_app_option(&a->given[i])) {
			return true;
		}
	}
	return a->has_rest;
}

static bool set_env(struct app_def *d, const char *text, struct err *err)
{
	const char *eq = text ? strchr(text, '=') : NULL;
	if (!eq || eq == text) {
		return err_set(err, ERR_USAGE,
			       "--env takes NAME=VALUE with a script; a profile is of an app list: "
			       "pmctl start FILE.ini --env PROFILE");
	}
	char *key = xasprintf("env.%.*s", (int)(eq - text), text);
	def_set(d, key, eq + 1, 0);
	free(key);
	return true;
}

/* PM2's 0 is one for each CPU, and its -1 one less. Caller frees. */
static char *instances_of(const char *value)
{
	bool minus = value[0] == '-' && value[1] && !value[1 + strspn(value + 1, "0123456789")];
	return minus			 ? xasprintf("max%s", value)
	       : strcmp(value, "0") == 0 ? xstrdup("max")
					 : xstrdup(value);
}

static void set_key(struct app_def *d, const struct given *g)
{
	const struct opt *o = g->opt;
	bool fixed = o->fixed && !(g->value && o->flags & OPT_OPTIONAL);
	const char *value = fixed ? o->fixed : g->value ? g->value : "";
	char *key = g->sub ? xasprintf("%s%s", o->key, g->sub) : xstrdup(o->key);
	bool in_ms = o->meta && strcmp(o->meta, "MS") == 0 && value[0] &&
		     !value[strspn(value, "0123456789")];
	char *text = strcmp(o->key, "instances") == 0 ? instances_of(value)
						      : xasprintf("%s%s", value, in_ms ? "ms" : "");
	def_set(d, key, text, 0);
	if (o->letter == 'l' || strcmp(o->name, "disable-logs") == 0) {
		def_set(d, "log_err", text, 0);
	}
	free(key);
	free(text);
}

static bool set_options(struct app_def *d, const struct args *a, struct err *err)
{
	for (size_t i = 0; i < a->ngiven; i++) {
		const struct given *g = &a->given[i];
		if (g->opt->key) {
			set_key(d, g);
		} else if (g->opt->name && strcmp(g->opt->name, "env") == 0 &&
			   !set_env(d, g->value, err)) {
			return false;
		}
	}
	if (a->nrest) {
		const struct setting *line = def_find(d, "command");
		char *args = words_join((char *const *)(uintptr_t)a->rest, a->nrest);
		char *all = line ? xasprintf("%s %s", line->value, args) : xstrdup(args);
		def_set(d, line ? "command" : "args", all, 0);
		free(all);
		free(args);
	}
	return true;
}

/* "dir/my+app.js" to "my-app"; of a command line or name with blanks, the first word. */
static char *name_of(const char *script)
{
	size_t len = strcspn(script, " ") ? strcspn(script, " ") : strlen(script);
	const char *slash = memrchr(script, '/', len);
	char *name = slash ? xstrndup(slash + 1, (size_t)(script + len - slash - 1))
			   : xstrndup(script, len);
	char *dot = strrchr(name, '.');
	if (dot && dot != name) {
		*dot = '\0';
	}
	for (char *s = name; *s; s++) {
		if (!isalnum((unsigned char)*s) && !strchr("_.-", *s)) {
			*s = '-';
		}
	}
	if (strlen(name) > LIMIT_NAME) {
		name[LIMIT_NAME] = '\0';
	}
	return name;
}

/* A script with blanks is a command line, as in PM2; with more than words in it, one for a shell,
 * which would take arguments behind it for its own. */
static bool set_program(struct app_def *d, const char *script, bool has_args, struct err *err)
{
	if (!appopts_is_line(script)) {
		def_set(d, "script", script, 0);
		return true;
	}
	bool plain = shellline_is_plain(script);
	if (!plain && has_args) {
		return err_set(err, ERR_USAGE,
			       "arguments behind -- do not go with a command line that needs a "
			       "shell; write them into the line");
	}
	char *command = plain ? xstrdup(script) : shellline_wrap("bash", script);
	def_set(d, "command", command, 0);
	free(command);
	return true;
}

bool appopts_is_line(const char *script)
{
	return script[strcspn(script, " \t\n")] && access(script, F_OK) != 0;
}

struct app_def *appopts_def(const struct args *a, const char *script, struct err *err)
{
	char *name = args_has(a, "name") ? xstrdup(args_value(a, "name", "")) : NULL;
	if (!name) {
		name = name_of(script ? script : args_value(a, "command", ""));
	}
	char *cwd = workdir_get(err);
	struct app_def *d = NULL;
	struct err why;
	if (cwd && !names_check_app(name, &why)) {
		char shown[SHOWN_MAX];
		err_set(err, ERR_USAGE, "the name \"%s\" %s; give one with --name",
			names_shown(name, shown), why.msg);
	} else if (cwd) {
		char *project = workdir_project(cwd);
		d = def_new(name, project, NULL, cwd, 0);
		free(project);
		if ((script && !set_program(d, script, a->nrest > 0, err)) ||
		    !set_options(d, a, err)) {
			def_free(d);
			d = NULL;
		}
	}
	free(cwd);
	free(name);
	return d;
}
