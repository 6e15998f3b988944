/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_FOREIGN_H
#define PMCTL_CLIENT_FOREIGN_H
/* foreign - app lists of other programs where one of ours is meant: what to do with them. */
#include <stdbool.h>

struct client;

/* By the name, or what kind of file it is; a .js is a script unless it is called as a list. */
bool foreign_is_list(const char *path);
/* start FILE: it is not run as a script. Returns the exit status. */
int foreign_refuse(struct client *c, const char *path);
/* A line for each operand that is no app but such a file; after a command found no target. */
void foreign_note(const struct client *c);

#endif
