/* SPDX-License-Identifier: MIT */
#include "config/keys.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"
#include "common/suggest.h"
#include "config/conf.h"
#include "config/types.h"

#define SECONDS(n) ((n)*1000LL)
#define HOURS(n)   SECONDS((n)*3600LL)
#define DAYS(n)	   HOURS((n)*24LL)
#define MIB(n)	   ((n)*1024LL * 1024LL)
#define LARGEST	   (1LL << 53) /* what units_parse_size() can read */
#define SAFE	   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_."
#define AT(field)  .offset = offsetof(struct app_conf, field)

/* In the order of the manual page. */
const struct key keys[] = {
	/* What is run */
	{.name = "script",
	 .type = &type_path,
	 AT(script),
	 .apply = APPLY_RELOAD,
	 .meta = "PATH",
	 .doc = "The file to run. Its extension chooses the interpreter: .js .cjs .mjs .ts "
		"node, .py python3, .sh bash, .rb ruby, .php php, .pl perl; any other file is "
		"run itself."},
	{.name = "command",
	 .type = &type_command,
	 AT(command),
	 .apply = APPLY_RELOAD,
	 .meta = "WORDS",
	 .doc = "Instead of script, a whole command line. It is split into words (quotes and "
		"\\ as in a shell), but no shell runs and nothing is expanded."},
	{.name = "args",
	 .type = &type_words,
	 AT(args),
	 .apply = APPLY_RELOAD,
	 .meta = "WORDS",
	 .doc = "Arguments of the script, split as command is."},
	{.name = "interpreter",
	 .type = &type_program,
	 AT(interpreter),
	 .apply = APPLY_RELOAD,
	 .meta = "PROGRAM",
	 .doc = "The program that runs the script, a path or a name looked up in PATH; none "
		"runs the script itself. Default by the extension of the script."},
	{.name = "interpreter_args",
	 .type = &type_words,
	 AT(interpreter_args),
	 .apply = APPLY_RELOAD,
	 .meta = "WORDS",
	 .doc = "Arguments of the interpreter, put before the script."},
	{.name = "cwd",
	 .type = &type_path,
	 AT(cwd),
	 .apply = APPLY_RELOAD,
	 .meta = "PATH",
	 .doc = "The directory to run in. It is resolved anew at each start, so a link that "
		"points to the current release is followed. Where it leads is not looked at by "
		"apply: after a switch, pmctl reload. Default the directory of the file."},
	{.name = "env.",
	 .type = &type_env,
	 AT(env),
	 .apply = APPLY_RELOAD,
	 .meta = "TEXT",
	 .doc = "env.NAME = VALUE sets an environment variable. The value is literal."},
	{.name = "env_file",
	 .type = &type_path,
	 AT(env_file),
	 .apply = APPLY_RELOAD,
	 .meta = "PATH",
	 .doc = "A file of NAME=VALUE lines, read again at each start and never stored. "
		"Variables set with env. win over it."},

	/* How many, and their sockets */
	{.name = "instances",
	 .type = &type_instances,
	 AT(instances),
	 .def = "1",
	 .apply = APPLY_LIVE,
	 .meta = "N|max|max-N|N%",
	 .doc = "How many run: a number, max (the CPUs that may be used, by affinity and "
		"cgroup quota), max-1, or a share of them such as 50%."},
	{.name = "mode",
	 .type = &type_enum,
	 AT(mode),
	 .def = "auto",
	 .choices = "auto|fork|cluster",
	 .apply = APPLY_RESTART,
	 .meta = "MODE",
	 .doc = "cluster: node instances share the ports they listen on (deno too, with "
		"interpreter_args = run -A --unstable-bare-node-builtins). fork: each stands "
		"alone. auto is cluster if the program is node and instances is given, else "
		"fork."},
	{.name = "listen",
	 .type = &type_listen,
	 AT(listen),
	 .apply = APPLY_RELOAD,
	 .meta = "LIST",
	 .doc = "Sockets the daemon opens and passes to every instance as LISTEN_FDS: a comma "
		"list of PORT, HOST:PORT, [V6]:PORT, udp:PORT, udp:HOST:PORT and unix:PATH."},
	{.name = "balance",
	 .type = &type_enum,
	 AT(balance),
	 .def = "shared",
	 .choices = "shared|reuseport|round-robin",
	 .apply = APPLY_RESTART,
	 .meta = "WAY",
	 .doc = "How connections are spread. shared, the best for most: one queue for all "
		"instances, whoever is free takes the next. reuseport: a queue for each "
		"instance, spread by the kernel; for many instances and many short "
		"connections. A queue outlives its process; while nobody accepts from it new "
		"connections go to the others, and in a node cluster what waits does too. "
		"round-robin (node cluster only): the daemon hands out connections in turn, "
		"equally many to each; for few, long ones such as websockets. It costs twice "
		"the time for a short one. UDP and, with reuseport, Unix sockets are always "
		"shared."},
	{.name = "graceful",
	 .type = &type_bool,
	 AT(graceful),
	 .def = "yes",
	 .apply = APPLY_RELOAD,
	 .meta = "BOOL",
	 .doc = "For node clusters: closing servers answer Connection: close, so that clients "
		"which keep connections lose nothing."},
	{.name = "instance_var",
	 .type = &type_env_name,
	 AT(instance_var),
	 .def = "NODE_APP_INSTANCE",
	 .apply = APPLY_RELOAD,
	 .meta = "NAME",
	 .doc = "The variable that holds the slot number, 0 to n-1."},
	{.name = "increment_var",
	 .type = &type_env_name,
	 AT(increment_var),
	 .apply = APPLY_RELOAD,
	 .meta = "NAME",
	 .doc = "A variable set with env. to a number, which grows by one per slot, such as "
		"PORT."},
	{.name = "namespace",
	 .type = &type_group_name,
	 AT(namespace_),
	 .apply = APPLY_LIVE,
	 .meta = "NAME",
	 .doc = "A group of apps, selected as @NAME."},

	/* When it is started again */
	{.name = "autostart",
	 .type = &type_bool,
	 AT(autostart),
	 .def = "yes",
	 .apply = APPLY_NONE,
	 .meta = "BOOL",
	 .doc = "Whether the app is started with the file and with the daemon. If no, it waits "
		"for a start by name."},
	{.name = "autorestart",
	 .type = &type_autorestart,
	 AT(autorestart),
	 .def = "always",
	 .choices = "always|on-failure|never",
	 .apply = APPLY_LIVE,
	 .meta = "WHEN",
	 .doc = "What happens when it ends by itself: always and on-failure (a signal or a "
		"code other than 0) start it again. yes is always, no is never."},
	{.name = "stop_exit_codes",
	 .type = &type_exit_codes,
	 AT(stop_exit_codes),
	 .apply = APPLY_LIVE,
	 .meta = "LIST",
	 .doc = "Exit codes after which it stays stopped, separated by commas or blanks. A "
		"death by signal is never one of them."},
	{.name = "restart_delay",
	 .type = &type_duration,
	 AT(restart_delay_ms),
	 .def = "100ms",
	 .max = DAYS(1),
	 .apply = APPLY_LIVE,
	 .meta = "DURATION",
	 .doc = "The wait before an automatic restart. The first after a healthy run of 10 s "
		"is immediate; then the wait doubles with each failure in a row."},
	{.name = "restart_delay_max",
	 .type = &type_duration,
	 AT(restart_delay_max_ms),
	 .def = "15s",
	 .max = DAYS(1),
	 .apply = APPLY_LIVE,
	 .meta = "DURATION",
	 .doc = "The wait before an automatic restart grows up to this."},
	{.name = "max_restarts",
	 .type = &type_int,
	 AT(max_restarts),
	 .def = "10",
	 .max = 1000000,
	 .apply = APPLY_LIVE,
	 .meta = "N",
	 .doc = "More automatic restarts of one slot than this within restart_window make it "
		"failed, whatever the uptime between them. 0 never gives up."},
	{.name = "restart_window",
	 .type = &type_duration,
	 AT(restart_window_ms),
	 .def = "5m",
	 .min = 1000,
	 .max = DAYS(30),
	 .apply = APPLY_LIVE,
	 .meta = "DURATION",
	 .doc = "The sliding window in which max_restarts counts."},
	{.name = "min_uptime",
	 .type = &type_duration,
	 AT(min_uptime_ms),
	 .def = "1s",
	 .max = HOURS(1),
	 .apply = APPLY_LIVE,
	 .meta = "DURATION",
	 .doc = "Alive this long counts as up where there is no better readiness signal."},
	{.name = "memory_max",
	 .type = &type_size,
	 AT(memory_max),
	 .min = MIB(1),
	 .max = LARGEST,
	 .apply = APPLY_LIVE,
	 .meta = "SIZE",
	 .doc = "An instance whose whole process tree is above this is replaced by a rolling "
		"reload. Checked every 2 s."},
	{.name = "leak_window",
	 .type = &type_duration_or_no,
	 AT(leak_window_ms),
	 .def = "15m",
	 .min = SECONDS(10),
	 .max = DAYS(7),
	 .apply = APPLY_LIVE,
	 .meta = "DURATION|no",
	 .doc = "Growth of memory is watched over this long and reported when it looks like a "
		"leak: 0.5 MiB a minute or more, and 5 % of memory_max an hour or more. It is not "
		"looked at in the first 10 minutes of a process, or two thirds of this where that "
		"is less."},

	/* How it is stopped */
	{.name = "stop_signal",
	 .type = &type_signal,
	 AT(stop_signal),
	 .def = "SIGTERM",
	 .apply = APPLY_LIVE,
	 .meta = "SIGNAL",
	 .doc = "The signal that asks it to end."},
	{.name = "stop_timeout",
	 .type = &type_duration,
	 AT(stop_timeout_ms),
	 .def = "10s",
	 .max = HOURS(1),
	 .apply = APPLY_LIVE,
	 .meta = "DURATION",
	 .doc = "How long to wait after the stop signal before SIGKILL is sent."},
	{.name = "kill_mode",
	 .type = &type_enum,
	 AT(kill_mode),
	 .def = "tree",
	 .choices = "tree|group|process",
	 .apply = APPLY_LIVE,
	 .meta = "MODE",
	 .doc = "What a stop ends: the whole process tree, the process group, or only the "
		"process itself."},

	/* When it counts as up, and well */
	{.name = "ready",
	 .type = &type_ready,
	 AT(ready),
	 .def = "auto",
	 .choices = "auto|spawn|listening|message|notify|http://...|tcp://"
		    "HOST:PORT|unix:PATH|exec:COMMAND",
	 .apply = APPLY_RELOAD,
	 .meta = "SIGNAL",
	 .doc = "When an instance is ready: spawn (at once), listening (a node cluster worker "
		"listens), message (process.send('ready')), notify (sd_notify READY=1), or once a "
		"probe as in health has succeeded. auto is listening for a node cluster, else "
		"alive for min_uptime."},
	{.name = "ready_timeout",
	 .type = &type_duration,
	 AT(ready_timeout_ms),
	 .def = "30s",
	 .min = 1,
	 .max = DAYS(1),
	 .apply = APPLY_LIVE,
	 .meta = "DURATION",
	 .doc = "Not ready within this long counts as a failed start."},
	{.name = "health",
	 .type = &type_health,
	 AT(health),
	 .choices = "http://...|tcp://HOST:PORT|unix:PATH|exec:COMMAND|notify",
	 .apply = APPLY_LIVE,
	 .meta = "PROBE",
	 .doc = "A check repeated while it runs: http://HOST[:PORT]/PATH (a status from 200 to "
		"399), tcp://HOST:PORT and unix:PATH (it accepts), exec:COMMAND (exit 0; run as "
		"the app is, without a shell), notify (sd_notify WATCHDOG=1 in each "
		"health_interval). HOST is an address or localhost. {slot} is the slot, {port} "
		"its port: the variable of increment_var, else env.PORT, else the first of "
		"listen. On a port that a node cluster shares each instance is asked by itself: "
		"the connection is handed to it. On a port of listen that instances share, any of "
		"them may answer, and show says so. An instance that fails health_failures times "
		"in a row is replaced, and counts as failed."},
	{.name = "health_interval",
	 .type = &type_duration,
	 AT(health_interval_ms),
	 .def = "10s",
	 .min = 100,
	 .max = DAYS(1),
	 .apply = APPLY_LIVE,
	 .meta = "DURATION",
	 .doc = "The time between two health checks."},
	{.name = "health_timeout",
	 .type = &type_duration,
	 AT(health_timeout_ms),
	 .def = "3s",
	 .min = 1,
	 .max = HOURS(1),
	 .apply = APPLY_LIVE,
	 .meta = "DURATION",
	 .doc = "A health check that takes longer than this has failed."},
	{.name = "health_failures",
	 .type = &type_int,
	 AT(health_failures),
	 .def = "3",
	 .min = 1,
	 .max = 1000,
	 .apply = APPLY_LIVE,
	 .meta = "N",
	 .doc = "This many failed health checks in a row replace the instance."},
	{.name = "reload_parallel",
	 .type = &type_int,
	 AT(reload_parallel),
	 .def = "1",
	 .min = 1,
	 .max = 1000,
	 .apply = APPLY_LIVE,
	 .meta = "N",
	 .doc = "How many instances a reload replaces at a time."},
	{.name = "cron_restart",
	 .type = &type_cron,
	 AT(cron_restart),
	 .apply = APPLY_LIVE,
	 .meta = "CRON|no",
	 .doc = "When to reload, in local time: minute, hour, day of month, month and day of week "
		"as in crontab(5), or @hourly, @daily, @weekly, @monthly, @yearly. All that is "
		"online is replaced, one after the other; a program that holds a port it opened "
		"itself is stopped first. What has ended and is not restarted by itself "
		"(autorestart = never) is run again instead; if it still runs then, that time is "
		"skipped. What was stopped stays stopped, and a time that passes while the "
		"daemon is away is not made up for. If the hour is given, a time that summer "
		"time skips comes right after the gap, and one that it repeats comes once."},
	{.name = "watch",
	 .type = &type_watch,
	 AT(watch),
	 .def = "no",
	 .apply = APPLY_LIVE,
	 .meta = "BOOL|PATHS",
	 .doc = "A rolling reload when the contents of files change. yes: all below cwd; PATHS: "
		"these files and directories, relative ones below the directory of the file. "
		"A touch, or the same contents written again, is no change. What has failed or "
		"ended is started again, what was stopped is not. pmctl events says which file "
		"it was. Links are not followed below a path; a path that is a link may be "
		"switched. Files over 8 MiB are compared by size and time."},
	{.name = "watch_ignore",
	 .type = &type_words,
	 AT(watch_ignore),
	 .def = ".git node_modules",
	 .apply = APPLY_LIVE,
	 .meta = "WORDS",
	 .doc = "What watch leaves out, instead of the default: names such as tmp or *.log of "
		"files and directories anywhere, or, with a /, paths below what is watched. "
		"Always left out: directories and log files of pmctl, the INI file, "
		"__pycache__ and what editors leave beside a file."},
	{.name = "watch_delay",
	 .type = &type_duration,
	 AT(watch_delay_ms),
	 .def = "200ms",
	 .max = HOURS(1),
	 .apply = APPLY_LIVE,
	 .meta = "DURATION",
	 .doc = "watch waits until nothing changed for this long, though not beyond ten times "
		"this or 2 s, whichever is longer. A change during a reload leads to another."},

	/* Logs */
	{.name = "log_out",
	 .type = &type_log_target,
	 AT(log_out),
	 .apply = APPLY_LIVE,
	 .meta = "PATH|none",
	 .doc = "The file for standard output, or none. Default APP-SLOT.out.log in the log "
		"directory. The same file as log_err merges both."},
	{.name = "log_err",
	 .type = &type_log_target,
	 AT(log_err),
	 .apply = APPLY_LIVE,
	 .meta = "PATH|none",
	 .doc = "The file for standard error, or none. Default APP-SLOT.err.log in the log "
		"directory."},
	{.name = "log_format",
	 .type = &type_enum,
	 AT(log_format),
	 .def = "raw",
	 .choices = "raw|time|json",
	 .apply = APPLY_LIVE,
	 .meta = "FORMAT",
	 .doc = "raw keeps the bytes as written, time puts a stamp before each line, json "
		"makes each line an object."},
	{.name = "log_max_size",
	 .type = &type_size,
	 AT(log_max_size),
	 .def = "10M",
	 .max = LARGEST,
	 .apply = APPLY_LIVE,
	 .meta = "SIZE",
	 .doc = "A log file that has reached this is renamed to .1, .1 to .2 and so on. 0 "
		"never rotates."},
	{.name = "log_keep",
	 .type = &type_int,
	 AT(log_keep),
	 .def = "5",
	 .max = 1000,
	 .apply = APPLY_LIVE,
	 .meta = "N",
	 .doc = "How many rotated files are kept."},
	{.name = "log_compress",
	 .type = &type_compress,
	 AT(log_compress),
	 .def = "no",
	 .choices = "no|gzip",
	 .apply = APPLY_LIVE,
	 .meta = "WAY",
	 .doc = "gzip compresses rotated files."},

	/* Rights and limits */
	{.name = "user",
	 .type = &type_account,
	 AT(user),
	 .apply = APPLY_RELOAD,
	 .meta = "NAME|UID",
	 .doc = "The user to run as; only root can change it. Its groups and HOME come with it."},
	{.name = "group",
	 .type = &type_account,
	 AT(group),
	 .apply = APPLY_RELOAD,
	 .meta = "NAME|GID",
	 .doc = "The group to run as, instead of the user's own."},
	{.name = "umask",
	 .type = &type_umask,
	 AT(umask),
	 .apply = APPLY_RELOAD,
	 .meta = "OCTAL",
	 .doc = "The file mode creation mask, such as 027."},
	{.name = "nice",
	 .type = &type_nice,
	 AT(nice),
	 .min = -20,
	 .max = 19,
	 .apply = APPLY_RELOAD,
	 .meta = "N",
	 .doc = "The scheduling priority, -20 (favoured) to 19."},
	{.name = "limit.",
	 .type = &type_limit,
	 AT(limits),
	 .apply = APPLY_RELOAD,
	 .meta = "N[:N]",
	 .doc = "limit.NAME sets a resource limit as in setrlimit(2): limit.nofile = 65536. "
		"One value or soft:hard; sizes such as 64M and unlimited are understood."},
	{.name = "cpu_affinity",
	 .type = &type_affinity,
	 AT(cpu_list),
	 .apply = APPLY_RELOAD,
	 .meta = "auto|LIST",
	 .doc = "The CPUs it may use, such as 0-3,5. auto puts slot i on the i-th usable CPU, "
		"starting again at the first where there are fewer."},
	{.name = "after",
	 .type = &type_words,
	 AT(after),
	 .apply = APPLY_LIVE,
	 .meta = "APPS",
	 .doc = "Started once these apps of the list are ready (a job: once it has ended well), "
		"stopped before them, reloaded behind them. Only what is wanted is waited for: an "
		"app that is stopped is not started for it. A restart after a crash waits for "
		"nobody and stops nobody."},
};

const size_t keys_count = ARRAY_LEN(keys);

/* What other process managers call it. */
static const struct {
	const char *theirs, *ours;
} aliases[] = {
	{"cron", "cron_restart"},
	{"directory", "cwd"},
	{"environment", "env.NAME"},
	{"env", "env.NAME"},
	{"err_file", "log_err"},
	{"error_file", "log_err"},
	{"exec", "command"},
	{"exec_interpreter", "interpreter"},
	{"exec_mode", "mode"},
	{"execstart", "command"},
	{"exitcodes", "stop_exit_codes"},
	{"gid", "group"},
	{"ignore_watch", "watch_ignore"},
	{"kill_signal", "stop_signal"},
	{"kill_timeout", "stop_timeout"},
	{"limit", "limit.NAME"},
	{"listen_timeout", "ready_timeout"},
	{"log_file", "log_out"},
	{"max_memory_restart", "memory_max"},
	{"node_args", "interpreter_args"},
	{"numprocs", "instances"},
	{"out_file", "log_out"},
	{"port", "env.PORT"},
	{"restart", "autorestart"},
	{"startretries", "max_restarts"},
	{"startsecs", "min_uptime"},
	{"stderr_logfile", "log_err"},
	{"stdout_logfile", "log_out"},
	{"stopsignal", "stop_signal"},
	{"stopwaitsecs", "stop_timeout"},
	{"uid", "user"},
	{"wait_ready", "ready"},
	{"workingdirectory", "cwd"},
};

static bool is_family(const struct key *k)
{
	return k->name[strlen(k->name) - 1] == '.';
}

const struct key *keys_find(const char *name)
{
	for (size_t i = 0; i < keys_count; i++) {
		const char *n = keys[i].name;
		if (n[0] != name[0]) {
			continue;
		}
		if (is_family(&keys[i]) ? strncmp(name, n, strlen(n)) == 0 : strcmp(name, n) == 0) {
			return &keys[i];
		}
	}
	return NULL;
}

/* "evn.PORT" to "env.PORT". */
static void suggest_family(const char *wrong, const char *dot, char *out, size_t cap)
{
	char head[32];
	snprintf(head, sizeof(head), "%.*s", (int)(dot - wrong), wrong);
	struct suggest s;
	suggest_init(&s, head);
	suggest_offer(&s, "env");
	suggest_offer(&s, "limit");
	if (s.n) {
		snprintf(out, cap, "; did you mean \"%s%.40s\"?", s.best[0].name, dot);
	}
}

void keys_suggest(const char *wrong, char *out, size_t cap)
{
	out[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++) {
		if (strcasecmp(aliases[i].theirs, wrong) == 0) {
			snprintf(out, cap, "; did you mean \"%s\"?", aliases[i].ours);
			return;
		}
	}
	const char *dot = strchr(wrong, '.');
	if (dot && dot - wrong < 32 && !dot[strspn(dot, SAFE)]) {
		suggest_family(wrong, dot, out, cap);
		return;
	}
	struct suggest s;
	suggest_init(&s, wrong);
	for (size_t i = 0; i < keys_count; i++) {
		if (!is_family(&keys[i])) {
			suggest_offer(&s, keys[i].name);
		}
	}
	suggest_text(&s, out, cap);
}
