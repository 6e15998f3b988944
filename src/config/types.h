/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CONFIG_TYPES_H
#define PMCTL_CONFIG_TYPES_H
/*
 * types - text to a field of struct app_conf and back, one struct key_type a kind of value.
 *
 * types.c has the plain ones, types_text.c strings and words, types_proc.c what concerns processes,
 * types_net.c addresses. A type knows its field by the row's offset; list types (env, limit,
 * listen, exit codes) know it by name.
 */
#include <stdbool.h>

#include "common/err.h"
#include "config/conf.h"
#include "config/keys.h"

struct key_type {
	const char *name; /* for the man page: "a size" */
	bool empty_ok;	  /* `key =` means something */
	/* Read `text` into the field, which is unset. `sub` is what follows the dot of a family
	 * ("PORT"), else NULL. *err gets a reason without a subject; the field is untouched then.
	 */
	bool (*parse)(struct app_conf *c, const struct key *k, const char *sub, const char *text,
		      struct err *err);
	/* The canonical text, which parse() reads back to the same; caller frees. NULL if unset. */
	char *(*format)(const struct app_conf *c, const struct key *k, const char *sub);
	void (*free)(struct app_conf *c, const struct key *k); /* NULL if nothing is owned */
};

/* The field a row stands for. */
#define TYPES_FIELD(c, k, type) (*(type *)(void *)((char *)(c) + (k)->offset))
#define TYPES_CONST_FIELD(c, k, type)                                                              \
	(*(const type *)(const void *)((const char *)(c) + (k)->offset))

/* Check what every type needs checked (empty, "not supported yet"), then parse. */
bool types_parse(struct app_conf *c, const struct key *k, const char *sub, const char *text,
		 struct err *err);

/* Digits only, without sign; false if there is anything else or it does not fit. */
bool types_read_number(const char *text, long long max, long long *out);
/* 1 yes, 0 no, -1 neither. */
int types_read_bool(const char *text);
/* `path` if absolute, else below dir; a leading ./ goes. Caller frees. */
char *types_join_path(const char *dir, const char *path);
/* `"x" is not one of a, b, c; did you mean "a"?`; choices are "a|b|c". Returns false. */
bool types_bad_choice(struct err *err, const char *text, const char *choices);

extern const struct key_type type_bool, type_int, type_duration, type_duration_or_no, type_size,
	type_enum, type_autorestart, type_compress, type_string, type_path, type_words,
	type_command, type_program, type_env_name, type_group_name, type_account, type_log_target,
	type_watch, type_cron;
extern const struct key_type type_env, type_limit, type_instances, type_exit_codes, type_signal,
	type_umask, type_nice, type_affinity;
extern const struct key_type type_listen, type_ready, type_health;

#endif
