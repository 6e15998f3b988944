/* SPDX-License-Identifier: MIT */
#include "app/rollout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 8

static void turns(void **state)
{
	(void)state;
	static const struct {
		struct rollout_progress p;
		int parallel;
		enum rollout_turn want;
	} rows[] = {
		{{0, false}, 1, TURN_BEGIN}, {{1, false}, 1, TURN_WAIT},
		{{1, false}, 2, TURN_BEGIN}, {{2, false}, 2, TURN_WAIT},
		{{0, true}, 1, TURN_LEAVE},  {{1, true}, 3, TURN_WAIT},
		{{0, false}, 0, TURN_BEGIN}, {{1, false}, -1, TURN_WAIT},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(rollout_turn(&rows[i].p, rows[i].parallel), rows[i].want);
	}
}

/* Every cell. */
static void verdicts(void **state)
{
	(void)state;
	for (int s = 0; s < ST_COUNT; s++) {
		bool live = s == ST_STARTING || s == ST_ONLINE || s == ST_STOPPING;
		enum inst_state st = (enum inst_state)s;
		assert_int_equal(rollout_judge(ROLE_TRIAL, st, true, 100, 99),
				 s == ST_ONLINE ? VERDICT_LATER
				 : live		? VERDICT_NONE
						: VERDICT_FAILED);
		assert_int_equal(rollout_judge(ROLE_TRIAL, st, true, 100, 100),
				 s == ST_ONLINE ? VERDICT_TAKE
				 : live		? VERDICT_NONE
						: VERDICT_FAILED);
		assert_int_equal(rollout_judge(ROLE_RETIRED, st, false, 0, 0),
				 live ? VERDICT_NONE : VERDICT_DONE);
		/* Whatever the old one does by itself meanwhile, the successor goes on. */
		assert_int_equal(rollout_judge(ROLE_SLOT, st, true, 0, 0), VERDICT_NONE);
		assert_int_equal(rollout_judge(ROLE_SLOT, st, false, 0, 0),
				 s == ST_STOPPED ? VERDICT_STOPPED : VERDICT_NONE);
	}
}

/* Slots that end in any order, some in failure: never more than `parallel` move, nothing begins
 * after a failure, and it always comes to an end. */
static void any_order(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 2000; seed++) {
		enum { WAITING, MOVING, GOOD, BAD, LEFT } slot[SLOTS] = {WAITING};
		int parallel = 1 + (int)(seed % 4);
		bool any_bad = false;
		int open = SLOTS;
		srand(seed);
		for (int step = 0; open && step < 1000; step++) {
			for (int i = 0; i < SLOTS; i++) {
				struct rollout_progress p = {0};
				for (int k = 0; k < i; k++) {
					p.moving += slot[k] == MOVING;
					p.failed |= slot[k] == BAD;
				}
				if (slot[i] != WAITING) {
					continue;
				}
				enum rollout_turn t = rollout_turn(&p, parallel);
				assert_false(t == TURN_BEGIN && any_bad);
				slot[i] = t == TURN_BEGIN   ? MOVING
					  : t == TURN_LEAVE ? LEFT
							    : WAITING;
				open -= t == TURN_LEAVE;
			}
			int moving = 0;
			for (int i = 0; i < SLOTS; i++) {
				moving += slot[i] == MOVING;
			}
			assert_true(moving <= parallel);
			for (int i = rand() % SLOTS; i < SLOTS; i++) {
				if (slot[i] == MOVING) {
					slot[i] = rand() % 6 ? GOOD : BAD;
					any_bad |= slot[i] == BAD;
					open--;
					break;
				}
			}
		}
		assert_int_equal(open, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(turns),
		cmocka_unit_test(verdicts),
		cmocka_unit_test(any_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
