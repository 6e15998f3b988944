/* SPDX-License-Identifier: MIT */
#include "client/logsrc.h"

#include <stdlib.h>
#include <string.h>

#include "client/logseg.h"
#include "common/limits.h"
#include "common/mem.h"

#define MAX_FILES 1001 /* the file itself and what log_keep allows */

void logsrc_init(struct logsrc *s, const char *app, int slot, enum log_stream stream,
		 const char *path, size_t block_size)
{
	*s = (struct logsrc){.app = xstrdup(app),
			     .path = xstrdup(path),
			     .slot = slot,
			     .stream = stream,
			     .back_t = INT64_MAX,
			     .block_size = block_size};
	struct logseg *g = logseg_open(path);
	if (g) {
		s->seg = xcalloc(1, sizeof(struct logseg *));
		s->seg[0] = g;
		s->nseg = 1;
		s->back_end = logseg_size(g);
	}
	s->all_open = !g;
}

void logsrc_finish(struct logsrc *s)
{
	for (size_t i = 0; i < s->nseg; i++) {
		logseg_free(s->seg[i]);
	}
	free(s->seg);
	free(s->app);
	free(s->path);
	buf_finish(&s->block);
	buf_finish(&s->pending);
	*s = (struct logsrc){0};
}

static struct logseg *open_number(const struct logsrc *s, size_t number)
{
	if (number == 0) {
		return logseg_open(s->path);
	}
	char *path = xasprintf("%s.%zu", s->path, number);
	struct logseg *g = logseg_open(path);
	free(path);
	return g;
}

/* The file before the oldest one we have. A rotation meanwhile moves all by one: skip ours. */
static bool open_older(struct logsrc *s)
{
	for (size_t number = s->nseg; !s->all_open && number < MAX_FILES; number++) {
		struct logseg *g = open_number(s, number);
		if (g && !logseg_same(g, s->seg[s->nseg - 1])) {
			s->seg = xreallocarray(s->seg, s->nseg + 1, sizeof(struct logseg *));
			s->seg[s->nseg++] = g;
			return true;
		}
		logseg_free(g);
		if (!g) {
			break;
		}
	}
	s->all_open = true;
	return false;
}

/* --- backward --- */

/* Have the bytes before `end`, at least `want` of them or all. */
static void load_before(struct logsrc *s, uint64_t end, size_t want)
{
	uint64_t from = end > want ? end - want : 0;
	buf_reset(&s->block);
	buf_reserve(&s->block, (size_t)(end - from));
	s->block.len = logseg_read(s->seg[s->back_seg], s->block.data, (size_t)(end - from), from);
	s->block.data[s->block.len] = '\0';
	s->block_at = from;
}

/* Where the line that ends at `end` (behind its text) starts, or a piece of it. The bytes are in
 * the block then. */
static uint64_t line_start(struct logsrc *s, uint64_t end)
{
	size_t want = s->block_size;
	for (;;) {
		if (end < s->block_at || end > s->block_at + s->block.len || s->block.len == 0) {
			load_before(s, end, want);
		}
		size_t have = (size_t)(end - s->block_at);
		if (have > s->block.len) {
			return end; /* the file was cut meanwhile */
		}
		const char *nl = have ? memrchr(s->block.data, '\n', have) : NULL;
		uint64_t start =
			nl ? s->block_at + (uint64_t)(nl - s->block.data) + 1 : s->block_at;
		if (end - start > LIMIT_LOG_LINE) {
			return end - LIMIT_LOG_LINE;
		}
		if (nl || s->block_at == 0 || have >= LIMIT_LOG_LINE) {
			return start;
		}
		/* Far more than this line needs, for the lines before it. */
		want = have + s->block_size < LIMIT_LOG_LINE ? have + s->block_size
							     : LIMIT_LOG_LINE + s->block_size;
		load_before(s, end, want);
	}
}

static char byte_at(struct logsrc *s, uint64_t at)
{
	if (at >= s->block_at && at < s->block_at + s->block.len) {
		return s->block.data[at - s->block_at];
	}
	char c = 0;
	logseg_read(s->seg[s->back_seg], &c, 1, at);
	return c;
}

bool logsrc_prev(struct logsrc *s, bool complete, struct logline *out, size_t *seg, uint64_t *at)
{
	if (s->nseg == 0) {
		return false;
	}
	while (s->back_end == 0) {
		if (s->back_seg + 1 >= s->nseg && !open_older(s)) {
			return false;
		}
		s->back_seg++;
		s->back_end = logseg_size(s->seg[s->back_seg]);
		buf_reset(&s->block);
	}
	uint64_t behind = s->back_end;
	bool newline = byte_at(s, behind - 1) == '\n';
	uint64_t end = newline ? behind - 1 : behind;
	uint64_t start = line_start(s, end);
	bool at_tail = !newline && s->back_seg == 0 && behind == logseg_size(s->seg[0]);
	s->back_end = start < behind ? start : 0;
	if (complete && at_tail) {
		return logsrc_prev(s, complete, out, seg, at);
	}
	int64_t t = logseg_time(s->seg[s->back_seg], behind - 1);
	s->back_t = t < s->back_t ? t : s->back_t;
	*out = (struct logline){.t_ns = s->back_t,
				.data = s->block.len ? s->block.data + (start - s->block_at) : "",
				.len = (size_t)(end - start),
				.open = !newline};
	*seg = s->back_seg;
	*at = start;
	return true;
}

/* --- where to begin --- */

void logsrc_start_at(struct logsrc *s, size_t seg, uint64_t at)
{
	s->fwd_seg = seg;
	s->fwd_at = at;
	buf_finish(&s->block);
}

void logsrc_start_at_end(struct logsrc *s, bool complete)
{
	struct logline line;
	size_t seg;
	uint64_t at;
	if (s->nseg == 0) {
		return;
	}
	uint64_t end = logseg_size(s->seg[0]);
	s->back_seg = 0;
	s->back_end = end;
	/* A line that has only begun is read as a whole later. */
	bool begun = complete && end && byte_at(s, end - 1) != '\n' &&
		     logsrc_prev(s, false, &line, &seg, &at) && seg == 0;
	logsrc_start_at(s, 0, begun ? at : end);
}

static uint64_t find_time(struct logseg *g, int64_t t_ns)
{
	uint64_t lo = 0, hi = logseg_size(g);
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		if (logseg_time(g, mid) < t_ns) {
			lo = mid + 1;
		} else {
			hi = mid;
		}
	}
	return lo;
}

void logsrc_start_since(struct logsrc *s, int64_t t_ns)
{
	if (s->nseg == 0) {
		return;
	}
	size_t seg = 0;
	while (logseg_size(s->seg[seg]) == 0 || logseg_time(s->seg[seg], 0) >= t_ns) {
		if (seg + 1 >= s->nseg && !open_older(s)) {
			break;
		}
		seg++;
	}
	uint64_t at = find_time(s->seg[seg], t_ns);
	s->back_seg = seg;
	if (at > 0 && at < logseg_size(s->seg[seg]) && byte_at(s, at - 1) != '\n') {
		at = line_start(s, at);
	}
	logsrc_start_at(s, seg, at);
}

/* --- forward --- */

static bool read_more(struct logsrc *s)
{
	if (s->pending_from) {
		buf_consume(&s->pending, s->pending_from);
		s->fwd_at += s->pending_from;
		s->pending_from = 0;
	}
	buf_reserve(&s->pending, s->block_size);
	size_t n = logseg_read(s->seg[s->fwd_seg], s->pending.data + s->pending.len, s->block_size,
			       s->fwd_at + s->pending.len);
	s->pending.len += n;
	s->pending.data[s->pending.len] = '\0';
	if (n == 0 && s->pending.len == 0) {
		buf_finish(&s->pending);
	}
	return n > 0;
}

static void give(struct logsrc *s, size_t len, size_t skip, bool cut, bool open,
		 struct logline *out)
{
	struct logseg *g = s->seg[s->fwd_seg];
	uint64_t at = s->fwd_at + s->pending_from;
	int64_t t = logseg_time(g, at + len + skip - 1);
	s->fwd_t = t > s->fwd_t ? t : s->fwd_t;
	*out = (struct logline){.t_ns = s->fwd_t,
				.data = s->pending.data + s->pending_from,
				.len = len,
				.cut = cut,
				.open = open};
	if (s->want_pid && !logindex_pid(&g->index, at, &out->pid)) {
		out->pid = 0;
	}
	s->pending_from += len + skip;
}

bool logsrc_next(struct logsrc *s, bool open_too, struct logline *out)
{
	while (s->nseg > 0) {
		const char *from = s->pending.len ? s->pending.data + s->pending_from : "";
		size_t have = s->pending.len - s->pending_from;
		const char *nl = have ? memchr(from, '\n', have) : NULL;
		size_t len = nl ? (size_t)(nl - from) : have;
		if (len > LIMIT_LOG_LINE) {
			give(s, LIMIT_LOG_LINE, 0, true, false, out);
			return true;
		}
		if (nl) {
			give(s, len, 1, false, false, out);
			return true;
		}
		if (read_more(s)) {
			continue;
		}
		bool older = s->fwd_seg > 0;
		if (have && (open_too || older || s->fwd_ended)) {
			give(s, have, 0, false, true, out);
			return true;
		}
		if (!older) {
			return false;
		}
		s->fwd_seg--;
		s->fwd_at = 0;
	}
	return false;
}

/* The files that came after ours, newest first. */
static void adopt_newer(struct logsrc *s, struct logseg *newest)
{
	struct logseg *ours = s->nseg ? s->seg[0] : NULL;
	struct logseg *newer[MAX_FILES] = {newest};
	size_t n = 1;
	while (ours && n < MAX_FILES) {
		struct logseg *g = open_number(s, n);
		if (!g || logseg_same(g, ours)) {
			logseg_free(g);
			break;
		}
		newer[n++] = g;
	}
	for (size_t i = 0; i < s->nseg; i++) {
		logseg_free(s->seg[i]);
	}
	s->seg = xreallocarray(s->seg, n, sizeof(struct logseg *));
	memcpy(s->seg, newer, n * sizeof(struct logseg *));
	s->nseg = n;
	s->fwd_seg = n - 1;
	s->fwd_at = 0;
	s->fwd_ended = false;
	s->pending_from = 0;
	buf_finish(&s->pending);
}

bool logsrc_refresh(struct logsrc *s)
{
	uint64_t read_to = s->fwd_at + s->pending.len;
	if (s->nseg && logseg_size(s->seg[0]) > read_to) {
		return true;
	}
	if (s->nseg && logseg_size(s->seg[0]) < read_to && s->fwd_seg == 0) {
		/* flushed */
		buf_finish(&s->pending);
		s->pending_from = 0;
		s->fwd_at = 0;
		return true;
	}
	struct logseg *g = logseg_open(s->path);
	if (!g || (s->nseg && logseg_same(g, s->seg[0]))) {
		logseg_free(g);
		return false;
	}
	/* The last bytes may have come between our look and the rename. */
	if (s->nseg && logseg_size(s->seg[0]) > read_to) {
		logseg_free(g);
		return true;
	}
	if (s->pending.len > s->pending_from) {
		s->fwd_ended = true;
		logseg_free(g);
		return true;
	}
	adopt_newer(s, g);
	return true;
}
