/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_SYS_CGROUP_H
#define PMCTL_SYS_CGROUP_H
/*
 * cgroup - one v2 control group per instance: the reliable way to find, count and kill its tree.
 *
 * Needs no controllers, only permission to make groups below our own, so it also works in the bare
 * v2 tree of a hybrid system. Where it is not available sys/tree.c takes over. A leaf is named by
 * the descriptor of its directory, which the caller owns and which may be given to the spawner.
 * Groups that an app makes below its leaf are part of it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"

struct cgroup_base {
	int dirfd;  /* -1 = not available */
	char *path; /* directory "MOUNT/.../pmctl-HASH", for messages */
	char *name; /* "pmctl-HASH": names the daemon's runtime directory */
};

/* Make or find the group that holds all leaves of the daemon with this runtime directory. False
 * with a reason if there is no v2 tree, no permission, or PMCTL_FEATURES has -cgroup. */
bool cgroup_base_open(struct cgroup_base *b, const char *runtime_dir, struct err *err);
/* Remove the groups that are empty, the base too if it is, and close. */
void cgroup_base_cleanup(struct cgroup_base *b);
/* Only close; the groups stay for the next supervisor. */
void cgroup_base_finish(struct cgroup_base *b);

/* A new leaf; an empty one of that name is used again, one with processes in it is refused. Name:
 * letters, digits, _ and -, so it cannot be one of the kernel's own files. -1 on failure. */
int cgroup_create(struct cgroup_base *b, const char *name, struct err *err);
/* The leaf `name` that this process is in, also if it was made from another session by an earlier
 * daemon on our runtime directory. -1 if it is in none. */
int cgroup_adopt(const struct cgroup_base *b, pid_t pid, const char *name);
/* The name of the leaf of ours that this process is in, at any depth. False if it is in none. */
bool cgroup_leaf_of(const struct cgroup_base *b, pid_t pid, char *name, size_t cap);
/* Remove a leaf and what an app made below it; false (errno EBUSY) while it has processes. */
bool cgroup_remove(struct cgroup_base *b, const char *name);
/* The leaf of that name if it is there, else -1. */
int cgroup_open(const struct cgroup_base *b, const char *name);

/* SIGKILL to all, atomically where the kernel can (5.14), else frozen first. They die soon, not
 * yet. */
bool cgroup_kill(int leaf);
/* The second way; for kernels before 5.14 and for tests. */
bool cgroup_kill_frozen(int leaf);
/* A signal to each process, through pidfds. Returns how many got it. */
unsigned cgroup_signal(int leaf, int sig);
/* Each process in the leaf and below; fn returns false to stop. */
/* Two files of a leaf, kept open: reading them again and again is half as dear then. -1 = not open.
 */
struct cgroup_files {
	int procs, cpu;
};

void cgroup_files_open(struct cgroup_files *f, int leaf);
void cgroup_files_close(struct cgroup_files *f);
/* As cgroup_pids() and cgroup_cpu_usec(). */
void cgroup_files_pids(const struct cgroup_files *f, int leaf, bool (*fn)(pid_t pid, void *arg),
		       void *arg);
int64_t cgroup_files_cpu_usec(const struct cgroup_files *f, int leaf);

void cgroup_pids(int leaf, bool (*fn)(pid_t pid, void *arg), void *arg);

/* Whether a process lives in it; zombies do not count. False too if the leaf is gone. */
bool cgroup_populated(int leaf);
/* CPU time all processes have used since the leaf was made, in microseconds; -1 = unknown. */
int64_t cgroup_cpu_usec(int leaf);

#endif
