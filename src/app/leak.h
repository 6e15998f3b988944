/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_APP_LEAK_H
#define PMCTL_APP_LEAK_H
/*
 * leak - whether the memory of one process looks like a leak. It warns, it never acts.
 *
 * Pure: samples and times come in. Times are ms on a clock that only goes forward and counts
 * suspension. Fixed size and without pointers, so that it can lie in shared memory.
 *
 * The window is cut into LEAK_POINTS intervals (of a minute, with the default of 15 minutes), and
 * of each only the lowest sample counts: what a garbage collector will free anyway is not seen.
 * After a start nothing counts for 10 minutes, or two thirds of the window where that is less.
 * Then, each time the window is full of points, it is a leak if
 *   - the median of the slopes between all pairs of points (Theil-Sen) is 0.5 MiB a minute or more,
 *     and 5 % of memory_max an hour or more; and 1 MiB in the window,
 *   - it grows in both halves of the window, and in the second not much slower than in the first:
 *     no step, and nothing that flattens,
 *   - most points are higher than the one before: not two steps,
 *   - the lowest of each third of the window is higher than that of the third before: no sawtooth,
 *   - the last third is higher than it ever was before, in eight windows: no slow sawtooth,
 * and if all this is so three times in a row. It is over once the process has ended, or the slope
 * is below half of that, or the last third no longer higher, three times in a row, too.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEAK_POINTS 15
#define LEAK_BLOCKS 24 /* thirds of a window, before the one that is looked at */
#define LEAK_LIVES  6

/* What one process grew. KiB; first 0 = it did not live through the warm-up. */
struct leak_life {
	uint32_t first; /* after the warm-up */
	uint32_t last;
	uint32_t lived_s;
};

/* Zeroed = nothing is known. */
struct leak {
	int64_t started_ms; /* when the process started; 0 = there is none */
	int64_t window_ms;  /* the one that the points are of */
	int64_t until_ms;   /* when the interval under way ends; 0 = none was begun */
	int64_t since_ms;   /* when it was found; 0 = it is no leak */
	uint32_t low;	    /* lowest sample of the interval, KiB; 0 = none yet */
	uint32_t points;
	uint32_t point[LEAK_POINTS]; /* KiB, oldest first */
	uint32_t block_low, block_n; /* of points that left the window, until they are a third */
	uint32_t blocks;	     /* so many were made */
	uint32_t block[LEAK_BLOCKS]; /* by number % LEAK_BLOCKS */
	uint32_t in_a_row;	     /* looks that said the other thing */
	uint32_t slope;		     /* KiB a minute, of the last look at a leak */
	struct leak_life now;	     /* of the process that runs */
	uint32_t lives;
	struct leak_life life[LEAK_LIVES]; /* of those before, oldest first */
};

enum leak_news { LEAK_NOTHING, LEAK_BEGAN, LEAK_OVER };

struct leak_conf {
	int64_t window_ms;  /* 0 = off */
	int64_t memory_max; /* bytes; 0 = none */
};

/* A process began at that time. Call leak_end() for the one before first. */
void leak_start(struct leak *l, int64_t started_ms);
/* A sample of its memory, bytes. */
enum leak_news leak_add(struct leak *l, const struct leak_conf *c, int64_t now_ms,
			int64_t mem_bytes);
/* It has ended. LEAK_OVER if it was a leak. */
enum leak_news leak_end(struct leak *l, int64_t now_ms);
/* What came from elsewhere: forget what cannot be. */
void leak_repair(struct leak *l, int64_t now_ms);

bool leak_is(const struct leak *l);
int64_t leak_bytes_per_min(const struct leak *l);
/* Until memory_max is reached, ms; -1 = there is none, or no leak. */
int64_t leak_left_ms(const struct leak *l, int64_t memory_max, int64_t mem_bytes);
/* "leak? +2.1M/min, 1h25m left" from the two above. out >= 64. */
void leak_text(int64_t bytes_per_min, int64_t left_ms, char *out, size_t cap);

/* How often samples are wanted for this window, ms. */
int64_t leak_beat_ms(int64_t window_ms);
/* How long after its start a process is not looked at. */
int64_t leak_warmup_ms(int64_t window_ms);

#endif
