/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "app/states.h"

static void every_state_has_a_way_to_stopped(void **arg)
{
	(void)arg;
	for (int s = 0; s < ST_COUNT; s++) {
		const struct transition *t = states_cell((enum inst_state)s, EV_STOP);
		if (s == ST_STOPPED) {
			assert_null(t->reason);
		} else if (s == ST_STOPPING) {
			assert_int_equal(states_cell(ST_STOPPING, EV_GONE)->next, ST_STOPPED);
		} else if (states_is_live((enum inst_state)s)) {
			assert_int_equal(t->next, ST_STOPPING);
			assert_true(t->fx & FX_TERM);
		} else {
			assert_int_equal(t->next, ST_STOPPED);
			assert_true(t->fx & FX_DISARM);
		}
	}
}

static void a_process_is_there_exactly_in_live_states(void **arg)
{
	(void)arg;
	for (int s = 0; s < ST_COUNT; s++) {
		for (int e = 0; e < EV_COUNT; e++) {
			const struct transition *t =
				states_cell((enum inst_state)s, (enum inst_event)e);
			if (!t->reason) {
				assert_int_equal(t->fx, 0);
				continue;
			}
			/* Every change leaves no timer of the old state behind. */
			assert_true(t->fx & FX_DISARM);
			assert_true(!(t->fx & FX_SPAWN) || t->next == ST_STARTING);
			assert_true(t->next != ST_STARTING || (t->fx & FX_SPAWN));
			assert_true(!(t->fx & FX_TERM) || t->next == ST_STOPPING);
			assert_true(!(t->fx & FX_ARM_BACKOFF) == (t->next != ST_BACKOFF));
		}
	}
}

static void only_an_operator_forgives(void **arg)
{
	(void)arg;
	for (int s = 0; s < ST_COUNT; s++) {
		for (int e = 0; e < EV_COUNT; e++) {
			bool asked = e == EV_START || e == EV_RESTART || e == EV_GONE_AGAIN;
			unsigned fx = states_cell((enum inst_state)s, (enum inst_event)e)->fx;
			assert_true(asked || !(fx & FX_FORGIVE));
		}
	}
}

/* Ignoring an event is a decision: this list changes only on purpose. */
static void ignored_pairs_are_these(void **arg)
{
	static const char golden[] =
		"stopped: stop ready not-ready exit-now exit-retry exit-give-up exit-done gone "
		"gone-again backoff-over\n"
		"starting: start gone gone-again backoff-over\n"
		"online: start ready not-ready gone gone-again backoff-over\n"
		"stopping: start stop restart ready not-ready backoff-over\n"
		"backoff: ready not-ready exit-now exit-retry exit-give-up exit-done gone "
		"gone-again\n"
		"failed: ready not-ready exit-now exit-retry exit-give-up exit-done gone "
		"gone-again backoff-over\n"
		"done: ready not-ready exit-now exit-retry exit-give-up exit-done gone gone-again "
		"backoff-over\n";
	char text[2048];
	size_t len = 0;
	(void)arg;
	for (int s = 0; s < ST_COUNT; s++) {
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"%s:", states_name((enum inst_state)s));
		for (int e = 0; e < EV_COUNT; e++) {
			if (!states_cell((enum inst_state)s, (enum inst_event)e)->reason) {
				len += (size_t)snprintf(text + len, sizeof(text) - len, " %s",
							states_event_name((enum inst_event)e));
			}
		}
		len += (size_t)snprintf(text + len, sizeof(text) - len, "\n");
	}
	assert_string_equal(text, golden);
}

static void names_are_those_of_the_contract(void **arg)
{
	static const char *const names[] = {"stopped", "starting", "online", "stopping",
					    "backoff", "failed",   "done"};
	(void)arg;
	for (int s = 0; s < ST_COUNT; s++) {
		assert_string_equal(states_name((enum inst_state)s), names[s]);
		assert_true(strlen(names[s]) <= 8);
	}
}

static void an_app_shows_its_worst_instance(void **arg)
{
	(void)arg;
	enum inst_state all[] = {ST_ONLINE, ST_ONLINE};
	assert_string_equal(states_of_app(all, NULL, 2), "online");
	enum inst_state some[] = {ST_ONLINE, ST_BACKOFF};
	assert_string_equal(states_of_app(some, NULL, 2), "degraded");
	enum inst_state none[] = {ST_BACKOFF, ST_FAILED};
	assert_string_equal(states_of_app(none, NULL, 2), "failed");
	bool wanted[] = {true, false};
	enum inst_state unwanted[] = {ST_ONLINE, ST_STOPPED};
	assert_string_equal(states_of_app(unwanted, wanted, 2), "online");
	bool nobody[] = {false, false};
	enum inst_state stopped[] = {ST_STOPPED, ST_STOPPED};
	assert_string_equal(states_of_app(stopped, nobody, 2), "stopped");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_has_a_way_to_stopped),
		cmocka_unit_test(a_process_is_there_exactly_in_live_states),
		cmocka_unit_test(only_an_operator_forgives),
		cmocka_unit_test(ignored_pairs_are_these),
		cmocka_unit_test(names_are_those_of_the_contract),
		cmocka_unit_test(an_app_shows_its_worst_instance),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
