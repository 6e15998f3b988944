/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_LOGSET_H
#define PMCTL_CLIENT_LOGSET_H
/*
 * logset - many log streams as one, in the order of time.
 *
 * Add the streams, say where to begin, then take line after line; logset_refresh() looks for what
 * was written since. Reads files, asks nobody.
 */
#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/logmerge.h"
#include "client/logsrc.h"

struct logset_entry {
	struct logsrc src;
	unsigned hue;	     /* the number of its app */
	struct logline next; /* the line in the merge */
	bool held;
};

struct logset {
	struct logset_entry **v;
	size_t n;
	struct logmerge merge;
	size_t last; /* the source of the line given out; SIZE_MAX = none */
	bool begun;
	/* set by the owner before it begins */
	const regex_t *grep; /* NULL = all lines */
	bool complete;	     /* lines without their newline are left for later */
	bool want_pid;
	size_t block_size;
	struct buf text;
};

void logset_init(struct logset *s);
void logset_finish(struct logset *s);

/* One more stream, read from its first byte on unless a start is chosen below. slot -1 = of the app
 * as a whole. If the path is there already that one is widened: to both streams, to the whole app.
 */
void logset_add(struct logset *s, const char *app, int slot, enum log_stream stream,
		const char *path);
/* Whether a stream of this instance is there. */
bool logset_has(const struct logset *s, const char *app, int slot);
/* The width of the longest name. */
size_t logset_name_width(const struct logset *s);

/* Begin with the last n matching lines, none older than this. */
void logset_start_last(struct logset *s, uint64_t n, int64_t since_ns);
/* Begin with the first line that may be as young as this. */
void logset_start_since(struct logset *s, int64_t since_ns);

/* The next matching line; valid until the next call. NULL if there is none now. */
const struct logset_entry *logset_next(struct logset *s);
/* Look for new lines and rotations. */
void logset_refresh(struct logset *s);

#endif
