/* SPDX-License-Identifier: MIT */
#include "client/leftout.h"

#include <stdbool.h>
#include <string.h>

#include "common/mem.h"
#include "common/words.h"

static const struct {
	const char *word; /* with a colon at its end: a prefix */
	const char *instead;
} words[] = {
	{"autoinstall", "nothing is installed at run time; run npm ci before pmctl start"},
	{"attach", "there is no standard input to attach to; see: pmctl logs -f SEL"},
	{"cleardump", "the wanted state is kept by itself; forget apps with: pmctl delete SEL"},
	{"conf", "settings stand in the INI file; see: pmctl help start, man pmctl.ini"},
	{"config", "settings stand in the INI file; see: pmctl help start, man pmctl.ini"},
	{"backward", "no version control is looked at; see: pmctl rollback"},
	{"create", "use: pmctl init"},
	{"deepUpdate", "upgrade with your package manager"},
	{"deploy", "deploying is not our job; at its end run: pmctl apply"},
	{"ecosystem",
	 "app lists are INI files here: pmctl init writes one, and one of PM2's becomes "
	 "one with: pmctl import"},
	{"examples", "see: pmctl help"},
	{"expose", "run a web server as an app: pmctl start npx --name site -- serve ./public"},
	{"forward", "no version control is looked at; get the code, then: pmctl reload SEL"},
	{"gc", "nothing here needs collecting"},
	{"get", "see: pmctl show SEL"},
	{"gracefulReload", "use: pmctl reload SEL"},
	{"id", "use: pmctl list -i"},
	{"imonit", "use: pmctl monit"},
	{"inspect", "start node with interpreter_args = --inspect"},
	{"install", "there are no modules; logs are rotated by pmctld itself (log_max_size)"},
	{"link", "there is no hosted service; see: pmctl list --json, pmctl events -f --json"},
	{"login", "there is no hosted service"},
	{"logout", "there is no hosted service"},
	{"logrotate", "logs are rotated by pmctld itself (log_max_size); at once: pmctl rotate"},
	{"module:", "there are no modules; see: pmctl help"},
	{"monitor", "there is no hosted service; see: pmctl list, pmctl events -f"},
	{"multiset", "settings stand in the INI file; see: man pmctl.ini"},
	{"open", "there is no hosted service"},
	{"package", "there are no modules"},
	{"pid", "use: pmctl list -i --json"},
	{"plus", "there is no hosted service; see: pmctl list --json, pmctl events -f --json"},
	{"prettylist", "use: pmctl list --json"},
	{"profile:", "start node with interpreter_args = --cpu-prof"},
	{"publish", "there are no modules"},
	{"pull", "no version control is looked at; get the code, then: pmctl reload SEL"},
	{"register", "there is no hosted service"},
	{"reloadLogs", "use: pmctl rotate"},
	{"reloadLogsSilently", "use: pmctl rotate"},
	{"report", "use: pmctl daemon status"},
	{"send",
	 "pmctl does not write to standard input; messages go through the control socket, see "
	 "pmctl-protocol(7)"},
	{"serve", "run a web server as an app: pmctl start npx --name site -- serve ./public"},
	{"set", "settings stand in the INI file; see: man pmctl.ini"},
	{"slist", "use: pmctl list --json"},
	{"startOrGracefulReload",
	 "use: pmctl apply, or pmctl reload SEL; a list of PM2 becomes one "
	 "of ours with: pmctl import"},
	{"startOrReload",
	 "use: pmctl apply, or pmctl reload SEL; a list of PM2 becomes one of ours "
	 "with: pmctl import"},
	{"startOrRestart",
	 "use: pmctl apply, or pmctl restart SEL; a list of PM2 becomes one of ours "
	 "with: pmctl import"},
	{"sysinfos", "use: pmctl daemon status"},
	{"sysmonit", "use: pmctl monit"},
	{"trigger", "there are no custom actions; send a signal instead: pmctl signal SIG SEL"},
	{"uninstall", "there are no modules"},
	{"unlink", "there is no hosted service"},
	{"unmonitor", "there is no hosted service"},
	{"unset", "settings stand in the INI file; see: man pmctl.ini"},
	{"updatePM2", "use: pmctl update"},
};

static const struct {
	const char *commands; /* NULL = any */
	const char *options;
	const char *instead;
} options[] = {
	{"start", "--only", "name the apps: pmctl start FILE.ini NAME"},
	{"start", "--write -w",
	 "what runs is kept by itself; an app list is written by pmctl init"},
	{"start", "--ext", "name what is watched: --watch=DIR --watch-ignore='*.log'"},
	{"start", "--container --dist --image-name --node-version --dockerdaemon --fresh --daemon",
	 "in a container pmctld is the first process: pmctld --foreground"},
	{"start startup", "-u", "run pmctl as that user; for one app there is --user NAME"},
	{"start startup", "--hp --service-name --wait-ip",
	 "pmctl startup writes a unit for the user who runs it, and shows it first (--print)"},
	{"start", "--name-prefix --append-env-to-name", "give the whole name: --name"},
	{"start restart reload stop delete list", "--mini-list -m",
	 "pmctl list has one line for each app"},
	{"list status start restart reload", "--sort",
	 "pmctl monit sorts (< >); or pipe into sort"},
	{"restart reload", "--env", "the file and a profile of it: pmctl apply --env PROFILE"},
	{"restart reload", "--instances -i", "use: pmctl scale APP N"},
	{"restart reload stop", "--watch", "it stands in the file: watch = yes, then pmctl apply"},
	{"restart reload", "--parallel", "it stands in the file: reload_parallel = N"},
	{"restart reload", "--name -n", "an app keeps its name; start it with another one"},
	{"restart reload",
	 "--max-memory-restart --cron-restart --cron -c --node-args --interpreter",
	 "settings stand in the file, then: pmctl apply"},
	{"logs", "--highlight", "use: --grep ERE"},
	{"logs", "--format", "use: --json"},
	{"logs", "--timestamp", "each line has its time, but with --raw"},
	{NULL, "--silent -s --attach",
	 "results go to standard output and messages to standard error; see pmctl logs -f"},
};

const char *leftout_option(const char *command, const char *option)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		if (words_named(options[i].options, option) &&
		    (!options[i].commands || words_named(options[i].commands, command))) {
			return options[i].instead;
		}
	}
	return NULL;
}

const char *leftout_find(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		size_t len = strlen(words[i].word);
		bool prefix = words[i].word[len - 1] == ':';
		if (prefix ? strncmp(word, words[i].word, len) == 0
			   : strcmp(word, words[i].word) == 0) {
			return words[i].instead;
		}
	}
	return NULL;
}
