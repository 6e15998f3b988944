/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_LOGSRC_H
#define PMCTL_CLIENT_LOGSRC_H
/*
 * logsrc - the lines of one log stream: the file and those it was rotated to, in both directions.
 *
 * Backward from the end (logback.c), and forward from any place, over rotations, for as long as
 * somebody follows; who has followed over a rotation cannot go back any more. With a match, only
 * lines that are wanted; the others are passed over in blocks. Never more than some blocks are
 * held. Lines over LIMIT_LOG_LINE come in pieces. Times never go back within a source.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "client/logfiles.h"
#include "client/logmatch.h"
#include "client/logstamp.h"
#include "common/buf.h"

enum log_stream { LOG_OUT, LOG_ERR, LOG_BOTH };

struct logline {
	int64_t t_ns;	  /* since the epoch */
	const char *data; /* without the newline */
	size_t len;
	pid_t pid; /* 0 = not known */
	bool cut;  /* the line goes on in the next piece */
	bool open; /* there is no newline (yet) */
};

struct logsrc {
	char *app;
	int slot;
	enum log_stream stream;
	struct logfiles files;
	size_t block_size;
	/* set by the owner before it reads */
	bool want_pid;		      /* look up pids, which costs */
	enum logstamp stamp;	      /* taken off the lines that have it */
	const struct logmatch *match; /* NULL = all lines; it sees them as they are in the file */
	bool (*stop)(void *ctx);      /* asked now and then while lines are passed over; NULL */
	void *stop_ctx;
	bool stopped;	      /* it said so: there is no line yet, go on with the next call */
	bool damaged;	      /* of a compressed file only the beginning could be read */
	struct buf unstamped; /* the line given out last */
	/* backward */
	int64_t since_ns; /* no need to pass over lines that are older */
	bool back_over;
	size_t back_seg;
	uint64_t back_end; /* the next line ends here */
	struct buf block;  /* bytes from block_at on, of back_seg */
	uint64_t block_at;
	uint64_t maybe_from, clear_from; /* lines wanted may begin from there on; none from here */
	int64_t back_t;
	/* forward */
	size_t fwd_seg;
	uint64_t fwd_at; /* of the first byte in pending */
	struct buf pending;
	size_t pending_from; /* bytes given out already */
	uint64_t line_at;    /* of the line given out */
	bool fwd_ended;	     /* the file gets no more: a line without newline is over */
	int64_t fwd_t;
	bool skip;	  /* leave out what has piled up: logsrc_skip() */
	uint64_t skipped; /* bytes left out; whoever tells of them sets it back */
};

/* Want other lines from now on, in both directions: of this match (borrowed; NULL = all). */
void logsrc_want(struct logsrc *s, const struct logmatch *match, bool (*stop)(void *ctx),
		 void *stop_ctx);
/* A missing file is an empty one. Strings are copied. */
void logsrc_init(struct logsrc *s, const char *app, int slot, enum log_stream stream,
		 const char *path, size_t block_size);
void logsrc_finish(struct logsrc *s);

/* The line before, from the end of the newest file on, valid until the next one. False at the
 * beginning of all. With `complete`, a last line without newline is left out. Where it starts goes
 * to *seg and *at. */
bool logsrc_prev(struct logsrc *s, bool complete, struct logline *out, size_t *seg, uint64_t *at);
/* Backward from the last line that is not younger than this; again from the end: INT64_MAX. */
void logsrc_back_from(struct logsrc *s, int64_t t_ns);

/* Backward from the place where another source of the same files is about to read forward, so that
 * both together have every line once. False: other files have those names by now. */
bool logsrc_back_join(struct logsrc *s, const struct logsrc *other);

/* Where forward reading begins. */
void logsrc_start_at(struct logsrc *s, size_t seg, uint64_t at);
void logsrc_start_at_end(struct logsrc *s, bool complete);
/* At the first line that may be as young as this. */
void logsrc_start_since(struct logsrc *s, int64_t t_ns);

/* The next line, valid until the next one. False if there is none now; more may come after
 * logsrc_refresh(). A line without newline is given only with `open_too`. */
bool logsrc_next(struct logsrc *s, bool open_too, struct logline *out);
/* For a reader that may be slower than the writer: hold on to all files there are by now, and say
 * how many bytes have not been given out. */
uint64_t logsrc_behind(struct logsrc *s);
/* Before the next line: leave out all but the last of what has piled up. */
void logsrc_skip(struct logsrc *s);
/* Whether the beginning of a line stands there and has since before this time. */
bool logsrc_has_open(struct logsrc *s, int64_t before_ns);
/* Look for a rotation once all of the old file was read. True if there may be new lines. */
bool logsrc_refresh(struct logsrc *s);

#endif
