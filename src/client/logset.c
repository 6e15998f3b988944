/* SPDX-License-Identifier: MIT */
#include "client/logset.h"

#include <stdlib.h>
#include <string.h>

#include "client/logview.h"
#include "common/mem.h"

#define NONE SIZE_MAX

void logset_init(struct logset *s)
{
	*s = (struct logset){.last = NONE, .block_size = 65536};
	logmerge_init(&s->merge, false);
}

void logset_finish(struct logset *s)
{
	for (size_t i = 0; i < s->n; i++) {
		logsrc_finish(&s->v[i]->src);
		free(s->v[i]);
	}
	free(s->v);
	logmerge_finish(&s->merge);
	buf_finish(&s->text);
	*s = (struct logset){.last = NONE};
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

void logset_add(struct logset *s, const char *app, int slot, enum log_stream stream,
		const char *path)
{
	for (size_t i = 0; i < s->n; i++) {
		struct logsrc *have = &s->v[i]->src;
		if (strcmp(have->path, path) == 0) {
			have->stream = have->stream == stream ? stream : LOG_BOTH;
			have->slot = have->slot == slot ? slot : -1;
			return;
		}
	}
	struct logset_entry *e = xcalloc(1, sizeof(*e));
	e->hue = hue_of(s, app);
	logsrc_init(&e->src, app, slot, stream, path, s->block_size);
	e->src.want_pid = s->want_pid;
	s->v = xreallocarray(s->v, s->n + 1, sizeof(*s->v));
	s->v[s->n++] = e;
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

static bool matches(struct logset *s, const struct logline *l)
{
	if (!s->grep) {
		return true;
	}
	buf_reset(&s->text); /* regexec() wants a string */
	buf_add(&s->text, l->data, l->len);
	return regexec(s->grep, s->text.data ? s->text.data : "", 0, NULL, 0) == 0;
}

/* --- where to begin --- */

struct back {
	int64_t t;
	bool matches;
	size_t seg;
	uint64_t at;
};

static void step_back(struct logset *s, struct logmerge *m, struct back *b, size_t i,
		      int64_t since_ns)
{
	struct logline l;
	if (logsrc_prev(&s->v[i]->src, s->complete, &l, &b[i].seg, &b[i].at) &&
	    l.t_ns >= since_ns) {
		b[i].matches = matches(s, &l);
		logmerge_push(m, i, l.t_ns);
	}
}

void logset_start_last(struct logset *s, uint64_t n, int64_t since_ns)
{
	struct logmerge m;
	struct back *pending = xcalloc(s->n + 1, sizeof(*pending));
	struct back *start = xcalloc(s->n + 1, sizeof(*start)); /* t: 1 = taken */
	size_t i;
	logmerge_init(&m, true);
	for (i = 0; i < s->n && n > 0; i++) {
		step_back(s, &m, pending, i, since_ns);
	}
	while (n > 0 && logmerge_pop(&m, &i)) {
		n -= pending[i].matches;
		start[i] = pending[i];
		start[i].t = 1;
		step_back(s, &m, pending, i, since_ns);
	}
	for (i = 0; i < s->n; i++) {
		if (start[i].t) {
			logsrc_start_at(&s->v[i]->src, start[i].seg, start[i].at);
		} else {
			logsrc_start_at_end(&s->v[i]->src, s->complete);
		}
	}
	logmerge_finish(&m);
	free(pending);
	free(start);
}

void logset_start_since(struct logset *s, int64_t since_ns)
{
	for (size_t i = 0; i < s->n; i++) {
		logsrc_start_since(&s->v[i]->src, since_ns);
	}
}

/* --- forward --- */

static void hold(struct logset *s, size_t i)
{
	struct logset_entry *e = s->v[i];
	e->held = logsrc_next(&e->src, !s->complete, &e->next);
	if (e->held) {
		logmerge_push(&s->merge, i, e->next.t_ns);
	}
}

const struct logset_entry *logset_next(struct logset *s)
{
	size_t i;
	for (i = 0; i < s->n && !s->begun; i++) {
		hold(s, i);
	}
	s->begun = true;
	if (s->last != NONE) {
		hold(s, s->last);
		s->last = NONE;
	}
	while (logmerge_pop(&s->merge, &i)) {
		if (matches(s, &s->v[i]->next)) {
			s->last = i;
			return s->v[i];
		}
		hold(s, i);
	}
	return NULL;
}

void logset_refresh(struct logset *s)
{
	for (size_t i = 0; i < s->n; i++) {
		if (!s->v[i]->held && logsrc_refresh(&s->v[i]->src)) {
			hold(s, i);
		}
	}
}
