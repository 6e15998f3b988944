/* SPDX-License-Identifier: MIT */
#include "config/def.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/same.h"

struct app_def *def_new(const char *name, const char *project, const char *file, const char *dir,
			unsigned line)
{
	struct app_def *d = xcalloc(1, sizeof(*d));
	d->name = xstrdup(name);
	d->project = xstrdup(project);
	d->file = file ? xstrdup(file) : NULL;
	d->dir = xstrdup(dir);
	d->line = line;
	return d;
}

struct app_def *def_copy(const struct app_def *d)
{
	struct app_def *n = def_new(d->name, d->project, d->file, d->dir, d->line);
	n->list = d->list ? xstrdup(d->list) : NULL;
	for (size_t i = 0; i < d->nset; i++) {
		def_set(n, d->set[i].key, d->set[i].value, d->set[i].line);
	}
	return n;
}

const char *def_list(const struct app_def *d)
{
	return d->list ? d->list : d->file;
}

bool def_same(const struct app_def *a, const struct app_def *b)
{
	bool same = a->nset == b->nset && same_text(a->name, b->name) &&
		    same_text(a->project, b->project) && same_text(a->file, b->file) &&
		    same_text(a->list, b->list) && same_text(a->dir, b->dir);
	for (size_t i = 0; same && i < a->nset; i++) {
		same = strcmp(a->set[i].key, b->set[i].key) == 0 &&
		       strcmp(a->set[i].value, b->set[i].value) == 0;
	}
	return same;
}

/* The index of the key, or where it belongs. */
static size_t position(const struct app_def *d, const char *key, bool *found)
{
	size_t lo = 0;
	size_t hi = d->nset;
	/* Definitions are mostly filled in order. */
	if (hi && strcmp(d->set[hi - 1].key, key) < 0) {
		lo = hi;
	}
	*found = false;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int cmp = strcmp(d->set[mid].key, key);
		if (cmp == 0) {
			*found = true;
			return mid;
		}
		if (cmp < 0) {
			lo = mid + 1;
		} else {
			hi = mid;
		}
	}
	return lo;
}

void def_set(struct app_def *d, const char *key, const char *value, unsigned line)
{
	bool found;
	size_t at = position(d, key, &found);
	char *copy = xstrdup(value);
	if (found) {
		free(d->set[at].value);
		d->set[at].value = copy;
		d->set[at].line = line;
		return;
	}
	if ((d->nset & (d->nset - 1)) == 0) { /* full at 0, 1, 2, 4, 8 ... */
		d->set = xreallocarray(d->set, d->nset ? d->nset * 2 : 1, sizeof(*d->set));
	}
	memmove(d->set + at + 1, d->set + at, (d->nset - at) * sizeof(*d->set));
	d->set[at] = (struct setting){.key = xstrdup(key), .value = copy, .line = line};
	d->nset++;
}

void def_unset(struct app_def *d, const char *key)
{
	bool found;
	size_t at = position(d, key, &found);
	if (!found) {
		return;
	}
	free(d->set[at].key);
	free(d->set[at].value);
	memmove(d->set + at, d->set + at + 1, (d->nset - at - 1) * sizeof(*d->set));
	d->nset--;
}

const struct setting *def_find(const struct app_def *d, const char *key)
{
	bool found;
	size_t at = position(d, key, &found);
	return found ? &d->set[at] : NULL;
}

void def_free(struct app_def *d)
{
	if (!d) {
		return;
	}
	for (size_t i = 0; i < d->nset; i++) {
		free(d->set[i].key);
		free(d->set[i].value);
	}
	free(d->set);
	free(d->name);
	free(d->project);
	free(d->file);
	free(d->list);
	free(d->dir);
	free(d);
}
