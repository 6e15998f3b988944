/* SPDX-License-Identifier: MIT */
#include "daemon/loopfd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"

#define TRIES  20
#define TRY_MS 5

/*
 * libev's calls come here, as a program's own functions go before those of libc. Where the kernel
 * has no memory to watch a descriptor, libev stops its watchers: the app would be online, and
 * nobody would ever read what it writes. A moment later there mostly is some; else this is what any
 * other lack of memory is: we end, and the keeper starts the next supervisor.
 */
int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
	for (int i = 0; i < TRIES; i++) {
		long r = syscall(SYS_epoll_ctl, epfd, op, fd, event);
		if (r == 0 || (errno != ENOMEM && errno != ENOSPC)) {
			return (int)r;
		}
		nanosleep(&(struct timespec){.tv_nsec = TRY_MS * 1000000L}, NULL);
	}
	log_line("no memory to watch a descriptor");
	abort();
}

#define HIGHEST 64 /* it is made when the daemon starts, so its number is low */

static int ignored = -1;

void loopfd_ignore(int epoll_fd)
{
	ignored = epoll_fd;
}

/* libev does not tell its epoll descriptor. */
static int find_epoll(void)
{
	for (int fd = 3; fd < HIGHEST; fd++) {
		char link[32], what[32];
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		ssize_t n = readlink(link, what, sizeof(what) - 1);
		what[n > 0 ? n : 0] = '\0';
		if (fd != ignored && strcmp(what, "anon_inode:[eventpoll]") == 0) {
			return fd;
		}
	}
	return -1;
}

void loopfd_forget(struct ev_loop *loop, int fd)
{
	static int epoll_fd = -1;
	if (ev_backend(loop) == EVBACKEND_EPOLL) {
		if (epoll_fd < 0) {
			epoll_fd = find_epoll();
		}
		/* Found anew after libev has built another one. ENOENT: never watched. */
		if (epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL) != 0 && errno != ENOENT) {
			epoll_fd = -1;
		}
	}
}

void loopfd_close(struct ev_loop *loop, int fd)
{
	loopfd_forget(loop, fd);
	close(fd);
}
