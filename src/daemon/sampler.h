/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_SAMPLER_H
#define PMCTL_DAEMON_SAMPLER_H
/*
 * sampler - CPU and memory of each instance's whole process tree.
 *
 * Asked for figures it reads what is older than a second; by itself it reads every 30 s, so that
 * the first `list` shows the last half minute and not a zero, and every 2 s the apps that have a
 * memory limit.
 */
#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "sys/cgroup.h"

struct daemon;
struct inst;

struct sample {
	int64_t at_mono_ms;   /* 0 = none yet */
	uint64_t cpu_us;      /* CPU time used by the tree so far */
	uint64_t group_us;    /* what its cgroup had used before this process */
	int64_t base_mono_ms; /* the sample the percentage counts from */
	uint64_t base_cpu_us;
	double cpu_pct;		   /* of one core; -1 = unknown */
	int64_t mem_bytes;	   /* -1 = unknown */
	int fds, threads, nproc;   /* -1 = unknown */
	struct cgroup_files group; /* of its leaf, kept open */
	int stat_fd;		   /* /proc/PID/stat of the main process, kept open; -1 = none */
};

struct sampler {
	struct daemon *daemon;
	ev_timer slow, limit;
};

void sampler_init(struct sampler *s, struct daemon *d);
void sampler_finish(struct sampler *s);
/* A process began: forget the last one's figures. */
void sample_reset(struct sample *s);
void sample_close(struct sample *s);
/* Read all whose figures are older than a second. */
void sampler_refresh(struct sampler *s);
/* Apps were added: begin to check memory limits if one of them has one. */
void sampler_watch_limits(struct sampler *s);

#endif
