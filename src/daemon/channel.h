/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_CHANNEL_H
#define PMCTL_DAEMON_CHANNEL_H
/*
 * channel - our end of a node program's IPC channel: lines and descriptors, both ways.
 *
 * Reads with MSG_PEEK first and takes complete lines only, each once the callback has dealt with
 * it: what a killed supervisor was about to do its successor does, perhaps a second time. Lines
 * longer than the peek window are collected in memory; what is longer than LIMIT_CHANNEL_LINE is
 * left out. Sends one line with at most one descriptor per sendmsg(2), because node hands out one
 * descriptor per line; what does not fit waits, up to LIMIT_CHANNEL_QUEUE. Owned by struct worker.
 */
#include <ev.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/list.h"
#include "proto/lines.h"

#define CHANNEL_FDS 8 /* descriptors received and not yet taken */

struct channel_callbacks {
	/* A complete line without its newline; may be changed in place; gone after the call. */
	void (*line)(void *ctx, char *line, size_t len);
	/* Instead of a line that is left out: how it begins. */
	void (*overlong)(void *ctx, const char *head, size_t len);
	/* The other end is closed. All was read. Comes once; the channel is closed then. */
	void (*eof)(void *ctx);
	/* The last thing done in an event: the owner may be freed here and only here. */
	void (*done)(void *ctx);
};

struct channel {
	struct ev_loop *loop;
	int fd; /* -1 = closed */
	ev_io read_io, write_io;
	ev_timer retry; /* half a line waits in the kernel, or it had no room for descriptors */
	const struct channel_callbacks *callbacks;
	void *ctx;
	struct lines lines;
	int got[CHANNEL_FDS]; /* descriptors, oldest first */
	unsigned ngot;
	size_t peeked;	 /* bytes of the half line at the last look */
	unsigned looks;	 /* how often it has not grown */
	struct list out; /* waiting lines */
	size_t out_bytes;
	bool sent_part; /* the first waiting line is cut: it must go out before anything else */
	bool broken;	/* the other end reads no more */
};

/* fds[0] is ours (O_NONBLOCK), fds[1] the program's; both close-on-exec. */
bool channel_pair(int fds[2]);

/* Owns fd from now on. */
void channel_init(struct channel *ch, struct ev_loop *loop, int fd,
		  const struct channel_callbacks *callbacks, void *ctx);
/* Ends the channel also for the program, whoever else holds our end of it; no callback comes after
 * it. A supervisor that only hands over must not come here. Safe inside callbacks and on a zeroed
 * struct. */
void channel_finish(struct channel *ch);

/* Send one line (with its newline) and a descriptor (-1 = none; stays the caller's). False if the
 * line was not taken: closed, queue full, no descriptor to spare. */
bool channel_send(struct channel *ch, const char *line, size_t len, int fd);

/* The oldest descriptor that came and was not taken, or -1. The caller closes it. */
int channel_take_fd(struct channel *ch);

/* Read everything that is there now, half lines included: the process has ended. */
void channel_drain(struct channel *ch);

#endif
