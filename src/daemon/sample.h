/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_SAMPLE_H
#define PMCTL_DAEMON_SAMPLE_H
/*
 * sample - the figures of one instance's whole process tree, read now.
 *
 * Made to be cheap when repeated: descriptors are kept open (three at most), and a control group
 * that has used no CPU time since the last reading is not looked into, for nothing can have changed
 * in it. Where all groups together have used no more than the main processes say that they have,
 * not even the group of an instance of one process is asked (struct sample_round). Owned by struct
 * inst.
 */
#include <stdbool.h>
#include <stdint.h>

#include "app/cpuacct.h"
#include "sys/cgroup.h"

struct inst;
struct proc_table;

struct sample {
	int64_t at_mono_ms;    /* 0 = none yet */
	int64_t deep_mono_ms;  /* when descriptors and IO were read; 0 = never */
	int64_t full_mono_ms;  /* when all else was; 0 = never */
	uint64_t cpu_us;       /* CPU time used by the tree so far */
	uint64_t deep_cpu_us;  /* ... at the last deep reading */
	int64_t group_mono_ms; /* when its control group was asked */
	int64_t group_last_us; /* what it said then; -1 = nothing */
	int64_t main_us;       /* CPU time of the main process; -1 = not asked */
	uint64_t group_us;     /* what its cgroup had used before this process */
	int64_t base_mono_ms;  /* the reading the percentage counts from */
	uint64_t base_cpu_us;
	double cpu_pct;		   /* of one core; -1 = unknown */
	int64_t mem_bytes;	   /* -1 = unknown */
	int fds, threads, nproc;   /* -1 = unknown */
	int fds_most;		   /* descriptors of the process of the tree that has most */
	int64_t fds_max;	   /* that process may have; -1 = any number, or unknown */
	bool fds_near;		   /* the one is near the other */
	int64_t io_read, io_write; /* bytes from and to disks, of those who live; -1 = unknown */
	int64_t io_bps;		   /* both, in a second; -1 = unknown */
	struct cpuacct acct;	   /* where no control group counts the CPU time */
	struct cgroup_files group; /* of its leaf, kept open */
	int stat_fd;		   /* /proc/PID/stat of the main process, kept open; -1 = none */
};

/* Nothing is known. */
void sample_init(struct sample *s);
/* A process runs: what it uses counts from now on. adopted = it ran before we looked. */
void sample_begin(struct inst *in, bool adopted);
/* It has ended. */
void sample_close(struct sample *s);

/* One look at many instances. */
struct sample_round {
	struct proc_table *tab; /* a snapshot of now, for those without a control group */
	int cpus;
	int64_t deep_ms;  /* descriptors and IO are read if they are older; negative = never */
	int64_t alone_ms; /* a child that does next to nothing may go unnoticed for so long */
	bool trusts;	  /* in the round before all CPU time was of main processes, or seen */
	uint64_t seen_us; /* CPU time this round has found */
	int busy;	  /* instances that used some */
};

/* False if the process is gone. */
bool sample_take(struct inst *in, struct sample_round *round);
/* The tree's share of memory in bytes; -1 = we may not know. Dear. */
int64_t sample_pss(struct inst *in, struct proc_table *tab);

#endif
