/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_TURNTIME_H
#define PMCTL_DAEMON_TURNTIME_H
/* turntime - how long the turns of the event loop take, for metrics. Two looks at the clock a turn.
 */
#include <ev.h>
#include <stdint.h>

#define TURNTIME_BOUNDS 5 /* up to 1 ms, 10 ms, 100 ms, 1 s, and all others */

struct turntime {
	struct ev_loop *loop;
	ev_check begin;
	ev_prepare end;
	int64_t woke_us; /* 0 = not yet */
	int64_t start_real_ms;
	uint64_t sum_us, count[TURNTIME_BOUNDS];
};

void turntime_init(struct turntime *t, struct ev_loop *loop);
void turntime_finish(struct turntime *t);

#endif
