/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CONFIG_CONF_H
#define PMCTL_CONFIG_CONF_H
/*
 * conf - an app's definition decoded: every key of the contract with its default applied.
 *
 * Pure: paths are made absolute against the definition's directory by text only, user names and
 * CPU counts are left for sys/ to resolve. Owns all its strings.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/words.h"
#include "config/cron.h"
#include "config/def.h"

enum conf_mode { MODE_AUTO, MODE_FORK, MODE_CLUSTER };
enum conf_balance { BALANCE_SHARED, BALANCE_REUSEPORT, BALANCE_ROUND_ROBIN };
enum conf_autorestart { RESTART_ALWAYS, RESTART_ON_FAILURE, RESTART_NEVER };
enum conf_kill_mode { KILL_TREE, KILL_GROUP, KILL_PROCESS };
enum conf_log_format { LOG_RAW, LOG_TIME, LOG_JSON };
enum probe_kind {
	PROBE_NONE,
	PROBE_AUTO,
	PROBE_SPAWN,
	PROBE_LISTENING,
	PROBE_MESSAGE,
	PROBE_NOTIFY,
	PROBE_HTTP,
	PROBE_TCP,
	PROBE_UNIX,
	PROBE_EXEC
};
enum listen_kind { LISTEN_TCP, LISTEN_UDP, LISTEN_UNIX };

struct probe {
	enum probe_kind kind;
	char *arg; /* URL, HOST:PORT, path or command; NULL where the kind has none */
};

/* instances = 4 | max | max-1 | 50% */
struct instance_count {
	enum { COUNT_NUMBER, COUNT_MAX, COUNT_MAX_LESS, COUNT_PERCENT } kind;
	int n;	    /* the number, what to subtract, or the percentage */
	bool given; /* false = the default of 1 */
};

struct listen_addr {
	enum listen_kind kind;
	char *host;    /* literal or name, NULL = every address (dual stack); NULL for unix */
	uint16_t port; /* TCP, UDP */
	char *path;    /* unix, absolute */
	char *text;    /* as written, for messages and LISTEN_FDNAMES */
};

struct env_var {
	char *name;
	char *value;
};

struct rlimit_conf {
	int resource;  /* RLIMIT_* */
	uint64_t soft; /* UINT64_MAX = unlimited */
	uint64_t hard;
};

struct app_conf {
	char *name;
	char *project;
	char *dir;

	char *script; /* absolute; NULL with `command` */
	struct words command, args, interpreter_args;
	char *interpreter; /* as given; NULL = by extension */
	char *cwd;	   /* absolute */
	struct env_var *env;
	size_t nenv;
	char *env_file; /* absolute or NULL */
	struct instance_count instances;
	enum conf_mode mode; /* never MODE_AUTO after decoding */
	struct listen_addr *listen;
	size_t nlisten;
	enum conf_balance balance;
	bool graceful;
	char *instance_var;
	char *increment_var; /* NULL = none */
	char *namespace_;    /* NULL = none */
	bool autostart;
	enum conf_autorestart autorestart;
	int *stop_exit_codes;
	size_t nstop_exit_codes;
	int64_t restart_delay_ms, restart_delay_max_ms;
	int max_restarts; /* 0 = never give up */
	int64_t restart_window_ms;
	int64_t min_uptime_ms;
	int64_t memory_max;	/* bytes; 0 = none */
	int64_t leak_window_ms; /* 0 = off */
	int stop_signal;
	int64_t stop_timeout_ms;
	enum conf_kill_mode kill_mode;
	struct probe ready;
	int64_t ready_timeout_ms;
	struct probe health;
	int64_t health_interval_ms, health_timeout_ms;
	int health_failures;
	int reload_parallel;
	char *cron_restart; /* as written; NULL = none */
	struct cron cron;   /* what it says */
	bool watch;
	struct words watch_paths; /* empty with watch = the cwd */
	struct words watch_ignore;
	int64_t watch_delay_ms;
	char *log_out, *log_err; /* NULL = the default file; "" = none; else absolute */
	enum conf_log_format log_format;
	int64_t log_max_size; /* bytes; 0 = never rotate */
	int log_keep;
	bool log_compress;
	char *user, *group;
	int umask; /* -1 = leave */
	int nice;
	bool nice_given;
	struct rlimit_conf *limits;
	size_t nlimits;
	bool cpu_auto;
	char *cpu_list; /* "0-3,5"; NULL = none */
	struct words after;
};

/*
 * Decode a definition. On failure adds "FILE:LINE: [app:NAME] KEY: REASON" lines to errs (the
 * place is "app NAME: KEY: REASON" where the definition has no file) and leaves *out zeroed.
 */
bool conf_decode(struct app_conf *out, const struct app_def *def, struct err_list *errs);

/* The name of a resource limit behind "limit.", by its RLIMIT_ number. */
const char *conf_limit_name(int resource);
void conf_finish(struct app_conf *c);

/* Whether the program that will be run is node, or deno, which speaks node's cluster protocol. */
bool conf_is_node(const struct app_conf *c);
/* Whether the preload of `graceful` is for it. Not for deno: 2.9 hangs with --require. */
bool conf_takes_preload(const struct app_conf *c);

/* The argument vector: interpreter, its arguments, script, arguments; or the words of `command`. A
 * preload is a file that node loads before the program; NULL = none.
 * v[0] is a path or a name to be looked up in PATH. The caller finishes *out, given zeroed. */
void conf_argv(const struct app_conf *c, const char *preload, struct words *out);

/* The number of instances on a machine where `cpus` (at least 1) may be used; at least 1. */
int conf_instances(const struct app_conf *c, int cpus);

#endif
