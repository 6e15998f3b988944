/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_COMMON_NEAR_H
#define PMCTL_COMMON_NEAR_H
/*
 * near - how much of a limit may be used before somebody should look: memory, descriptors.
 */
#include <stdbool.h>
#include <stdint.h>

#define NEAR_PCT      90 /* of a limit: near */
#define NEAR_OVER_PCT 80 /* once near it stays so down to this: nothing is told again and again */

/* Whether so much is near the limit; a limit <= 0 is none, used < 0 is not known. `was` = it was
 * before. */
static inline bool near_limit(int64_t used, int64_t limit, bool was)
{
	return limit > 0 && used >= 0 &&
	       (double)used * 100 > (double)limit * (was ? NEAR_OVER_PCT : NEAR_PCT);
}

#endif
