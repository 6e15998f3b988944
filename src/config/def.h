/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CONFIG_DEF_H
#define PMCTL_CONFIG_DEF_H
/*
 * def - the definition of an app as it was written: key and text, with the line each came from.
 *
 * This is what the client sends, the daemon stores and `show` prints. It is decoded into a struct
 * app_conf (config/conf.h) by the one key table. Defaults and profiles are laid in already, so a
 * definition stands for itself. Owns all its strings.
 */
#include <stdbool.h>
#include <stddef.h>

struct setting {
	char *key;     /* "script", "env.PORT", "limit.nofile" */
	char *value;   /* as written, never NULL */
	unsigned line; /* in def.file; 0 = given on the command line */
};

struct app_def {
	char *name;
	char *project;
	char *file; /* absolute path of the INI file; NULL for an ad hoc app */
	char *list; /* the app list that includes that file; NULL = it is the list */
	char *dir;  /* absolute: what relative paths resolve against */
	unsigned line;
	struct setting *set; /* sorted by key, no key twice */
	size_t nset;
};

struct app_def *def_new(const char *name, const char *project, const char *file, const char *dir,
			unsigned line);
struct app_def *def_copy(const struct app_def *d);
/* The app list it is of; NULL for an ad hoc app. */
const char *def_list(const struct app_def *d);
/* Whether both say the same in the same place; the lines it stands in do not count. */
bool def_same(const struct app_def *a, const struct app_def *b);
/* Adds or replaces. */
void def_set(struct app_def *d, const char *key, const char *value, unsigned line);
void def_unset(struct app_def *d, const char *key);
/* NULL where the key is not set. */
const struct setting *def_find(const struct app_def *d, const char *key);
void def_free(struct app_def *d);

#endif
