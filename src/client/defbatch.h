/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_DEFBATCH_H
#define PMCTL_CLIENT_DEFBATCH_H
/*
 * defbatch - definitions as JSON, cut into as many arrays as it takes: a request has a limit, an
 * app list may be larger.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "config/def.h"

/* Take over an array; `last` = there is no other behind it. False with *err ends it. */
typedef bool defbatch_take(void *ctx, json_t *batch, bool last, struct err *err);

/* Give all definitions, in their order; without any, one empty array. False with *err: one cannot
 * be written, or `take` said so. */
bool defbatch_each(struct app_def *const *defs, size_t n, defbatch_take *take, void *ctx,
		   struct err *err);
/* Whether all of them are one array. */
bool defbatch_is_one(struct app_def *const *defs, size_t n);

#endif
