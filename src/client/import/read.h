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
	FORMAT_DUMP
};

/* By name, and where that tells nothing, by the beginning of the text (NULL = do not look). */
enum import_format importread_format(const char *path, const char *text);
const char *importread_name(enum import_format format);

/* Fill *im from a text of this format; not for code. *format may become FORMAT_DUMP. Pure. */
bool importread_text(struct import *im, enum import_format *format, const char *text, size_t len,
		     struct err *err);

#endif
