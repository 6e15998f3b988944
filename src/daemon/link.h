/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_LINK_H
#define PMCTL_DAEMON_LINK_H
/*
 * link - the supervisor's end of the line to the keeper: exits come in, descriptors are deposited.
 *
 * Owned by struct daemon. When the keeper dies the link says so once and everything else here
 * becomes a no-op. We become the keeper then (link_become_keeper()); where that fails the
 * processes are watched from here.
 */
#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "keeper/fdstore.h"
#include "keeper/shared.h"

struct link_hooks {
	void (*exited)(void *ctx, const struct ring_record *rec);
	void (*keeper_died)(void *ctx);
};

struct link {
	struct ev_loop *loop;
	struct link_hooks hooks;
	void *ctx;
	struct ring *ring;
	int event_fd, sock;
	ev_io event_io, sock_io;
	bool alive;
	bool foreign;		   /* link_init() failed: the keeper speaks another protocol */
	struct fdstore *collected; /* deposits go there instead, while we become the keeper */
};

/* Take over the descriptors the keeper gave us (keeper/shared.h). */
bool link_init(struct link *l, struct ev_loop *loop, const struct link_hooks *hooks, void *ctx,
	       struct err *err);
void link_finish(struct link *l);

/* Ask for everything that is held; `item` is called for each (and owns fd). Blocks briefly. */
bool link_fetch(struct link *l, void (*item)(void *ctx, const char *name, int fd), void *ctx,
		struct err *err);

/* fd stays the caller's. */
void link_deposit(struct link *l, const char *name, int fd);
void link_drop(struct link *l, const char *name);
void link_ready(struct link *l);
void link_stop(struct link *l);
/* Our end is wanted, the apps go on in the care of the keeper. */
void link_rest(struct link *l);
/* Our end is wanted; the next supervisor is this program, on trial. fd stays the caller's. False,
 * with errno: the keeper was not told, and we have to go on. */
bool link_try(struct link *l, int program_fd);
/* Tell the keeper that we cannot work, and why. */
void link_fail(struct link *l, const char *why);

/* The keeper is dead: this process becomes one, and its child the next supervisor. deposit() is
 * called to link_deposit() all that is worth keeping. Returns only if that is not possible. */
void link_become_keeper(struct link *l, int log_fd, void (*deposit)(void *ctx), void *ctx);

/* Deliver the records that wait. Called by the loop; also before a spawn's pid is looked at. */
void link_drain(struct link *l);

#endif
