/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_TESTS_BENCH_BENCH_H
#define PMCTL_TESTS_BENCH_BENCH_H
/* bench - what the bare programs share: the clock, a Unix socket, and an end with a reason. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

/* CLOCK_MONOTONIC, the same in every process. */
static inline int64_t now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

_Noreturn static inline void die(const char *what)
{
	perror(what);
	exit(1);
}

/* A stream socket, and the address for it. */
static inline int make_socket(const char *path, struct sockaddr_un *sun)
{
	*sun = (struct sockaddr_un){.sun_family = AF_UNIX};
	strncpy(sun->sun_path, path, sizeof(sun->sun_path) - 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		die("socket");
	}
	return fd;
}

#endif
