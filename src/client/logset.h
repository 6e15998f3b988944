/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_LOGSET_H
#define PMCTL_CLIENT_LOGSET_H
/*
 * logset - many log streams as one, in the order of time. Reads files, prints nothing, asks nobody.
 *
 * Set what is wanted, add the streams, say where to begin, then take line after line;
 * logset_refresh() looks for what was written since. logset_prev() goes the other way, for a search
 * in what was: in a set of its own, as one that follows forgets the way back.
 *
 * A search may take long. `stop` is asked every quarter of a megabyte that holds nothing; once it
 * says yes the call returns NULL with `stopped` set, and the next call goes on.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/logmatch.h"
#include "client/logmerge.h"
#include "client/logsrc.h"

struct logset_entry {
	struct logsrc src;
	unsigned hue;	     /* the number of its app */
	struct logline next; /* the line given out by logset_next(), or in the merge */
	bool held;
	bool over; /* all that follows is too young */
	/* backward */
	struct logline prev; /* the line given out by logset_prev(), or in the merge */
	size_t prev_seg;     /* where it begins */
	uint64_t prev_at;
	bool taken; /* some of its lines are among the last ones, the oldest of them here: */
	size_t taken_seg;
	uint64_t taken_at;
	int64_t newest_t; /* of the youngest of them */
};

/* Lines that were found on the way back, so that nothing need be searched twice. */
struct logset_hits {
	struct logset_hit {
		size_t source;
		size_t text; /* offset in `text` */
		struct logline line;
	} * v;
	size_t n, cap;
	struct buf text;
};

struct logset {
	struct logset_entry **v;
	size_t n;
	struct logmerge merge, back;
	size_t last, last_back; /* the source of the line given out; SIZE_MAX = none */
	bool begun, back_begun;
	bool stopped;
	struct logset_hits hits;
	uint64_t ntaken; /* of the last lines, so far */
	bool too_many;	 /* to be kept */
	/* set by the owner before it adds streams */
	const struct logmatch *match; /* NULL = all lines */
	bool (*stop)(void *ctx);      /* NULL = never */
	void *stop_ctx;
	int64_t until_ns; /* no line is younger; INT64_MAX = now and ever */
	bool complete;	  /* lines without their newline are left for later */
	bool want_pid;
	size_t block_size;
};

void logset_init(struct logset *s);
void logset_finish(struct logset *s);

/* One more stream, read from its first byte on unless a start is chosen below. slot -1 = of the app
 * as a whole. If the path is there already that one is widened: to both streams, to the whole app.
 * Returns its source, where `stamp` may be set. */
struct logsrc *logset_add(struct logset *s, const char *app, int slot, enum log_stream stream,
			  const char *path);
/* Whether a stream of this instance is there. */
bool logset_has(const struct logset *s, const char *app, int slot);
/* The width of the longest name. */
size_t logset_name_width(const struct logset *s);

/* Begin with the last n wanted lines, none older than this. False if it was stopped: call it again.
 */
bool logset_start_last(struct logset *s, uint64_t n, int64_t since_ns);
/* Begin with the first line that may be as young as this. */
void logset_start_since(struct logset *s, int64_t since_ns);

/* The next wanted line, in ->next; valid until the next call. NULL if there is none now. */
const struct logset_entry *logset_next(struct logset *s);
/* The wanted line before, in ->prev, from the youngest one on; NULL at the beginning of all. */
const struct logset_entry *logset_prev(struct logset *s);
/* Look for new lines and rotations. */
void logset_refresh(struct logset *s);
/* The same for one stream: somebody knows that only this one changed. */
void logset_refresh_one(struct logset *s, size_t i);
/* Lines that have only begun, and not gone on since this time, count as lines. */
void logset_take_open(struct logset *s, int64_t before_ns);

#endif
