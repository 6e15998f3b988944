/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_SYS_LOGINDEX_H
#define PMCTL_SYS_LOGINDEX_H
/*
 * logindex - when the bytes of a log file were written, and by which process.
 *
 * Log files hold exactly what the app wrote, so times stand in a file beside them: LOG.idx, records
 * of two little-endian 64-bit numbers in the order of the log. The daemon appends one a wake-up,
 * the client reads. A missing, short or damaged index only makes times less exact.
 *
 *   mark:  offset          , ns since the epoch   the bytes before offset were there by then
 *   start: offset | 1 << 63, pid                  the bytes from offset on come from this process
 *   first: 1 << 63         , bytes | 1 << 62      the stream had so many bytes before this file
 *
 * The last one stands first in a file that came after a rotation.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LOGINDEX_SUFFIX ".idx"
#define LOGINDEX_RECORD 16
#define LOGINDEX_START	(UINT64_C(1) << 63)
#define LOGINDEX_BEFORE (UINT64_C(1) << 62)

/* Open the index of this log file for appending; a torn record at its end is cut off. Not followed
 * if it is a link. Close-on-exec; -1 (errno) on failure. dirfd as in openat(2). */
int logindex_open(int dirfd, const char *log_path, mode_t mode);
/* One write each. False (errno) if it failed; the file then ends with the record before. */
bool logindex_mark(int fd, uint64_t offset, int64_t real_ns);
bool logindex_start(int fd, uint64_t offset, pid_t pid);
/* As the first one of a file: how many bytes were written before it, into others. */
bool logindex_put_before(int fd, uint64_t bytes);

/* A reader sees records that come later; do not share it between threads. Zeroed = no index. */
struct logindex_reader {
	int fd;
	bool open;
	uint64_t n;	/* records the file had when last looked at */
	uint64_t first; /* record at block[0] */
	size_t have;	/* records in block */
	unsigned char block[256 * LOGINDEX_RECORD];
	unsigned char head[2 * LOGINDEX_RECORD]; /* how it began when last asked */
	size_t nhead;
	uint64_t pid_from, pid_to; /* offsets [from, to) for which pid is known; 0, 0 = none */
	pid_t pid;
};

/* False if there is no usable index; the reader then answers false to everything. */
bool logindex_reader_open(struct logindex_reader *r, int dirfd, const char *log_path);
void logindex_reader_finish(struct logindex_reader *r);
/* Whether it has begun anew since the last call, as it does when the log was emptied. */
bool logindex_has_restarted(struct logindex_reader *r);
/* When the byte at this offset of the log was there, ns since the epoch. False = not known: take
 * the time of the file. */
bool logindex_time(struct logindex_reader *r, uint64_t offset, int64_t *real_ns);
/* How many bytes the stream had before this file; 0 = it is the first. False = not known. */
bool logindex_before(struct logindex_reader *r, uint64_t *bytes);
/* Which process wrote the byte at this offset. False = not known. */
bool logindex_pid(struct logindex_reader *r, uint64_t offset, pid_t *pid);

#endif
