/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_LITERALS_H
#define PMCTL_CLIENT_LITERALS_H
/*
 * literals - the text that whatever matches an extended regular expression must contain. Pure.
 *
 * Reads a valid pattern and is careful: what it does not understand tells nothing.
 */
#include <stdbool.h>
#include <stddef.h>

#define LITERALS_MAX 8

struct literals {
	char *text[LITERALS_MAX]; /* one of them, each at least one byte; owned */
	size_t n;		  /* 0 = not known */
	bool is_all;		  /* the pattern is text[0] and nothing else */
};

/* With `ascii` only ASCII counts: where case does not, other letters have several shapes. */
void literals_init(struct literals *l, const char *pattern, bool ascii);
void literals_finish(struct literals *l);

#endif
