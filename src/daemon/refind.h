/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_REFIND_H
#define PMCTL_DAEMON_REFIND_H
/*
 * refind - instances that live although the run table does not know them: it was removed, damaged
 * or kept aside while they ran. They are found by what they were started with, and noted anew, so
 * that nothing is started a second time beside them.
 */
#include "sys/runtab.h"

struct daemon;
struct inst;

/* Note in the table, which is known to be incomplete, what lives and is ours: children of the
 * keeper, and processes in a cgroup of this runtime directory. Call before apps are loaded, as
 * those take their ids from the table. Returns how many were found. */
unsigned refind_all(struct daemon *d, struct runtab *table);
/* Of one that was found it is not known which of its runs it is; the keeper's names of its
 * descriptors ("pipe.ID-RUN-o") tell. */
void refind_learn_run(struct daemon *d, const char *held);

/* The supervisor died between the clone and the note of the pid: look among the keeper's children.
 * 0 = none. */
pid_t refind_unnoted(const struct inst *in, pid_t keeper);

#endif
