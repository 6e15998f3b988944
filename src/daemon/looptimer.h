/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_LOOPTIMER_H
#define PMCTL_DAEMON_LOOPTIMER_H
/* looptimer - one-shot timers that were ev_init()ed. */
#include <ev.h>

/* Fire in so many seconds from now, not from when the loop woke; one that runs begins anew. */
void looptimer_arm(struct ev_loop *loop, ev_timer *t, double seconds);
/* Fire in the loop's next turn, once, however often it is asked for. */
void looptimer_soon(struct ev_loop *loop, ev_timer *t);

#endif
