/* SPDX-License-Identifier: MIT */
#include "daemon/looptimer.h"

void looptimer_arm(struct ev_loop *loop, ev_timer *t, double seconds)
{
	ev_timer_stop(loop, t);
	ev_now_update(loop);
	ev_timer_set(t, seconds > 0 ? seconds : 0., 0.);
	ev_timer_start(loop, t);
}

void looptimer_soon(struct ev_loop *loop, ev_timer *t)
{
	if (!ev_is_active(t) && !ev_is_pending(t)) {
		ev_timer_set(t, 0., 0.);
		ev_timer_start(loop, t);
	}
}
