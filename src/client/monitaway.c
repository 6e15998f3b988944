/* SPDX-License-Identifier: MIT */
/*
 * monit, in the program that has no dashboard: curses would make every other command slower, so the
 * dashboard is a program of its own, the same one with monit.c in place of this file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/client.h"
#include "client/commands.h"
#include "common/mem.h"
#include "version.h"

#define PROGRAM "pmctl-monit"

int cmd_monit(struct client *c)
{
	struct err err;
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[n > 0 ? n : 0] = '\0';
	char *slash = strrchr(self, '/');
	static const char *const places[] = {"",
					     "../libexec/pmctl/" /* below a prefix that moved */};
	for (size_t i = 0; slash && i < ARRAY_LEN(places); i++) {
		char *path = xasprintf("%.*s/%s" PROGRAM, (int)(slash - self), self, places[i]);
		execv(path, c->argv);
		free(path);
	}
	execv(PMCTL_LIBEXECDIR "/" PROGRAM, c->argv);
	err_set(&err, ERR_SYSTEM, "cannot execute %s: %s", PMCTL_LIBEXECDIR "/" PROGRAM,
		strerror(errno));
	return client_fail(c, &err, "without it: pmctl list --watch");
}
