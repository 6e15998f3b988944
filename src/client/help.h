/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_HELP_H
#define PMCTL_CLIENT_HELP_H
/* help - text from the command table. Never talks to the daemon, but for the second line of
 * --version. All return the exit status. */

struct client;
struct command;

int help_short(struct client *c); /* pmctl alone */
int help_all(struct client *c);
int help_command(struct client *c, const struct command *cmd);
int help_version(struct client *c);

#endif
