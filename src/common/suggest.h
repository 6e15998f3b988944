/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_COMMON_SUGGEST_H
#define PMCTL_COMMON_SUGGEST_H
/* suggest - "did you mean". */
#include <stdbool.h>
#include <stddef.h>

#define SUGGEST_MAX 3

/* The nearest names, best first. Offer every candidate, then read best[0..n-1]. */
struct suggest {
	const char *wanted; /* borrowed */
	struct {
		const char *name; /* borrowed from the candidate */
		unsigned score;	  /* smaller is nearer; a shared prefix wins */
	} best[SUGGEST_MAX];
	size_t n;
};

void suggest_init(struct suggest *s, const char *wanted);
/* Near = edit distance with swaps at most 2 (1 where either is under five letters), or a prefix. */
void suggest_offer(struct suggest *s, const char *candidate);
/* `; did you mean "a" or "b"?` or "" if nothing is near. */
void suggest_text(const struct suggest *s, char *out, size_t cap);

#endif
