/* SPDX-License-Identifier: MIT */
#include "daemon/loopfd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define HIGHEST 64 /* it is made when the daemon starts, so its number is low */

/* libev does not tell its epoll descriptor. We have no other one. */
static int find_epoll(void)
{
	for (int fd = 3; fd < HIGHEST; fd++) {
		char link[32], what[32];
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		ssize_t n = readlink(link, what, sizeof(what) - 1);
		what[n > 0 ? n : 0] = '\0';
		if (strcmp(what, "anon_inode:[eventpoll]") == 0) {
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
