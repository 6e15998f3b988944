/* SPDX-License-Identifier: MIT */
#include "app/leak.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define SECOND 1000
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define MIB    (1024. * 1024.)
#define WINDOW (15 * MINUTE)
#define BEAT   (15 * SECOND)

static const struct leak_conf conf = {.window_ms = WINDOW};

/* Bytes at t ms after the start. */
typedef double shape(int64_t t, double a, double b);

struct run {
	shape *fn;
	double a, b;
	int64_t phase, beat;
	double noise; /* MiB, of every sample */
	struct leak_conf conf;
};

static double noise(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return (double)(*seed >> 16 & 0x7fff) / 0x7fff - 0.5;
}

/* When it is found, ms after the start; -1 = not within so long. */
static int64_t found(const struct run *r, int64_t lasts, int *times)
{
	struct leak l = {0};
	unsigned seed = 1;
	int64_t first = -1, beat = r->beat ? r->beat : BEAT;
	int n = 0;
	leak_start(&l, 7777);
	for (int64_t t = 0; t < lasts; t += beat) {
		double v = r->fn(t + r->phase, r->a, r->b) + r->noise * MIB * noise(&seed);
		if (leak_add(&l, &r->conf, 7777 + t, (int64_t)v) == LEAK_BEGAN) {
			first = first < 0 ? t : first;
			n++;
		}
	}
	if (times) {
		*times = n;
	}
	return first;
}

static bool is_never(struct run r, int64_t lasts)
{
	r.conf = r.conf.window_ms ? r.conf : conf;
	return found(&r, lasts, NULL) < 0;
}

/* a MiB a minute from 100 MiB on. */
static double grows(int64_t t, double a, double b)
{
	(void)b;
	return 100 * MIB + a * MIB * (double)t / MINUTE;
}

/* Up to a MiB, half of the rest in each b minutes. */
static double flattens(int64_t t, double a, double b)
{
	return 50 * MIB + a * MIB * (1 - pow(0.5, (double)t / MINUTE / b));
}

/* Teeth of a MiB, each b minutes. */
static double saws(int64_t t, double a, double b)
{
	double at = (double)t / MINUTE / b;
	return 80 * MIB + a * MIB * (at - floor(at));
}

/* One step of a MiB after b minutes. */
static double steps(int64_t t, double a, double b)
{
	return 60 * MIB + (t >= b * MINUTE ? a * MIB : 0);
}

static double saws_and_grows(int64_t t, double a, double b)
{
	return saws(t, 40, b) + grows(t, a, 0);
}

static double grows_then_not(int64_t t, double a, double b)
{
	double until = b * MINUTE;
	return grows((double)t < until ? t : (int64_t)until, a, 0);
}

static void a_leak(void **state)
{
	(void)state;
	static const double rates[] = {0.6, 1, 2.1, 30, 1000};
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct run r = {.fn = grows, .a = rates[i], .conf = conf};
		int64_t at = found(&r, 2 * HOUR, NULL);
		assert_in_range(at, 26 * MINUTE, 29 * MINUTE);
		r.noise = rates[i] / 3;
		at = found(&r, 2 * HOUR, NULL);
		assert_in_range(at, 25 * MINUTE, 40 * MINUTE);
	}
	assert_true(is_never((struct run){.fn = grows, .a = 0.4}, 24 * HOUR));
	assert_true(is_never((struct run){.fn = grows, .a = -2}, HOUR));
	assert_true(is_never((struct run){.fn = grows, .a = 0, .noise = 20}, 24 * HOUR));
}

/* 5 % of memory_max an hour. */
static void a_large_limit(void **state)
{
	(void)state;
	struct run r = {.fn = grows, .a = 1, .conf = conf};
	r.conf.memory_max = (int64_t)(1190 * MIB);
	assert_true(found(&r, 12 * HOUR, NULL) > 0);
	r.conf.memory_max = (int64_t)(1210 * MIB);
	assert_true(is_never(r, 3 * HOUR));
}

static void warm_up_that_flattens(void **state)
{
	(void)state;
	for (double half = 0.5; half <= 10; half += 0.5) {
		for (double size = 50; size < 3000; size *= 3) {
			struct run r = {.fn = flattens, .a = size, .b = half};
			assert_true(is_never(r, 3 * HOUR));
			r.noise = 1;
			assert_true(is_never(r, 3 * HOUR));
		}
	}
}

/* Of any length: while it is in its first tooth, nobody can know. */
static void a_sawtooth(void **state)
{
	(void)state;
	for (double period = 0.5; period <= 10; period += 0.5) {
		for (int64_t phase = 0; phase < period * MINUTE; phase += 40 * SECOND) {
			struct run r = {.fn = saws, .a = 60, .b = period, .phase = phase};
			assert_true(is_never(r, 2 * HOUR));
			r.noise = 2;
			assert_true(is_never(r, 2 * HOUR));
		}
	}
	for (double period = 11; period <= 90; period += 3.7) {
		int times;
		struct run r = {.fn = saws, .a = 200, .b = period, .noise = 2, .conf = conf};
		int64_t at = found(&r, 24 * HOUR, &times);
		assert_true(at < 0 || at < period * 2 * MINUTE);
		assert_in_range(times, 0, 2);
	}
}

static void one_step(void **state)
{
	(void)state;
	for (double when = 1; when < 60; when += 0.7) {
		struct run r = {.fn = steps, .a = 300, .b = when};
		assert_true(is_never(r, 2 * HOUR));
		r.noise = 1;
		assert_true(is_never(r, 2 * HOUR));
	}
}

static void a_leak_under_a_sawtooth(void **state)
{
	(void)state;
	for (double period = 0.5; period <= 3; period += 0.5) {
		struct run r = {.fn = saws_and_grows, .a = 2, .b = period, .conf = conf};
		assert_in_range(found(&r, 12 * HOUR, NULL), 25 * MINUTE, 3 * HOUR);
	}
}

static void over(void **state)
{
	(void)state;
	struct leak l = {0};
	enum leak_news news = LEAK_NOTHING;
	int64_t t = 0;
	leak_start(&l, 1);
	for (; news != LEAK_BEGAN; t += BEAT) {
		assert_true(t < HOUR);
		news = leak_add(&l, &conf, 1 + t, (int64_t)grows_then_not(t, 3, 60));
	}
	assert_true(leak_is(&l));
	assert_in_range(leak_bytes_per_min(&l), 2.9 * MIB, 3.1 * MIB);
	for (; news != LEAK_OVER; t += BEAT) {
		assert_true(t < 2 * HOUR);
		news = leak_add(&l, &conf, 1 + t, (int64_t)grows_then_not(t, 3, 60));
		assert_int_not_equal(news, LEAK_BEGAN);
	}
	assert_true(t > HOUR);
	assert_false(leak_is(&l));
	assert_int_equal(leak_bytes_per_min(&l), 0);
}

static void feed(struct leak *l, int64_t from, int64_t to, int64_t beat)
{
	for (int64_t t = from; t < to; t += beat) {
		leak_add(l, &conf, t, (int64_t)grows(t, 3, 0));
	}
}

static void lives(void **state)
{
	(void)state;
	struct leak l = {0};
	for (int i = 0; i < LEAK_LIVES + 2; i++) {
		int64_t from = 1 + i * 10 * HOUR;
		leak_start(&l, from);
		feed(&l, from, from + (i == 3 ? MINUTE : HOUR), BEAT);
		assert_int_equal(leak_end(&l, from + HOUR), i == 3 ? LEAK_NOTHING : LEAK_OVER);
		assert_false(leak_is(&l));
	}
	assert_int_equal(l.lives, LEAK_LIVES);
	const struct leak_life *last = &l.life[LEAK_LIVES - 1];
	assert_int_equal(last->lived_s, 3600);
	assert_in_range(last->last - last->first, 145 * 1024, 151 * 1024); /* 50 minutes */
	assert_int_equal(l.life[1].first, 0); /* did not live that long */
	leak_end(&l, 200 * HOUR);
	assert_int_equal(l.lives, LEAK_LIVES); /* nothing ran */
}

/* The machine slept, or nobody sampled. */
static void gaps(void **state)
{
	(void)state;
	struct leak l = {0};
	leak_start(&l, 1);
	feed(&l, 1, 20 * MINUTE, BEAT);
	feed(&l, 5 * HOUR, 5 * HOUR + 14 * MINUTE, BEAT);
	assert_false(leak_is(&l));
	feed(&l, 5 * HOUR + 14 * MINUTE, 5 * HOUR + 20 * MINUTE, BEAT);
	assert_true(leak_is(&l));
	assert_in_range(l.since_ms, 5 * HOUR + 15 * MINUTE, 5 * HOUR + 18 * MINUTE);
	/* a missing minute here and there does not matter */
	leak_start(&l, 1);
	feed(&l, 1, 20 * MINUTE, BEAT);
	feed(&l, 21 * MINUTE + 30 * SECOND, 30 * MINUTE, BEAT);
	assert_true(leak_is(&l));
	/* nor a clock that stands */
	for (int i = 0; i < 1000; i++) {
		leak_add(&l, &conf, 30 * MINUTE, 1 << 30);
	}
	assert_true(leak_is(&l));
}

static void another_window(void **state)
{
	(void)state;
	static const struct leak_conf off = {0}, small = {.window_ms = 20 * SECOND};
	struct leak l = {0};
	leak_start(&l, 1);
	feed(&l, 1, 40 * MINUTE, BEAT);
	assert_true(leak_is(&l));
	assert_int_equal(leak_add(&l, &off, 40 * MINUTE, 1000 << 20), LEAK_OVER);
	assert_false(leak_is(&l));
	/* the warm-up is shorter, too: 13.3 s */
	struct run r = {.fn = grows, .a = 60, .conf = small, .beat = leak_beat_ms(20 * SECOND)};
	assert_in_range(found(&r, MINUTE, NULL), 35 * SECOND, 40 * SECOND);
	r.a = 2; /* less than 1 MiB in 20 s */
	assert_int_equal(found(&r, MINUTE, NULL), -1);
	assert_int_equal(leak_beat_ms(WINDOW), 15 * SECOND);
	assert_int_equal(leak_beat_ms(24 * (int64_t)HOUR), 15 * SECOND);
	assert_int_equal(leak_beat_ms(20 * SECOND), 500);
	assert_int_equal(leak_warmup_ms(WINDOW), 10 * MINUTE);
}

static void told(void **state)
{
	(void)state;
	struct leak l = {0};
	char text[64];
	leak_start(&l, 1);
	feed(&l, 1, HOUR, BEAT);
	int64_t left = leak_left_ms(&l, (int64_t)(400 * MIB), (int64_t)(280 * MIB));
	assert_in_range(left, 39 * MINUTE, 41 * MINUTE);
	assert_int_equal(leak_left_ms(&l, 0, 1), -1);
	assert_int_equal(leak_left_ms(&l, 1000, 2000), 0);
	leak_text((int64_t)(2.1 * MIB), 85 * MINUTE, text, sizeof(text));
	assert_string_equal(text, "leak? +2.1M/min, 1h25m left");
	leak_text((int64_t)(2.1 * MIB), -1, text, sizeof(text));
	assert_string_equal(text, "leak? +2.1M/min");
}

/* Whatever lies in shared memory: no crash, no endless loop, and it works afterwards. */
static void nonsense(void **state)
{
	(void)state;
	unsigned seed = 99;
	for (int i = 0; i < 3000; i++) {
		struct leak l;
		unsigned char *p = (unsigned char *)&l;
		for (size_t k = 0; k < sizeof(l); k++) {
			seed = seed * 1103515245u + 12345u;
			/* often small: what passes the checks matters most */
			p[k] = seed >> 30 ? 0 : (unsigned char)(seed >> 16);
		}
		leak_repair(&l, 50 * HOUR);
		feed(&l, 50 * HOUR, 50 * HOUR + MINUTE, BEAT);
		leak_end(&l, 51 * HOUR);
		leak_start(&l, 60 * HOUR);
		feed(&l, 60 * HOUR, 60 * HOUR + 29 * MINUTE, 20 * SECOND);
		assert_true(leak_is(&l));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_leak),
		cmocka_unit_test(a_large_limit),
		cmocka_unit_test(warm_up_that_flattens),
		cmocka_unit_test(a_sawtooth),
		cmocka_unit_test(one_step),
		cmocka_unit_test(a_leak_under_a_sawtooth),
		cmocka_unit_test(over),
		cmocka_unit_test(lives),
		cmocka_unit_test(gaps),
		cmocka_unit_test(another_window),
		cmocka_unit_test(told),
		cmocka_unit_test(nonsense),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
