/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_HEALTH_H
#define PMCTL_DAEMON_HEALTH_H
/*
 * health - whether an instance that is online still does its work.
 *
 * Asked each health_interval, or with `health = notify` heard from; health_failures in a row make
 * it unhealthy: it is replaced, by a successor beside it where that is possible, and the
 * replacement counts as a failure of the slot.
 */
#include <ev.h>
#include <stdbool.h>

struct inst;

/* It is online: begin to ask. Again after a change of the definition or of the supervisor. */
void health_begin(struct inst *in);
void health_end(struct inst *in);
/* WATCHDOG=1 has come; trigger = WATCHDOG=trigger, it gives itself up. */
void health_sign(struct inst *in, bool trigger);
void health_on_timer(struct ev_loop *loop, ev_timer *w, int revents);

#endif
