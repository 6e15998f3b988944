/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_STARTUP_BOOTPATH_H
#define PMCTL_CLIENT_STARTUP_BOOTPATH_H
/*
 * bootpath - which directories of the caller's PATH the daemon needs at boot.
 *
 * Apps are searched and run with the daemon's PATH. A node below ~/.nvm is in that of a shell, and
 * not in that of a service manager.
 */
#include <stdbool.h>

struct client;

/* A PATH with the directories that a service manager does not search by itself in front; NULL if
 * there are none. Those that are not absolute or not there are left out, for root also those where
 * others could put programs, with a note. The caller frees. */
char *bootpath_extra(const struct client *c, const char *path, bool for_root);

#endif
