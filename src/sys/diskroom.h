/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_SYS_DISKROOM_H
#define PMCTL_SYS_DISKROOM_H
/*
 * diskroom - how much room there is where a directory lies, and whether that is little.
 *
 * The one place that says what is little: pmctl doctor and the daemon's warnings use it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum diskroom_is { DISKROOM_ENOUGH, DISKROOM_LITTLE, DISKROOM_NONE, DISKROOM_READ_ONLY };

struct diskroom {
	enum diskroom_is is;
	dev_t dev;		   /* which file system it is */
	int64_t left, all;	   /* bytes for who is not root; all 0 = it does not say */
	int64_t files_left, files; /* the same for files */
};

/* Look at the file system of a directory, or of the nearest parent that is there. False with errno,
 * *out is untouched then. */
bool diskroom_read(const char *dir, struct diskroom *out);
/* What the numbers mean. `was` is what it was before: once little, a fourth more has to be left
 * until it is enough. Pure. */
enum diskroom_is diskroom_judge(const struct diskroom *r, enum diskroom_is was);
/* "3.2M left for DIR", "8 files left for DIR", "DIR is on a read-only file system". */
void diskroom_text(const struct diskroom *r, const char *dir, char *out, size_t cap);
/* What helps. */
void diskroom_fix(const struct diskroom *r, const char *dir, char *out, size_t cap);

#endif
