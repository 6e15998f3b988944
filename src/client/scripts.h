/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_SCRIPTS_H
#define PMCTL_CLIENT_SCRIPTS_H
/* scripts - the files that an app list names: who else could change the programs that are to run as
 * root, and what is not there. */
#include <stddef.h>

struct app_def;
struct client;

/* For root: a note for each app that runs as root a program that others can write or replace. No
 * refusal: the program of a package may be meant to be so. For all: a note for each env_file that
 * cannot be read now. */
void scripts_warn(const struct client *c, struct app_def *const *defs, size_t n);

#endif
