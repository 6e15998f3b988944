/* SPDX-License-Identifier: MIT */
#include "app/eventring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct eventring *ring;
static int64_t now;

static int begin(void **state)
{
	(void)state;
	ring = calloc(1, sizeof(*ring));
	now = 1000000;
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(ring);
	return 0;
}

static const struct event *add(const char *app, int slot, const char *type, const char *text)
{
	struct event ev = {.real_ms = now, .slot = slot};
	snprintf(ev.app, sizeof(ev.app), "%s", app);
	snprintf(ev.type, sizeof(ev.type), "%s", type);
	snprintf(ev.text, sizeof(ev.text), "%s", text);
	now += 100;
	return eventring_add(ring, &ev);
}

static const struct event *exits(const char *app, int slot, int code)
{
	struct event ev = {.real_ms = now, .slot = slot, .has_exit = true};
	ev.exit = (struct event_exit){.known = true, .code = code, .next = NEXT_RETRY};
	snprintf(ev.app, sizeof(ev.app), "%s", app);
	snprintf(ev.type, sizeof(ev.type), "exit");
	now += 100;
	return eventring_add(ring, &ev);
}

static unsigned count(const char *app)
{
	unsigned n = 0;
	for (size_t i = 0; i < ring->n; i++) {
		n += strcmp(eventring_at(ring, i)->app, app) == 0;
	}
	return n;
}

static void in_order(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= 3 * LIMIT_EVENTS; i++) {
		char text[32];
		snprintf(text, sizeof(text), "%c%c", 'a' + i % 26, 'a' + i / 26 % 26);
		assert_int_equal(add("web", 0, "health", text)->seq, i);
	}
	assert_int_equal(ring->n, LIMIT_EVENTS);
	assert_int_equal(ring->last_seq, 3 * LIMIT_EVENTS);
	assert_int_equal(ring->lost_seq, 2 * LIMIT_EVENTS);
	for (size_t i = 0; i < ring->n; i++) {
		assert_int_equal(eventring_at(ring, i)->seq, 2 * LIMIT_EVENTS + 1 + i);
	}
}

static void rows_are_counted(void **state)
{
	(void)state;
	int64_t first = now;
	for (unsigned i = 1; i <= 5; i++) {
		char text[32];
		snprintf(text, sizeof(text), "started pid %u", 99 + i * 10);
		assert_int_equal(add("web", 0, "start", text)->times, i);
		const struct event *ev = exits("web", 0, 1);
		assert_int_equal(ev->times, i);
		assert_int_equal(ev->first_ms, first + 100);
		assert_int_equal(exits("web", 1, 1)->times, i); /* another slot has its own */
	}
	assert_int_equal(exits("web", 0, 2)->times, 1); /* something else */
	assert_int_equal(exits("web", 0, 1)->times, 1);
	now += EVENTRING_ROW_MS;
	assert_int_equal(exits("web", 0, 1)->times, 1); /* much later */
	for (size_t i = 0; i < ring->n; i++) {
		const struct event *ev = eventring_at(ring, i);
		assert_int_equal(ev->inside, ev->times > 1 && ev->times < 5);
	}
}

static void likeness(void **state)
{
	(void)state;
	static const struct {
		const char *a, *b;
		bool like;
	} rows[] = {
		{"started pid 12", "started pid 345", true},
		{"ready after 0.4s (READY=1)", "ready after 12.25s (READY=2)", true},
		{"", "", true},
		{"x", "", false},
		{"a 1", "a ", false},
		{"a 1 b", "a 1 c", false},
		{"GET / gave 503", "no answer", false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct event a = {.slot = 0}, b = {.slot = 0};
		snprintf(a.text, sizeof(a.text), "%s", rows[i].a);
		snprintf(b.text, sizeof(b.text), "%s", rows[i].b);
		assert_int_equal(event_is_like(&a, &b), rows[i].like);
		assert_int_equal(event_is_like(&b, &a), rows[i].like);
		b.has_by = true; /* what somebody asked for is told each time */
		assert_false(event_is_like(&a, &b));
	}
}

/* Fifty apps crash without end; one had its trouble before and must keep its story. */
static void a_storm_takes_nobody_his_story(void **state)
{
	(void)state;
	add("quiet", 0, "start", "started pid 4");
	exits("quiet", 0, 9);
	add("quiet", 0, "failed", "gave up");
	for (int i = 0; i < 20000; i++) {
		char app[16];
		snprintf(app, sizeof(app), "storm%d", i % 50);
		add(app, 0, "start", "started pid 5");
		exits(app, 0, 1);
	}
	assert_int_equal(ring->n, LIMIT_EVENTS);
	assert_int_equal(count("quiet"), 3);
	for (int i = 0; i < 50; i++) {
		char app[16];
		snprintf(app, sizeof(app), "storm%d", i);
		assert_in_range(count(app), 4, 100); /* the first and the last of both rows */
		bool first = false, last = false;
		for (size_t k = 0; k < ring->n; k++) {
			const struct event *ev = eventring_at(ring, k);
			if (strcmp(ev->app, app) == 0 && ev->has_exit) {
				first |= ev->times == 1;
				last |= ev->times == 400;
			}
		}
		assert_true(first && last);
	}
}

/* A row in a storm of its own does not push out what stood before it. */
static void repeats_go_first(void **state)
{
	(void)state;
	add("web", 0, "config", "memory_max changed");
	exits("web", 1, 7);
	for (int i = 0; i < 5 * LIMIT_EVENTS; i++) {
		exits("web", 0, 1);
	}
	assert_string_equal(eventring_at(ring, 0)->type, "config");
	assert_int_equal(eventring_at(ring, 1)->exit.code, 7);
	assert_int_equal(eventring_at(ring, 2)->times, 1);
	assert_int_equal(eventring_at(ring, ring->n - 1)->times, 5 * LIMIT_EVENTS);
	assert_int_equal(ring->lost_seq, 0); /* repeats are no loss */
}

/* What comes from a file has its numbers, and rows go on. */
static void from_a_file(void **state)
{
	(void)state;
	struct event ev = {.seq = 41, .real_ms = now, .slot = 0, .times = 7, .first_ms = 500};
	ev.has_exit = true;
	ev.exit = (struct event_exit){.known = true, .code = 1, .next = NEXT_RETRY};
	snprintf(ev.app, sizeof(ev.app), "web");
	snprintf(ev.type, sizeof(ev.type), "exit");
	eventring_add(ring, &ev);
	const struct event *next = exits("web", 0, 1);
	assert_int_equal(next->seq, 42);
	assert_int_equal(next->times, 8);
	assert_int_equal(next->first_ms, 500);
	assert_true(eventring_at(ring, 0)->inside);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(in_order, begin, end),
		cmocka_unit_test_setup_teardown(rows_are_counted, begin, end),
		cmocka_unit_test_setup_teardown(likeness, begin, end),
		cmocka_unit_test_setup_teardown(a_storm_takes_nobody_his_story, begin, end),
		cmocka_unit_test_setup_teardown(repeats_go_first, begin, end),
		cmocka_unit_test_setup_teardown(from_a_file, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
