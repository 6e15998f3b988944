/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CONFIG_DIFF_H
#define PMCTL_CONFIG_DIFF_H
/*
 * diff - what is different between two definitions of an app, and what the change costs.
 *
 * Effective values are compared: writing a default, or 1024M for 1G, is no difference. Pure.
 */
#include <stddef.h>

#include "config/def.h"
#include "config/keys.h"

struct diff_entry {
	char *key;
	char *old_text; /* as written, or the value in effect; NULL = unset. env. values may be */
	char *new_text; /* secrets: whoever prints masks them */
	enum apply_effect effect;
};

/* Owns its strings. Zeroed = empty. */
struct diff {
	struct diff_entry *v; /* in the order of the key table, families by name */
	size_t n;
	enum apply_effect effect; /* the strongest of all */
};

/* A definition that does not decode (of another version of ours) is compared as text. */
void diff_defs(struct diff *out, const struct app_def *before, const struct app_def *after);
void diff_finish(struct diff *d);

#endif
