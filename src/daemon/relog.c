/* SPDX-License-Identifier: MIT */
#include "daemon/relog.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/limits.h"
#include "daemon/output.h"

static void add_line(const struct output *out, struct buf *to, const char *stamp, const char *line,
		     size_t len)
{
	if (out->sink->format == LOG_TIME) {
		buf_adds(to, stamp);
		buf_addc(to, ' ');
		buf_add(to, line, len);
		buf_addc(to, '\n');
		return;
	}
	buf_addf(to,
		 "{\"t\":\"%s\",\"app\":\"%s\",\"slot\":%d,\"pid\":%d,\"stream\":\"%s\",\"msg\":",
		 stamp, out->app, out->slot, (int)out->pid, out->is_err ? "err" : "out");
	buf_add_json(to, line, len);
	buf_adds(to, "}\n");
}

/* Take the complete lines out of the carry; a line that never ends is cut at its limit. */
static void rewrite_lines(struct output *out, struct buf *to, bool all)
{
	char stamp[CLOCK_RFC3339];
	clock_format_utc(clock_real_ms(), stamp);
	size_t at = 0;
	while (at < out->carry.len) {
		const char *line = out->carry.data + at;
		size_t left = out->carry.len - at;
		const char *end = memchr(line, '\n', left);
		size_t len = end ? (size_t)(end - line) : left;
		if (!end && !all && len < LIMIT_LOG_LINE) {
			break;
		}
		if (len > LIMIT_LOG_LINE) {
			len = LIMIT_LOG_LINE;
			end = NULL;
		}
		add_line(out, to, stamp, line, len);
		at += len + (end ? 1 : 0);
	}
	buf_consume(&out->carry, at);
}

static bool write_lines(struct output *out, bool all)
{
	struct buf to = {0};
	rewrite_lines(out, &to, all);
	int64_t before = out->sink->file.size;
	bool ok = !to.len || logfile_write(&out->sink->file, to.data, to.len);
	if (!ok) {
		int64_t lost = (int64_t)to.len - (out->sink->file.size - before);
		out->sink->file.dropped += lost; /* it is not in the pipe any more */
		out->sink->dropped += lost;
	}
	buf_finish(&to);
	return ok;
}

ssize_t relog_copy(struct output *out)
{
	buf_reserve(&out->carry, 65536);
	ssize_t n;
	do {
		n = read(out->fd, out->carry.data + out->carry.len, 65536);
	} while (n < 0 && errno == EINTR);
	if (n > 0) {
		out->carry.len += (size_t)n;
		if (!write_lines(out, false)) {
			return -1;
		}
	}
	return n;
}

void relog_flush(struct output *out)
{
	if (out->carry.len && out->sink->file.fd >= 0) {
		write_lines(out, true);
	}
}
