/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_APPFILE_H
#define PMCTL_CLIENT_APPFILE_H
/*
 * appfile - find, read and parse the app list, with the files it includes.
 *
 * Nothing that could block or never end is read, and as root nothing that others could have
 * written.
 */
#include <stdbool.h>

#include "common/buf.h"
#include "common/err.h"
#include "config/ini.h"

struct client;

#define APPFILE_DEFAULT "pmctl.ini"

/* The text of a file ("-" = standard input), by the rules above. */
bool appfile_text(const char *path, struct buf *text, struct err *err);

/* Read and check one app list ("-" = standard input), with a profile laid over it (NULL = none).
 * On failure *err has the reason, or errs those in the file (then err->code is ERR_CONFIG and
 * err->msg empty). */
bool appfile_read(const char *path, const char *profile, struct ini_file *out,
		  struct err_list *errs, struct err *err);

/* As above, all errors reported. Returns 0 or the exit status. */
int appfile_load(const struct client *c, const char *path, const char *profile,
		 struct ini_file *out);

/* Print the errors, "pmctl.ini:22: ..." where the file is below the current directory, and what
 * became of it ("nothing applied"). */
void appfile_report(const struct client *c, struct err_list *errs, const char *outcome);

#endif
