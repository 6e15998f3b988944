/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_SYS_ASUSER_H
#define PMCTL_SYS_ASUSER_H
/*
 * asuser - work on files with the rights of an app's user instead of root's.
 *
 * What lies where that user can rename it is never opened, made, renamed or removed as root: the
 * kernel would follow wherever it was made to lead. Only the calling thread is changed.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct asuser {
	uid_t uid;
	gid_t gid;
	gid_t *groups; /* supplementary; owned */
	size_t ngroups;
};

/* A copy of these ids. asuser_finish() frees it; zeroed is fine. */
void asuser_init(struct asuser *a, uid_t uid, gid_t gid, const gid_t *groups, size_t n);
void asuser_finish(struct asuser *a);

/* Until asuser_end() files are reached with these rights. False (errno) if they could not be taken;
 * then nothing has changed. Not nested. */
bool asuser_begin(const struct asuser *a);
/* Keeps errno. */
void asuser_end(void);

#endif
