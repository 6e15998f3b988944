/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_IMPORT_REPORT_H
#define PMCTL_CLIENT_IMPORT_REPORT_H
/* report - what became of each key of an import, for people and as JSON. Pure. */
#include "client/import/import.h"

/* Lines, by app, and a sum at the end; safe to print. */
void importreport_text(const struct import *im, struct buf *out);
/* One object, with the result itself. problems: what our own parser says of it. */
void importreport_json(const struct import *im, const char *format, const char *ini,
		       const struct err_list *problems, struct buf *out);

#endif
