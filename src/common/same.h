/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_COMMON_SAME_H
#define PMCTL_COMMON_SAME_H
/* same - texts of which each may be NULL. */
#include <stdbool.h>
#include <string.h>

/* Whether both are NULL, or the same text. */
static inline bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

#endif
