/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_IMPORT_SHELLLINE_H
#define PMCTL_CLIENT_IMPORT_SHELLLINE_H
/* shellline - command lines written for a shell, as `command`, which has none. Pure. */
#include <stdbool.h>

#include "common/words.h"

/* Whether the line means the same without a shell: words and quotes only. */
bool shellline_is_plain(const char *line);

/* The `command` that runs the line by this shell ("sh", "bash"). exec is put in front where the
 * line is one simple command, so that no shell stays between. Caller frees. */
char *shellline_wrap(const char *shell, const char *line);

/* Take NAME=VALUE words off the front of a plain line; *rest is what is left. Each is given to fn
 * with its text, which it may change. */
void shellline_take_env(const char **line, void (*fn)(void *ctx, char *name, char *value),
			void *ctx);

#endif
