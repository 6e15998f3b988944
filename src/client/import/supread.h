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

/* What was read, of one file or several. Zeroed = nothing yet. */
struct sup_file {
	/* An array of {"name", "line", "file", "keys": {KEY: TEXT}, "lines": {KEY: place}}; "file"
	 * is null for the first one, "again" is there if a section of this name came more than
	 * once. */
	json_t *sections;
	json_t *index; /* the same by name */
};

/* Add the sections of a text. file: its name for the report, NULL = the one that is imported; here:
 * its folder, which %(here)s says. False with the line that is none. */
bool supread(struct sup_file *f, const char *text, const char *file, const char *here,
	     struct err *err);
void sup_file_finish(struct sup_file *f);

/* What %(NAME)s may say. */
struct sup_names {
	const char *program, *group;
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
