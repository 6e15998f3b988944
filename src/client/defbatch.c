/* SPDX-License-Identifier: MIT */
#include "client/defbatch.h"

#include "common/limits.h"
#include "proto/defjson.h"

#define BATCH (LIMIT_MESSAGE - 8192) /* bytes of definitions in one request */

static size_t size_of(const json_t *def)
{
	return json_dumpb(def, NULL, 0, JSON_COMPACT) + 1;
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
		size_t one = size_of(def);
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
	struct err err;
	for (size_t i = 0; i < n && size <= BATCH; i++) {
		json_t *def = defjson_write(defs[i], &err);
		size += def ? size_of(def) : 0;
		json_decref(def);
	}
	return size <= BATCH;
}
