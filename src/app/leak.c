/* SPDX-License-Identifier: MIT */
#include "app/leak.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/units.h"

#define MINUTE_MS    60000
#define WARMUP_MS    (10 * MINUTE_MS)
#define THIRD	     (LEAK_POINTS / 3)
#define HALF	     ((LEAK_POINTS + 1) / 2)
#define MIN_SLOPE    512.  /* KiB a minute */
#define MIN_GROWTH   1024. /* KiB in the window: less is noise, however short the window */
#define MIN_SHARE    0.05  /* of memory_max, an hour */
#define LATE_SHARE   0.7   /* of the slope of the first half, in the second */
#define THIRD_SHARE  0.4   /* of what the slope says, from third to third */
#define RISE_SHARE   0.1   /* of what the slope says: a point that is higher than the last */
#define RISES	     (LEAK_POINTS / 2)
#define IN_A_ROW     3
#define LONGEST_GAP  2 /* intervals without a sample; after a longer one it begins anew */
#define SLOWEST_BEAT 15000
#define FASTEST_BEAT 500

int64_t leak_warmup_ms(int64_t window_ms)
{
	int64_t part = window_ms * 2 / 3;
	return part < WARMUP_MS ? part : WARMUP_MS;
}

int64_t leak_beat_ms(int64_t window_ms)
{
	int64_t beat = window_ms / LEAK_POINTS / 4;
	beat = beat < SLOWEST_BEAT ? beat : SLOWEST_BEAT;
	return beat > FASTEST_BEAT ? beat : FASTEST_BEAT;
}

void leak_start(struct leak *l, int64_t started_ms)
{
	uint32_t lives = l->lives;
	struct leak_life life[LEAK_LIVES];
	memcpy(life, l->life, sizeof(life));
	*l = (struct leak){.started_ms = started_ms, .lives = lives};
	memcpy(l->life, life, sizeof(life));
}

enum leak_news leak_end(struct leak *l, int64_t now_ms)
{
	bool was = leak_is(l);
	if (l->started_ms && l->now.last) {
		if (l->lives == LEAK_LIVES) {
			l->lives--;
			memmove(l->life, l->life + 1, l->lives * sizeof(*l->life));
		}
		l->now.lived_s = (uint32_t)((now_ms - l->started_ms) / 1000);
		l->life[l->lives++] = l->now;
	}
	leak_start(l, 0);
	return was ? LEAK_OVER : LEAK_NOTHING;
}

void leak_repair(struct leak *l, int64_t now_ms)
{
	if (l->started_ms < 0 || l->started_ms > now_ms || l->since_ms > now_ms ||
	    l->points > LEAK_POINTS || l->lives > LEAK_LIVES || l->block_n > THIRD ||
	    l->window_ms < 0 || l->until_ms < 0 ||
	    l->until_ms > now_ms + l->window_ms / LEAK_POINTS + 1) {
		memset(l, 0, sizeof(*l));
	}
}

bool leak_is(const struct leak *l)
{
	return l->since_ms != 0;
}

/* --- the rules --- */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Theil and Sen: the median of the slopes of all pairs, KiB an interval. */
static double slope_of(const uint32_t *v, size_t n)
{
	double s[LEAK_POINTS * (LEAK_POINTS - 1) / 2];
	size_t k = 0;
	for (size_t i = 0; i < n; i++) {
		for (size_t j = i + 1; j < n; j++) {
			s[k++] = ((double)v[j] - (double)v[i]) / (double)(j - i);
		}
	}
	qsort(s, k, sizeof(*s), compare);
	return (s[(k - 1) / 2] + s[k / 2]) / 2;
}

static uint32_t lowest(const uint32_t *v, size_t n)
{
	uint32_t low = v[0];
	for (size_t i = 1; i < n; i++) {
		low = v[i] < low ? v[i] : low;
	}
	return low;
}

static double highest_before(const struct leak *l)
{
	uint32_t high = 0;
	uint32_t n = l->blocks < LEAK_BLOCKS ? l->blocks : LEAK_BLOCKS;
	for (uint32_t i = 0; i < n; i++) {
		high = l->block[i] > high ? l->block[i] : high;
	}
	return high;
}

static int count_rises(const struct leak *l, double least)
{
	int n = 0;
	for (int i = 1; i < LEAK_POINTS; i++) {
		n += (double)l->point[i] - (double)l->point[i - 1] > least;
	}
	return n;
}

/* Of a minute, below which nothing is said. */
static double threshold(int64_t memory_max)
{
	double share = (double)memory_max / 1024 * MIN_SHARE / 60;
	return share > MIN_SLOPE ? share : MIN_SLOPE;
}

struct look {
	double slope;	   /* KiB an interval */
	double per_minute; /* the same, a minute */
	double third[3];   /* lowest of each */
};

static struct look look_at(const struct leak *l)
{
	struct look k = {.slope = slope_of(l->point, LEAK_POINTS)};
	k.per_minute = k.slope * LEAK_POINTS * MINUTE_MS / (double)l->window_ms;
	for (int i = 0; i < 3; i++) {
		k.third[i] = lowest(l->point + i * THIRD, THIRD);
	}
	return k;
}

static bool begins(const struct leak *l, const struct look *k, int64_t memory_max)
{
	double early = slope_of(l->point, HALF);
	double late = slope_of(l->point + LEAK_POINTS - HALF, HALF);
	double rise = k->slope * THIRD;
	return k->per_minute >= threshold(memory_max) && k->slope * LEAK_POINTS >= MIN_GROWTH &&
	       late >= early * LATE_SHARE && early >= k->slope / 2 && late >= k->slope / 2 &&
	       count_rises(l, k->slope * RISE_SHARE) >= RISES &&
	       k->third[1] - k->third[0] >= rise * THIRD_SHARE &&
	       k->third[2] - k->third[1] >= rise * THIRD_SHARE &&
	       k->third[2] - highest_before(l) >= rise;
}

static bool goes_on(const struct look *k, int64_t memory_max)
{
	return k->per_minute >= threshold(memory_max) / 2 && k->third[2] > k->third[1];
}

static enum leak_news judge(struct leak *l, int64_t memory_max, int64_t now_ms)
{
	struct look k = look_at(l);
	bool is = leak_is(l);
	bool says = is ? goes_on(&k, memory_max) : begins(l, &k, memory_max);
	if (is && says) {
		l->slope = (uint32_t)(k.per_minute + 0.5);
	}
	l->in_a_row = says == is ? 0 : l->in_a_row + 1;
	if (l->in_a_row < IN_A_ROW) {
		return LEAK_NOTHING;
	}
	l->in_a_row = 0;
	l->slope = is ? 0 : (uint32_t)(k.per_minute + 0.5);
	l->since_ms = is ? 0 : now_ms;
	return is ? LEAK_OVER : LEAK_BEGAN;
}

/* --- samples --- */

static void add_block(struct leak *l, uint32_t point)
{
	l->block_low = l->block_n && l->block_low < point ? l->block_low : point;
	if (++l->block_n >= THIRD) {
		l->block[l->blocks++ % LEAK_BLOCKS] = l->block_low;
		l->block_n = 0;
	}
}

static void add_point(struct leak *l, uint32_t point)
{
	if (l->points == LEAK_POINTS) {
		add_block(l, l->point[0]);
		l->points--;
		memmove(l->point, l->point + 1, l->points * sizeof(*l->point));
	}
	l->point[l->points++] = point;
}

/* The window begins now. What is known of before stays, if it is of the same process. */
static void begin_window(struct leak *l, int64_t now_ms)
{
	l->until_ms = now_ms + l->window_ms / LEAK_POINTS;
	l->points = l->low = l->in_a_row = 0;
}

static enum leak_news end_intervals(struct leak *l, const struct leak_conf *c, int64_t now_ms)
{
	enum leak_news news = LEAK_NOTHING;
	int64_t interval = l->window_ms / LEAK_POINTS;
	if (now_ms - l->until_ms > LONGEST_GAP * interval) {
		begin_window(l, now_ms);
		return news;
	}
	while (now_ms >= l->until_ms) {
		l->until_ms += interval;
		if (l->low) {
			add_point(l, l->low);
		} else if (l->points) {
			add_point(l, l->point[l->points - 1]);
		}
		l->low = 0;
		if (l->points == LEAK_POINTS && news == LEAK_NOTHING) {
			news = judge(l, c->memory_max, now_ms);
		}
	}
	return news;
}

enum leak_news leak_add(struct leak *l, const struct leak_conf *c, int64_t now_ms,
			int64_t mem_bytes)
{
	enum leak_news news = LEAK_NOTHING;
	uint32_t kib = mem_bytes / 1024 < UINT32_MAX ? (uint32_t)(mem_bytes / 1024) : UINT32_MAX;
	kib = kib ? kib : 1;
	l->now.last = kib;
	if (!l->started_ms) {
		l->started_ms = now_ms;
	}
	if (l->window_ms != c->window_ms) {
		bool was = leak_is(l);
		l->window_ms = c->window_ms;
		l->until_ms = l->since_ms = 0;
		l->points = l->blocks = l->block_n = 0;
		news = was ? LEAK_OVER : LEAK_NOTHING;
	}
	if (!c->window_ms || now_ms - l->started_ms < leak_warmup_ms(c->window_ms)) {
		return news;
	}
	l->now.first = l->now.first ? l->now.first : kib;
	if (!l->until_ms) {
		begin_window(l, now_ms);
	} else if (now_ms >= l->until_ms) {
		news = end_intervals(l, c, now_ms);
	}
	l->low = l->low && l->low < kib ? l->low : kib;
	return news;
}

/* --- telling --- */

int64_t leak_bytes_per_min(const struct leak *l)
{
	return leak_is(l) ? (int64_t)l->slope * 1024 : 0;
}

int64_t leak_left_ms(const struct leak *l, int64_t memory_max, int64_t mem_bytes)
{
	if (!leak_is(l) || !memory_max || !l->slope) {
		return -1;
	}
	int64_t left = memory_max - mem_bytes;
	return left > 0 ? left / 1024 * MINUTE_MS / l->slope : 0;
}

void leak_text(int64_t bytes_per_min, int64_t left_ms, char *out, size_t cap)
{
	char rate[24], left[24];
	units_format_mem(bytes_per_min, rate, sizeof(rate));
	int n = snprintf(out, cap, "leak? +%s/min", rate);
	if (left_ms >= 0 && n > 0 && (size_t)n < cap) {
		units_format_age(left_ms, left, sizeof(left));
		snprintf(out + n, cap - (size_t)n, ", %s left", left);
	}
}
