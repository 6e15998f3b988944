/* SPDX-License-Identifier: MIT */
#include "client/logset.h"

#include <stdlib.h>
#include <string.h>

#include "client/logview.h"
#include "common/mem.h"

#define NONE	 SIZE_MAX
#define HITS_MAX (8 * 1024 * 1024) /* bytes of lines kept from the way back */

void logset_init(struct logset *s)
{
	*s = (struct logset){
		.last = NONE, .last_back = NONE, .block_size = 65536, .until_ns = INT64_MAX};
	logmerge_init(&s->merge, false);
	logmerge_init(&s->back, true);
}

static void forget_hits(struct logset *s)
{
	free(s->hits.v);
	buf_finish(&s->hits.text);
	s->hits = (struct logset_hits){0};
}

void logset_finish(struct logset *s)
{
	for (size_t i = 0; i < s->n; i++) {
		logsrc_finish(&s->v[i]->src);
		free(s->v[i]);
	}
	free(s->v);
	logmerge_finish(&s->merge);
	logmerge_finish(&s->back);
	forget_hits(s);
	*s = (struct logset){.last = NONE, .last_back = NONE};
}

static unsigned hue_of(const struct logset *s, const char *app)
{
	unsigned most = 0;
	for (size_t i = 0; i < s->n; i++) {
		if (strcmp(s->v[i]->src.app, app) == 0) {
			return s->v[i]->hue;
		}
		most = s->v[i]->hue >= most ? s->v[i]->hue + 1 : most;
	}
	return most;
}

struct logsrc *logset_add(struct logset *s, const char *app, int slot, enum log_stream stream,
			  const char *path)
{
	for (size_t i = 0; i < s->n; i++) {
		struct logsrc *have = &s->v[i]->src;
		if (strcmp(have->files.path, path) == 0) {
			have->stream = have->stream == stream ? stream : LOG_BOTH;
			have->slot = have->slot == slot ? slot : -1;
			return have;
		}
	}
	struct logset_entry *e = xcalloc(1, sizeof(*e));
	e->hue = hue_of(s, app);
	logsrc_init(&e->src, app, slot, stream, path, s->block_size);
	e->src.want_pid = s->want_pid;
	e->src.match = s->match;
	e->src.stop = s->stop;
	e->src.stop_ctx = s->stop_ctx;
	s->v = xreallocarray(s->v, s->n + 1, sizeof(*s->v));
	s->v[s->n++] = e;
	return &e->src;
}

bool logset_has(const struct logset *s, const char *app, int slot)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct logsrc *src = &s->v[i]->src;
		if (strcmp(src->app, app) == 0 && (src->slot == slot || src->slot < 0)) {
			return true;
		}
	}
	return false;
}

size_t logset_name_width(const struct logset *s)
{
	size_t width = 0;
	for (size_t i = 0; i < s->n; i++) {
		char name[64];
		logview_name(s->v[i]->src.app, s->v[i]->src.slot, name, sizeof(name));
		width = strlen(name) > width ? strlen(name) : width;
	}
	return width;
}

/* --- backward --- */

static void hold_prev(struct logset *s, size_t i)
{
	struct logset_entry *e = s->v[i];
	do {
		if (!logsrc_prev(&e->src, s->complete, &e->prev, &e->prev_seg, &e->prev_at)) {
			s->stopped |= e->src.stopped;
			return;
		}
	} while (e->prev.t_ns > s->until_ns);
	logmerge_push(&s->back, i, e->prev.t_ns);
}

const struct logset_entry *logset_prev(struct logset *s)
{
	size_t i;
	bool again = s->stopped;
	s->stopped = false;
	for (i = 0; i < s->n; i++) {
		struct logsrc *src = &s->v[i]->src;
		if (!s->back_begun) {
			logsrc_back_from(src, s->until_ns);
		}
		if (!s->back_begun || i == s->last_back || (again && src->stopped)) {
			hold_prev(s, i);
		}
	}
	s->back_begun = true;
	s->last_back = NONE;
	if (s->stopped || !logmerge_pop(&s->back, &i)) {
		return NULL;
	}
	s->last_back = i;
	return s->v[i];
}

/* --- where to begin --- */

/* One of the last lines, kept unless they become too many. */
static void take_prev(struct logset *s, size_t source)
{
	struct logset_hits *h = &s->hits;
	struct logset_entry *e = s->v[source];
	s->ntaken++;
	e->newest_t = e->taken ? e->newest_t : e->prev.t_ns;
	e->taken = true;
	e->taken_seg = e->prev_seg;
	e->taken_at = e->prev_at;
	s->too_many |= h->n * sizeof(*h->v) + h->text.len > HITS_MAX;
	if (s->too_many) {
		forget_hits(s);
		return;
	}
	if (h->n == h->cap) {
		h->cap = h->cap ? h->cap * 2 : 64;
		h->v = xreallocarray(h->v, h->cap, sizeof(*h->v));
	}
	h->v[h->n++] = (struct logset_hit){.source = source, .text = h->text.len, .line = e->prev};
	buf_add(&h->text, e->prev.data, e->prev.len);
}

static void begin_back(struct logset *s, int64_t since_ns)
{
	for (size_t i = 0; i < s->n; i++) {
		s->v[i]->src.since_ns = since_ns;
		s->v[i]->taken = false;
		logsrc_start_at_end(&s->v[i]->src, s->complete);
	}
	s->ntaken = 0;
	s->too_many = s->back_begun = false;
}

bool logset_start_last(struct logset *s, uint64_t n, int64_t since_ns)
{
	const struct logset_entry *e;
	if (!s->stopped) {
		begin_back(s, since_ns);
	}
	while (s->ntaken < n && (e = logset_prev(s)) && e->prev.t_ns >= since_ns) {
		take_prev(s, s->last_back);
	}
	/* Those that were kept need not be read again. */
	for (size_t i = 0; i < s->n && !s->stopped; i++) {
		struct logset_entry *v = s->v[i];
		if (v->taken && s->too_many) {
			logsrc_start_at(&v->src, v->taken_seg, v->taken_at);
		} else if (v->taken) {
			v->src.fwd_t = v->newest_t;
		}
	}
	return !s->stopped;
}

void logset_start_since(struct logset *s, int64_t since_ns)
{
	for (size_t i = 0; i < s->n; i++) {
		logsrc_start_since(&s->v[i]->src, since_ns);
	}
}

/* --- forward --- */

static void hold_any(struct logset *s, size_t i, bool open_too)
{
	struct logset_entry *e = s->v[i];
	e->held = !e->over && logsrc_next(&e->src, open_too, &e->next);
	s->stopped |= e->src.stopped;
	e->over |= e->held && e->next.t_ns > s->until_ns;
	if (e->over) {
		e->held = false;
	} else if (e->held) {
		logmerge_push(&s->merge, i, e->next.t_ns);
	}
}

static void hold(struct logset *s, size_t i)
{
	hold_any(s, i, !s->complete);
}

static const struct logset_entry *next_hit(struct logset *s)
{
	struct logset_hit *h = &s->hits.v[--s->hits.n];
	struct logset_entry *e = s->v[h->source];
	e->next = h->line;
	e->next.data = s->hits.text.data ? s->hits.text.data + h->text : "";
	return e;
}

const struct logset_entry *logset_next(struct logset *s)
{
	size_t i;
	bool again = s->stopped;
	s->stopped = false;
	if (s->hits.n > 0) {
		return next_hit(s);
	}
	forget_hits(s);
	for (i = 0; i < s->n; i++) {
		if (!s->begun || i == s->last || (again && s->v[i]->src.stopped)) {
			hold(s, i);
		}
	}
	s->begun = true;
	s->last = NONE;
	if (s->stopped || !logmerge_pop(&s->merge, &i)) {
		return NULL;
	}
	s->last = i;
	return s->v[i];
}

void logset_refresh_one(struct logset *s, size_t i)
{
	if (s->begun && !s->v[i]->held && logsrc_refresh(&s->v[i]->src)) {
		hold(s, i);
	}
}

void logset_refresh(struct logset *s)
{
	for (size_t i = 0; i < s->n; i++) {
		logset_refresh_one(s, i);
	}
}

void logset_take_open(struct logset *s, int64_t before_ns)
{
	for (size_t i = 0; i < s->n; i++) {
		if (!s->v[i]->held && logsrc_has_open(&s->v[i]->src, before_ns)) {
			hold_any(s, i, true);
		}
	}
}
