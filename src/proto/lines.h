/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_PROTO_LINES_H
#define PMCTL_PROTO_LINES_H
/*
 * lines - cut a stream of bytes into lines, with a limit on what may wait for its newline.
 *
 * Feed what was read, then take lines until there is none. A line longer than the limit makes the
 * splitter overlong: its owner ends the connection, or leaves that line out with lines_skip().
 */
#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

struct lines {
	struct buf buf;
	size_t limit;	/* bytes of one line without its newline */
	size_t start;	/* what lines_next() gave out already */
	size_t scanned; /* bytes from start on known to hold no newline */
	bool overlong;
	bool skipping; /* the end of a line that is left out has not come yet */
};

void lines_init(struct lines *l, size_t limit);
void lines_finish(struct lines *l);

/* Add bytes. Everything lines_next() gave out before is invalid after this. */
void lines_feed(struct lines *l, const char *data, size_t len);

/* The next complete line without its newline, or false: none yet, or overlong. The line lies in our
 * buffer, may be changed in place, and is valid until the next lines_feed(). The byte behind it is
 * NUL. */
bool lines_next(struct lines *l, char **line, size_t *len);

/* When overlong: leave that line out and go on behind its end. Its beginning, as much as is there,
 * is valid until the next lines_feed(). */
const char *lines_skip(struct lines *l, size_t *len);

/* Bytes that wait for their newline. */
size_t lines_pending(const struct lines *l);

#endif
