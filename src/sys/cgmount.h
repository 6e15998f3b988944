/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_SYS_CGMOUNT_H
#define PMCTL_SYS_CGMOUNT_H
/*
 * cgmount - where our own control group is in the file system.
 *
 * Reads /proc/self/mountinfo and /proc/self/cgroup (proc_pid_mountinfo(5), cgroups(7)); a mount in
 * a container shows only a part of the hierarchy, its "root", which is taken off the path.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct cgmount {
	char *mount; /* mount point of the hierarchy */
	char *path;  /* of the group below it: "" or "/a/b" */
};

/* controller: "cpu" and so on for a v1 hierarchy, NULL for v2. False if there is none. */
bool cgmount_find(const char *controller, struct cgmount *out);
/* The same from the two texts. */
bool cgmount_parse(const char *mountinfo, const char *cgroup, const char *controller,
		   struct cgmount *out);
void cgmount_finish(struct cgmount *m);

/* The v2 path of any process as /proc/PID/cgroup has it. False if it does not fit or is unknown. */
bool cgmount_path_of(pid_t pid, char *out, size_t cap);

#endif
