/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <limits.h>

#include "app/policy.h"
#include "common/mem.h"

/* The middle of the jitter: delays come out as written. */
#define NO_JITTER(delay_ms) ((uint32_t)((delay_ms) / 10))

static struct app_conf defaults(void)
{
	return (struct app_conf){.autorestart = RESTART_ALWAYS,
				 .restart_delay_ms = 100,
				 .restart_delay_max_ms = 15000,
				 .max_restarts = 10,
				 .restart_window_ms = 300000};
}

static const struct exit_status exit_1 = {.known = true, .code = 1};
static const struct exit_status exit_0 = {.known = true, .code = 0};
static const struct exit_status killed = {.known = true, .signal = SIGKILL};

/* Live one program that always dies after `life` ms until it fails or `limit` ms are over.
 * Returns when it failed, -1 if it did not; *runs counts its lives. */
static int64_t live(int64_t life, int64_t limit, int *runs)
{
	struct app_conf c = defaults();
	struct history h;
	int64_t now = 0;
	int64_t result = -1;
	history_init(&h, c.max_restarts);
	for (*runs = 1; now < limit; ++*runs) {
		int64_t delay = 0;
		now += life;
		enum inst_event ev = policy_exit(&c, &h, &exit_1, life, now, 0, &delay);
		if (ev == EV_EXIT_GIVE_UP) {
			result = now;
			break;
		}
		now += ev == EV_EXIT_RETRY ? delay + delay / 9 : 0; /* jitter of -10 % undone */
	}
	history_finish(&h);
	return result;
}

static void the_contracts_examples_hold(void **arg)
{
	int runs;
	(void)arg;
	/* Dies at once: failed about a minute in, after exactly ten restarts. */
	int64_t t = live(0, 600000, &runs);
	assert_in_range(t, 50000, 70000);
	assert_int_equal(runs, 11);
	/* After 1.1 s: the same. */
	t = live(1100, 600000, &runs);
	assert_in_range(t, 50000, 80000);
	assert_int_equal(runs, 11);
	/* Every 20 s: healthy lives, but too many within the window. */
	t = live(20000, 600000, &runs);
	assert_in_range(t, 200000, 240000);
	/* Every 40 s goes on. */
	assert_int_equal(live(40000, 3600000, &runs), -1);
}

static void the_limit_is_exact(void **arg)
{
	(void)arg;
	for (int max = 1; max <= 6; max++) {
		struct app_conf c = defaults();
		struct history h;
		int64_t delay = 0;
		c.max_restarts = max;
		history_init(&h, max);
		for (int i = 0; i < max; i++) {
			assert_int_not_equal(policy_exit(&c, &h, &exit_1, 0, i, 0, &delay),
					     EV_EXIT_GIVE_UP);
		}
		assert_int_equal(policy_exit(&c, &h, &exit_1, 0, max, 0, &delay), EV_EXIT_GIVE_UP);
		history_finish(&h);
	}
}

static void the_window_slides(void **arg)
{
	struct app_conf c = defaults();
	struct history h;
	int64_t delay = 0;
	(void)arg;
	c.max_restarts = 2;
	c.restart_window_ms = 1000;
	history_init(&h, 2);
	policy_exit(&c, &h, &exit_1, 0, 0, 0, &delay);
	policy_exit(&c, &h, &exit_1, 0, 500, 0, &delay);
	assert_int_equal(policy_exit(&c, &h, &exit_1, 0, 999, 0, &delay), EV_EXIT_GIVE_UP);
	assert_int_equal(policy_exit(&c, &h, &exit_1, 0, 1000, 0, &delay), EV_EXIT_RETRY);
	/* A long life resets the delay, never the window. */
	assert_int_equal(policy_exit(&c, &h, &exit_1, 60000, 1001, 0, &delay), EV_EXIT_GIVE_UP);
	history_finish(&h);
}

/* 2^31 ms, 2^32 ms (49.7 days), and a clock that has run for 10,000 years; 2^32 restarts. */
static void nothing_is_too_large(void **arg)
{
	static const int64_t begins[] = {INT64_C(0x7fffffff) - 1500, INT64_C(0xffffffff) - 1500,
					 INT64_C(315576000000000)};
	(void)arg;
	for (size_t i = 0; i < ARRAY_LEN(begins); i++) {
		struct app_conf c = defaults();
		struct history h;
		int64_t delay = 0, t = begins[i];
		c.max_restarts = 2;
		c.restart_window_ms = 3000;
		history_init(&h, 2);
		assert_int_equal(policy_exit(&c, &h, &exit_1, 0, t, 0, &delay), EV_EXIT_RETRY);
		assert_int_equal(policy_exit(&c, &h, &exit_1, 0, t + 1000, 0, &delay),
				 EV_EXIT_RETRY);
		assert_int_equal(policy_exit(&c, &h, &exit_1, 0, t + 2999, 0, &delay),
				 EV_EXIT_GIVE_UP);
		assert_int_equal(policy_exit(&c, &h, &exit_1, 0, t + 3000, 0, &delay),
				 EV_EXIT_RETRY);
		assert_int_equal(policy_exit(&c, &h, &exit_1, INT64_MAX, t + 4500, 0, &delay),
				 EV_EXIT_NOW);
		history_finish(&h);
	}
	struct app_conf c = defaults();
	assert_in_range(policy_delay(&c, UINT_MAX, 0), c.restart_delay_max_ms * 9 / 10,
			c.restart_delay_max_ms);
	c.restart_delay_ms = 0;
	assert_int_equal(policy_delay(&c, UINT_MAX, 0), 0); /* and at once: not 2^32 steps later */
	struct history h;
	int64_t delay = 0;
	c = defaults();
	c.max_restarts = 0;
	history_init(&h, 0);
	h.in_a_row = UINT_MAX;
	for (int i = 0; i < 3; i++) {
		policy_exit(&c, &h, &exit_1, 0, i, 0, &delay);
		assert_in_range(delay, c.restart_delay_max_ms * 9 / 10, c.restart_delay_max_ms);
	}
	history_finish(&h);
}

static void zero_means_never_give_up(void **arg)
{
	struct app_conf c = defaults();
	struct history h;
	int64_t delay = 0;
	(void)arg;
	c.max_restarts = 0;
	history_init(&h, 0);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(policy_exit(&c, &h, &exit_1, 0, i, 0, &delay), EV_EXIT_RETRY);
	}
	history_finish(&h);
}

static void the_wait_doubles_up_to_its_limit(void **arg)
{
	static const int64_t want[] = {100, 200, 400, 800, 1600, 3200, 6400, 12800, 15000, 15000};
	struct app_conf c = defaults();
	(void)arg;
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(policy_delay(&c, i, NO_JITTER(want[i])), want[i]);
		for (uint32_t r = 0; r < 5000; r += 7) {
			int64_t d = policy_delay(&c, i, r);
			assert_in_range(d, want[i] - want[i] / 10, want[i] + want[i] / 10);
		}
	}
	assert_int_equal(policy_delay(&c, 4000000000u, NO_JITTER(15000)), 15000);
}

static void a_healthy_life_restarts_at_once(void **arg)
{
	struct app_conf c = defaults();
	struct history h;
	int64_t delay = -1;
	(void)arg;
	history_init(&h, c.max_restarts);
	assert_int_equal(policy_exit(&c, &h, &exit_1, 9999, 0, 10, &delay), EV_EXIT_RETRY);
	assert_int_equal(policy_exit(&c, &h, &exit_1, 10000, 1, 10, &delay), EV_EXIT_NOW);
	assert_int_equal(policy_exit(&c, &h, &exit_1, 0, 2, 10, &delay), EV_EXIT_RETRY);
	assert_int_equal(delay, 100);
	history_finish(&h);
}

static enum inst_event decide(const struct app_conf *c, const struct exit_status *st)
{
	struct history h;
	int64_t delay;
	history_init(&h, c->max_restarts);
	enum inst_event ev = policy_exit(c, &h, st, 0, 0, 0, &delay);
	history_finish(&h);
	return ev;
}

static void autorestart_and_stop_codes(void **arg)
{
	struct app_conf c = defaults();
	int codes[] = {0, 9};
	static const struct exit_status exit_9 = {.known = true, .code = 9};
	static const struct exit_status lost = {.known = false};
	(void)arg;
	c.autorestart = RESTART_ON_FAILURE;
	assert_int_equal(decide(&c, &exit_0), EV_EXIT_DONE);
	assert_int_equal(decide(&c, &exit_1), EV_EXIT_RETRY);
	assert_int_equal(decide(&c, &killed), EV_EXIT_RETRY);
	assert_int_equal(decide(&c, &lost), EV_EXIT_RETRY);
	c.autorestart = RESTART_NEVER;
	assert_int_equal(decide(&c, &killed), EV_EXIT_DONE);
	c.autorestart = RESTART_ALWAYS;
	assert_int_equal(decide(&c, &exit_0), EV_EXIT_RETRY);
	c.stop_exit_codes = codes;
	c.nstop_exit_codes = 2;
	assert_int_equal(decide(&c, &exit_0), EV_EXIT_DONE);
	assert_int_equal(decide(&c, &exit_9), EV_EXIT_DONE);
	assert_int_equal(decide(&c, &exit_1), EV_EXIT_RETRY);
	/* SIGKILL is number 9 and has code 0 in other managers: never a stop code. */
	assert_int_equal(decide(&c, &killed), EV_EXIT_RETRY);
	assert_int_equal(decide(&c, &lost), EV_EXIT_RETRY);
}

static void status_words(void **arg)
{
	char text[80];
	(void)arg;
	struct exit_status st = exit_status_decode(0x0300);
	assert_int_equal(st.code, 3);
	assert_int_equal(st.signal, 0);
	exit_status_text(&st, text, sizeof(text));
	assert_string_equal(text, "exited 3");
	st = exit_status_decode(SIGSEGV | 0x80);
	assert_int_equal(st.signal, SIGSEGV);
	assert_true(st.core);
	exit_status_text(&st, text, sizeof(text));
	assert_string_equal(text, "killed by SIGSEGV, core dumped");
	st = exit_status_decode(SIGRTMIN + 2);
	assert_int_equal(st.signal, SIGRTMIN + 2);
	st.known = false;
	exit_status_text(&st, text, sizeof(text));
	assert_string_equal(text, "ended in an unknown way");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_contracts_examples_hold),
		cmocka_unit_test(the_limit_is_exact),
		cmocka_unit_test(the_window_slides),
		cmocka_unit_test(nothing_is_too_large),
		cmocka_unit_test(zero_means_never_give_up),
		cmocka_unit_test(the_wait_doubles_up_to_its_limit),
		cmocka_unit_test(a_healthy_life_restarts_at_once),
		cmocka_unit_test(autorestart_and_stop_codes),
		cmocka_unit_test(status_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
