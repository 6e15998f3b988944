/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_IMPORT_SUPREAD_H
#define PMCTL_CLIENT_IMPORT_SUPREAD_H
/*
 * supread - the text of supervisord.conf, as Python's configuration parser reads it: comments begin
 * with ; or #, also behind a blank in a value; indented lines continue a value; a key given twice
 * has the later value. Pure.
 */
#include <jansson.h>
#include <stdbool.h>

#include "common/buf.h"
#include "common/err.h"

/* An array of {"name", "line", "keys": {KEY: TEXT}}. NULL with the line that is none. */
json_t *supread(const char *text, struct err *err);

/* What %(NAME)s may say. */
struct sup_names {
	const char *program, *group, *here;
	long numprocs, number;
};

/* The text with %(NAME)s and %% replaced; variables of supervisord's environment become marks
 * (map.h). Caller frees; NULL if something else stands in it. */
char *supread_expand(const char *text, const struct sup_names *n, struct err *err);

/* Call fn for each KEY=VALUE of `environment`. */
bool supread_environment(const char *text,
			 void (*fn)(void *ctx, const char *name, const char *value), void *ctx,
			 struct err *err);

#endif
