/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CONFIG_ENVFILE_H
#define PMCTL_CONFIG_ENVFILE_H
/*
 * envfile - the text of an env_file (dotenv fashion) to variables.
 *
 * NAME=VALUE lines; `export ` before the name, blank lines and # comment lines are skipped. A bare
 * value is literal up to the end of the line, blanks around it removed, and ends before " #". In
 * 'single quotes' everything is literal; in "double quotes" \n \r \t \\ \" \$ are understood.
 * Either may run over several lines. Nothing is expanded. A later line wins over an earlier one of
 * the same name. Pure, and used by the exec stub: depends on common/ only.
 */
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

struct env_file_var {
	char *name;
	char *value;
};

/* Owns its strings. Zeroed = empty. */
struct env_file {
	struct env_file_var *v; /* in file order; a name may be there twice */
	size_t n;
};

/* *out is written only on success; the error is "line 3: REASON" and shows no value. */
bool envfile_parse(struct env_file *out, const char *text, size_t len, struct err *err);
void envfile_finish(struct env_file *f);

#endif
