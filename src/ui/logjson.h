/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_UI_LOGJSON_H
#define PMCTL_UI_LOGJSON_H
/*
 * logjson - a log line that is a JSON object, folded to `level msg key=value`. Pure.
 *
 * A scanner that goes once over the line and keeps nothing: what is inside a value stays as it was
 * written. The time of the line is left out, the pane has its own.
 */
#include <stdbool.h>
#include <stddef.h>

struct logtext;

/* False, and nothing added: it is no such object. */
bool logjson_fold(const char *line, size_t len, struct logtext *out);

#endif
