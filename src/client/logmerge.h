/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_LOGMERGE_H
#define PMCTL_CLIENT_LOGMERGE_H
/*
 * logmerge - which of many sources has the next line. A heap of (time, source). Pure.
 *
 * Forward the oldest comes first, and of equals the source with the lower number. Backward it is
 * exactly the other way round, so that both directions agree on one order.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct logmerge {
	struct logmerge_entry {
		int64_t t;
		size_t source;
	} * heap;
	size_t n, cap;
	bool backward;
};

void logmerge_init(struct logmerge *m, bool backward);
void logmerge_finish(struct logmerge *m);
/* The source has a line of this time. A source is in the heap once at most. */
void logmerge_push(struct logmerge *m, size_t source, int64_t t);
/* Take the next one out; false if there is none. */
bool logmerge_pop(struct logmerge *m, size_t *source);

#endif
