/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_TESTS_BENCH_BENCH_H
#define PMCTL_TESTS_BENCH_BENCH_H
/* bench - what the bare programs share: the clock, and an end with a reason. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
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

#endif
