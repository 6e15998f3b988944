/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_LISTWATCH_H
#define PMCTL_CLIENT_LISTWATCH_H
/*
 * listwatch - `list --watch`: the list again and again, until a signal comes.
 *
 * On a terminal it is rewritten in place when something changed (client/live.h); elsewhere one
 * frame follows the other, or with --json one object a line. Goes on over an end of the daemon.
 */

struct client;

/* Returns the exit status. */
int listwatch_run(struct client *c);

#endif
