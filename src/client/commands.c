/* SPDX-License-Identifier: MIT */
#include "client/commands.h"

#include <stdio.h>
#include <string.h>

#include "client/appopts.h"
#include "client/client.h"
#include "client/leftout.h"
#include "common/mem.h"
#include "common/suggest.h"

const struct opt global_opts[] = {
	{"json", 0, NULL, "Print JSON, errors too (one object on standard error).", 0, 0, 0},
	{"color", 0, "WHEN", "Colour: auto, always or never.", 0, 0, 0},
	{"config", 'c', "FILE", "The app list, instead of ./pmctl.ini; - is standard input.", 0, 0,
	 0},
	{"timeout", 0, "DURATION", "Wait at most this long (exit 8; what was begun goes on).", 0, 0,
	 0},
	{"no-wait", 0, NULL, "Do not wait for the result of a change.", 0, 0, 0},
	{"help", 'h', NULL, "Print help on the command.", 0, 0, 0},
};
const size_t global_opts_count = ARRAY_LEN(global_opts);

static const struct opt list_opts[] = {
	{"instances", 'i', NULL, "One row for each instance too.", 0, 0, 0},
};
static const struct opt env_opts[] = {
	{"reveal", 0, NULL, "Print the values as well.", 0, 0, 0},
};
static const struct opt logs_opts[] = {
	{"follow", 'f', NULL, "Go on with what is written from now on.", 0, 0, 0},
	{"lines", 'n', "N", "The last N lines over all selected together (20).", 0, 0, 0},
	{"since", 0, "TIME", "All lines since 10m, 2h, 14:00, yesterday or an RFC 3339 time.", 0, 0,
	 0},
	{"grep", 0, "ERE", "Only lines that match this extended regular expression.", 0, 0, 0},
	{"err", 0, NULL, "Only standard error.", 0, 0, 0},
	{"out", 0, NULL, "Only standard output.", 0, 0, 0},
	{"raw", 0, NULL, "The bytes as they were written, without time and name.", 0, 0, 0},
};
static const struct opt events_opts[] = {
	{"follow", 'f', NULL, "Go on with what happens from now on.", 0, 0, 0},
	{"lines", 'n', "N", "The last N events (20).", 0, 0, 0},
};
static const struct opt wait_opts[] = {
	{"for", 0, "WHAT", "ready (the default) or stopped.", 0, 0, 0},
};
static const struct opt daemon_opts[] = {
	{"leave-running", 0, NULL, "With stop: the apps go on, the next daemon takes them over.", 0,
	 0, 0},
};
static const struct opt start_opts[] = {
	{"env", 0, "NAME=VALUE", "Set a variable of the app; also --env.NAME=VALUE.", 0, 0, 0},
};

#define OPTS(t) .opts = (t), .nopts = ARRAY_LEN(t)

/* In the order of the manual page. */
const struct command commands[] = {
	{.name = "start",
	 .args = "[FILE.ini | SEL... | SCRIPT [OPTIONS] [-- ARGS]]",
	 .summary = "Start apps, and the daemon if it does not run",
	 .doc = "Without an operand, every app of ./pmctl.ini (or -c FILE) that is not running, as "
		"the "
		"file defines it now. A running app whose definition differs is left alone and "
		"named.\n"
		"SEL starts known, stopped apps; with -c FILE, apps of that file. SCRIPT starts an "
		"ad "
		"hoc app: every key of pmctl.ini(5) is an option then, such as --memory-max 200M.\n"
		"The command waits until each instance is ready. If one dies before, its last log "
		"lines are shown and the exit status is 1; the restart policy goes on by itself.",
	 OPTS(start_opts),
	 .min = 0,
	 .max = CMD_ANY,
	 .run = cmd_start,
	 .flags = CMD_CHANGES | CMD_REST | CMD_NAMES | CMD_APP_OPTS | CMD_CATCH,
	 .examples = "pmctl start\tevery app of ./pmctl.ini\n"
		     "pmctl start shop/pmctl.ini\tevery app of that file\n"
		     "pmctl start app.js --name web -i max -- --port 3000\tan ad hoc app\n"
		     "pmctl start web worker:1\tknown, stopped apps"},
	{.name = "stop",
	 .args = "SEL...",
	 .summary = "Stop instances and keep them stopped",
	 .doc = "Sends stop_signal to the process tree, then SIGKILL after stop_timeout. The apps "
		"stay "
		"known and stay stopped over a restart of the daemon.",
	 .min = 1,
	 .max = CMD_ANY,
	 .run = cmd_stop,
	 .flags = CMD_CHANGES | CMD_NAMES | CMD_CATCH,
	 .examples = "pmctl stop web\tall instances of web\npmctl stop all\teverything"},
	{.name = "restart",
	 .args = "SEL...",
	 .summary = "Stop and start, one instance after the other",
	 .doc = "Also starts what is stopped. For a replacement that waits for readiness and ends "
		"at "
		"the first failure: pmctl reload.",
	 .min = 1,
	 .max = CMD_ANY,
	 .run = cmd_restart,
	 .flags = CMD_CHANGES | CMD_NAMES | CMD_CATCH,
	 .examples = "pmctl restart web:2\tone instance"},
	{.name = "reload",
	 .args = "SEL...",
	 .summary = "Replace running instances without a gap",
	 .doc = "A successor is started beside each process. Once it is ready and has lived for "
		"min_uptime it takes the slot, and the old one answers what it has and ends. "
		"reload_parallel of them at a time. The first successor that fails ends the "
		"reload: "
		"its last log lines are shown, the old process serves on, and the exit status is "
		"9. "
		"Ctrl-C ends it after the instance under way, exit status 130; a second one leaves "
		"it "
		"running. "
		"Two processes cannot hold one port that they open themselves: for a program that "
		"is "
		"not a node cluster use listen = or restart.",
	 .min = 1,
	 .max = CMD_ANY,
	 .run = cmd_reload,
	 .flags = CMD_CHANGES | CMD_NAMES | CMD_CATCH,
	 .examples = "pmctl reload web\tnew code into service"},
	{.name = "delete",
	 .aliases = "del rm",
	 .args = "SEL...",
	 .summary = "Stop apps and forget them",
	 .doc = "Log files and the INI file are left alone.",
	 .min = 1,
	 .max = CMD_ANY,
	 .run = cmd_delete,
	 .flags = CMD_CHANGES | CMD_NAMES | CMD_CATCH,
	 .examples = "pmctl delete old-worker\tstop and forget it"},
	{.name = "scale",
	 .args = "APP N|+N|-N",
	 .summary = "Change the number of instances",
	 .doc = "Scaling down removes the highest slots. APP=N is understood too, for several "
		"apps.",
	 .min = 1,
	 .max = CMD_ANY,
	 .run = cmd_scale,
	 .flags = CMD_CHANGES | CMD_NUMBERS | CMD_NAMES | CMD_CATCH,
	 .examples = "pmctl scale web 8\teight instances\npmctl scale web +2\ttwo more"},
	{.name = "signal",
	 .aliases = "sendSignal",
	 .args = "SIGNAL SEL...",
	 .summary = "Send a signal to the main process of instances",
	 .doc = "SIGNAL is a name or a number: HUP, SIGUSR2, 12.",
	 .min = 2,
	 .max = CMD_ANY,
	 .run = cmd_signal,
	 .flags = CMD_CHANGES | CMD_NAMES,
	 .examples = "pmctl signal HUP web\tto all instances of web"},
	{.name = "reset",
	 .args = "SEL...",
	 .summary = "Set restart counters to zero",
	 .doc = "Counters and the restart window begin anew.",
	 .min = 1,
	 .max = CMD_ANY,
	 .run = cmd_reset,
	 .flags = CMD_CHANGES | CMD_NAMES,
	 .examples = "pmctl reset all\tall counters"},
	{.name = "list",
	 .aliases = "ls l ps",
	 .args = "[SEL...]",
	 .summary = "Show apps and their state",
	 .doc = "One row for each app. -i, or a selector, shows the instances as well. Columns "
		"that do "
		"not fit the terminal are left out; in a pipe each record is one line.",
	 OPTS(list_opts),
	 .max = CMD_ANY,
	 .run = cmd_list,
	 .flags = CMD_NAMES,
	 .examples = "pmctl list\tall apps\npmctl list -i --json\tfor programs"},
	{.name = "status",
	 .args = "[SEL...]",
	 .summary = "As list; exit 3 if something is not online",
	 .doc = "For scripts that want to print as well. See also is-active and wait.",
	 OPTS(list_opts),
	 .max = CMD_ANY,
	 .run = cmd_status,
	 .flags = CMD_NAMES,
	 .examples = "pmctl status web || mail-somebody\tin a script"},
	{.name = "show",
	 .aliases = "describe desc info",
	 .args = "SEL...",
	 .summary = "Everything about apps: definition, settings, instances",
	 .doc = "Values of environment variables are not shown; see pmctl env.",
	 .min = 1,
	 .max = CMD_ANY,
	 .run = cmd_show,
	 .flags = CMD_NAMES,
	 .examples = "pmctl show web\tone app"},
	{.name = "env",
	 .args = "SEL...",
	 .summary = "The environment instances are started with",
	 .doc = "Values are masked unless --reveal is given; those of env_file are not known here, "
		"for it is read again at each start.",
	 OPTS(env_opts),
	 .min = 1,
	 .max = CMD_ANY,
	 .run = cmd_env,
	 .flags = CMD_NAMES,
	 .examples = "pmctl env web:0 --reveal\twith values"},
	{.name = "ports",
	 .args = "[SEL...]",
	 .summary = "The sockets apps listen on, and how many connections wait",
	 .doc = "The sockets that the daemon keeps: those of listen = and those of node clusters. "
		"WAITING "
		"is how many connections nobody has accepted yet, BACKLOG how many may wait; more "
		"are lost. A socket without a slot is shared by all instances. What a program "
		"opens by itself is not listed.",
	 .max = CMD_ANY,
	 .run = cmd_ports,
	 .flags = CMD_NAMES,
	 .examples = "pmctl ports\tall sockets\npmctl ports web --json\tfor programs"},
	{.name = "jlist",
	 .args = "",
	 .summary = "The list in the JSON shape of PM2",
	 .doc = "For tools that read it. Without environment variables.",
	 .max = 0,
	 .run = cmd_jlist,
	 .examples = "pmctl jlist\tan array, one object for each instance"},
	{.name = "logs",
	 .aliases = "log",
	 .args = "[SEL...]",
	 .summary = "Show log lines, merged by time",
	 .doc = "The last lines of the selected instances, rotated files included, each with its "
		"time "
		"and instance; ! marks standard error. -f follows, also over rotation and while "
		"the "
		"daemon is away.",
	 OPTS(logs_opts),
	 .max = CMD_ANY,
	 .run = cmd_logs,
	 .flags = CMD_NAMES | CMD_CATCH,
	 .examples = "pmctl logs -f web\tfollow one app\n"
		     "pmctl logs --since 10m --err --grep 'E[0-9]+'\twhat went wrong lately"},
	{.name = "flush",
	 .args = "[SEL...]",
	 .summary = "Empty log files",
	 .doc = "Rotated files are removed as well.",
	 .max = CMD_ANY,
	 .run = cmd_flush,
	 .flags = CMD_CHANGES | CMD_NAMES,
	 .examples = "pmctl flush web\tof one app"},
	{.name = "rotate",
	 .args = "[SEL...]",
	 .summary = "Rotate log files now",
	 .doc = "Files are renamed to .1, .2 and so on; log_keep of them are kept.",
	 .max = CMD_ANY,
	 .run = cmd_rotate,
	 .flags = CMD_CHANGES | CMD_NAMES,
	 .examples = "pmctl rotate\tall files"},
	{.name = "events",
	 .args = "[SEL...]",
	 .summary = "What happened, when, asked by whom",
	 .doc = "Starts, exits with their reason, reloads, commands.",
	 OPTS(events_opts),
	 .max = CMD_ANY,
	 .run = cmd_events,
	 .flags = CMD_NAMES | CMD_CATCH,
	 .examples = "pmctl events -f\tas it happens"},
	{.name = "why",
	 .args = "[SEL...]",
	 .summary = "Why instances are in the state they are in",
	 .doc = "State, last exit, recent events and last log lines of each instance.",
	 .max = CMD_ANY,
	 .run = cmd_why,
	 .flags = CMD_NAMES,
	 .examples = "pmctl why flaky\tthe story of its failure"},
	{.name = "wait",
	 .args = "SEL...",
	 .summary = "Wait until instances are ready, or stopped",
	 .doc = "Exit 3 when they failed, so that waiting is of no use; exit 8 after --timeout.",
	 OPTS(wait_opts),
	 .min = 1,
	 .max = CMD_ANY,
	 .run = cmd_wait,
	 .flags = CMD_NAMES | CMD_CATCH,
	 .examples = "pmctl wait web --for ready --timeout 30s\tin a deploy script"},
	{.name = "is-active",
	 .args = "SEL...",
	 .summary = "Exit 0 if all selected are online, else 3",
	 .doc = "Prints the state of each app.",
	 .min = 1,
	 .max = CMD_ANY,
	 .run = cmd_is_active,
	 .flags = CMD_NAMES,
	 .examples = "pmctl is-active web && echo up\tin a script"},
	{.name = "check",
	 .args = "[FILE...]",
	 .summary = "Validate app lists without a daemon",
	 .doc = "All errors are printed in one go, each with file, line, section, key and reason. "
		"Without FILE, ./pmctl.ini or -c FILE.",
	 .max = CMD_ANY,
	 .run = cmd_check,
	 .examples = "pmctl check conf/*.ini\tbefore a deploy"},
	{.name = "daemon",
	 .args = "start|stop|status|paths",
	 .summary = "Start, stop or look at pmctld",
	 .doc = "start takes over what still runs and brings back what was wanted. stop ends the "
		"apps "
		"too, unless --leave-running is given. paths prints every file and folder we use.",
	 OPTS(daemon_opts),
	 .min = 1,
	 .max = 1,
	 .run = cmd_daemon,
	 .flags = CMD_CHANGES | CMD_CATCH,
	 .examples = "pmctl daemon status\tversion, pids, paths, warnings\n"
		     "pmctl daemon stop --leave-running\tthe apps go on"},
	{.name = "ping",
	 .args = "",
	 .summary = "Whether the daemon answers",
	 .doc = "Exit 5 if not.",
	 .max = 0,
	 .run = cmd_ping,
	 .examples = "pmctl ping\tprints its pid and version"},
	{.name = "kill",
	 .args = "",
	 .summary = "As daemon stop",
	 .doc = "Stops all apps and the daemon, as in PM2. They come back with the next daemon.",
	 .max = 0,
	 .run = cmd_kill,
	 .flags = CMD_CHANGES | CMD_CATCH,
	 .examples = "pmctl kill\tstop everything"},
	{.name = "save",
	 .aliases = "dump",
	 .args = "",
	 .summary = "Write the state file now",
	 .doc = "Not needed: every change is saved at once. It exists for PM2's fingers.",
	 .max = 0,
	 .run = cmd_save,
	 .flags = CMD_CHANGES,
	 .examples = "pmctl save\twrites what was written"},
	{.name = "resurrect",
	 .args = "",
	 .summary = "Start the daemon with what was wanted",
	 .doc = "As daemon start.",
	 .max = 0,
	 .run = cmd_resurrect,
	 .flags = CMD_CHANGES | CMD_CATCH,
	 .examples = "pmctl resurrect\tafter a reboot without the unit"},
	{.name = "completion",
	 .args = "bash",
	 .summary = "Print the completion script of a shell",
	 .doc = "Load it with: source <(pmctl completion bash)",
	 .min = 1,
	 .max = 1,
	 .run = cmd_completion,
	 .examples = "pmctl completion bash\tfor ~/.bashrc"},
	{.name = "help",
	 .args = "[COMMAND | exit-codes]",
	 .summary = "Print help",
	 .doc = "Without an operand, all commands.",
	 .max = 1,
	 .run = cmd_help,
	 .examples = "pmctl help start\tone command"},
	{.name = "__names",
	 .args = "",
	 .summary = "",
	 .doc = "",
	 .max = 0,
	 .run = cmd_names,
	 .flags = CMD_HIDDEN},
	{.name = "__gen",
	 .args = "man|man-ini|completion-bash",
	 .summary = "",
	 .doc = "",
	 .min = 1,
	 .max = 1,
	 .run = cmd_gen,
	 .flags = CMD_HIDDEN},
};
const size_t commands_count = ARRAY_LEN(commands);

static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);
	for (const char *s = words; s && *s;) {
		size_t n = strcspn(s, " ");
		if (n == len && strncmp(s, word, n) == 0) {
			return true;
		}
		s += n + (s[n] == ' ');
	}
	return false;
}

const struct command *commands_find(const char *name)
{
	for (size_t i = 0; i < commands_count; i++) {
		if (strcmp(commands[i].name, name) == 0 || has_word(commands[i].aliases, name)) {
			return &commands[i];
		}
	}
	return NULL;
}

int commands_unknown(const struct client *c, const char *name)
{
	const char *instead = leftout_find(name);
	if (instead) {
		struct err err;
		err_set(&err, ERR_USAGE, "%.40s: %s", name, instead);
		return client_fail(c, &err, NULL);
	}
	struct suggest s;
	char guess[200];
	suggest_init(&s, name);
	for (size_t i = 0; i < commands_count; i++) {
		if (!(commands[i].flags & CMD_HIDDEN)) {
			suggest_offer(&s, commands[i].name);
		}
	}
	suggest_text(&s, guess, sizeof(guess));
	return client_usage(c, "no command \"%.60s\"%s%s", name, guess,
			    guess[0] ? "" : "; all of them: pmctl help");
}

size_t commands_opts(const struct command *cmd, struct opt_set sets[COMMANDS_SETS])
{
	size_t n = 0;
	if (cmd->nopts) {
		sets[n++] = (struct opt_set){cmd->opts, cmd->nopts};
	}
	if (cmd->flags & CMD_APP_OPTS) {
		sets[n++] = appopts_short();
		sets[n++] = appopts_keys();
	}
	sets[n++] = (struct opt_set){global_opts, global_opts_count};
	return n;
}
