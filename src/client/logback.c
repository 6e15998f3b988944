/* SPDX-License-Identifier: MIT */
/* logsrc, backward, and where to begin. */
#include <string.h>

#include "client/logsrc.h"
#include "common/limits.h"

/* Blocks in which lines are passed over. */
#define SEARCH_BLOCK (256 * 1024)

/* Have the bytes before `end`, at least `want` of them or all. */
static void load_before(struct logsrc *s, uint64_t end, size_t want)
{
	uint64_t from = end > want ? end - want : 0;
	buf_reset(&s->block);
	buf_reserve(&s->block, (size_t)(end - from));
	s->block.len =
		logseg_read(s->files.seg[s->back_seg], s->block.data, (size_t)(end - from), from);
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
	logseg_read(s->files.seg[s->back_seg], &c, 1, at);
	return c;
}

/* --- lines nobody wants --- */

static void nothing_known(struct logsrc *s)
{
	s->maybe_from = UINT64_MAX; /* no line is known to be worth a look */
	s->clear_from = UINT64_MAX;
}

/* Where the first line of the block begins; back_end if none does before. */
static uint64_t first_line(const struct logsrc *s)
{
	size_t have = (size_t)(s->back_end - s->block_at);
	const char *nl = s->block_at ? memchr(s->block.data, '\n', have) : NULL;
	return s->block_at == 0 ? 0
	       : nl		? s->block_at + (uint64_t)(nl - s->block.data) + 1
				: s->back_end;
}

static bool has_block(const struct logsrc *s)
{
	return s->block.len && s->back_end > s->block_at &&
	       s->back_end <= s->block_at + s->block.len;
}

/* False if it is not worth the while: all before is too old, or the file was cut meanwhile. */
static bool load_for_search(struct logsrc *s)
{
	struct logseg *g = s->files.seg[s->back_seg];
	s->back_over = logseg_time(g, s->back_end - 1) < s->since_ns;
	if (!s->back_over) {
		load_before(s, s->back_end, SEARCH_BLOCK);
		s->stopped = s->stop && s->stop(s->stop_ctx);
	}
	return !s->back_over && has_block(s);
}

/* Which of the lines in the block may be wanted. */
static void look_at_block(struct logsrc *s)
{
	uint64_t from = first_line(s);
	size_t len = (size_t)(s->back_end - from);
	const char *text = s->block.data + (from - s->block_at);
	size_t clear = logmatch_skip(s->match, text, len);
	const char *nl = memrchr(text, '\n', clear);
	s->clear_from = from;
	s->maybe_from = clear < len ? from + (nl ? (size_t)(nl - text) + 1 : 0) : s->back_end;
	if (len == 0) {
		s->maybe_from = s->back_end - 1; /* a long line: it is looked at piece by piece */
	}
}

/* To the end of a line that may be wanted, or to the beginning of the file. */
static void pass_over(struct logsrc *s)
{
	while (s->back_end > 0 && s->back_end <= s->maybe_from && !s->stopped) {
		if (s->back_end > s->clear_from) {
			s->back_end = s->clear_from;
			nothing_known(s);
			continue;
		}
		if ((!has_block(s) || first_line(s) == s->back_end) && !load_for_search(s)) {
			return;
		}
		look_at_block(s);
	}
}

/* --- the line before --- */

/* False at the beginning of all. */
static bool to_older(struct logsrc *s)
{
	s->damaged |= logseg_is_damaged(s->files.seg[s->back_seg]);
	if (s->back_seg + 1 >= s->files.n && !logfiles_older(&s->files)) {
		return false;
	}
	logseg_rest(s->files.seg[s->back_seg]);
	s->back_seg++;
	s->back_end = logseg_size(s->files.seg[s->back_seg]);
	buf_reset(&s->block);
	nothing_known(s);
	return true;
}

/* The line that ends at back_end, whatever it is. False if it is to be left out. */
static bool take_line(struct logsrc *s, bool complete, struct logline *out, uint64_t *at)
{
	struct logseg *g = s->files.seg[s->back_seg];
	uint64_t behind = s->back_end;
	bool newline = byte_at(s, behind - 1) == '\n';
	uint64_t end = newline ? behind - 1 : behind;
	uint64_t start = line_start(s, end);
	bool at_tail = !newline && behind >= logseg_size(g);
	s->back_end = start < behind ? start : 0;
	if (complete && at_tail && s->back_seg == 0) {
		return false;
	}
	*out = (struct logline){.data = s->block.len ? s->block.data + (start - s->block_at) : "",
				.len = (size_t)(end - start),
				.cut = !newline && !at_tail,
				.open = at_tail};
	*at = start;
	return !s->match || logmatch_line(s->match, out->data, out->len);
}

bool logsrc_prev(struct logsrc *s, bool complete, struct logline *out, size_t *seg, uint64_t *at)
{
	bool found = false;
	uint64_t behind = 0;
	s->stopped = false;
	while (s->files.n > 0 && !found && !s->back_over) {
		if (s->back_end == 0) {
			if (!to_older(s)) {
				break;
			}
			continue;
		}
		if (s->match) {
			pass_over(s);
			if (s->stopped || s->back_over) {
				break;
			}
		}
		behind = s->back_end;
		found = behind > 0 && take_line(s, complete, out, at);
	}
	if (found) {
		struct logseg *g = s->files.seg[s->back_seg];
		if (!logstamp_take(s->stamp, out, &s->unstamped)) {
			out->t_ns = logseg_time(g, behind - 1);
		}
		s->back_t = out->t_ns < s->back_t ? out->t_ns : s->back_t;
		out->t_ns = s->back_t;
		*seg = s->back_seg;
		if (s->want_pid && !out->pid && !logindex_pid(&g->index, *at, &out->pid)) {
			out->pid = 0;
		}
	}
	return found;
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
	if (s->files.n == 0) {
		return;
	}
	uint64_t end = logseg_size(s->files.seg[0]);
	const struct logmatch *match = s->match;
	s->match = NULL;
	logsrc_back_from(s, INT64_MAX);
	/* A line that has only begun is read as a whole later. */
	bool begun = complete && end && byte_at(s, end - 1) != '\n' &&
		     logsrc_prev(s, false, &line, &seg, &at) && seg == 0;
	s->match = match;
	logsrc_back_from(s, INT64_MAX);
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

/* The newest file that began before this time, or the oldest there is. */
static size_t find_file(struct logsrc *s, int64_t t_ns)
{
	size_t seg = 0;
	while (logseg_time(s->files.seg[seg], 0) >= t_ns || logseg_size(s->files.seg[seg]) == 0) {
		if (seg + 1 >= s->files.n && !logfiles_older(&s->files)) {
			break;
		}
		seg++;
	}
	return seg;
}

/* Where the line begins that the byte at this place is part of. */
static uint64_t begin_of_line(struct logsrc *s, size_t seg, uint64_t at)
{
	s->back_seg = seg;
	buf_reset(&s->block);
	nothing_known(s);
	if (at > 0 && at < logseg_size(s->files.seg[seg]) && byte_at(s, at - 1) != '\n') {
		at = line_start(s, at);
	}
	return at;
}

void logsrc_start_since(struct logsrc *s, int64_t t_ns)
{
	if (s->files.n == 0) {
		return;
	}
	size_t seg = find_file(s, t_ns);
	logsrc_start_at(s, seg, begin_of_line(s, seg, find_time(s->files.seg[seg], t_ns)));
}

void logsrc_back_from(struct logsrc *s, int64_t t_ns)
{
	s->back_t = INT64_MAX;
	s->back_over = false;
	if (s->files.n == 0) {
		return;
	}
	size_t seg = t_ns == INT64_MAX ? 0 : find_file(s, t_ns + 1);
	uint64_t at = t_ns == INT64_MAX ? logseg_size(s->files.seg[0])
					: find_time(s->files.seg[seg], t_ns + 1);
	s->back_end = begin_of_line(s, seg, at);
}

bool logsrc_back_join(struct logsrc *s, const struct logsrc *other)
{
	const struct logseg *at = other->files.n ? other->files.seg[other->fwd_seg] : NULL;
	for (size_t seg = 0; at && (seg < s->files.n || logfiles_older(&s->files)); seg++) {
		if (logseg_same(s->files.seg[seg], at)) {
			s->back_t = INT64_MAX;
			s->back_over = false;
			s->back_seg = seg;
			s->back_end = other->fwd_at + other->pending_from;
			buf_reset(&s->block);
			nothing_known(s);
			return true;
		}
	}
	return !at && s->files.n == 0;
}
