/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_IMPORT_READ_H
#define PMCTL_CLIENT_IMPORT_READ_H
/* read - which kind of app list a file is, and its text through the right reader. */
#include "client/import/import.h"

enum import_format {
	FORMAT_UNKNOWN,
	FORMAT_CODE,
	FORMAT_JSON,
	FORMAT_YAML,
	FORMAT_SUPERVISORD,
	FORMAT_PROCFILE,
	FORMAT_DUMP,
	/* Known, but not read. */
	FORMAT_COMPOSE,
	FORMAT_SYSTEMD
};

/* By name (NULL = it has none), and where that tells nothing, by the text (NULL = do not look). */
enum import_format importread_format(const char *path, const char *text);
/* As JSON calls it: "pm2-code". */
const char *importread_name(enum import_format format);
/* What --format says: one of IMPORTREAD_NAMES; FORMAT_UNKNOWN if it is none of them. */
#define IMPORTREAD_NAMES "js|json|yaml|supervisord|procfile|dump"
enum import_format importread_named(const char *name);

/* Whether a text, which may also be that of a program, can be read at all. */
bool importread_check(const char *text, size_t len, struct err *err);
/* Whether it is text that our INI can hold: UTF-8 without a NUL byte. *err has no subject. */
bool importread_check_text(const char *text, size_t len, struct err *err);

/* Fill *im from a text of this format; not for code. *format may become FORMAT_DUMP. Pure. */
bool importread_text(struct import *im, enum import_format *format, const char *text, size_t len,
		     struct err *err);

#endif
