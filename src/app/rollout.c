/* SPDX-License-Identifier: MIT */
#include "app/rollout.h"

enum rollout_turn rollout_turn(const struct rollout_progress *p, int parallel)
{
	if (p->failed) {
		/* What moves is waited for: it may fail too, and belongs to the same story. */
		return p->moving ? TURN_WAIT : TURN_LEAVE;
	}
	return p->moving < (parallel > 1 ? parallel : 1) ? TURN_BEGIN : TURN_WAIT;
}

static enum rollout_verdict judge_trial(enum inst_state state, int64_t proven_ms, int64_t now_ms)
{
	if (state == ST_ONLINE) {
		return now_ms >= proven_ms ? VERDICT_TAKE : VERDICT_LATER;
	}
	return states_is_live(state) ? VERDICT_NONE : VERDICT_FAILED;
}

enum rollout_verdict rollout_judge(enum inst_role role, enum inst_state state, bool wanted,
				   int64_t proven_ms, int64_t now_ms)
{
	switch (role) {
	case ROLE_TRIAL:
		return judge_trial(state, proven_ms, now_ms);
	case ROLE_RETIRED:
		return states_is_live(state) ? VERDICT_NONE : VERDICT_DONE;
	case ROLE_SLOT:
		break;
	}
	return state == ST_STOPPED && !wanted ? VERDICT_STOPPED : VERDICT_NONE;
}
