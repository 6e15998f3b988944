/* SPDX-License-Identifier: MIT */
#include "client/leftout.h"

#include <stdbool.h>
#include <string.h>

#include "common/mem.h"

static const struct {
	const char *word; /* with a colon at its end: a prefix */
	const char *instead;
} words[] = {
	{"autoinstall", "nothing is installed at run time; run npm ci before pmctl start"},
	{"attach", "there is no standard input to attach to; see: pmctl logs -f SEL"},
	{"cleardump", "the wanted state is kept by itself; forget apps with: pmctl delete SEL"},
	{"conf", "settings stand in the INI file; see: pmctl help start, man pmctl.ini"},
	{"config", "settings stand in the INI file; see: pmctl help start, man pmctl.ini"},
	{"create", "write an app list by hand (man pmctl.ini), then: pmctl check"},
	{"deepUpdate", "upgrade with your package manager"},
	{"deploy", "deploying is not our job; at its end run: pmctl apply"},
	{"ecosystem", "app lists are INI files here (man pmctl.ini); five lines are enough; one of "
		      "PM2's becomes one with: pmctl import"},
	{"examples", "see: pmctl help"},
	{"gc", "nothing here needs collecting"},
	{"get", "see: pmctl show SEL"},
	{"gracefulReload", "use: pmctl reload SEL"},
	{"id", "use: pmctl list -i"},
	{"imonit", "use: pmctl monit"},
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
	{"startOrGracefulReload", "use: pmctl apply, or pmctl reload SEL"},
	{"startOrReload", "use: pmctl apply, or pmctl reload SEL"},
	{"startOrRestart", "use: pmctl start, or pmctl restart SEL"},
	{"sysinfos", "use: pmctl daemon status"},
	{"sysmonit", "use: pmctl monit"},
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
