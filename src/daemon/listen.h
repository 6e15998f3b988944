/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_LISTEN_H
#define PMCTL_DAEMON_LISTEN_H
/*
 * listen - the sockets of `listen =` that an instance is given as LISTEN_FDS.
 *
 * An instance holds a reference to each from its first start until it is at rest, so that clients
 * wait, instead of being refused, while it is replaced. All slots have the same sockets, or with
 * `balance = reuseport` each its own.
 */
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

struct app;
struct inst;
struct lsock;

/* A reference to number i of the app's `listen =` for a slot. NULL with a message that names who
 * holds the port, *error is the errno (may be NULL). */
struct lsock *listen_get(struct app *app, size_t i, int slot, struct err *err, int *error);

/* All of them for this instance, unless it has them. */
bool listen_open(struct inst *in, struct err *err);
void listen_close(struct inst *in);

/* Its process accepts from them, or soon does no more. Each may be called twice. */
void listen_begin_use(struct inst *in);
void listen_end_use(struct inst *in);

#endif
