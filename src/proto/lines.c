/* SPDX-License-Identifier: MIT */
#include "proto/lines.h"

#include <string.h>

void lines_init(struct lines *l, size_t limit)
{
	*l = (struct lines){.limit = limit};
}

void lines_finish(struct lines *l)
{
	buf_finish(&l->buf);
	*l = (struct lines){0};
}

void lines_feed(struct lines *l, const char *data, size_t len)
{
	if (l->overlong) {
		return;
	}
	if (l->skipping) {
		const char *end = memchr(data, '\n', len);
		size_t gone = end ? (size_t)(end - data) + 1 : len;
		l->skipping = !end;
		data += gone;
		len -= gone;
	}
	if (l->start == l->buf.len) {
		/* A burst is over: do not keep the memory of one big message for an idle peer. */
		if (l->buf.cap > 64 * 1024) {
			buf_finish(&l->buf);
		}
		buf_reset(&l->buf);
		l->start = 0;
	} else if (l->start) {
		buf_consume(&l->buf, l->start);
		l->start = 0;
	}
	buf_add(&l->buf, data, len);
}

bool lines_next(struct lines *l, char **line, size_t *len)
{
	if (l->overlong || l->start == l->buf.len) {
		return false;
	}
	char *from = l->buf.data + l->start;
	size_t have = l->buf.len - l->start;
	char *end = memchr(from + l->scanned, '\n', have - l->scanned);
	size_t length = end ? (size_t)(end - from) : have;
	if (length > l->limit) {
		l->overlong = true;
		return false;
	}
	if (!end) {
		l->scanned = have;
		return false;
	}
	*end = '\0';
	*line = from;
	*len = length;
	l->start += length + 1;
	l->scanned = 0;
	return true;
}

const char *lines_skip(struct lines *l, size_t *len)
{
	const char *from = l->buf.data + l->start;
	size_t have = l->buf.len - l->start;
	const char *end = memchr(from, '\n', have);
	*len = end ? (size_t)(end - from) : have;
	l->start += end ? *len + 1 : *len;
	l->scanned = 0;
	l->overlong = false;
	l->skipping = !end;
	return from;
}

size_t lines_pending(const struct lines *l)
{
	return l->buf.len - l->start;
}
