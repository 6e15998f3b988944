/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_REMOTE_H
#define PMCTL_CLIENT_REMOTE_H
/*
 * remote - --host: the same command on another machine, over the user's own ssh.
 *
 * Nothing of ours listens on a network. ssh is run with the whole command line, each word quoted
 * for the shell there; who may log in as that user may use its daemon.
 */
#include <stdbool.h>

#include "client/args.h"
#include "common/buf.h"

struct client;

/* Run the command line that c->argv holds on this host, without the option itself. The parsed
 * command is in c. Returns the exit status of the pmctl there; 5 if it was not reached. */
int remote_run(struct client *c, const struct given *host);

#endif
