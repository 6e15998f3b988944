/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_SYS_USERS_H
#define PMCTL_SYS_USERS_H
/*
 * users - who an app runs as, and what a login of that user starts with.
 *
 * Looks names up in the system's databases (getpwnam_r(3) and relatives), which may ask the network
 * on some machines: resolve when a definition arrives, not on the restart path.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/err.h"

struct user {
	uid_t uid;
	gid_t gid;
	char *name;    /* never NULL; the number as text if the uid has no entry */
	char *home;    /* "/" without an entry */
	char *shell;   /* "/bin/sh" without an entry */
	gid_t *groups; /* supplementary groups, gid among them */
	size_t ngroups;
};

/* user and group are names or numbers; a name wins over the number it looks like. user NULL = our
 * own effective uid; group NULL = the user's own group. Owns its strings: users_finish(). Errors
 * are ERR_FAILED: `user "nobodyx": no such user`. */
bool users_resolve(const char *user, const char *group, struct user *out, struct err *err);
void users_finish(struct user *u);

#endif
