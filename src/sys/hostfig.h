/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_SYS_HOSTFIG_H
#define PMCTL_SYS_HOSTFIG_H
/*
 * hostfig - the machine's CPU and memory, and our own: a dashboard's first line.
 *
 * Files are kept open between readings; a percentage is over the time since the reading before, so
 * the first one has none.
 */
#include <stdbool.h>
#include <stdint.h>

#define HOSTFIG_NAME 64

struct hostfig {
	char name[HOSTFIG_NAME];
	int cpus;
	double cpu_pct;		     /* of all CPUs together; -1 = unknown, as below */
	int64_t mem_used, mem_total; /* bytes; what could be had at once counts as not used */
	double load1;
	double self_cpu_pct; /* of one CPU */
	int64_t self_mem;
	int64_t read_mono_ms; /* 0 = never */
	uint64_t busy, total, self_us;
	int stat_fd, mem_fd, statm_fd; /* -1 = not open */
};

void hostfig_init(struct hostfig *h);
void hostfig_finish(struct hostfig *h);
/* Nothing is read twice within 400 ms. */
void hostfig_read(struct hostfig *h, int64_t now_mono_ms);

/* The first line of /proc/stat: ticks in which a CPU did something, and all. */
bool hostfig_parse_stat(const char *text, uint64_t *busy, uint64_t *total);
/* A line of /proc/meminfo in bytes; -1 = it is not there. */
int64_t hostfig_parse_mem(const char *text, const char *key);

#endif
