/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_SYS_SPOOL_H
#define PMCTL_SYS_SPOOL_H
/*
 * spool - what an app wrote, on its way through our hands into a log file.
 *
 * Bytes that are rewritten cannot be spliced from the pipe into the file. They go into a file in
 * memory instead, which the keeper holds too, with a head that tells how far they were written and
 * what was about to be. So whoever is killed in between has lost and doubled nothing: the next one
 * sees by the size of the log file whether the last write was made.
 *
 * There is one writer, and it completes or settles one write before it begins another.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/buf.h"
#include "sys/logfile.h"

struct spool {
	int fd; /* -1 = none */
	struct spool_head *head;
	uint64_t emptied; /* up to there its memory was given back */
};

/* False with errno. */
bool spool_open(struct spool *s);
/* Of the one before us. Takes over fd; false if it is none of ours, closed then. */
bool spool_adopt(struct spool *s, int fd);
/* Zeroed by SPOOL_NONE or finished already: nothing to do. */
void spool_finish(struct spool *s);
#define SPOOL_NONE ((struct spool){.fd = -1})

/* Once the log file is open: end the write that was under way, or see that it was made. */
void spool_settle(struct spool *s, struct logfile *f);
/* Move at most `max` bytes from a pipe in here. As splice(2). */
ssize_t spool_fill(struct spool *s, int pipe_fd, size_t max);
/* All that waits, appended to *out. False with errno. */
bool spool_read(const struct spool *s, struct buf *out);
/* Write what `taken` bytes have become into the log file; they are out of here then, whether or not
 * there was room. False with errno and *lost, the bytes that found none. */
bool spool_write(struct spool *s, size_t taken, struct logfile *f, const struct buf *text,
		 int64_t *lost);

#endif
