/* SPDX-License-Identifier: MIT */
#include "client/logsrc.h"

#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/mem.h"

#define KEPT	     (64 * 1024)  /* bytes that are not skipped */
#define SEARCH_BLOCK (256 * 1024) /* in which lines are passed over */

void logsrc_init(struct logsrc *s, const char *app, int slot, enum log_stream stream,
		 const char *path, size_t block_size)
{
	*s = (struct logsrc){
		.app = xstrdup(app), .slot = slot, .stream = stream, .block_size = block_size};
	logfiles_init(&s->files, path);
	logsrc_back_from(s, INT64_MAX);
}

void logsrc_want(struct logsrc *s, const struct logmatch *match, bool (*stop)(void *ctx),
		 void *stop_ctx)
{
	s->match = match;
	s->stop = stop;
	s->stop_ctx = stop_ctx;
	s->maybe_from = s->clear_from = UINT64_MAX; /* what is known is about another match */
}

void logsrc_finish(struct logsrc *s)
{
	logfiles_finish(&s->files);
	free(s->app);
	buf_finish(&s->block);
	buf_finish(&s->pending);
	buf_finish(&s->unstamped);
	*s = (struct logsrc){0};
}

static void drop_pending(struct logsrc *s)
{
	buf_finish(&s->pending);
	s->pending_from = 0;
}

static bool read_more(struct logsrc *s)
{
	if (s->pending_from) {
		buf_consume(&s->pending, s->pending_from);
		s->fwd_at += s->pending_from;
		s->pending_from = 0;
	}
	size_t want = s->match && s->block_size < SEARCH_BLOCK ? SEARCH_BLOCK : s->block_size;
	buf_reserve(&s->pending, want);
	size_t n = logseg_read(s->files.seg[s->fwd_seg], s->pending.data + s->pending.len, want,
			       s->fwd_at + s->pending.len);
	s->pending.len += n;
	s->pending.data[s->pending.len] = '\0';
	if (n == 0 && s->pending.len == 0) {
		buf_finish(&s->pending);
	}
	return n > 0;
}

/* The next len bytes are a line, or a piece of one; `more` follow that are not part of it. */
static void take(struct logsrc *s, size_t len, size_t more, struct logline *out)
{
	*out = (struct logline){.data = s->pending.data + s->pending_from, .len = len};
	s->line_at = s->fwd_at + s->pending_from;
	s->pending_from += len + more;
}

/* Of the line just taken, and its process: only now, as most lines may not be wanted. */
static void find_time_of(struct logsrc *s, struct logline *out)
{
	struct logseg *g = s->files.seg[s->fwd_seg];
	if (!logstamp_take(s->stamp, out, &s->unstamped)) {
		out->t_ns = logseg_time(g, s->fwd_at + s->pending_from - 1);
	}
	s->fwd_t = out->t_ns > s->fwd_t ? out->t_ns : s->fwd_t;
	out->t_ns = s->fwd_t;
	if (s->want_pid && !out->pid && !logindex_pid(&g->index, s->line_at, &out->pid)) {
		out->pid = 0;
	}
}

static uint64_t unread(const struct logsrc *s)
{
	uint64_t n = 0;
	for (size_t i = 0; i < s->files.n && i <= s->fwd_seg; i++) {
		n += logseg_size(s->files.seg[i]);
	}
	uint64_t done = s->fwd_at + s->pending_from;
	return n > done ? n - done : 0;
}

/* To the first line that begins in the last KEPT bytes, of however many files. */
static void skip_now(struct logsrc *s)
{
	char block[KEPT];
	size_t seg = 0;
	uint64_t keep = KEPT, size = 0, before = unread(s);
	s->skip = false;
	for (; s->files.n && (size = logseg_size(s->files.seg[seg])) < keep && seg < s->fwd_seg;
	     seg++) {
		keep -= size;
	}
	uint64_t at = size > keep ? size - keep : 0;
	size_t n = at ? logseg_read(s->files.seg[seg], block, (size_t)keep, at) : 0;
	const char *nl = memchr(block, '\n', n);
	at += nl ? (uint64_t)(nl - block) + 1 : 0;
	if (s->files.n == 0 || (seg == s->fwd_seg && at <= s->fwd_at + s->pending_from)) {
		return;
	}
	logfiles_keep(&s->files, seg + 1);
	s->fwd_seg = seg;
	s->fwd_at = at;
	s->fwd_ended = false;
	drop_pending(s);
	s->skipped += before - unread(s);
}

void logsrc_skip(struct logsrc *s)
{
	s->skip = true;
}

bool logsrc_has_open(struct logsrc *s, int64_t before_ns)
{
	return s->pending.len > s->pending_from &&
	       logseg_time(s->files.seg[s->fwd_seg], s->fwd_at + s->pending.len - 1) < before_ns;
}

/* To the beginning of the next line that may be wanted, as far as is known by now. */
static void pass_over(struct logsrc *s)
{
	const char *from = s->pending.data + s->pending_from;
	size_t have = s->pending.len - s->pending_from;
	size_t clear = have ? logmatch_skip(s->match, from, have) : 0;
	const char *nl = clear ? memrchr(from, '\n', clear) : NULL;
	s->pending_from += nl ? (size_t)(nl - from) + 1 : 0;
}

/* The next line in what was read; false if there is none yet. */
static bool next_pending(struct logsrc *s, struct logline *out)
{
	const char *from = s->pending.len ? s->pending.data + s->pending_from : "";
	size_t have = s->pending.len - s->pending_from;
	const char *nl = have ? memchr(from, '\n', have) : NULL;
	size_t len = nl ? (size_t)(nl - from) : have;
	if (len > LIMIT_LOG_LINE) {
		take(s, LIMIT_LOG_LINE, 0, out);
		out->cut = true;
	} else if (nl) {
		take(s, len, 1, out);
	}
	return nl || len > LIMIT_LOG_LINE;
}

/* The next line, whether it is wanted or not. */
static bool next_any(struct logsrc *s, bool open_too, struct logline *out)
{
	while (s->files.n > 0 && !s->stopped) {
		if (s->match) {
			pass_over(s);
		}
		if (next_pending(s, out)) {
			return true;
		}
		if (read_more(s)) {
			s->stopped = s->match && s->stop && s->stop(s->stop_ctx);
			continue;
		}
		size_t have = s->pending.len - s->pending_from;
		bool older = s->fwd_seg > 0;
		if (have && (open_too || older || s->fwd_ended)) {
			take(s, have, 0, out);
			out->open = true;
			return true;
		}
		if (!older) {
			return false;
		}
		s->damaged |= logseg_is_damaged(s->files.seg[s->fwd_seg]);
		logseg_rest(s->files.seg[s->fwd_seg]);
		s->fwd_seg--;
		s->fwd_at = 0;
	}
	return false;
}

bool logsrc_next(struct logsrc *s, bool open_too, struct logline *out)
{
	s->stopped = false;
	if (s->skip) {
		skip_now(s);
	}
	while (next_any(s, open_too, out)) {
		if (!s->match || logmatch_line(s->match, out->data, out->len)) {
			find_time_of(s, out);
			return true;
		}
	}
	return false;
}

uint64_t logsrc_behind(struct logsrc *s)
{
	logfiles_keep(&s->files, s->files.n ? s->fwd_seg + 1 : 0);
	if (s->files.n) {
		s->fwd_seg += logfiles_newer(&s->files);
	}
	return unread(s);
}

/* All of ours was read. True if there are others. */
static bool go_on_with_newer(struct logsrc *s)
{
	size_t n = logfiles_newer(&s->files);
	if (n == 0) {
		return false;
	}
	logfiles_keep(&s->files, n);
	s->fwd_seg = n - 1;
	s->fwd_at = 0;
	s->fwd_ended = false;
	drop_pending(s);
	return true;
}

bool logsrc_refresh(struct logsrc *s)
{
	uint64_t read_to = s->fwd_at + s->pending.len;
	uint64_t size = s->files.n ? logseg_size(s->files.seg[0]) : 0;
	if (s->fwd_seg > 0) {
		return true;
	}
	/* Emptied; or long since, and has grown. Where it was replaced its index is another's. */
	bool anew = size > read_to && logindex_has_restarted(&s->files.seg[0]->index) &&
		    !logfiles_is_replaced(&s->files);
	if (size > read_to && !anew) {
		return true;
	}
	if (size < read_to || anew) {
		drop_pending(s);
		s->fwd_at = 0;
		return true;
	}
	if (!logfiles_is_replaced(&s->files)) {
		return false;
	}
	/* The last bytes may have come between our look and the rename. */
	if (s->files.n && logseg_size(s->files.seg[0]) > read_to) {
		return true;
	}
	if (s->pending.len > s->pending_from) {
		s->fwd_ended = true;
		return true;
	}
	return go_on_with_newer(s);
}
