/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_APP_CPUACCT_H
#define PMCTL_APP_CPUACCT_H
/*
 * cpuacct - the CPU time of a tree of processes that come and go, from looks at it.
 *
 * A process shows its own time and that of the children it has waited for. Adding all of it up
 * falls when a child ends that nobody waited for, and counts a child twice, or jumps, when a look
 * falls between its end and the wait. So what each process has used since the last look is added,
 * and what parents get for children whose time was counted already is taken off. Pure. The total
 * never falls.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct cpuacct_proc {
	pid_t pid;
	uint64_t start;	 /* start time: with the pid it names the process */
	uint64_t own;	 /* ticks */
	uint64_t waited; /* of children waited for */
};

/* Zeroed = nothing was seen yet. */
struct cpuacct {
	struct cpuacct_proc *seen, *now; /* at the last look, by pid; at the one under way */
	size_t nseen, seen_cap, nnow, now_cap;
	uint64_t total;
	uint64_t owed;	  /* counted, of processes that were gone at the last look */
	uint64_t look_at; /* when that was, in the unit of start; 0 = never */
};

void cpuacct_finish(struct cpuacct *a);
/* A member, once in each look; in any order. */
void cpuacct_add(struct cpuacct *a, const struct cpuacct_proc *p);
/* The look is over; `now` is when it was begun, in the unit of start. Returns the total, ticks. */
uint64_t cpuacct_look(struct cpuacct *a, uint64_t now);

#endif
