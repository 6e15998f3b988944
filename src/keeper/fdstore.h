/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_KEEPER_FDSTORE_H
#define PMCTL_KEEPER_FDSTORE_H
/* fdstore - the descriptors the keeper holds for the supervisor, by name. No heap. */
#include <stdbool.h>

#include "keeper/shared.h"

#define FDSTORE_SIZE  16384
#define FDSTORE_SPARE 32 /* numbers left free, for the keeper's own work: to start a supervisor */

struct fdstore_entry {
	char name[KEEPER_NAME]; /* "" = free */
	int fd;
};

struct fdstore {
	struct fdstore_entry entry[FDSTORE_SIZE];
	int used; /* entries below this index may be in use */
};

/* Takes over fd. False, and fd is closed, if the store or the process is full. */
bool fdstore_put(struct fdstore *s, const char *name, int fd);
/* The same of a store that is only a list: fd stays the caller's, the name is a new one. Several
 * names may have one fd; it is closed with the last of them. */
void fdstore_note(struct fdstore *s, const char *name, int fd);
void fdstore_drop(struct fdstore *s, const char *name);
/* The descriptor, still owned by the store; -1 if there is none. */
int fdstore_find(const struct fdstore *s, const char *name);

#endif
