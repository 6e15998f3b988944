/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_TURNS_H
#define PMCTL_DAEMON_TURNS_H
/*
 * turns - whose turn it is to start and to stop: the key `after`.
 *
 * An instance that has to wait is held: it is wanted, stays stopped, and is started from the loop
 * once every app it comes after is ready. Only what is wanted is waited for. What runs is never
 * held, so a restart waits for nobody. Stopping goes the other way round.
 */
#include <ev.h>
#include <stdbool.h>
#include <stddef.h>

#include "config/order.h"

struct app;
struct app_def;
struct daemon;
struct inst;
struct op;

/* It waits on in any case; where that may be long, start_error says why. */
enum hold {
	HOLD_NO,
	HOLD_WAITS,
	HOLD_LATE,   /* what it comes after failed, and is tried again */
	HOLD_IN_VAIN /* ... and is not */
};

struct turns {
	struct daemon *daemon;
	ev_timer look; /* who may go on is looked at from the loop, never below a change */
	bool any_held;
	bool stale; /* apps or definitions changed since `order` was made */
	struct order order;
	struct app **apps; /* by their number in it */
};

void turns_init(struct turns *t, struct daemon *d);
void turns_finish(struct turns *t);

/* An app came, went, or has another definition. */
void turns_changed(struct daemon *d);
/* Something happened that a held instance, or the end of the daemon, may wait for. */
void turns_wake(struct daemon *d);

/* Asked before an instance that does not run is started. True: it has to wait, and will be started
 * from here. */
bool turns_hold(struct inst *in);
/* It is not to be started any more. */
void turns_drop(struct inst *in);
/* "db is stopped; not waited for", allocated; NULL if there is no such app. */
char *turns_passed_over(struct app *app);

/* Whether an operation is not to touch this instance yet: those of other apps in it go first. kind
 * is an op_kind: what is to be done to it. */
bool turns_must_wait(const struct op *op, int kind, const struct inst *in);

/* Whether the operation is not done with this app, or what it replaced is still there. */
bool turns_is_unfinished(const struct op *op, const struct app *app);

/* The daemon ends: ask all to stop whose turn it is, or all. When some have stopped the next are
 * asked from the loop. */
void turns_stop(struct daemon *d, bool at_once);

/* Check the `after` of definitions that are to be started with what is known. ERR_CONFIG. */
bool turns_check(struct daemon *d, struct app_def *const *defs, size_t n, struct err *err);

#endif
