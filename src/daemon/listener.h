/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_LISTENER_H
#define PMCTL_DAEMON_LISTENER_H
/*
 * listener - the listening sockets of daemon/exporter.h: "unix:/PATH", "127.0.0.1:9100".
 *
 * A socket file has mode 0600. One that nobody answers on is replaced if it is ours; anything else
 * in its place is left alone. The identity of the file is remembered, so that another's is never
 * taken for it.
 */
#include <stdbool.h>
#include <sys/types.h>

#include "common/err.h"

/* -1 on failure; *error is the errno, 0 = it is none of the system's. */
int listener_open(const char *address, struct err *err, int *error);
/* EADDRINUSE: tell who has it, where that can be found out. Costs milliseconds. */
void listener_blame(const char *address, struct err *err);
/* Whether this descriptor is a socket that listens there. */
bool listener_is_at(int fd, const char *address);
/* Of the file at a unix address; 0 for others, or if there is none. */
void listener_identity(const char *address, dev_t *dev, ino_t *ino);
/* Whether that file is still there; true for others. */
bool listener_is_there(const char *address, dev_t dev, ino_t ino);
/* Remove it, if it is. */
void listener_remove(const char *address, dev_t dev, ino_t ino);

#endif
