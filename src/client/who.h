/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_WHO_H
#define PMCTL_CLIENT_WHO_H
/* who - who asked, in words: from the uid and pid that the daemon noted. */
#include <jansson.h>
#include <stdint.h>

#include "common/buf.h"

/* "ada", or "uid 1000" where it has no name. */
void who_user(struct buf *out, int64_t uid);
/* "ada, pid 4711"; with the name of that process if it still runs and is older than the event at
 * this time (real ms). by = {"uid", "pid"}. */
void who_asked(struct buf *out, const json_t *by, int64_t at_ms);

#endif
