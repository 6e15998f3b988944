/* SPDX-License-Identifier: MIT */
#include "app/past.h"

#include <string.h>

/* Code 0 is "none", then 10 bits of mantissa and 5 of exponent, the small ones exact. */
#define MANTISSA 10
#define STEPS	 (1u << MANTISSA)
#define CODES	 0x8000u
#define START	 0x8000u
#define CPU_UNIT 100. /* a percent is that many units */
#define MEM_UNIT 1024 /* bytes */
#define MINUTE	 60

uint16_t past_code(uint64_t v)
{
	unsigned e = 0;
	while ((v >> e) >= 2 * STEPS) {
		e++;
	}
	if (e > 0) {
		uint64_t round = 1ull << (e - 1);
		v = v > UINT64_MAX - round ? UINT64_MAX : v + round;
		e += (v >> e) >= 2 * STEPS;
	}
	unsigned code = 1 + (unsigned)(v >> e) + e * STEPS;
	return code < CODES ? (uint16_t)code : CODES - 1;
}

uint64_t past_decode(uint16_t code)
{
	unsigned v = code & (CODES - 1);
	if (v <= 2 * STEPS) {
		return v ? v - 1 : 0;
	}
	unsigned e = (v - 1) / STEPS - 1;
	return (uint64_t)(v - 1 - e * STEPS) << e;
}

static bool is_known(uint16_t code)
{
	return (code & (CODES - 1)) != 0;
}

static uint16_t code_cpu(double pct)
{
	return pct >= 0 && pct < 1e9 ? past_code((uint64_t)(pct * CPU_UNIT + 0.5)) : 0;
}

static uint16_t code_mem(int64_t bytes)
{
	return bytes >= 0 ? past_code((uint64_t)bytes / MEM_UNIT) : 0;
}

static struct past_second *second_of(struct past *p, uint32_t s)
{
	return &p->second[s % PAST_SECONDS];
}

static uint16_t lower(uint16_t a, uint16_t b)
{
	return !is_known(a) || (is_known(b) && b < a) ? b : a;
}

/* What is known of a stretch of time, added up. */
struct sum {
	uint64_t cpu;
	unsigned n;
	uint16_t cpu_max, mem_min, mem_max; /* codes are in the order of what they mean */
	bool start;
	uint32_t told; /* the minute whose start was told last: one may be in several steps */
};

static void add_second(struct sum *s, struct past_second v)
{
	uint16_t mem = v.mem & (CODES - 1);
	s->start |= (v.mem & START) != 0;
	s->mem_min = lower(s->mem_min, mem);
	s->mem_max = mem > s->mem_max ? mem : s->mem_max;
	if (is_known(v.cpu)) {
		s->cpu += past_decode(v.cpu);
		s->cpu_max = v.cpu > s->cpu_max ? v.cpu : s->cpu_max;
		s->n++;
	}
}

static void add_minute(struct sum *s, struct past_minute v)
{
	uint16_t mem = v.mem_max & (CODES - 1);
	s->start |= (v.mem_max & START) != 0;
	s->mem_min = lower(s->mem_min, v.mem_min);
	s->mem_max = mem > s->mem_max ? mem : s->mem_max;
	if (is_known(v.cpu_mean)) {
		s->cpu += past_decode(v.cpu_mean);
		s->cpu_max = v.cpu_max > s->cpu_max ? v.cpu_max : s->cpu_max;
		s->n++;
	}
}

/* A minute is over: its seconds become one point. */
static void fold(struct past *p, uint32_t minute)
{
	struct sum s = {0};
	for (uint32_t t = minute * MINUTE; t < (minute + 1) * MINUTE; t++) {
		if (t <= p->now && p->now - t < PAST_SECONDS) {
			add_second(&s, *second_of(p, t));
		}
	}
	p->minute[minute % PAST_MINUTES] = (struct past_minute){
		.cpu_mean = s.n ? past_code(s.cpu / s.n) : 0,
		.cpu_max = s.cpu_max,
		.mem_min = s.mem_min,
		.mem_max = (uint16_t)(s.mem_max | (s.start ? START : 0)),
	};
}

static void forget_minutes(struct past *p, uint32_t from, uint32_t to)
{
	static const struct past_minute none;
	if (to - from >= PAST_MINUTES) {
		from = to - PAST_MINUTES;
	}
	for (uint32_t m = from; m < to; m++) {
		/* A page that was never used stays so. */
		if (memcmp(&p->minute[m % PAST_MINUTES], &none, sizeof(none)) != 0) {
			p->minute[m % PAST_MINUTES] = none;
		}
	}
}

/* Go on to this second; those between get this value where a sample may stand for them. */
static void advance(struct past *p, uint32_t now, struct past_second fill)
{
	uint32_t was = p->now;
	if (was == 0) {
		p->now = now;
		*second_of(p, now) = (struct past_second){0, 0};
		return;
	}
	bool far = now - was >= PAST_SECONDS - MINUTE;
	uint32_t hold = p->hold && now - p->hold <= PAST_HOLD_S ? p->hold : now;
	uint32_t first = was / MINUTE, last = now / MINUTE;
	if (far) {
		fold(p, first); /* while its seconds are still there */
		forget_minutes(p, first + 1, last);
	}
	uint32_t from = now - was > PAST_SECONDS ? now - PAST_SECONDS : was;
	for (uint32_t s = from + 1; s <= now; s++) {
		*second_of(p, s) = s > hold && s < now ? fill : (struct past_second){0, 0};
	}
	p->now = now;
	for (uint32_t m = first; m < last && !far; m++) {
		fold(p, m);
	}
}

void past_add(struct past *p, uint32_t now, double cpu_pct, int64_t mem_bytes)
{
	struct past_second v = {code_cpu(cpu_pct), code_mem(mem_bytes)};
	now = now > p->now ? now : p->now;
	if (now > p->now) {
		advance(p, now, v);
	}
	v.mem |= second_of(p, now)->mem & START;
	*second_of(p, now) = v;
	p->hold = now;
}

void past_start(struct past *p, uint32_t now)
{
	now = now > p->now ? now : p->now;
	p->hold = 0;
	if (now > p->now) {
		advance(p, now, (struct past_second){0, 0});
	}
	second_of(p, now)->mem |= START;
	p->hold = now;
}

void past_end(struct past *p)
{
	p->hold = 0;
}

void past_repair(struct past *p, uint32_t now)
{
	if (p->now > now || p->hold > p->now) {
		memset(p, 0, sizeof(*p));
	}
}

/* The seconds from..to, both included, from the finest there is. */
static void add_span(const struct past *p, uint32_t from, uint32_t to, struct sum *s)
{
	uint32_t oldest = p->now >= PAST_SECONDS ? p->now - PAST_SECONDS + 1 : 0;
	for (uint32_t t = from; t <= to && t < oldest;) {
		uint32_t minute = t / MINUTE;
		if (p->now / MINUTE - minute <= PAST_MINUTES) {
			bool before = s->start;
			add_minute(s, p->minute[minute % PAST_MINUTES]);
			s->start = before || (s->start && minute != s->told);
			s->told = s->start ? minute : s->told;
		}
		t = (minute + 1) * MINUTE;
	}
	for (uint32_t t = from > oldest ? from : oldest; t <= to && t <= p->now; t++) {
		add_second(s, p->second[t % PAST_SECONDS]);
	}
}

static struct past_point point_of(const struct sum *s)
{
	return (struct past_point){
		.cpu_pct = s->n ? (double)s->cpu / s->n / CPU_UNIT : -1,
		.mem_bytes =
			is_known(s->mem_max) ? (int64_t)past_decode(s->mem_max) * MEM_UNIT : -1,
		.start = s->start,
	};
}

void past_read(const struct past *p, uint32_t now, uint32_t span_s, struct past_point *out,
	       size_t n)
{
	uint32_t told = UINT32_MAX;
	for (size_t i = 0; i < n; i++) {
		/* Seconds before now, of the step's newest and of what is newer than its oldest. */
		uint64_t young = (uint64_t)span_s * (n - 1 - i) / n;
		uint64_t old = (uint64_t)span_s * (n - i) / n;
		struct sum s = {.told = told};
		old = old > young ? old : young + 1; /* more steps than seconds */
		if (young < now && p->now) {
			uint32_t from = old <= now ? now - (uint32_t)old + 1 : 1;
			add_span(p, from, now - (uint32_t)young, &s);
		}
		told = s.told;
		out[i] = point_of(&s);
	}
}
