/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_SPOOLHOLD_H
#define PMCTL_DAEMON_SPOOLHOLD_H
/* spoolhold - spools of an earlier supervisor, which the keeper held, until the pipe of the same
 * key comes. Owned by struct outputs. Zeroed = none. */
#include <stdbool.h>
#include <stddef.h>

#define SPOOLHOLD_KEY 40

struct spoolhold {
	struct spoolhold_item {
		char key[SPOOLHOLD_KEY];
		int fd;
	} * item;
	size_t n;
};

/* Owns fd. */
void spoolhold_add(struct spoolhold *h, const char *key, int fd);
/* The descriptor, the caller's now; -1 if there is none. */
int spoolhold_take(struct spoolhold *h, const char *key);
/* Close one whose pipe did not come. False if none is left. */
bool spoolhold_pop(struct spoolhold *h, char key[SPOOLHOLD_KEY]);

#endif
