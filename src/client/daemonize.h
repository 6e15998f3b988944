/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_DAEMONIZE_H
#define PMCTL_CLIENT_DAEMONIZE_H
/* daemonize - find pmctld and start it. Only start, apply, resurrect and daemon start do. */
#include <stdbool.h>

#include "common/err.h"

struct client;

/* Connect; start the daemon first if nobody answers. *started tells which it was; may be NULL.
 * ERR_NO_DAEMON with what pmctld said if it does not start. */
bool daemonize(struct client *c, bool *started, struct err *err);

/* The pmctld that would be started: beside ourselves, where we were installed, or the bare name,
 * to be searched in PATH. The caller frees. */
char *daemonize_program(void);

#endif
