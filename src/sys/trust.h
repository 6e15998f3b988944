/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_SYS_TRUST_H
#define PMCTL_SYS_TRUST_H
/*
 * trust - who could make a path lead somewhere else.
 *
 * A directory is trusted if it belongs to root or to us, others cannot write to it, or it is sticky
 * as a shared temporary directory is, and it is not of a group of the user in question. A path
 * whose directories are all trusted, with those its links lead through, is changed by nobody
 * between a look and an open.
 */
#include <stdbool.h>
#include <sys/types.h>

#include "common/err.h"

struct asuser;

/* Whether the directories of this absolute path are trusted; its last component is not looked at.
 * What does not exist is. `user`: whose groups count; NULL = nobody's. ERR_PERMISSION, with the
 * directory and what is wrong with it. */
bool trust_path(const char *path, const struct asuser *user, struct err *err);

#endif
