/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_APP_PAST_H
#define PMCTL_APP_PAST_H
/*
 * past - what the figures of one slot of an app were: each second of 15 minutes, each minute of a
 * day. Fixed size, without pointers, so that it can lie in shared memory and outlive us.
 *
 * Pure: times come in as seconds on a clock that only goes forward and counts suspension, never 0;
 * one that goes back all the same is taken for the last one. A sample stands for the time since the
 * one before it, for PAST_HOLD_S at most; what no sample stands for is a gap, never a zero. It
 * belongs to the slot: starts of its process are marked and the rest goes on.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAST_SECONDS 900
#define PAST_MINUTES 1440
#define PAST_HOLD_S  30

/* Figures are coded in 16 bits, to 0.1 %; 0 = none. The highest bit of a memory figure is the mark
 * of a start. */
struct past_second {
	uint16_t cpu, mem;
};

struct past_minute {
	uint16_t cpu_mean, cpu_max, mem_min, mem_max;
};

/* Zeroed = empty. */
struct past {
	uint32_t now;  /* the second written last; 0 = none */
	uint32_t hold; /* from here on the next sample may stand for what is behind it */
	struct past_second second[PAST_SECONDS]; /* by second % PAST_SECONDS */
	struct past_minute minute[PAST_MINUTES]; /* those that are over, by minute % PAST_MINUTES */
};

/* A sample: percent of one core and bytes, both -1 = unknown. */
void past_add(struct past *p, uint32_t now, double cpu_pct, int64_t mem_bytes);
/* Its process started. */
void past_start(struct past *p, uint32_t now);
/* It ended: what comes is a gap until the next one starts. */
void past_end(struct past *p);
/* What came from elsewhere: forget what cannot be, so that the rest is safe to use. */
void past_repair(struct past *p, uint32_t now);

/* A step of a graph. */
struct past_point {
	double cpu_pct;	   /* mean; -1 = no sample */
	int64_t mem_bytes; /* highest; -1 = no sample */
	bool start;	   /* a process started in it */
};

/* The last span_s seconds in n steps, oldest first, the last one ends now. */
void past_read(const struct past *p, uint32_t now, uint32_t span_s, struct past_point *out,
	       size_t n);

/* The coding, for tests: to the nearest value there is, 0 to 2^41. */
uint16_t past_code(uint64_t v);
uint64_t past_decode(uint16_t code);

#endif
