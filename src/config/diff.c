/* SPDX-License-Identifier: MIT */
#include "config/diff.h"

#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/mem.h"
#include "common/same.h"
#include "config/conf.h"
#include "config/types.h"

/* One side: the definition, and what it means if it decodes. */
struct side {
	const struct app_def *def;
	struct app_conf conf;
	bool decoded;
};

static void init_side(struct side *s, const struct app_def *def)
{
	struct err_list errs = {0};
	s->def = def;
	s->decoded = conf_decode(&s->conf, def, &errs);
	err_list_finish(&errs);
}

static const char *written(const struct side *s, const char *key)
{
	const struct setting *set = def_find(s->def, key);
	return set ? set->value : NULL;
}

static char *in_effect(const struct side *s, bool decoded, const struct key *k, const char *key,
		       const char *sub)
{
	if (decoded) {
		return k->type->format(&s->conf, k, sub);
	}
	const char *text = written(s, key);
	return text ? xstrdup(text) : k->def ? xstrdup(k->def) : NULL;
}

static void replace(char **text, const char *by)
{
	free(*text);
	*text = xstrdup(by);
}

static void compare(struct diff *d, const struct side side[2], const struct key *k, const char *key,
		    const char *sub)
{
	bool decoded = side[0].decoded && side[1].decoded;
	char *a = in_effect(&side[0], decoded, k, key, sub);
	char *b = in_effect(&side[1], decoded, k, key, sub);
	if (same_text(a, b)) {
		free(a);
		free(b);
		return;
	}
	/* As written is what people know, but "app.js -> app.js" (in another folder) says nothing.
	 */
	const char *wa = written(&side[0], key);
	const char *wb = written(&side[1], key);
	if (!same_text(wa ? wa : a, wb ? wb : b)) {
		if (wa) {
			replace(&a, wa);
		}
		if (wb) {
			replace(&b, wb);
		}
	}
	if ((d->n & (d->n - 1)) == 0) { /* full at 0, 1, 2, 4, 8 ... */
		d->v = xreallocarray(d->v, d->n ? d->n * 2 : 1, sizeof(*d->v));
	}
	d->v[d->n++] = (struct diff_entry){xstrdup(key), a, b, k->apply};
	d->effect = k->apply > d->effect ? k->apply : d->effect;
}

/* The members of a family that either side sets; both lists are sorted by key. */
static void compare_family(struct diff *d, const struct side side[2], const struct key *k)
{
	size_t len = strlen(k->name);
	size_t i = 0;
	size_t j = 0;
	const struct app_def *a = side[0].def;
	const struct app_def *b = side[1].def;
	while (i < a->nset || j < b->nset) {
		int cmp = i == a->nset	 ? 1
			  : j == b->nset ? -1
					 : strcmp(a->set[i].key, b->set[j].key);
		const char *key = cmp <= 0 ? a->set[i].key : b->set[j].key;
		if (strncmp(key, k->name, len) == 0) {
			compare(d, side, k, key, key + len);
		}
		i += cmp <= 0;
		j += cmp >= 0;
	}
}

void diff_defs(struct diff *out, const struct app_def *before, const struct app_def *after)
{
	struct side side[2];
	*out = (struct diff){0};
	init_side(&side[0], before);
	init_side(&side[1], after);
	for (size_t i = 0; i < keys_count; i++) {
		const struct key *k = &keys[i];
		if (k->name[strlen(k->name) - 1] == '.') {
			compare_family(out, side, k);
		} else {
			compare(out, side, k, k->name, NULL);
		}
	}
	conf_finish(&side[0].conf);
	conf_finish(&side[1].conf);
}

void diff_finish(struct diff *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->v[i].key);
		free(d->v[i].old_text);
		free(d->v[i].new_text);
	}
	free(d->v);
	*d = (struct diff){0};
}
