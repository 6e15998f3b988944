/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_KEPTMAP_H
#define PMCTL_DAEMON_KEPTMAP_H
/*
 * keptmap - memory of a fixed size that outlives a supervisor: a memfd, of which the keeper holds a
 * duplicate by name.
 *
 * Made when it is first needed; pages are there once they are written to. What stands in it, and
 * whether what was found is of that kind, is the owner's business.
 */
#include <stdbool.h>
#include <stddef.h>

struct link;

struct keptmap {
	struct link *link;
	const char *name; /* with the keeper; borrowed */
	size_t size;	  /* bytes */
	int fd;		  /* -1 = none: it is ours alone, if there is any */
	void *at;	  /* NULL = not made yet */
};

void keptmap_init(struct keptmap *m, struct link *link, const char *name, size_t size);
/* Unmap and close it; what the keeper holds stays. */
void keptmap_finish(struct keptmap *m);
/* Zeroed, and left with the keeper; without a memfd it dies with us. NULL: no memory. */
void *keptmap_make(struct keptmap *m);
/* Take over what the keeper held. Owns fd. NULL, and nothing is left: it is not of that size. */
void *keptmap_adopt(struct keptmap *m, int fd);
/* Leave it with the keeper (a new one). */
void keptmap_deposit(const struct keptmap *m);

#endif
