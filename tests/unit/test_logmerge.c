/* SPDX-License-Identifier: MIT */
#include "client/logmerge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "common/mem.h"

static void an_empty_one_has_nothing(void **state)
{
	(void)state;
	struct logmerge m;
	size_t source = 77;
	logmerge_init(&m, false);
	assert_false(logmerge_pop(&m, &source));
	assert_int_equal(source, 77);
	logmerge_push(&m, 3, 5);
	assert_true(logmerge_pop(&m, &source));
	assert_int_equal(source, 3);
	assert_false(logmerge_pop(&m, &source));
	logmerge_finish(&m);
	logmerge_finish(&m);
}

/* All sources at once; the order of their numbers decides among equal times. */
static void assert_order(bool backward, const int64_t *times, size_t n, const size_t *want)
{
	struct logmerge m;
	size_t source;
	/* In whatever order they come. */
	for (size_t first = 0; first < n; first++) {
		logmerge_init(&m, backward);
		for (size_t i = 0; i < n; i++) {
			size_t k = (first + i) % n;
			logmerge_push(&m, k, times[k]);
		}
		for (size_t i = 0; i < n; i++) {
			assert_true(logmerge_pop(&m, &source));
			assert_int_equal(source, want[backward ? n - 1 - i : i]);
		}
		assert_false(logmerge_pop(&m, &source));
		logmerge_finish(&m);
	}
}

static void both_directions_agree(void **state)
{
	(void)state;
	static const int64_t times[] = {5, INT64_MAX, 5, INT64_MIN, -1, 5, 0, INT64_MAX};
	static const size_t want[] = {3, 4, 6, 0, 2, 5, 1, 7};
	assert_order(false, times, ARRAY_LEN(times), want);
	assert_order(true, times, ARRAY_LEN(times), want);
}

struct model {
	int64_t t[300];
	bool in[300];
};

static size_t model_take(struct model *m, bool backward)
{
	size_t best = SIZE_MAX;
	for (size_t i = 0; i < ARRAY_LEN(m->t); i++) {
		if (!m->in[i]) {
			continue;
		}
		/* Forward the lower number wins among equals, backward the higher. */
		bool better = best == SIZE_MAX ||
			      (backward ? m->t[i] >= m->t[best] : m->t[i] < m->t[best]);
		best = better ? i : best;
	}
	if (best != SIZE_MAX) {
		m->in[best] = false;
	}
	return best;
}

/* As it is used: each source comes back with its next line, in between others are taken. */
static void as_a_plain_search_finds_them(void **state)
{
	(void)state;
	for (int round = 0; round < 20; round++) {
		bool backward = round % 2;
		struct model model = {0};
		struct logmerge m;
		uint32_t seed = (uint32_t)round + 1;
		logmerge_init(&m, backward);
		for (int step = 0; step < 3000; step++) {
			seed = seed * 1664525 + 1013904223;
			size_t source = (seed >> 8) % ARRAY_LEN(model.t);
			/* The rounds grow, then shrink; times are few, so that many are equal. */
			bool push = (seed >> 20) % 8 < (step < 1500 ? 5 : 2);
			if (push && !model.in[source]) {
				model.in[source] = true;
				model.t[source] = (int64_t)(seed >> 24) % 7 - 3;
				logmerge_push(&m, source, model.t[source]);
				continue;
			}
			size_t want = model_take(&model, backward);
			size_t got = SIZE_MAX;
			assert_int_equal(logmerge_pop(&m, &got), want != SIZE_MAX);
			assert_int_equal(got, want);
		}
		logmerge_finish(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_one_has_nothing),
		cmocka_unit_test(both_directions_agree),
		cmocka_unit_test(as_a_plain_search_finds_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
