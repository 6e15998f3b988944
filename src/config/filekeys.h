/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CONFIG_FILEKEYS_H
#define PMCTL_CONFIG_FILEKEYS_H
/*
 * filekeys - the table of the keys of [pmctl]: what an app list says of itself. The parser,
 * suggestions and pmctl.ini.5 come from it. To add a key, add a row and a field of struct ini_file.
 */
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

struct ini_file;

struct file_key {
	const char *name;
	/* Take the value, which is not empty; dir is what relative paths resolve against. *err gets
	 * a reason without a subject. */
	bool (*set)(struct ini_file *f, const char *dir, const char *value, unsigned line,
		    struct err *err);
	const char *meta; /* value placeholder */
	const char *doc;  /* plain text */
};

extern const struct file_key file_keys[];
extern const size_t file_keys_count;

/* NULL if there is none. */
const struct file_key *filekeys_find(const char *name);

/* The value of `metrics`: *out is "unix:/PATH", "127.0.0.1:9100" or "[::1]:9100" (caller frees), or
 * NULL for "no". */
bool filekeys_metrics(const char *dir, const char *value, char **out, struct err *err);

#endif
