/* SPDX-License-Identifier: MIT */
#include "app/states.h"

#include <stddef.h>

static const char *const state_names[ST_COUNT] = {
	[ST_STOPPED] = "stopped",   [ST_STARTING] = "starting", [ST_ONLINE] = "online",
	[ST_STOPPING] = "stopping", [ST_BACKOFF] = "backoff",	[ST_FAILED] = "failed",
	[ST_DONE] = "done",
};

static const char *const event_names[EV_COUNT] = {
	[EV_START] = "start",		[EV_STOP] = "stop",
	[EV_RESTART] = "restart",	[EV_READY] = "ready",
	[EV_NOT_READY] = "not-ready",	[EV_EXIT_NOW] = "exit-now",
	[EV_EXIT_RETRY] = "exit-retry", [EV_EXIT_GIVE_UP] = "exit-give-up",
	[EV_EXIT_DONE] = "exit-done",	[EV_GONE] = "gone",
	[EV_GONE_AGAIN] = "gone-again", [EV_BACKOFF_OVER] = "backoff-over",
};

#define AGAIN (FX_DISARM | FX_SPAWN)
#define END   (FX_DISARM | FX_TERM)

static const struct transition table[ST_COUNT][EV_COUNT] = {
	[ST_STOPPED] =
		{
			[EV_START] = {ST_STARTING, AGAIN | FX_FORGIVE, "asked to start"},
			[EV_RESTART] = {ST_STARTING, AGAIN | FX_FORGIVE, "asked to restart"},
		},
	[ST_STARTING] =
		{
			[EV_STOP] = {ST_STOPPING, END, "asked to stop"},
			[EV_RESTART] = {ST_STOPPING, END, "asked to restart"},
			[EV_READY] = {ST_ONLINE, FX_DISARM, "ready"},
			[EV_NOT_READY] = {ST_STOPPING, END, "not ready in time"},
			[EV_EXIT_NOW] = {ST_STARTING, AGAIN, "exited, started again"},
			[EV_EXIT_RETRY] = {ST_BACKOFF, FX_DISARM | FX_ARM_BACKOFF,
					   "exited, will retry"},
			[EV_EXIT_GIVE_UP] = {ST_FAILED, FX_DISARM, "exited too often"},
			[EV_EXIT_DONE] = {ST_DONE, FX_DISARM, "ended"},
		},
	[ST_ONLINE] =
		{
			[EV_STOP] = {ST_STOPPING, END, "asked to stop"},
			[EV_RESTART] = {ST_STOPPING, END, "asked to restart"},
			[EV_EXIT_NOW] = {ST_STARTING, AGAIN, "exited, started again"},
			[EV_EXIT_RETRY] = {ST_BACKOFF, FX_DISARM | FX_ARM_BACKOFF,
					   "exited, will retry"},
			[EV_EXIT_GIVE_UP] = {ST_FAILED, FX_DISARM, "exited too often"},
			[EV_EXIT_DONE] = {ST_DONE, FX_DISARM, "ended"},
		},
	[ST_STOPPING] =
		{
			[EV_EXIT_NOW] = {ST_STARTING, AGAIN, "ended, started again"},
			[EV_EXIT_RETRY] = {ST_BACKOFF, FX_DISARM | FX_ARM_BACKOFF,
					   "ended, will retry"},
			[EV_EXIT_GIVE_UP] = {ST_FAILED, FX_DISARM, "failed too often"},
			[EV_EXIT_DONE] = {ST_DONE, FX_DISARM, "ended"},
			[EV_GONE] = {ST_STOPPED, FX_DISARM, "stopped"},
			[EV_GONE_AGAIN] = {ST_STARTING, AGAIN | FX_FORGIVE,
					   "stopped, started again"},
		},
	[ST_BACKOFF] =
		{
			[EV_START] = {ST_STARTING, AGAIN | FX_FORGIVE, "asked to start"},
			[EV_STOP] = {ST_STOPPED, FX_DISARM, "asked to stop"},
			[EV_RESTART] = {ST_STARTING, AGAIN | FX_FORGIVE, "asked to restart"},
			[EV_BACKOFF_OVER] = {ST_STARTING, AGAIN, "next try"},
		},
	[ST_FAILED] =
		{
			[EV_START] = {ST_STARTING, AGAIN | FX_FORGIVE, "asked to start"},
			[EV_STOP] = {ST_STOPPED, FX_DISARM, "asked to stop"},
			[EV_RESTART] = {ST_STARTING, AGAIN | FX_FORGIVE, "asked to restart"},
		},
	[ST_DONE] =
		{
			[EV_START] = {ST_STARTING, AGAIN | FX_FORGIVE, "asked to start"},
			[EV_STOP] = {ST_STOPPED, FX_DISARM, "asked to stop"},
			[EV_RESTART] = {ST_STARTING, AGAIN | FX_FORGIVE, "asked to restart"},
		},
};

const struct transition *states_cell(enum inst_state state, enum inst_event event)
{
	return &table[state][event];
}

const char *states_name(enum inst_state state)
{
	return state_names[state];
}

const char *states_event_name(enum inst_event event)
{
	return event_names[event];
}

bool states_is_live(enum inst_state state)
{
	return state == ST_STARTING || state == ST_ONLINE || state == ST_STOPPING;
}

const char *states_of_app(const enum inst_state *state, const bool *wanted, int n)
{
	static const int badness[ST_COUNT] = {
		[ST_ONLINE] = 0,   [ST_DONE] = 1,    [ST_STOPPED] = 2, [ST_STARTING] = 3,
		[ST_STOPPING] = 4, [ST_BACKOFF] = 5, [ST_FAILED] = 6,
	};
	enum inst_state worst = ST_ONLINE;
	bool some_online = false;
	bool some_wanted = false;
	for (int i = 0; i < n; i++) {
		some_online |= state[i] == ST_ONLINE;
		if (wanted && !wanted[i] && !states_is_live(state[i])) {
			continue;
		}
		some_wanted = true;
		if (badness[state[i]] > badness[worst]) {
			worst = state[i];
		}
	}
	if (!some_wanted) {
		return state_names[n > 0 ? state[0] : ST_STOPPED];
	}
	return worst != ST_ONLINE && some_online ? "degraded" : state_names[worst];
}
