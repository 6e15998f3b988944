/* SPDX-License-Identifier: MIT */
#include "app/past.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define MIB 1048576
#define T0  100000u

static struct past *fresh(void)
{
	static struct past p;
	memset(&p, 0, sizeof(p));
	return &p;
}

static void codes(void **state)
{
	(void)state;
	uint16_t last = 0;
	assert_int_equal(past_decode(0), 0);
	for (uint64_t v = 0; v < 2048; v++) {
		assert_int_equal(past_decode(past_code(v)), v); /* small ones exactly */
	}
	for (uint64_t v = 0; v < 1ull << 40; v = v * 21 / 20 + 1) {
		uint16_t code = past_code(v);
		uint64_t back = past_decode(code), off = back > v ? back - v : v - back;
		assert_true(code && code < 0x8000 && code >= last);
		assert_true(off * 1000 <= v);
		last = code;
	}
	for (unsigned code = 1; code < 0x8000; code++) {
		assert_int_equal(past_code(past_decode((uint16_t)code)), code);
	}
	assert_int_equal(past_code(UINT64_MAX), 0x7fff);
}

static void fits(void **state)
{
	(void)state;
	assert_true(sizeof(struct past) <= 15200); /* and what daemon/pasts.c puts beside it */
}

static void read1(const struct past *p, uint32_t now, uint32_t span, size_t n,
		  struct past_point *out)
{
	memset(out, 0x55, n * sizeof(*out));
	past_read(p, now, span, out, n);
}

static void empty(void **state)
{
	(void)state;
	struct past_point v[240];
	read1(fresh(), T0, 900, 240, v);
	for (int i = 0; i < 240; i++) {
		assert_true(v[i].cpu_pct < 0 && v[i].mem_bytes < 0 && !v[i].start);
	}
	read1(fresh(), 3, 86460, 240, v); /* younger than the span */
	assert_true(v[239].cpu_pct < 0);
}

static void each_second(void **state)
{
	(void)state;
	struct past *p = fresh();
	struct past_point v[60];
	for (uint32_t i = 0; i < 60; i++) {
		past_add(p, T0 + i, i, (int64_t)i * MIB);
	}
	read1(p, T0 + 59, 60, 60, v);
	for (int i = 0; i < 60; i++) {
		assert_int_equal((int)(v[i].cpu_pct + 0.5), i);
		assert_int_equal(v[i].mem_bytes, (int64_t)i * MIB);
	}
	/* means of CPU, highest memory */
	read1(p, T0 + 59, 60, 6, v);
	assert_int_equal((int)(v[5].cpu_pct * 10 + 0.5), 545);
	assert_int_equal(v[5].mem_bytes, (int64_t)59 * MIB);
	/* later: the end is a gap */
	read1(p, T0 + 69, 60, 6, v);
	assert_true(v[5].cpu_pct < 0 && v[5].mem_bytes < 0);
	assert_int_equal((int)(v[4].cpu_pct * 10 + 0.5), 545);
	/* more steps than seconds */
	read1(p, T0 + 59, 10, 60, v);
	assert_int_equal((int)(v[59].cpu_pct + 0.5), 59);
	assert_int_equal((int)(v[0].cpu_pct + 0.5), 50);
}

static void same_second(void **state)
{
	(void)state;
	struct past *p = fresh();
	struct past_point v;
	past_add(p, T0, 1, MIB);
	past_add(p, T0, 2, 2 * MIB);
	past_add(p, T0 - 50, 3, 3 * MIB); /* a clock that goes back stands */
	read1(p, T0, 1, 1, &v);
	assert_int_equal((int)(v.cpu_pct + 0.5), 3);
	assert_int_equal(v.mem_bytes, 3 * MIB);
	read1(p, T0, 100, 1, &v);
	assert_int_equal((int)(v.cpu_pct + 0.5), 3);
}

/* A sample stands for the time since the one before it, but not for too long. */
static void holds(void **state)
{
	(void)state;
	struct past *p = fresh();
	struct past_point v[100];
	past_add(p, T0, 10, MIB);
	past_add(p, T0 + 15, 20, 2 * MIB);
	past_add(p, T0 + 15 + PAST_HOLD_S + 1, 30, 3 * MIB);
	read1(p, T0 + 46, 47, 47, v);
	assert_int_equal((int)(v[0].cpu_pct + 0.5), 10);
	assert_int_equal((int)(v[1].cpu_pct + 0.5), 20);
	assert_int_equal((int)(v[15].cpu_pct + 0.5), 20);
	assert_true(v[16].cpu_pct < 0 && v[45].cpu_pct < 0);
	assert_int_equal((int)(v[46].cpu_pct + 0.5), 30);
}

static void starts(void **state)
{
	(void)state;
	struct past *p = fresh();
	struct past_point v[100];
	past_start(p, T0);
	past_add(p, T0 + 10, 10, MIB);
	past_end(p);
	past_add(p, T0 + 15, 10, MIB); /* no process ran in between */
	past_start(p, T0 + 20);
	past_add(p, T0 + 20, 20, MIB); /* a sample does not take the mark away */
	read1(p, T0 + 29, 30, 30, v);
	for (int i = 0; i < 30; i++) {
		assert_int_equal(v[i].start, i == 0 || i == 20);
	}
	assert_true(v[0].cpu_pct < 0 && v[1].cpu_pct > 9 && v[10].cpu_pct > 9);
	assert_true(v[12].cpu_pct < 0 && v[15].cpu_pct > 9 && v[17].cpu_pct < 0);
}

static void wraps(void **state)
{
	(void)state;
	struct past *p = fresh();
	struct past_point v[240];
	uint32_t t;
	for (t = T0; t < T0 + 3 * PAST_SECONDS + 17; t++) {
		past_add(p, t, t % 1000, (int64_t)(t - T0) * MIB);
	}
	t--;
	read1(p, t, 240, 240, v);
	for (uint32_t i = 0; i < 240; i++) {
		assert_int_equal((int)(v[i].cpu_pct + 0.5), (t - 239 + i) % 1000);
	}
}

/* Beyond the seconds there are minutes. */
static void a_day(void **state)
{
	(void)state;
	struct past *p = fresh();
	struct past_point v[240];
	uint32_t t = T0, day = 86400, end = T0 + day + 5000;
	for (; t <= end; t += 15) {
		double hour = (t - T0) / 3600;
		past_add(p, t, hour, (int64_t)(hour + 1) * 100 * MIB);
		if (t == T0 + 3600 * 20) {
			past_start(p, t);
		}
	}
	t -= 15;
	read1(p, t, day, 24, v);
	for (int i = 0; i < 24; i++) {
		double mid = (t - T0 - day + (i + 0.5) * 3600) / 3600.;
		assert_true(v[i].cpu_pct > mid - 2 && v[i].cpu_pct < mid + 1);
		assert_true(v[i].mem_bytes >= (int64_t)(mid - 1) * 100 * MIB);
	}
	int marks = 0;
	read1(p, t, 6 * 3600, 240, v); /* steps shorter than ... */
	for (int i = 0; i < 240; i++) {
		assert_true(v[i].cpu_pct >= 0);
		marks += v[i].start;
	}
	assert_int_equal(marks, 1);
	read1(p, t, 3600, 240, v); /* ... a minute */
	for (int i = 0; i < 240; i++) {
		assert_true(v[i].cpu_pct >= 0 && v[i].mem_bytes >= 0);
	}
}

static void minutes_keep_the_extremes(void **state)
{
	(void)state;
	struct past *p = fresh();
	for (uint32_t t = 6000; t < 6061; t++) {
		past_add(p, t, t == 6030 ? 99 : 0,
			 t == 6030   ? 500 * MIB
			 : t == 6040 ? MIB
				     : 9 * MIB);
	}
	struct past_minute m = p->minute[100];
	assert_in_range(past_decode(m.cpu_max), 9890, 9910);
	assert_in_range(past_decode(m.cpu_mean), 164, 166);
	assert_int_equal(past_decode(m.mem_min), 1024);
	assert_true(past_decode(m.mem_max) >= 511500 && past_decode(m.mem_max) <= 512500);
}

static void jumps(void **state)
{
	(void)state;
	struct past_point v[24];
	static const uint32_t jump[] = {
		31,   839,   840,   841,   899,	   900,	    901,
		5000, 86399, 86400, 86401, 200000, 3000000, 4000000000u - T0};
	for (size_t i = 0; i < sizeof(jump) / sizeof(jump[0]); i++) {
		struct past *p = fresh();
		for (uint32_t t = T0; t < T0 + 500; t++) {
			past_add(p, t, 50, 50 * MIB);
		}
		uint32_t now = T0 + 499 + jump[i];
		past_add(p, now, 70, 70 * MIB);
		read1(p, now, 20, 20, v);
		assert_true(v[19].cpu_pct > 69 && v[18].cpu_pct < 0);
		read1(p, now, 86400, 24, v);
		int known = 0;
		for (int k = 0; k < 24; k++) {
			known += v[k].cpu_pct >= 0;
			assert_true(v[k].cpu_pct < 71);
		}
		/* what was before is there as long as it is not older than a day */
		bool mixed = v[23].cpu_pct < 69;
		assert_int_equal(known >= 2 || mixed, jump[i] < 86400);
		assert_int_equal(known >= 1, 1);
	}
}

static void nonsense(void **state)
{
	(void)state;
	static struct past p;
	struct past_point v[240];
	unsigned seed = 5;
	for (int i = 0; i < 3000; i++) {
		unsigned char *b = (unsigned char *)&p;
		for (size_t k = 0; k < sizeof(p); k += 1 + k / 64) {
			seed = seed * 1103515245u + 12345u;
			b[k] = (unsigned char)(seed >> 16);
		}
		p.now = i % 2 ? T0 - 5 : p.now;
		past_repair(&p, T0);
		assert_true(p.now <= T0 && p.hold <= p.now);
		past_read(&p, T0, 86400, v, 240);
		past_add(&p, T0 + (unsigned)i, 1, 1);
		past_read(&p, T0 + (unsigned)i, 900, v, 60);
		assert_true(v[59].cpu_pct >= 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes),       cmocka_unit_test(fits),
		cmocka_unit_test(empty),       cmocka_unit_test(each_second),
		cmocka_unit_test(same_second), cmocka_unit_test(holds),
		cmocka_unit_test(starts),      cmocka_unit_test(wraps),
		cmocka_unit_test(a_day),       cmocka_unit_test(minutes_keep_the_extremes),
		cmocka_unit_test(jumps),       cmocka_unit_test(nonsense),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
