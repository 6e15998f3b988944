/* SPDX-License-Identifier: MIT */
#include "client/stream.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

/* Nobody can say how much a pipe takes, but that it takes this much when poll(2) says so. */
static size_t piece(const struct stream *s)
{
	struct stat st;
	bool whole = fstat(s->fd, &st) == 0 && S_ISREG(st.st_mode);
	return whole || s->text.len < PIPE_BUF ? s->text.len : PIPE_BUF;
}

static bool is_ready(const struct stream *s)
{
	struct pollfd p = {.fd = s->fd, .events = POLLOUT};
	return poll(&p, 1, 0) > 0;
}

void stream_flush(struct stream *s)
{
	while (s->text.len && !s->closed && is_ready(s)) {
		ssize_t n = write(s->fd, s->text.data, piece(s));
		if (n >= 0) {
			buf_consume(&s->text, (size_t)n);
		} else if (errno == EAGAIN) {
			return;
		} else if (errno != EINTR) {
			s->closed = errno != ENOSPC && errno != EDQUOT;
			s->lost += s->text.len;
			buf_reset(&s->text);
		}
	}
}

bool stream_is_full(const struct stream *s)
{
	return s->text.len >= STREAM_FULL;
}
