/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_COMMON_MEMFIND_H
#define PMCTL_COMMON_MEMFIND_H
/*
 * memfind - a few bytes in many, at the speed of memory. Pure.
 *
 * memmem(3) looks at one byte after the other and knows no case. This compares vectors with the two
 * bytes of the needle that are likely the rarest, and looks closer only where both are met.
 */
#include <stdbool.h>
#include <stddef.h>

struct memfind {
	const char *needle; /* borrowed; in lower case where case does not count */
	size_t len;
	bool fold;	    /* ASCII letters of either case are the same */
	size_t rare, rare2; /* where in the needle */
};

/* len > 0. */
void memfind_init(struct memfind *f, const char *needle, size_t len, bool fold);
/* Where it begins in data[0..len); NULL if nowhere. */
const char *memfind(const struct memfind *f, const char *data, size_t len);

#endif
