/* SPDX-License-Identifier: MIT */
/* supkeys - the keys of a [program:NAME] of supervisord and what they are here. */
#include <stdlib.h>
#include <string.h>

#include "client/import/map.h"
#include "common/mem.h"

/* unexpected (the default there): started again unless the code is one of exitcodes. */
static void apply_autorestart(struct mapping *m, const struct import_key *row, const char *key,
			      const json_t *v)
{
	const char *text = json_string_value(v);
	const char *codes = json_string_value(json_object_get(m->obj, "exitcodes"));
	int is = import_bool(v);
	if (is >= 0) {
		import_key_set(m, row, key, "autorestart", is ? "always" : "never");
	} else if (!text || strcmp(text, "unexpected") != 0) {
		import_say(m->im, m->app, key, IMPORT_UNSUPPORTED, NULL,
			   "is none of true, false and unexpected; left out");
	} else if (!codes || strcmp(codes, "0") == 0) {
		import_key_set(m, row, key, "autorestart", "on-failure");
		if (codes) {
			import_say(m->im, m->app, "exitcodes", IMPORT_MAPPED, NULL,
				   "so it is with autorestart = on-failure");
		}
	} else if (import_key_set(m, row, key, "autorestart", "always")) {
		import_key_set(m, row, "exitcodes", "stop_exit_codes", codes);
	}
}

static void apply_exitcodes(struct mapping *m, const struct import_key *row, const char *key,
			    const json_t *v)
{
	const json_t *again = json_object_get(m->obj, "autorestart");
	(void)row;
	(void)v;
	if (again && import_bool(again) >= 0) {
		import_say(m->im, m->app, key, IMPORT_IGNORED, NULL,
			   "it counts with autorestart=unexpected only");
	}
}

static void apply_group_stop(struct mapping *m, const struct import_key *row, const char *key,
			     const json_t *v)
{
	bool whole = import_bool(v) == 1;
	(void)row;
	import_say(m->im, m->app, key, whole ? IMPORT_MAPPED : IMPORT_CHANGED, NULL,
		   whole ? "so it is here anyway: kill_mode = tree"
			 : "a stop ends the whole process tree here, unless kill_mode = process");
}

static void apply_redirect(struct mapping *m, const struct import_key *row, const char *key,
			   const json_t *v)
{
	const struct setting *out = def_find(m->app->def, "log_out");
	if (import_bool(v) != 1) {
		import_say(m->im, m->app, key, IMPORT_MAPPED, NULL, "so it is here anyway");
	} else if (out) {
		def_unset(m->app->def, "log_err");
		import_key_set(m, row, key, "log_err", out->value);
	} else {
		import_say(m->im, m->app, key, IMPORT_CHANGED, NULL,
			   "the streams have a file each; pmctl logs merges them by time");
	}
}

/* 0: it is up at once. */
static void apply_startsecs(struct mapping *m, const struct import_key *row, const char *key,
			    const json_t *v)
{
	char *value = NULL;
	struct err err;
	const char *text = json_string_value(v);
	if (text && strcmp(text, "0") == 0) {
		import_key_set(m, row, key, "ready", "spawn");
	} else if (conv_seconds(m, v, &value, &err) == CONV_OK) {
		import_key_set(m, row, key, "min_uptime", value);
	} else {
		import_say(m->im, m->app, key, IMPORT_UNSUPPORTED, NULL, "%s; left out", err.msg);
	}
	free(value);
}

/* One limit for both streams here. */
static void apply_log_limit(struct mapping *m, const struct import_key *row, const char *key,
			    const json_t *v)
{
	const char *ours = strstr(key, "backups") ? "log_keep" : "log_max_size";
	const struct setting *had = def_find(m->app->def, ours);
	char *value = NULL;
	struct err err;
	if ((strstr(key, "backups") ? conv_int : conv_log_size)(m, v, &value, &err) != CONV_OK) {
		import_say(m->im, m->app, key, IMPORT_UNSUPPORTED, NULL, "%s; left out", err.msg);
	} else if (had && strcmp(had->value, value) != 0) {
		import_say(m->im, m->app, key, IMPORT_UNSUPPORTED, NULL,
			   "both streams have the same %s here: %s", ours, had->value);
	} else {
		import_key_set(m, row, key, ours, value);
	}
	free(value);
}

/* "rsyslogd:running swssconfig:exited". */
static void apply_wait_for(struct mapping *m, const struct import_key *row, const char *key,
			   const json_t *v)
{
	struct buf names = {0};
	const char *text = json_string_value(v);
	for (const char *s = text ? text : ""; *(s += strspn(s, " \t\r\n"));) {
		size_t len = strcspn(s, " \t\r\n");
		size_t name = strcspn(s, ": \t\r\n");
		buf_addf(&names, "%s%.*s", names.len ? " " : "", (int)name, s);
		s += len;
	}
	if (names.len) {
		import_key_set(m, row, key, "after", names.data);
	} else {
		import_say(m->im, m->app, key, IMPORT_IGNORED, NULL, "it is empty");
	}
	buf_finish(&names);
}

#define ROW(theirs, mine, what, conv, fn, text)                                                    \
	{                                                                                          \
		.names = theirs, .ours = mine, .kind = what, .convert = conv, .apply = fn,         \
		.remark = text                                                                     \
	}
#define SAME(theirs, mine, conv)	ROW(theirs, mine, IMPORT_MAPPED, conv, NULL, NULL)
#define OTHER(theirs, mine, conv, text) ROW(theirs, mine, IMPORT_CHANGED, conv, NULL, text)
#define NONE(theirs, text)		ROW(theirs, NULL, IMPORT_UNSUPPORTED, NULL, NULL, text)

/* command, directory, environment, numprocs, numprocs_start and process_name are read by
 * supervisord.c. The order is the one in which they are applied. */
static const struct import_key sup_keys[] = {
	SAME("command", "command", NULL),
	SAME("directory", "cwd", NULL),
	SAME("environment", "env.NAME", NULL),
	ROW("process_name", "[app:NAME]", IMPORT_CHANGED, NULL, NULL,
	    "the instances of an app are NAME:0, NAME:1 and so on"),
	ROW("numprocs numprocs_start", "instances", IMPORT_CHANGED, NULL, NULL,
	    "slots count from 0; where the number stands in a value, each gets an app of its own"),
	SAME("autostart", "autostart", conv_bool),
	ROW("autorestart", "autorestart", IMPORT_MAPPED, NULL, apply_autorestart, NULL),
	ROW("exitcodes", "stop_exit_codes", IMPORT_MAPPED, NULL, apply_exitcodes, NULL),
	ROW("startsecs", "min_uptime", IMPORT_MAPPED, NULL, apply_startsecs, NULL),
	OTHER("startretries", "max_restarts", conv_int,
	      "counts every automatic restart within restart_window (5m), not only failed starts"),
	SAME("stopsignal", "stop_signal", conv_signal),
	SAME("stopwaitsecs", "stop_timeout", conv_seconds),
	ROW("stopasgroup killasgroup", "kill_mode", IMPORT_MAPPED, NULL, apply_group_stop, NULL),
	SAME("user", "user", conv_text),
	SAME("umask", "umask", conv_text),
	SAME("nice", "nice", conv_int),
	OTHER("stdout_logfile", "log_out", conv_sup_path, "one file for all instances"),
	OTHER("stderr_logfile", "log_err", conv_sup_path, "one file for all instances"),
	ROW("redirect_stderr", "log_err", IMPORT_MAPPED, NULL, apply_redirect, NULL),
	ROW("stdout_logfile_maxbytes stderr_logfile_maxbytes", "log_max_size", IMPORT_MAPPED, NULL,
	    apply_log_limit, NULL),
	ROW("stdout_logfile_backups stderr_logfile_backups", "log_keep", IMPORT_MAPPED, NULL,
	    apply_log_limit, NULL),
	ROW("dependent_startup_wait_for", "after", IMPORT_CHANGED, NULL, apply_wait_for,
	    "ready, or a job that has ended well, is what is waited for"),
	ROW("dependent_startup", NULL, IMPORT_UNSUPPORTED, NULL, NULL, "the order is after"),
	NONE("priority", "an order that waits is after"),
	NONE("stdout_capture_maxbytes stderr_capture_maxbytes stdout_events_enabled "
	     "stderr_events_enabled",
	     "events are not made of output; pmctl events -f --json tells what happens"),
	NONE("stdout_syslog stderr_syslog",
	     "there is no syslog; pmctl logs -f --json can be piped into one"),
	NONE("serverurl", "a program talks to us over control.sock, see pmctl-protocol(7)"),
	ROW("socket", "listen", IMPORT_IGNORED, NULL, NULL,
	    "of a [fcgi-program:NAME], whose command a shell runs with the socket as standard "
	    "input"),
	NONE("socket_backlog socket_owner socket_mode",
	     "the socket is opened by pmctld, for its own user"),
	NONE("events buffer_size result_handler", "see pmctl events -f --json"),
};

const struct import_table import_sup_keys = {
	"Of a program of supervisord",
	sup_keys,
	ARRAY_LEN(sup_keys),
	"supervisord does not know it",
};

static const struct import_key sup_sections[] = {
	ROW("group:", "namespace", IMPORT_MAPPED, NULL, NULL,
	    "its name is the namespace of its programs"),
	NONE("eventlistener:", "pmctl events -f --json tells what happens; in a container the exit "
			       "of an app can end it, see pmctld(8)"),
	ROW("fcgi-program:", "command, listen", IMPORT_CHANGED, NULL, NULL,
	    "pmctld opens its socket, and a shell makes it the standard input"),
	ROW("include", NULL, IMPORT_MAPPED, NULL, NULL,
	    "the files are read too, as of the folder of this one; an include in them has no "
	    "effect"),
	NONE("inet_http_server", "there is no listener on the network; ssh does that"),
	NONE("ctlplugin:", "there are no plugins"),
	ROW("unix_http_server", NULL, IMPORT_IGNORED, NULL, NULL, "control.sock is made by itself"),
	ROW("supervisorctl", NULL, IMPORT_IGNORED, NULL, NULL, "pmctl finds its daemon by itself"),
	ROW("rpcinterface:", NULL, IMPORT_IGNORED, NULL, NULL,
	    "the protocol is JSON, see pmctl-protocol(7)"),
};

const struct import_table import_sup_sections = {
	"Other sections of supervisord",
	sup_sections,
	ARRAY_LEN(sup_sections),
	"supervisord does not know it",
};
