/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_COMMON_AFFIX_H
#define PMCTL_COMMON_AFFIX_H
/* affix - how texts begin and end. */
#include <stdbool.h>
#include <string.h>

/* Every text starts and ends with "" and with itself. */
static inline bool text_starts(const char *s, const char *start)
{
	return strncmp(s, start, strlen(start)) == 0;
}

static inline bool text_ends(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);
	return n >= m && strcmp(s + n - m, end) == 0;
}

#endif
