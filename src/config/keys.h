/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CONFIG_KEYS_H
#define PMCTL_CONFIG_KEYS_H
/*
 * keys - the one table of INI keys. Parser, check, show, diff, pmctl.ini.5, completion and the
 * options of `pmctl start SCRIPT` all come from it. To add a key, add a row in keys.c and a field
 * in struct app_conf.
 */
#include <stdbool.h>
#include <stddef.h>

/* What a change of this key costs a running app. */
enum apply_effect { APPLY_NONE, APPLY_LIVE, APPLY_RELOAD, APPLY_RESTART };

struct key_type; /* config/types.h: parse, format, free */

struct key {
	const char *name; /* "env." and "limit." end in a dot: a family of keys */
	const struct key_type *type;
	size_t offset;	     /* in struct app_conf */
	const char *def;     /* text, parsed like the user's; NULL = unset */
	long long min, max;  /* for numbers, durations and sizes: in the type's base unit */
	const char *choices; /* "a|b|c" for enumerations and completion; NULL = free text */
	enum apply_effect apply;
	bool later; /* known, but its effect comes in a later version: refused with a reason */
	const char *meta; /* value placeholder in help: N, SIZE, DURATION, PATH, WORDS ... */
	const char *doc;  /* one or two sentences, plain text */
};

extern const struct key keys[];
extern const size_t keys_count;

/* The row for "script" or, for a family, for "env.PORT"; NULL if there is none. */
const struct key *keys_find(const char *name);
/* `; did you mean "instances"?` or "". */
void keys_suggest(const char *wrong, char *out, size_t cap);

#endif
