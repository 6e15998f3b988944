/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_SYS_STATEFILE_H
#define PMCTL_SYS_STATEFILE_H
/*
 * statefile - a file that is either the new or the old one, never half of both.
 *
 * One header line ("pmctl-state 1 LENGTH CRC32C"), then the payload. Written to NAME.tmp and
 * renamed, the one before is kept as NAME.prev. A file that is not exactly what was written is
 * moved aside to NAME.corrupt-TIME, never deleted and never fatal. All below a directory that is
 * ours.
 */
#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"

#define STATEFILE_MAX (64 * 1024 * 1024) /* bytes of payload */

enum statefile_source { STATEFILE_NONE, STATEFILE_CURRENT, STATEFILE_PREV };

/* Replace NAME. With fd_sync nothing waits for the disk: *fd_sync is a descriptor the caller hands
 * to statefile_sync(), in a thread, before the next save (so .prev is one that reached the disk).
 * With NULL it is on the disk on return. After a failure the old file is as it was. */
bool statefile_save(int dirfd, const char *name, const void *data, size_t len, int *fd_sync,
		    struct err *err);
/* As statefile_save(), but .prev stays what it is: where NAME may not have reached the disk yet, so
 * that a power cut leaves one of the two; or where what changed is no state to go back to. */
bool statefile_save_over(int dirfd, const char *name, const void *data, size_t len, int *fd_sync,
			 struct err *err);
/* Wait for file and directory; closes fd. May be called from any thread. */
bool statefile_sync(int dirfd, int fd, struct err *err);

/* The payload of NAME, else of NAME.prev, else nothing; *src says which. True also if there was
 * none or a bad one: warning->code tells (ERR_NONE = all is well). False only where the answer is
 * not known (no descriptors, I/O error): do not go on with an empty state then. */
bool statefile_load(int dirfd, const char *name, struct buf *out, enum statefile_source *src,
		    struct err *warning);

/* The payload of NAME alone, and nothing is moved: to look at somebody else's. True with an empty
 * payload if there is none. */
bool statefile_peek(int dirfd, const char *name, struct buf *out, struct err *err);

#endif
