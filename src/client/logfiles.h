/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_LOGFILES_H
#define PMCTL_CLIENT_LOGFILES_H
/*
 * logfiles - a log file and those it was rotated to, as far as they were opened.
 *
 * Rotations go on meanwhile: each moves all files by one, so that ours may have got a higher number
 * and younger ones theirs; and while one is renamed after the other a number is missing.
 */
#include <stdbool.h>
#include <stddef.h>

#include "client/logseg.h"

struct logfiles {
	char *path;
	struct logseg **seg; /* [0] is the newest */
	size_t n;
	bool all_open; /* no older file is left to open */
	bool gap;      /* files may have been rotated away before we saw them */
	uint64_t lost; /* the bytes they had; 0 = not known */
	int why;       /* errno of a file that is there and cannot be read; 0 = all can */
};

/* The newest one is opened; a missing file is an empty one. The path is copied. */
void logfiles_init(struct logfiles *f, const char *path);
void logfiles_finish(struct logfiles *f);

/* Open the one before the oldest we have. False if there is none. */
bool logfiles_older(struct logfiles *f);
/* Whether there is another file by that path now. Cheap. */
bool logfiles_is_replaced(const struct logfiles *f);
/* Open it with those between it and ours, and put them in front. Returns their number. */
size_t logfiles_newer(struct logfiles *f);
/* For people, of a gap: "1234 bytes are missing here: ...". */
#define LOGFILES_GAP 96
void logfiles_gap_text(const struct logfiles *f, char out[LOGFILES_GAP]);
void logfiles_gap_told(struct logfiles *f);
/* Close those older than the first n. */
void logfiles_keep(struct logfiles *f, size_t n);

#endif
