/* SPDX-License-Identifier: MIT */
/* pm2keys - the keys of an app of PM2 and what they are here. */
#include <stdlib.h>
#include <string.h>

#include "client/import/map.h"
#include "common/mem.h"

/* --- rows that need more than a converter --- */

static void apply_mode(struct mapping *m, const struct import_key *row, const char *key,
		       const json_t *v)
{
	const char *text = json_string_value(v);
	bool cluster = text && strncmp(text, "cluster", 7) == 0;
	if (!text || (!cluster && strncmp(text, "fork", 4) != 0)) {
		import_say(m->im, m->app, key, IMPORT_UNSUPPORTED, NULL,
			   "is neither cluster nor fork; left out");
	} else if (cluster && !m->is_node) {
		import_say(m->im, m->app, key, IMPORT_CHANGED, NULL,
			   "cluster is for node programs (PM2 runs others as fork, too); others "
			   "share a port with listen");
	} else {
		import_key_set(m, row, key, "mode", cluster ? "cluster" : "fork");
	}
}

static void apply_ready(struct mapping *m, const struct import_key *row, const char *key,
			const json_t *v)
{
	if (import_bool(v) != 1) {
		import_say(m->im, m->app, key, IMPORT_MAPPED, NULL, "so it is here anyway");
	} else if (!m->is_node) {
		import_say(m->im, m->app, key, IMPORT_UNSUPPORTED, NULL,
			   "a message can come from a node program only; others: ready = notify, "
			   "or ready = http://...");
	} else {
		import_key_set(m, row, key, "ready", "message");
	}
}

static void apply_treekill(struct mapping *m, const struct import_key *row, const char *key,
			   const json_t *v)
{
	if (import_bool(v) == 0) {
		import_key_set(m, row, key, "kill_mode", "process");
	} else {
		import_say(m->im, m->app, key, IMPORT_MAPPED, NULL, "so it is here anyway");
	}
}

static void apply_port(struct mapping *m, const struct import_key *row, const char *key,
		       const json_t *v)
{
	char *text = import_text(v);
	if (text) {
		import_key_set(m, row, key, "env.PORT", text);
	} else {
		import_say(m->im, m->app, key, IMPORT_UNSUPPORTED, NULL, "is no port; left out");
	}
	free(text);
}

static void apply_disable_logs(struct mapping *m, const struct import_key *row, const char *key,
			       const json_t *v)
{
	if (import_bool(v) == 1) {
		import_key_set(m, row, key, "log_out", "none");
		import_key_set(m, row, key, "log_err", "none");
	} else {
		import_say(m->im, m->app, key, IMPORT_MAPPED, NULL, "so it is here anyway");
	}
}

/* One file for both, unless they have files of their own. */
static void apply_log_file(struct mapping *m, const struct import_key *row, const char *key,
			   const json_t *v)
{
	static const char own[] = "out_file output out out_log error_file error err err_file "
				  "err_log";
	char *path = NULL;
	struct err err;
	if (import_key_value(m, own, NULL)) {
		import_say(m->im, m->app, key, IMPORT_UNSUPPORTED, NULL,
			   "a third file with both is not written; pmctl logs merges both by time");
	} else if (conv_log(m, v, &path, &err) == CONV_OK) {
		import_key_set(m, row, key, "log_out", path);
		import_key_set(m, row, key, "log_err", path);
	} else {
		import_say(m->im, m->app, key, IMPORT_UNSUPPORTED, NULL, "%s; left out", err.msg);
	}
	free(path);
}

static void apply_time(struct mapping *m, const struct import_key *row, const char *key,
		       const json_t *v)
{
	const char *text = json_string_value(v);
	bool is_type = strcmp(key, "log_type") == 0;
	if ((is_type && text && strcmp(text, "json") == 0)) {
		import_key_set(m, row, key, "log_format", "json");
	} else if (!is_type && import_bool(v) != 0 && (!text || *text)) {
		import_key_set(m, row, key, "log_format", "time");
	} else {
		import_say(m->im, m->app, key, IMPORT_MAPPED, NULL, "so it is here anyway");
	}
}

/* It wins over restart_delay. */
static void apply_backoff(struct mapping *m, const struct import_key *row, const char *key,
			  const json_t *v)
{
	char *value = NULL;
	struct err err;
	if (conv_ms(m, v, &value, &err) != CONV_OK) {
		import_say(m->im, m->app, key, IMPORT_UNSUPPORTED, NULL, "%s; left out", err.msg);
	} else if (strcmp(value, "0s") == 0 || strcmp(value, "0ms") == 0 ||
		   strcmp(value, "0") == 0) {
		import_say(m->im, m->app, key, IMPORT_MAPPED, NULL, "off");
	} else {
		def_unset(m->app->def, "restart_delay");
		import_key_set(m, row, key, "restart_delay", value);
	}
	free(value);
}

static void apply_force(struct mapping *m, const struct import_key *row, const char *key,
			const json_t *v)
{
	if (import_bool(v) == 0) {
		import_say(m->im, m->app, key, IMPORT_MAPPED, NULL, "so it is here anyway");
	} else {
		import_say(m->im, m->app, key, row->kind, NULL, "%s", row->remark);
	}
}

/* --- the table --- */

#define SAME(theirs, mine, conv)                                                                   \
	{                                                                                          \
		.names = theirs, .ours = mine, .kind = IMPORT_MAPPED, .convert = conv              \
	}
#define OTHER(theirs, mine, conv, text)                                                            \
	{                                                                                          \
		.names = theirs, .ours = mine, .kind = IMPORT_CHANGED, .convert = conv,            \
		.remark = text                                                                     \
	}
#define NEAR(theirs, mine, fn, what, text)                                                         \
	{                                                                                          \
		.names = theirs, .ours = mine, .kind = what, .apply = fn, .remark = text           \
	}
#define NONE(theirs, text)                                                                         \
	{                                                                                          \
		.names = theirs, .kind = IMPORT_UNSUPPORTED, .remark = text                        \
	}
#define NO_EFFECT(theirs, text)                                                                    \
	{                                                                                          \
		.names = theirs, .kind = IMPORT_IGNORED, .remark = text                            \
	}

/* name, script, args, interpreter and env are read by functions of their own (program.c,
 * pm2.c); their rows are for the manual and for suggestions. */
static const struct import_key pm2_keys[] = {
	SAME("name", "[app:NAME]", NULL),
	SAME("script exec cmd command", "script or command", NULL),
	SAME("args", "args", NULL),
	SAME("interpreter exec_interpreter", "interpreter", NULL),
	SAME("interpreter_args node_args interpreterArgs", "interpreter_args", NULL),
	SAME("cwd", "cwd", NULL),
	SAME("env", "env.NAME", NULL),
	SAME("namespace", "namespace", conv_group),
	SAME("instances", "instances", conv_instances),
	NEAR("exec_mode", "mode", apply_mode, IMPORT_MAPPED, NULL),
	SAME("autostart", "autostart", conv_bool),
	SAME("autorestart", "autorestart", conv_autorestart),
	OTHER("stop_exit_codes", "stop_exit_codes", conv_codes,
	      "a death by signal, 0 there, is never one of them"),
	OTHER("min_uptime", "min_uptime", conv_ms,
	      "how long a start is watched before it counts as up; what counts restarts is "
	      "restart_window"),
	OTHER("max_restarts", "max_restarts", conv_int,
	      "counts every automatic restart within restart_window (5m), whatever the uptime"),
	OTHER("restart_delay", "restart_delay", conv_ms,
	      "the first wait; it doubles with each failure in a row, up to restart_delay_max"),
	NEAR("exp_backoff_restart_delay", "restart_delay", apply_backoff, IMPORT_CHANGED,
	     "doubles, where PM2 takes half more, up to the same 15 s"),
	OTHER("max_memory_restart", "memory_max", conv_size,
	      "the whole process tree counts, checked every 2 s, replaced by a rolling reload"),
	OTHER("cron_restart cron", "cron_restart", conv_cron,
	      "one instance after the other, not all at once"),
	OTHER("kill_timeout", "stop_timeout", conv_ms, "without it 10 s here, 1.6 s there"),
	NEAR("treekill", "kill_mode", apply_treekill, IMPORT_MAPPED, NULL),
	NONE("shutdown_with_message",
	     "a stop is a signal, never a message: handle stop_signal (SIGINT) in the program"),
	NEAR("wait_ready", "ready", apply_ready, IMPORT_CHANGED,
	     "a program that never sends 'ready' fails here, where PM2 goes on after "
	     "listen_timeout"),
	OTHER("listen_timeout", "ready_timeout", conv_ms,
	      "not ready by then is a failed start; PM2 goes on as if it were"),
	SAME("instance_var", "instance_var", conv_text),
	SAME("increment_var", "increment_var", conv_text),
	NEAR("port", "env.PORT", apply_port, IMPORT_MAPPED, NULL),
	SAME("uid user", "user", conv_text),
	SAME("gid", "group", conv_text),
	OTHER("out_file output out out_log", "log_out", conv_log,
	      "one file for all instances; rotated at log_max_size (10M)"),
	OTHER("error_file error err err_file err_log", "log_err", conv_log,
	      "one file for all instances; rotated at log_max_size (10M)"),
	NEAR("log_file log", "log_out, log_err", apply_log_file, IMPORT_CHANGED,
	     "both streams in one file"),
	NEAR("disable_logs", "log_out, log_err", apply_disable_logs, IMPORT_MAPPED, NULL),
	NEAR("log_date_format time", "log_format", apply_time, IMPORT_CHANGED,
	     "the time has a form of ours, and pmctl logs knows it without this"),
	NEAR("log_type", "log_format", apply_time, IMPORT_CHANGED, "the members have other names"),
	NONE("merge_logs combine_logs",
	     "a path of log_out is one file for all instances, the default one for each"),
	OTHER("watch", "watch", conv_watch,
	      "a rolling reload when contents change; .git and node_modules are left out"),
	OTHER("ignore_watch", "watch_ignore", conv_watch_ignore,
	      "names anywhere, or paths below what is watched"),
	OTHER("watch_delay", "watch_delay", conv_ms, "quiet for this long"),
	NONE("watch_options",
	     "files are watched by the kernel and compared; no polling, links are not followed"),
	NONE("force", "names are unique here; several of one script need names of their own"),
	NEAR("append_env_to_name", NULL, apply_force, IMPORT_UNSUPPORTED,
	     "an app keeps its name in every profile"),
	NONE("name_prefix", "write the name as a whole; a group is namespace"),
	NO_EFFECT("username", "PM2 only notes it; user is uid there"),
	NO_EFFECT("filter_env", "an app begins with a clean environment here"),
	NONE("post_update", "run commands before pmctl reload"),
	NONE("autoinstall", "nothing is installed at run time"),
	NONE("source_map_support disable_source_map_support",
	     "interpreter_args = --enable-source-maps"),
	NONE("pmx automation trace disable_trace deep_monitoring tracing monitoring v8 "
	     "event_loop_inspector",
	     "nothing is put into a program; see pmctl list, show, metrics"),
	NONE("vizion versioning", "no version control is looked at"),
	NONE("static serve", "run a web server as an app"),
	NONE("install_url", "nothing is installed at run time"),
	NONE("kill_retry_time", "SIGKILL comes once, after stop_timeout"),
	NONE("io", "figures are taken from outside: pmctl list, show, metrics"),
	NO_EFFECT("windowsHide", "there are no windows here"),
	NO_EFFECT("write", "it belongs to a command of PM2"),
	NO_EFFECT("pid_file pid pidfile", "a process is known by itself; pmctl list --json"),
	NO_EFFECT("id", "PM2 gives ids itself"),
	NONE("execute_command", "commands stand in command"),
	NONE("container", "run it in the container with pmctld --foreground"),
};

/* Keys that PM2 never knew and that are written all the same: they tell what people wish for. */
static const struct import_key pm2_wishes[] = {
	NO_EFFECT("env_file env_path dotenv", "env_file, read again at each start"),
	NO_EFFECT("health_check_grace_period health_check healthcheck health_check_url",
		  "health and ready"),
	NO_EFFECT("log_rotate max_size retain rotate_interval max_log_size log_max_size max_logs "
		  "compress",
		  "log_max_size, log_keep and log_compress, on by default"),
	NO_EFFECT("kill_signal stop_signal shutdown_signal", "stop_signal"),
	NO_EFFECT("kill_retry", "SIGKILL after stop_timeout"),
	NO_EFFECT("depends_on after", "after"),
	NO_EFFECT("nodePath node_path", "interpreter"),
	NO_EFFECT("nodeArgs", "interpreter_args"),
	NO_EFFECT("max_memory memory_limit", "memory_max"),
	NO_EFFECT("cpu cpus cpu_affinity", "cpu_affinity"),
	NO_EFFECT("nice", "nice"),
	NO_EFFECT("ulimit limits", "limit.nofile and others"),
	NO_EFFECT("restart", "autorestart"),
	NO_EFFECT("stop_timeout graceful_timeout", "stop_timeout"),
};

const struct import_table import_pm2_keys = {
	"Of an app of PM2",
	pm2_keys,
	ARRAY_LEN(pm2_keys),
	"PM2 does not know it",
};
const struct import_table import_pm2_wishes = {
	"What PM2 ignores",
	pm2_wishes,
	ARRAY_LEN(pm2_wishes),
	NULL,
};
