/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_PLANVIEW_H
#define PMCTL_CLIENT_PLANVIEW_H
/* planview - a plan in words: what changes, key by key, and what that costs. */
#include <jansson.h>
#include <stdbool.h>

#include "common/buf.h"

struct client;

/* Whether it says that anything is to be done. */
bool planview_is_empty(const json_t *plan);
/* All of it, with "project shop: pmctl.ini against what runs" above; path is the list as the user
 * named it. */
void planview_add(const struct client *c, struct buf *out, const json_t *plan, const char *path);
/* "1 to add, 2 to change, 1 left over", or with done = true "1 added, 2 changed, 1 left over". */
void planview_add_counts(struct buf *out, const json_t *plan, bool done);

#endif
