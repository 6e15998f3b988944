/* SPDX-License-Identifier: MIT */
#include "client/monitfiles.h"

#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "common/limits.h"
#include "common/mem.h"

void monitfiles_finish(struct monitfiles *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].app);
		free(f->v[i].path);
	}
	free(f->v);
	*f = (struct monitfiles){0};
}

/* A copy of it. */
static void add(struct monitfiles *f, const struct monitfile *file)
{
	if (f->n < 2 * LIMIT_INSTANCES) {
		f->v = xreallocarray(f->v, f->n + 1, sizeof(*f->v));
		struct monitfile *e = &f->v[f->n++];
		*e = *file;
		e->app = xstrdup(file->app);
		e->path = xstrdup(file->path);
	}
}

static void forget(struct monitfiles *f, const char *app, int slot)
{
	size_t n = 0;
	for (size_t i = 0; i < f->n; i++) {
		if (f->v[i].slot == slot && strcmp(f->v[i].app, app) == 0) {
			free(f->v[i].app);
			free(f->v[i].path);
		} else {
			f->v[n++] = f->v[i];
		}
	}
	f->n = n;
}

void monitfiles_take(struct monitfiles *f, const json_t *answer, bool all)
{
	size_t i;
	const json_t *o, *files = json_object_get(answer, "files");
	if (all) {
		monitfiles_finish(f);
	}
	json_array_foreach(files, i, o)
	{
		if (!all) {
			forget(f, member_text(o, "app", "?"), (int)member_int(o, "slot", -1));
		}
	}
	json_array_foreach(files, i, o)
	{
		const char *stream = member_text(o, "stream", "both");
		struct monitfile e = {.app = (char *)(uintptr_t)member_text(o, "app", "?"),
				      .path = (char *)(uintptr_t)member_text(o, "path", NULL),
				      .slot = (int)member_int(o, "slot", -1),
				      .stream = strcmp(stream, "out") == 0   ? LOG_OUT
						: strcmp(stream, "err") == 0 ? LOG_ERR
									     : LOG_BOTH,
				      .stamp = logstamp_of(o)};
		if (e.path) {
			add(f, &e);
		}
	}
}

void monitfiles_choose(const struct monitfiles *f, const struct monitwant *w, const struct model *m,
		       size_t most, struct monitfiles *out)
{
	monitfiles_finish(out);
	for (size_t i = 0; i < f->n && out->n < most; i++) {
		const struct monitfile *e = &f->v[i];
		if (monitwant_has(w, m, e->app, e->slot)) {
			add(out, e);
		}
	}
}

bool monitfiles_equal(const struct monitfiles *a, const struct monitfiles *b)
{
	for (size_t i = 0; i < a->n && i < b->n; i++) {
		const struct monitfile *p = &a->v[i], *q = &b->v[i];
		if (p->slot != q->slot || p->stream != q->stream || p->stamp != q->stamp ||
		    strcmp(p->app, q->app) != 0 || strcmp(p->path, q->path) != 0) {
			return false;
		}
	}
	return a->n == b->n;
}

bool monitfiles_has(const struct monitfiles *f, const char *app, int slot)
{
	for (size_t i = 0; i < f->n; i++) {
		if (f->v[i].slot == slot && strcmp(f->v[i].app, app) == 0) {
			return true;
		}
	}
	return false;
}

/* --- what is wanted --- */

void monitwant_finish(struct monitwant *w)
{
	free(w->v);
	*w = (struct monitwant){0};
}

void monitwant_parse(struct monitwant *w, const char *text)
{
	struct err ignored;
	char *copy = xstrdup(text), *rest = copy, *word;
	monitwant_finish(w);
	while ((word = strtok_r(rest, ",", &rest))) {
		w->v = xreallocarray(w->v, w->n + 1, sizeof(*w->v));
		w->n += selector_parse(&w->v[w->n], word, &ignored);
	}
	free(copy);
}

bool monitwant_has(const struct monitwant *w, const struct model *m, const char *app, int slot)
{
	const struct ui_app *a = model_find(m, app);
	struct select_target t = {.app = app, .ns = a && a->ns[0] ? a->ns : NULL, .slot = slot};
	for (size_t i = 0; i < w->n; i++) {
		if (selector_matches(&w->v[i], &t)) {
			return true;
		}
	}
	return false;
}
