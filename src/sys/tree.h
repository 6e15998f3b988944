/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_SYS_TREE_H
#define PMCTL_SYS_TREE_H
/*
 * tree - which processes belong to an instance, where there is no cgroup to tell.
 *
 * A member is, in this order:
 *   1. the main process (pid and start time) and everything below it,
 *   2. whoever is in a session one of them was seen in, as long as that session surely is still the
 *      same: its number is free for others once it is empty,
 *   3. an orphan, so a child of our own keeper, that carries this instance's PMCTL_ID.
 * What matches nothing is never touched. A process is signalled through a pidfd after its start
 * time was read again, a group only if it is one of a session of ours.
 *
 * A walk over /proc is not atomic, so one empty scan proves nothing: tree_is_gone() wants two.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sys/proctab.h"

#define TREE_ID_MAX 24

/* A session seen with a member in it. The witness is one of those members: while it is there, the
 * session is the same one. */
struct tree_session {
	pid_t sid;
	pid_t witness;
	uint64_t witness_start;
	uint64_t seen; /* ticks of the last snapshot with a member in it */
};

/* Zeroed = empty. */
struct tree {
	pid_t main_pid;
	uint64_t starttime;   /* of the main process; nothing older is a member */
	char id[TREE_ID_MAX]; /* PMCTL_ID; "" = do not look at environments */
	pid_t keeper;	      /* parent of our orphans; 0 = unknown */
	pid_t rival;	      /* main process of a younger instance with the same id; 0 = none */
	uint64_t rival_start;
	pid_t elder; /* main process of an older one with the same id; 0 = none */
	struct tree_session *session;
	size_t sessions, session_cap;
	uint32_t *member; /* rows of the last scan, the main process first if it is there */
	size_t members, member_cap;
	unsigned quiet;	 /* snapshots in a row without a living member */
	uint64_t serial; /* of the snapshot scanned last */
};

enum tree_mode { TREE_ALL, TREE_GROUP, TREE_MAIN }; /* kill_mode tree, group, process */

struct tree_sum {
	uint64_t cpu_ticks; /* may fall when a process ends that nobody waited for */
	uint64_t rss_bytes;
	uint32_t threads;
	uint32_t nproc; /* living processes */
};

void tree_init(struct tree *t, pid_t main_pid, uint64_t starttime, const char *id, pid_t keeper);
void tree_finish(struct tree *t);
/* An older instance has the same id. */
void tree_set_elder(struct tree *t, pid_t main_pid);
/* A younger instance has the same id: it, and orphans younger than it, are not ours. */
void tree_set_rival(struct tree *t, pid_t main_pid, uint64_t starttime);

/* Find the members in a snapshot and note their sessions. Returns how many live (zombies do not);
 * t->member holds rows of tab until the next scan or read. */
size_t tree_scan(struct tree *t, struct proc_table *tab);
/* Scan, and add up. */
void tree_sum(struct tree *t, struct proc_table *tab, struct tree_sum *out);

/* Send a signal to the members found in this snapshot, the main process first; every process gets
 * it once. Returns how many it was sent to. */
size_t tree_signal(struct tree *t, struct proc_table *tab, int sig, enum tree_mode mode);

/* One round of SIGKILL: scan, then kill every member and every group of theirs. Returns how many
 * lived. Take a new snapshot, and repeat until tree_is_gone(). */
size_t tree_kill_round(struct tree *t, struct proc_table *tab);
/* Scans of two snapshots in a row found nobody alive. */
bool tree_is_gone(const struct tree *t);
/* Rounds with 1 ms between them, until gone or max_rounds are over. Blocks. True if gone. */
bool tree_kill(struct tree *t, struct proc_table *tab, unsigned max_rounds);

/* Signal one process if it still is the one that began at starttime. False if it is not. */
bool tree_signal_pid(pid_t pid, uint64_t starttime, int sig);

#endif
