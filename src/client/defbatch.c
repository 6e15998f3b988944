/* SPDX-License-Identifier: MIT */
#include "client/defbatch.h"

#include "common/limits.h"
#include "proto/defjson.h"

#define BATCH (LIMIT_MESSAGE - 8192) /* bytes of definitions in one request */

/* No more than this, in JSON. */
static size_t text_size(const char *s)
{
	size_t n = 3;
	for (; s && *s; s++) {
		n += (unsigned char)*s < ' ' ? 6 : *s == '"' || *s == '\\' ? 2 : 1;
	}
	return n;
}

static size_t size_of(const struct app_def *d)
{
	size_t n = 100 + text_size(d->name) + text_size(d->project) + text_size(d->file) +
		   text_size(d->list) + text_size(d->dir);
	for (size_t i = 0; i < d->nset; i++) {
		n += 16 + text_size(d->set[i].key) + text_size(d->set[i].value);
	}
	return n;
}

bool defbatch_each(struct app_def *const *defs, size_t n, defbatch_take *take, void *ctx,
		   struct err *err)
{
	json_t *batch = json_array();
	size_t size = 0;
	for (size_t i = 0; i < n; i++) {
		json_t *def = defjson_write(defs[i], err);
		if (!def) {
			json_decref(batch);
			return false;
		}
		size_t one = size_of(defs[i]);
		if (size + one > BATCH && json_array_size(batch)) {
			if (!take(ctx, batch, false, err)) {
				json_decref(def);
				return false;
			}
			batch = json_array();
			size = 0;
		}
		json_array_append_new(batch, def);
		size += one;
	}
	return take(ctx, batch, true, err);
}

bool defbatch_is_one(struct app_def *const *defs, size_t n)
{
	size_t size = 0;
	for (size_t i = 0; i < n && size <= BATCH; i++) {
		size += size_of(defs[i]);
	}
	return size <= BATCH;
}
