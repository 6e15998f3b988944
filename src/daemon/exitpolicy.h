/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_EXITPOLICY_H
#define PMCTL_DAEMON_EXITPOLICY_H
/*
 * exitpolicy - pmctld --foreground --exit-on: when the apps have ended, and with which code we do.
 *
 * An app has ended for good when each of its wanted instances is done or failed and nothing will
 * start one by itself. What an operator stopped is not wanted, and ends nothing.
 */
#include <ev.h>

struct daemon;

struct exitpolicy {
	struct daemon *daemon;
	ev_timer look; /* from the loop: nothing is stopped below a change of state */
};

void exitpolicy_init(struct exitpolicy *p, struct daemon *d);
void exitpolicy_finish(struct exitpolicy *p);
/* An instance has come to rest, or a supervisor has just begun. */
void exitpolicy_wake(struct daemon *d);

#endif
