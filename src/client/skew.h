/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_SKEW_H
#define PMCTL_CLIENT_SKEW_H
/* skew - a daemon of another version than ours: what is common works, and one line says so. */
#include <stdbool.h>
#include <stddef.h>

/* The line into out; false: there is nothing to say (the same version, or not known: ""). */
bool skew_text(const char *daemon_version, const char *own_version, char *out, size_t cap);

#endif
