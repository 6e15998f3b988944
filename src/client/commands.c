/* SPDX-License-Identifier: MIT */
#include "client/commands.h"

#include "common/mem.h"

const struct opt global_opts[] = {
	{"json", 0, NULL, "Print JSON, errors too (one object on standard error).", 0, 0, 0},
	{"color", 0, "WHEN", "Colour: auto, always or never.", 0, 0, 0},
	{"config", 'c', "FILE", "The app list, instead of ./pmctl.ini; - is standard input.", 0, 0,
	 0},
	{"timeout", 0, "DURATION", "Wait at most this long (exit 8; what was begun goes on).", 0, 0,
	 0},
	{"no-wait", 0, NULL, "Do not wait for the result of a change.", 0, 0, 0},
	{"host", 0, "USER@HOST", "Do it on that machine, over ssh (REMOTE in pmctl(1)).", 0, 0, 0},
	{"help", 'h', NULL, "Print help on the command.", 0, 0, 0},
	{"no-color", 0, NULL, "As --color=never.", OPT_HIDDEN, 0, 0},
};
const size_t global_opts_count = ARRAY_LEN(global_opts);

static const struct opt list_opts[] = {
	{"instances", 'i', NULL, "One row for each instance too.", 0, 0, 0},
	{"watch", 0, "SECONDS",
	 "Again and again, in place on a terminal, until Ctrl-C; 0.5 to 60 seconds (1).",
	 OPT_OPTIONAL, 0, 0},
};
static const struct opt status_opts[] = {
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
	{"until", 0, "TIME", "No line after that time; the same forms.", 0, 0, 0},
	{"grep", 0, "ERE", "Only lines that match this extended regular expression.", 0, 0, 0},
	{"ignore-case", 'i', NULL, "With --grep: upper and lower case are the same.", 0, 0, 0},
	{"invert", 0, NULL, "With --grep: only lines that do not match.", 0, 0, 0},
	{"err", 0, NULL, "Only standard error.", 0, 0, 0},
	{"out", 0, NULL, "Only standard output.", 0, 0, 0},
	{"raw", 0, NULL, "The bytes as they were written, without time and name.", 0, 0, 0},
	{"nostream", 0, NULL, "Has no effect: that is so without --follow.", OPT_HIDDEN, 0, 0},
};
static const struct opt events_opts[] = {
	{"follow", 'f', NULL, "Go on with what happens from now on.", 0, 0, 0},
	{"lines", 'n', "N", "The last N events (20).", 0, 0, 0},
	{"since", 0, "TIME", "All events since 10m, 2h, 14:00, yesterday or an RFC 3339 time.", 0,
	 0, 0},
	{"type", 0, "TYPE[,TYPE]", "Only of these types, such as exit, failed, config.", 0, 0, 0},
};
static const struct opt metrics_opts[] = {
	{"prometheus", 0, NULL, "The older text format, for promtool and node_exporter.", 0, 0, 0},
};
static const struct opt wait_opts[] = {
	{"for", 0, "WHAT", "ready (the default) or stopped.", 0, 0, 0},
};
static const struct opt daemon_opts[] = {
	{"leave-running", 0, NULL, "With stop: the apps go on, the next daemon takes them over.", 0,
	 0, 0},
};
/* PM2's, taken where they change nothing. */
static const struct opt change_opts[] = {
	{"update-env", 'a', NULL, "Has no effect: no app has the caller's environment.", OPT_HIDDEN,
	 0, 0},
	{"force", 'f', NULL, "Has no effect.", OPT_HIDDEN, 0, 0},
	{"silent", 's', NULL, "Has no effect.", OPT_HIDDEN, 0, 0},
};
static const struct opt save_opts[] = {
	{"force", 'f', NULL, "Has no effect: every change is saved at once.", OPT_HIDDEN, 0, 0},
};
static const struct opt import_opts[] = {
	{"output", 'o', "FILE",
	 "Write the result into this new file, for its owner only, not to standard output.", 0, 0,
	 0},
	{"force", 'f', NULL, "Put it in the place of a file that is there.", 0, 0, 0},
	{"format", 0, "FORMAT",
	 "What it is, where neither its name nor its text tells: js, json, yaml, supervisord, "
	 "procfile, dump.",
	 0, 0, 0},
};
static const struct opt start_opts[] = {
	{"env", 0, "NAME=VALUE|PROFILE",
	 "Set a variable of the app; also --env.NAME=VALUE. Of an app list: lay this profile over "
	 "it.",
	 0, 0, 0},
};

#define PROFILE_OPT                                                                                \
	{                                                                                          \
		"env", 0, "PROFILE",                                                               \
			"Lay [app:NAME@PROFILE] and [defaults@PROFILE] over the rest.", 0, 0, 0    \
	}
#define PRUNE_OPT                                                                                  \
	{                                                                                          \
		"prune", 0, NULL, "Delete apps that are not in the file any more.", 0, 0, 0        \
	}
static const struct opt check_opts[] = {PROFILE_OPT};
static const struct opt plan_opts[] = {
	PROFILE_OPT,
	PRUNE_OPT,
	{"exit-code", 0, NULL, "Exit 10 if there is anything to do.", 0, 0, 0},
};
static const struct opt apply_opts[] = {
	PROFILE_OPT,
	PRUNE_OPT,
	{"dry-run", 0, NULL, "Show the plan and do nothing.", 0, 0, 0},
	{"if-plan", 0, "ID", "Do nothing if the plan is not that one any more.", 0, 0, 0},
};

static const struct opt startup_opts[] = {
	{"user", 0, NULL, "A unit of your own systemd; the default for all but root.", 0, 0, 0},
	{"system", 0, NULL, "A unit of the system; the default for root.", 0, 0, 0},
	{"print", 0, NULL, "Only print the unit; also on a machine without systemd.", 0, 0, 0},
	{"force", 0, NULL, "Also replace, or remove, a unit that somebody has edited.", 0, 0, 0},
	{"root", 0, "DIR", "Below DIR instead of /, for an image; nothing there runs.", 0, 0, 0},
};
static const struct opt unstartup_opts[] = {
	{"user", 0, NULL, "The unit of your own systemd; the default for all but root.", 0, 0, 0},
	{"system", 0, NULL, "The unit of the system; the default for root.", 0, 0, 0},
	{"force", 0, NULL, "Also remove a unit that somebody has edited.", 0, 0, 0},
	{"root", 0, "DIR", "Below DIR instead of /, for an image; nothing there runs.", 0, 0, 0},
};

static const struct opt rollback_opts[] = {
	{"dry-run", 0, NULL, "Show the plan and do nothing.", 0, 0, 0},
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
	 OPTS(change_opts),
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
	 OPTS(change_opts),
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
	 OPTS(change_opts),
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
	 OPTS(change_opts),
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
	 .examples = "pmctl list\tall apps\npmctl list -i --json\tfor programs\n"
		     "pmctl list --watch\tas it changes"},
	{.name = "status",
	 .args = "[SEL...]",
	 .summary = "As list; exit 3 if something is not online",
	 .doc = "For scripts that want to print as well. See also is-active and wait.",
	 OPTS(status_opts),
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
	 .doc = "Starts, exits with their reason, reloads, commands with who gave them. Of the "
		"same thing many times in a row the first and the last are shown, with how often; "
		"all with --json. -f follows, and goes on after the daemon was away.\n"
		"Types: start, ready, exit, failed, stop, restart, reload, reloaded, scale, "
		"signal, delete, reset, config (a definition changed), apply (also one that was "
		"taken back), applied, health, memory, leak, watch, cron, listen, message, logs, "
		"adopted, state, disk, descriptors, metrics, upgrade and daemon.",
	 OPTS(events_opts),
	 .max = CMD_ANY,
	 .run = cmd_events,
	 .flags = CMD_NAMES | CMD_CATCH,
	 .examples = "pmctl events -f\tas it happens\n"
		     "pmctl events web --since 1h --type exit,failed\thow it ended lately"},
	{.name = "why",
	 .args = "[SEL...]",
	 .summary = "Why instances are in the state they are in",
	 .doc = "State, last exit, recent events and last log lines of each instance, and an "
		"apply that was taken back.",
	 .max = CMD_ANY,
	 .run = cmd_why,
	 .flags = CMD_NAMES,
	 .examples = "pmctl why flaky\tthe story of its failure"},
	{.name = "monit",
	 .aliases = "top dash dashboard",
	 .args = "",
	 .summary = "The dashboard: apps, figures, logs and events, live",
	 .doc = "Press ? in it for its keys. Alerts stand below the header, A lists them: what "
		"failed, "
		"waits for a restart, is not ready, leaks, or is near its memory_max or its limit "
		"of descriptors; an app list that is not what runs (looked at each second); and, "
		"of the daemon itself, disks that are nearly full, logs or state that cannot be "
		"written, and descriptors. "
		"It never starts a daemon; where that is away it shows "
		"the last "
		"known state and comes back by itself. With NO_COLOR it uses bold, underline and "
		"reverse "
		"only. A terminal that cannot move its cursor (TERM=dumb) is refused, exit status "
		"2.",
	 .max = 0,
	 .run = cmd_monit,
	 .examples = "pmctl monit\tq leaves it; the apps run on"},
	{.name = "metrics",
	 .args = "",
	 .summary = "All figures as OpenMetrics text, for Prometheus and its like",
	 .doc = "What there is, how to have it served to a scraper, and panels for Grafana: "
		"*pmctld*(8), METRICS.",
	 OPTS(metrics_opts),
	 .max = 0,
	 .run = cmd_metrics,
	 .examples = "pmctl metrics | grep restarts\twhat has been started again"},
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
	{.name = "plan",
	 .args = "[FILE]",
	 .summary = "Show what apply would do, and what it costs",
	 .doc = "Compares ./pmctl.ini (or FILE, or -c FILE) with what runs, app by app and key by "
		"key; values of variables are not printed. Nothing is changed. The exit status is "
		"0, or "
		"with --exit-code 10 if there is anything to do.",
	 OPTS(plan_opts),
	 .max = 1,
	 .run = cmd_plan,
	 .examples = "pmctl plan\tbefore a deploy\n"
		     "pmctl plan --exit-code --env production\tin a pipeline"},
	{.name = "apply",
	 .args = "[FILE]",
	 .summary = "Make what runs match the app list",
	 .doc = "All of the file is checked before anything is done. New apps are started, and of "
		"others only what changed is touched: what can be changed under a running process "
		"is, else "
		"its instances are replaced one after the other as by reload; only where the "
		"change "
		"does not allow that (mode, balance) they all stop first. A replacement that fails "
		"ends that of its app: the definition before is in force again, what was replaced "
		"goes back to it, and the exit status is 9; pmctl why tells it later, too. Apps "
		"that are stopped stay so, and jobs that are done unless their process is to be "
		"another one; what had failed is tried again.\n"
		"Apps that are not in the file any more are named, and with --prune deleted. They "
		"go first, the others wait for their end: a port may pass on, or an app get "
		"another name. So does who gets an address of listen that another app gives up; "
		"two "
		"that exchange theirs have to be stopped before. A file without any app deletes "
		"nothing. Apps "
		"of other files are never touched. Without --env the profile is the one of the "
		"last time.\n"
		"New code in the same place, or behind a link, is no change of the file: pmctl "
		"reload takes it.\n"
		"One apply at a time: a second one waits. Ctrl-C ends it after the instances under "
		"way; an app that is not through by then goes back to the definition before.",
	 OPTS(apply_opts),
	 .max = 1,
	 .run = cmd_apply,
	 .flags = CMD_CHANGES | CMD_CATCH,
	 .examples = "pmctl apply\tafter every deploy\n"
		     "pmctl apply --env production --prune\tapps that left the file go, too\n"
		     "pmctl apply --if-plan 9f3a22c1\tonly if the plan is still that one"},
	{.name = "history",
	 .args = "APP",
	 .summary = "The definitions an app has had",
	 .doc = "A line for each, with when and by whom it was applied and the keys that changed; "
		"the last one is in force. The last ten before it are kept.",
	 .min = 1,
	 .max = 1,
	 .run = cmd_history,
	 .flags = CMD_NAMES,
	 .examples = "pmctl history web\twhat changed, and when"},
	{.name = "rollback",
	 .args = "APP [REVISION]",
	 .summary = "Go back to an earlier definition of an app",
	 .doc = "To the one before the one in force, or to that of a number from pmctl history. It "
		"is "
		"done as by apply, with the same care. The file is not touched: it says something "
		"else "
		"from then on, which list and show tell, and the next apply puts into force.",
	 OPTS(rollback_opts),
	 .min = 1,
	 .max = 2,
	 .run = cmd_rollback,
	 .flags = CMD_CHANGES | CMD_NAMES | CMD_CATCH,
	 .examples =
		 "pmctl rollback web\tthe one before\npmctl rollback web 3\tthat of pmctl history"},
	{.name = "check",
	 .args = "[FILE...]",
	 .summary = "Validate app lists without a daemon",
	 .doc = "All errors are printed in one go, each with file, line, section, key and reason. "
		"Without FILE, ./pmctl.ini or -c FILE.",
	 OPTS(check_opts),
	 .max = CMD_ANY,
	 .run = cmd_check,
	 .examples = "pmctl check conf/*.ini\tbefore a deploy"},
	{.name = "import",
	 .args = "FILE",
	 .summary = "Turn an app list of PM2, supervisord or foreman into pmctl.ini",
	 .doc = "Reads ecosystem.config.js, .cjs, .mjs, .ts, .json, .yml and .yaml, process.json, "
		"dump.pm2, supervisord.conf (with the files it includes) and a Procfile; - is "
		"standard input. The result goes to standard output or "
		"into a new file, a report to standard error: for each key its line, what it is "
		"here, what "
		"is different, what there is in its place, or that it never had an effect.\n"
		"Types of a .ts file are taken out by node, from 22.6 on. Units of systemd and "
		"lists of containers (compose) are not imported.\n"
		"A list that is a program is evaluated by node, for 10 s or --timeout "
		"at most. Values that it "
		"takes from the environment are not written: the report and a comment in the "
		"result name them. Values that no line can hold, such as keys of several lines, go "
		"with --output into an env_file beside it. What becomes of each key: WHAT IMPORT "
		"MAKES OF A KEY in pmctl(1).",
	 OPTS(import_opts),
	 .min = 1,
	 .max = 1,
	 .run = cmd_import,
	 .examples =
		 "pmctl import ecosystem.config.js -o pmctl.ini\tthen: pmctl check, pmctl start\n"
		 "pmctl import ~/.pm2/dump.pm2\twhat PM2 runs now, after pm2 save\n"
		 "ssh old cat .pm2/dump.pm2 | pmctl import -\tfrom another machine"},
	{.name = "daemon",
	 .args = "start|stop|status|upgrade [PROGRAM]|paths",
	 .summary = "Start, stop, upgrade or look at pmctld",
	 .doc = "start takes over what still runs and brings back what was wanted. stop ends the "
		"apps "
		"too, unless --leave-running is given. upgrade lets what is installed now, or "
		"PROGRAM, take over from the pmctld that runs, and no app notices: it has to pass "
		"a check first, is refused (exit 1) or, if it fails within 2 s, rolled back (exit "
		"9) "
		"with the reason. paths prints every file and folder we use.",
	 OPTS(daemon_opts),
	 .min = 1,
	 .max = 2,
	 .run = cmd_daemon,
	 .flags = CMD_CHANGES | CMD_CATCH,
	 .examples = "pmctl daemon status\tversion, pids, paths, warnings\n"
		     "pmctl daemon upgrade\tafter a new pmctl was installed\n"
		     "pmctl daemon stop --leave-running\tthe apps go on"},
	{.name = "update",
	 .args = "",
	 .summary = "As daemon upgrade",
	 .doc = "Lets the pmctld that is installed now take over; the apps go on.",
	 .max = 0,
	 .run = cmd_update,
	 .flags = CMD_CHANGES | CMD_CATCH,
	 .examples = "pmctl update\tPM2's word for it"},
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
	 OPTS(save_opts),
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
	{.name = "init",
	 .args = "",
	 .summary = "Write an app list for the project in this directory",
	 .doc = "Looks at package.json (scripts.start, main), app.js, server.js, index.js, "
		"manage.py, "
		"wsgi.py, main.py, config.ru, start.sh and their like, and writes ./pmctl.ini (or "
		"-c "
		"FILE; - prints it) with an app and what most apps want as comments. A file that "
		"is there is never touched: exit status 1.",
	 .max = 0,
	 .run = cmd_init,
	 .examples = "pmctl init && pmctl start\tfrom nothing to running"},
	{.name = "doctor",
	 .args = "",
	 .summary = "Look for what is wrong here, and say what helps",
	 .doc = "A line for each thing that is looked at: ok, warn or fail, and behind fix: what "
		"helps. Directories and socket, the daemon and its version, the start at boot, the "
		"app list of this directory, programs of the apps, limits, control groups, the "
		"clock, "
		"disks, core files and inotify. Needs no daemon and changes nothing. Exit 1 if "
		"something fails.",
	 .max = 0,
	 .run = cmd_doctor,
	 .examples = "pmctl doctor\tbefore asking somebody"},
	{.name = "startup",
	 .args = "",
	 .summary = "Start the daemon, and what was wanted, at boot",
	 .doc = "Shows a unit for systemd, has systemd-analyze look at it where that is there, "
		"puts "
		"it in its place and enables it. Nothing has to be saved: the daemon brings back "
		"what was wanted by itself. PMCTL_HOME and the directories of PATH that a service "
		"has not by itself, such as that of a node below ~/.nvm, go into the unit.\n"
		"A unit that somebody has edited is left alone, exit status 1, unless --force is "
		"given; changes belong into a drop-in (systemctl edit pmctld). Where there is no "
		"systemd nothing is done, exit status 1; samples for OpenRC and runit are "
		"installed with pmctl. What systemctl stop, restart and reload do then: pmctld(8), "
		"BOOT.",
	 OPTS(startup_opts),
	 .max = 0,
	 .run = cmd_startup,
	 .examples = "pmctl startup\tshow, install and enable the unit\n"
		     "sudo pmctl startup --system\tfor root's daemon"},
	{.name = "unstartup",
	 .args = "",
	 .summary = "No longer start the daemon at boot",
	 .doc = "Disables the unit and removes it. What runs now runs on.",
	 OPTS(unstartup_opts),
	 .max = 0,
	 .run = cmd_unstartup,
	 .examples = "pmctl unstartup\tas it was before pmctl startup"},
	{.name = "completion",
	 .args = "bash|zsh|fish",
	 .summary = "Print the completion script of a shell",
	 .doc = "Names of apps and namespaces are those that the daemon knows now, else those of "
		"the "
		"app list, as are profiles. Load it with: source <(pmctl "
		"completion bash), the same for zsh (after compinit), and in fish: pmctl "
		"completion "
		"fish | source. A package installs all three.",
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
	 .args = "[profiles]",
	 .summary = "",
	 .doc = "",
	 .max = 1,
	 .run = cmd_names,
	 .flags = CMD_HIDDEN},
	{.name = "__follow",
	 .args = "MS",
	 .summary = "",
	 .doc = "",
	 .min = 1,
	 .max = 1,
	 .run = cmd_follow,
	 .flags = CMD_HIDDEN},
	{.name = "__gen",
	 .args = "man|man-ini|completion-bash|completion-zsh|completion-fish|unit|unit-user",
	 .summary = "",
	 .doc = "",
	 .min = 1,
	 .max = 1,
	 .run = cmd_gen,
	 .flags = CMD_HIDDEN},
};
const size_t commands_count = ARRAY_LEN(commands);
