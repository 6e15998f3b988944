/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_APPOPTS_H
#define PMCTL_CLIENT_APPOPTS_H
/*
 * appopts - the options of `pmctl start SCRIPT`, which are the keys of pmctl.ini.
 *
 * A long option is made from each row of the key table (memory_max: --memory-max), so there is no
 * second list to keep in step. One table beside it has what PM2 calls them, and the short ones.
 */
#include <stdbool.h>

#include "client/args.h"
#include "common/err.h"
#include "config/def.h"

/* Names and letters that differ from the keys: --name, -i, --max-memory-restart ... */
struct opt_set appopts_short(void);
/* One for each key; booleans as --KEY and --no-KEY. Made at the first call, kept for good. */
struct opt_set appopts_keys(void);

/* What somebody who knows PM2 should know of an option that was given; NULL = nothing. Valid until
 * the next call. */
const char *appopts_note(const struct given *g);

/* Whether an option says that a new app is meant. */
bool appopts_any(const struct args *a);

/* Whether it is a command line, with blanks and no such file, and not a script. */
bool appopts_is_line(const char *script);

/* The definition of an ad hoc app: `script` (NULL = there is --command) with the options and
 * arguments; a script that is a command line becomes command. ERR_USAGE or ERR_CONFIG if they make
 * none. */
struct app_def *appopts_def(const struct args *a, const char *script, struct err *err);

#endif
