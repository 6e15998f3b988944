/* SPDX-License-Identifier: MIT */
/*
 * dump - dump.pm2, PM2's own list of what ran, as an app list of PM2.
 *
 * It has an entry for each process, the whole environment of the shell that started it, and a
 * hundred members that are no settings: what PM2 fills in by itself is dropped without a word.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/import/map.h"
#include "client/import/where.h"
#include "common/affix.h"
#include "common/mem.h"

/* Members that are settings, and the values PM2 gives them by itself. */
static const struct {
	const char *key, *ours; /* as in a file */
	const char *usual;	/* as text; NULL = none */
} members[] = {
	{"pm_exec_path", "script", NULL},
	{"pm_cwd", "cwd", NULL},
	{"args", "args", "[]"},
	{"exec_interpreter", "interpreter", NULL},
	{"node_args", "node_args", "[]"},
	{"namespace", "namespace", "default"},
	{"exec_mode", "exec_mode", "fork_mode"},
	{"autorestart", "autorestart", "true"},
	{"autostart", "autostart", "true"},
	{"stop_exit_codes", "stop_exit_codes", "[]"},
	{"min_uptime", "min_uptime", "1000"},
	{"max_restarts", "max_restarts", "16"},
	{"restart_delay", "restart_delay", "0"},
	{"exp_backoff_restart_delay", "exp_backoff_restart_delay", "0"},
	{"max_memory_restart", "max_memory_restart", "0"},
	{"cron_restart", "cron_restart", "0"},
	{"kill_timeout", "kill_timeout", "1600"},
	{"treekill", "treekill", "true"},
	{"shutdown_with_message", "shutdown_with_message", "false"},
	{"wait_ready", "wait_ready", "false"},
	{"listen_timeout", "listen_timeout", "3000"},
	{"instance_var", "instance_var", "NODE_APP_INSTANCE"},
	{"increment_var", "increment_var", NULL},
	{"uid", "uid", NULL},
	{"gid", "gid", NULL},
	{"watch", "watch", "false"},
	{"ignore_watch", "ignore_watch", "[]"},
	{"watch_delay", "watch_delay", "0"},
	{"log_date_format", "log_date_format", ""},
	{"log_type", "log_type", ""},
	{"pm_out_log_path", "out_file", NULL},
	{"pm_err_log_path", "error_file", NULL},
	{"pm_log_path", "log_file", NULL},
};

#define MOST_TOLD 400 /* characters of names */

static bool is_usual(const json_t *v, const char *usual)
{
	if (json_is_array(v) && json_array_size(v) == 0) {
		return true;
	}
	char *text = import_text(v);
	bool same = json_is_null(v) || (usual && text && strcmp(text, usual) == 0);
	free(text);
	return same;
}

/* A log where PM2 puts it by itself. */
static bool is_own_log(const char *key, const json_t *v)
{
	const char *path = json_string_value(v);
	return strncmp(key, "pm_", 3) == 0 && path && strstr(path, "/.pm2/logs/");
}

/* Variables of a login, of a shell, of ssh, of a desktop and of PM2. */
static bool is_session_var(const char *name)
{
	static const char *const exact[] = {
		"PATH",		 "HOME",	   "USER",
		"LOGNAME",	 "SHELL",	   "LANG",
		"LANGUAGE",	 "TERM",	   "PWD",
		"OLDPWD",	 "SHLVL",	   "_",
		"MAIL",		 "DISPLAY",	   "HOSTNAME",
		"EDITOR",	 "VISUAL",	   "PAGER",
		"LS_COLORS",	 "LESSOPEN",	   "LESSCLOSE",
		"HISTSIZE",	 "HISTCONTROL",	   "HISTFILE",
		"MANPATH",	 "INFOPATH",	   "WINDOWID",
		"COLORTERM",	 "USERNAME",	   "unique_id",
		"km_link",	 "PM_ID",	   "NODE_APP_INSTANCE",
		"PM2_HOME",	 "vizion_running", "NVM_DIR",
		"NVM_BIN",	 "NVM_INC",	   "NVM_CD_FLAGS",
		"INVOCATION_ID", "JOURNAL_STREAM", "SYSTEMD_EXEC_PID",
		"TMUX",		 "TMUX_PANE",	   "STY",
		"WINDOW",	 "LINES",	   "COLUMNS",
		"which_declare", "SUDO_USER",	   "SUDO_UID",
		"SUDO_GID",	 "SUDO_COMMAND",
	};
	static const char *const prefixes[] = {
		"LC_",	 "SSH_", "XDG_",       "PM2_",	 "pm_",	    "axm_",   "npm_",
		"DBUS_", "GPG_", "BASH_FUNC_", "GNOME_", "VSCODE_", "PMCTL_", "INIT_CWD"};
	for (size_t i = 0; i < ARRAY_LEN(exact); i++) {
		if (strcmp(name, exact[i]) == 0) {
			return true;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		if (text_starts(name, prefixes[i])) {
			return true;
		}
	}
	return false;
}

/* `left` gets the names of what is of the session and not copied. */
static json_t *env_of(const struct import *im, const json_t *proc, struct buf *left)
{
	json_t *out = json_object();
	const char *name;
	json_t *v;
	json_object_foreach(json_object_get(proc, "env"), name, v)
	{
		char *text = import_text(v);
		const char *now = im->world->env(name);
		if (text && !is_session_var(name) && !(now && strcmp(now, text) == 0)) {
			json_object_set(out, name, v);
		} else if (text && left->len < MOST_TOLD) {
			buf_addf(left, "%s%.60s", left->len ? " " : "", name);
		}
		free(text);
	}
	return out;
}

/* An entry as an app of a file. */
static json_t *app_of(struct import *im, const json_t *proc)
{
	json_t *app = json_object();
	struct buf left = {0};
	const char *status = json_string_value(json_object_get(proc, "status"));
	json_object_set(app, "name", json_object_get(proc, "name"));
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		json_t *v = json_object_get(proc, members[i].key);
		if (v && !is_usual(v, members[i].usual) && !is_own_log(members[i].key, v)) {
			json_object_set(app, members[i].ours, v);
		}
	}
	if (status && strcmp(status, "stopped") == 0) {
		json_object_set_new(app, "autostart", json_false());
	}
	json_t *env = env_of(im, proc, &left);
	if (json_object_size(env)) {
		json_object_set(app, "env", env);
	}
	if (left.len) {
		json_object_set_new(app, IMPORT_SESSION_KEY, json_string(left.data));
	}
	buf_finish(&left);
	json_decref(env);
	return app;
}

/* What processes of one app have in common, as the key of an index. Caller frees. */
static char *identity(const json_t *app)
{
	json_t *parts =
		json_pack("[O?O?O?]", json_object_get(app, "name"), json_object_get(app, "script"),
			  json_object_get(app, "namespace"));
	char *text = json_dumps(parts, JSON_COMPACT);
	json_decref(parts);
	return text ? text : xstrdup("");
}

/* The place of an entry with the names its members have as an app of a file. */
static json_t *place_of(const json_t *place)
{
	json_t *below = json_object();
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const json_t *at = where_member(place, members[i].key);
		if (at) {
			json_object_set(below, members[i].ours, (json_t *)(uintptr_t)at);
		}
	}
	json_object_update_missing(below, (json_t *)(uintptr_t)where_below(place));
	return where_place(where_line(place), below);
}

static void count_up(json_t *app)
{
	json_int_t n = json_integer_value(json_object_get(app, "instances"));
	json_object_set_new(app, "instances", json_integer(n ? n + 1 : 2));
}

bool import_dump(struct import *im, const json_t *root, const json_t *where, struct err *err)
{
	json_t *apps = json_array(), *places = json_array();
	json_t *index = json_object();
	size_t i;
	const json_t *proc;
	json_array_foreach(root, i, proc)
	{
		if (!json_is_object(proc) || !json_object_get(proc, "pm_exec_path")) {
			continue;
		}
		json_t *app = app_of(im, proc);
		char *id = identity(app);
		json_t *twin = json_object_get(index, id);
		if (twin) {
			count_up(twin);
		} else {
			json_array_append(apps, app);
			json_array_append_new(places, place_of(where_element(where, i)));
			json_object_set(index, id, app);
		}
		json_decref(app);
		free(id);
	}
	import_say(
		im, NULL, "(state)", IMPORT_IGNORED, NULL,
		"members that are PM2's own state (pm_id, status, axm_*, created_at ...) or have "
		"the value it gives them are no settings");
	json_t *place = where_place(0, places);
	const struct import_source src = {.root = apps, .where = place};
	bool ok = import_pm2(im, &src, err);
	json_decref(place);
	json_decref(index);
	json_decref(apps);
	return ok;
}
