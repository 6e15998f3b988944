/* SPDX-License-Identifier: MIT */
#include "client/leftout.h"

#include <stdbool.h>
#include <string.h>

#include "common/mem.h"

#define LATER "not in this version yet; "

static const struct {
	const char *word; /* with a colon at its end: a prefix */
	const char *instead;
} words[] = {
	/* Ours, later */
	{"apply", LATER "until then: pmctl start for new apps, pmctl delete and pmctl start for "
			"changed ones"},
	{"plan", LATER "until then: pmctl check validates the file, pmctl show tells what runs"},
	{"monit", LATER "until then: watch pmctl list -i"},
	{"top", LATER "until then: watch pmctl list -i"},
	{"dash", LATER "until then: watch pmctl list -i"},
	{"metrics", LATER "until then: pmctl list --json"},
	{"startup", LATER "until then: run `pmctld --foreground` as a service of Type=notify"},
	{"unstartup", LATER "remove the unit with systemctl disable"},
	{"update",
	 LATER "until then, with the apps left running: pmctl daemon stop --leave-running, "
	       "then pmctl daemon start"},
	/* PM2's */
	{"autoinstall", "nothing is installed at run time; run npm ci before pmctl start"},
	{"attach", "there is no standard input to attach to; see: pmctl logs -f SEL"},
	{"cleardump", "the wanted state is kept by itself; forget apps with: pmctl delete SEL"},
	{"conf", "settings stand in the INI file; see: pmctl help start, man pmctl.ini"},
	{"config", "settings stand in the INI file; see: pmctl help start, man pmctl.ini"},
	{"create", "write an app list by hand (man pmctl.ini), then: pmctl check"},
	{"deepUpdate", "upgrade with your package manager"},
	{"deploy", "deploying is not our job; at its end run: pmctl reload SEL"},
	{"ecosystem", "app lists are INI files here (man pmctl.ini); five lines are enough"},
	{"examples", "see: pmctl help"},
	{"gc", "nothing here needs collecting"},
	{"get", "see: pmctl show SEL"},
	{"gracefulReload", "use: pmctl reload SEL"},
	{"id", "use: pmctl list -i"},
	{"imonit", LATER "until then: watch pmctl list -i"},
	{"init", "write an app list by hand (man pmctl.ini), then: pmctl check"},
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
	{"register", "there is no hosted service"},
	{"reloadLogs", "use: pmctl rotate"},
	{"report", "use: pmctl daemon status"},
	{"send",
	 "pmctl does not write to standard input; messages go through the control socket, see "
	 "pmctl-protocol(7)"},
	{"serve", "run a web server as an app: pmctl start npx --name site -- serve ./public"},
	{"set", "settings stand in the INI file; see: man pmctl.ini"},
	{"slist", "use: pmctl list --json"},
	{"startOrGracefulReload", "use: pmctl start, or pmctl reload SEL"},
	{"startOrReload", "use: pmctl start, or pmctl reload SEL"},
	{"startOrRestart", "use: pmctl start, or pmctl restart SEL"},
	{"sysinfos", "use: pmctl daemon status"},
	{"sysmonit", "use: pmctl list"},
	{"trigger", "there are no custom actions; send a signal instead: pmctl signal SIG SEL"},
	{"uninstall", "there are no modules"},
	{"unlink", "there is no hosted service"},
	{"unmonitor", "there is no hosted service"},
	{"unset", "settings stand in the INI file; see: man pmctl.ini"},
};

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
