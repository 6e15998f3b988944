/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_LOGSRC_H
#define PMCTL_CLIENT_LOGSRC_H
/*
 * logsrc - the lines of one log stream: the file and those it was rotated to, in both directions.
 *
 * First backward from the end, line by line and in blocks, to find where to begin; then forward
 * from there, over rotations, for as long as somebody follows. Never more than some blocks are
 * held. Lines over LIMIT_LOG_LINE come in pieces. Times never go back within a source.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/buf.h"
#include "sys/logindex.h"

enum log_stream { LOG_OUT, LOG_ERR, LOG_BOTH };

struct logline {
	int64_t t_ns;	  /* since the epoch */
	const char *data; /* without the newline; valid until the next call on the source */
	size_t len;
	pid_t pid; /* 0 = not known */
	bool cut;  /* the line goes on in the next piece */
	bool open; /* there is no newline (yet) */
};

struct logseg; /* one file */

struct logsrc {
	char *app, *path;
	int slot;
	enum log_stream stream;
	bool want_pid;	     /* look up pids, which costs */
	struct logseg **seg; /* [0] is the newest */
	size_t nseg;
	bool all_open; /* no older file is left to open */
	/* backward */
	size_t back_seg;
	uint64_t back_end; /* the next line ends here */
	struct buf block;  /* bytes from block_at on, of back_seg */
	uint64_t block_at;
	int64_t back_t;
	/* forward */
	size_t fwd_seg;
	uint64_t fwd_at; /* of the first byte in pending */
	struct buf pending;
	size_t pending_from; /* bytes given out already */
	bool fwd_ended;	     /* the file gets no more: a line without newline is over */
	int64_t fwd_t;
	size_t block_size;
};

/* A missing file is an empty one. Strings are copied. */
void logsrc_init(struct logsrc *s, const char *app, int slot, enum log_stream stream,
		 const char *path, size_t block_size);
void logsrc_finish(struct logsrc *s);

/* The line before, from the end of the newest file on. False at the beginning of all. With
 * `complete`, a last line without newline is left out. Where it starts goes to *seg and *at. */
bool logsrc_prev(struct logsrc *s, bool complete, struct logline *out, size_t *seg, uint64_t *at);

/* Where forward reading begins. */
void logsrc_start_at(struct logsrc *s, size_t seg, uint64_t at);
void logsrc_start_at_end(struct logsrc *s, bool complete);
/* At the first line that may be as young as this. */
void logsrc_start_since(struct logsrc *s, int64_t t_ns);

/* The next line. False if there is none now; more may come after logsrc_refresh(). A line without
 * newline is given only with `open_too`. */
bool logsrc_next(struct logsrc *s, bool open_too, struct logline *out);
/* Look for a rotation once all of the old file was read. True if there may be new lines. */
bool logsrc_refresh(struct logsrc *s);

#endif
