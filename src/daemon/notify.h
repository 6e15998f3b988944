/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_NOTIFY_H
#define PMCTL_DAEMON_NOTIFY_H
/*
 * notify - the sd_notify(3) socket of an instance with `ready = notify`.
 *
 * One datagram socket per instance, so the path says who speaks; the sender's pid must besides be
 * the main process or one of its tree. A message is bounded, and what is not READY=1 or STATUS=
 * is ignored. No descriptors are taken.
 */
#include <stdbool.h>
#include <sys/types.h>

#include "common/err.h"

struct inst;
struct notify;

/* Make the socket for this instance; `owner` is the app's uid, which alone may write to it. */
struct notify *notify_new(struct inst *in, uid_t owner, struct err *err);
/* Take back the socket the keeper held. Owns fd. */
struct notify *notify_adopt(struct inst *in, uid_t owner, int fd);
/* Leave a duplicate with the keeper. */
void notify_deposit(const struct notify *n);
const char *notify_path(const struct notify *n);
void notify_free(struct notify *n);

#endif
