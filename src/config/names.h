/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CONFIG_NAMES_H
#define PMCTL_CONFIG_NAMES_H
/* names - what apps, projects and variables may be called, and how foreign text is quoted. */
#include <stdbool.h>

#include "common/err.h"

/* An app name: [A-Za-z0-9_.-]{1,40}, not all digits, not starting with . or -, not "all".
 * The reason has no subject: "is longer than 40 characters". */
bool names_check_app(const char *name, struct err *err);
/* The same without the words that selectors reserve: a project or a namespace. */
bool names_check_group(const char *name, struct err *err);
/* A variable: [A-Za-z_][A-Za-z0-9_]*. */
bool names_check_env(const char *name, struct err *err);
/* Whether pmctl or node itself sets this variable in every instance, so nobody else may. */
bool names_is_reserved_env(const char *name);

/* Foreign text for a message: escaped, and its end replaced by "..." where it is long. */
#define SHOWN_MAX 400
const char *names_shown(const char *text, char out[SHOWN_MAX]);

#endif
