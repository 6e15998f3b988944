/* SPDX-License-Identifier: MIT */
#include "daemon/alive.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "daemon/daemon.h"

#define LOOKS	100 /* at a process that cannot be read, in a second */
#define LOOK_MS 10

/* Nothing can be read of processes. To go on would be to take them for gone and start everything a
 * second time: the next supervisor may have more luck. */
static void give_up(struct daemon *d, pid_t pid)
{
	char why[100];
	snprintf(why, sizeof(why), "look at pid %d: %s", (int)pid, strerror(errno));
	log_line("%s", why);
	link_fail(&d->link, why);
	_exit(1);
}

/* Out of descriptors or memory, a file that cannot be read: that says nothing about the process. */
static bool try_again(struct daemon *d, pid_t pid, int *tries)
{
	if (errno == ENOENT || errno == ESRCH || errno == EINVAL) {
		return false;
	}
	if (++*tries == LOOKS) {
		give_up(d, pid);
	}
	nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000L}, NULL);
	return true;
}

bool alive_is(struct daemon *d, pid_t pid, uint64_t starttime, struct proc_stat *st)
{
	int tries = 0;
	bool there;
	do {
		there = pid > 0 && proc_read_stat(pid, st);
	} while (!there && pid > 0 && try_again(d, pid, &tries));
	return there && st->starttime == starttime;
}

int alive_pidfd(struct daemon *d, pid_t pid, uint64_t starttime)
{
	struct proc_stat st;
	int tries = 0, fd;
	do {
		fd = (int)syscall(SYS_pidfd_open, pid, 0);
	} while (fd < 0 && try_again(d, pid, &tries));
	if (fd >= 0 && !alive_is(d, pid, starttime, &st)) {
		close(fd); /* died and its number was used again meanwhile */
		fd = -1;
	}
	return fd;
}
