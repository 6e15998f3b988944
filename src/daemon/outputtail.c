/* SPDX-License-Identifier: MIT */
#include "daemon/outputtail.h"

#include <unistd.h>

/* Start of the last n lines in text[0..len). */
static size_t last_lines(const char *text, size_t len, int n)
{
	size_t at = len;
	while (at > 0) {
		if (text[at - 1] == '\n' && at != len && n-- <= 1) {
			break;
		}
		at--;
	}
	return at;
}

void output_tail(struct output *out, int n, struct buf *text)
{
	char chunk[8192];
	struct logfile *f = &out->sink->file;
	output_drain(out);
	if (f->fd < 0) {
		return;
	}
	int64_t from =
		out->start_offset > 0 && out->start_offset <= f->size ? out->start_offset : 0;
	if (f->size - from > (int64_t)sizeof(chunk)) {
		from = f->size - (int64_t)sizeof(chunk);
	}
	ssize_t len = pread(f->fd, chunk, (size_t)(f->size - from), from);
	if (len > 0) {
		size_t at = last_lines(chunk, (size_t)len, n);
		buf_add(text, chunk + at, (size_t)len - at);
	}
}
