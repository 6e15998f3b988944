/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_UPGRADE_H
#define PMCTL_CLIENT_UPGRADE_H
/* upgrade - `daemon upgrade [PROGRAM]`. */

struct client;

/* Returns the exit status: 1 = refused, 9 = rolled back. */
int upgrade_daemon(struct client *c);

#endif
