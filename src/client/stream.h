/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_STREAM_H
#define PMCTL_CLIENT_STREAM_H
/*
 * stream - a standard stream as a log stream: what it does not take must not be waited for.
 *
 * Bytes pile up to STREAM_FULL; then the owner leaves lines where they are, in their files. The
 * descriptor may be shared with others, so it is never made non-blocking: poll(2) says what a
 * pipe takes.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

#define STREAM_FULL (64 * 1024)

struct stream {
	int fd;
	bool closed; /* nobody reads it any more */
	bool told;   /* the owner has said so */
	struct buf text;
	uint64_t lost; /* bytes thrown away; whoever tells of them sets it back */
};

/* Write what it takes now. */
void stream_flush(struct stream *s);
bool stream_is_full(const struct stream *s);

#endif
