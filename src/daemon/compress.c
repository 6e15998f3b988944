/* SPDX-License-Identifier: MIT */
#include "daemon/compress.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "sys/spawn.h"

int compress_start(const char *path)
{
	char rotated[PATH_MAX];
	snprintf(rotated, sizeof(rotated), "%s.1", path);
	char *argv[] = {(char[]){"gzip"}, (char[]){"-n"}, (char[]){"-f"},
			(char[]){"--"},	  rotated,	  NULL};
	char *envp[] = {(char[]){"PATH=/usr/local/bin:/usr/bin:/bin"}, NULL};
	struct spawn_req req = {.argv = argv,
				.envp = envp,
				.out_fd = -1,
				.err_fd = -1,
				.channel_fd = -1,
				.umask = -1,
				.nice = 10,
				.set_nice = true,
				.cgroup_fd = -1};
	struct spawn_child child;
	struct err err;
	/* A child of the keeper like all others: nobody needs to wait for it here. */
	if (!spawn_start(&req, &child, &err)) {
		log_line("compress %s: %s", rotated, err.msg);
		return -1;
	}
	close(child.report_fd);
	return child.pidfd;
}
