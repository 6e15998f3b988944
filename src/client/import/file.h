/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_IMPORT_FILE_H
#define PMCTL_CLIENT_IMPORT_FILE_H
/* file - the file an import writes: all of it or none, and over another one only when told to. */
#include <stdbool.h>

#include "common/buf.h"
#include "common/err.h"

/* Mode 0600, as it may hold secrets; on the disk when this returns. force: takes the place of a
 * file (or link) that is there. Whatever happens, nothing half written is left behind. */
bool importfile_write(const char *path, const struct buf *text, bool force, struct err *err);
/* Always false: the error that it is there already. */
bool importfile_refuse(const char *path, struct err *err);

#endif
