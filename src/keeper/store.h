/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_KEEPER_STORE_H
#define PMCTL_KEEPER_STORE_H
/* store - the descriptors the keeper holds for the supervisor, by name. No heap. */
#include <stdbool.h>

#include "keeper/shared.h"

#define STORE_SIZE 16384

struct store_entry {
	char name[KEEPER_NAME]; /* "" = free */
	int fd;
};

struct store {
	struct store_entry entry[STORE_SIZE];
	int used; /* entries below this index may be in use */
};

/* Takes over fd. False, and fd is closed, if the store is full. */
bool store_put(struct store *s, const char *name, int fd);
void store_drop(struct store *s, const char *name);
/* The descriptor, still owned by the store; -1 if there is none. */
int store_find(const struct store *s, const char *name);

#endif
