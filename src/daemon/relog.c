/* SPDX-License-Identifier: MIT */
#include "daemon/relog.h"

#include <string.h>

#include "common/clock.h"
#include "common/limits.h"
#include "daemon/output.h"

#define AT_ONCE 65536

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

/* Take the complete lines out of the text, or all; a line that never ends is cut at its limit.
 * Returns the bytes that were taken. */
static size_t rewrite_lines(const struct output *out, const struct buf *text, bool all,
			    struct buf *to)
{
	char stamp[CLOCK_RFC3339];
	clock_format_utc(clock_real_ms(), stamp);
	size_t at = 0;
	while (at < text->len) {
		const char *line = text->data + at;
		size_t left = text->len - at;
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
	return at;
}

static bool write_lines(struct output *out, bool all)
{
	struct buf text = {0}, to = {0};
	int64_t lost = 0;
	bool ok = spool_read(&out->spool, &text);
	size_t taken = ok ? rewrite_lines(out, &text, all, &to) : 0;
	if (taken) {
		ok = spool_write(&out->spool, taken, &out->sink->file, &to, &lost);
		out->sink->file.dropped += lost; /* it is not in the pipe any more */
		out->owner->dropped += lost;
	}
	buf_finish(&text);
	buf_finish(&to);
	return ok;
}

ssize_t relog_copy(struct output *out)
{
	if (!output_need_spool(out)) {
		return -1;
	}
	spool_settle(&out->spool, &out->sink->file);
	ssize_t n = spool_fill(&out->spool, out->fd, AT_ONCE);
	if (n > 0 && !write_lines(out, false)) {
		return -1;
	}
	return n;
}

void relog_flush(struct output *out)
{
	if (out->spool.fd >= 0 && out->sink->file.fd >= 0) {
		spool_settle(&out->spool, &out->sink->file);
		write_lines(out, true);
	}
}
