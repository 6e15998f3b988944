/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_APP_ROLLOUT_H
#define PMCTL_APP_ROLLOUT_H
/*
 * rollout - the rules by which the processes of an app are replaced.
 *
 * Slot by slot, at most reload_parallel at a time, and nothing more is begun after the first
 * failure. In each slot a successor is started beside the old process (the trial). It takes the
 * slot once it has been ready for min_uptime; only then is the old one retired. If it fails, the
 * old one has never been touched.
 *
 * daemon/rollout.c has the processes, daemon/ops.c the commands that ask.
 */
#include <stdbool.h>
#include <stdint.h>

#include "app/states.h"

/* What a process is to its slot. */
enum inst_role {
	ROLE_SLOT,   /* the one in it */
	ROLE_TRIAL,  /* a successor beside it */
	ROLE_RETIRED /* replaced, and on its way out */
};

/* How far the slots before this one in the same app are. */
struct rollout_progress {
	int moving;  /* begun and not over */
	bool failed; /* one of them ended in failure */
};

enum rollout_turn { TURN_WAIT, TURN_BEGIN, TURN_LEAVE /* as it was: the rollout is called off */ };

enum rollout_turn rollout_turn(const struct rollout_progress *p, int parallel);

enum rollout_verdict {
	VERDICT_NONE,	/* nothing to do until it changes */
	VERDICT_LATER,	/* it is ready; judge again when it has proven itself */
	VERDICT_TAKE,	/* the successor has proven itself: give it the slot */
	VERDICT_FAILED, /* the successor is no good */
	VERDICT_DONE,	/* the old process is gone: the slot is done */
	VERDICT_STOPPED /* somebody has stopped the slot meanwhile */
};

/* What a change of state of one of the processes means for its slot. wanted is the wish for the
 * slot; proven_ms is when a successor that is ready will have proven itself, now_ms the present,
 * both on the same clock. */
enum rollout_verdict rollout_judge(enum inst_role role, enum inst_state state, bool wanted,
				   int64_t proven_ms, int64_t now_ms);

#endif
