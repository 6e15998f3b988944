/* SPDX-License-Identifier: MIT */
#include "daemon/spoolhold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"

void spoolhold_add(struct spoolhold *h, const char *key, int fd)
{
	h->item = xreallocarray(h->item, h->n + 1, sizeof(*h->item));
	struct spoolhold_item *new = &h->item[h->n++];
	snprintf(new->key, sizeof(new->key), "%s", key);
	new->fd = fd;
}

int spoolhold_take(struct spoolhold *h, const char *key)
{
	for (size_t i = 0; i < h->n; i++) {
		if (strcmp(h->item[i].key, key) == 0) {
			int fd = h->item[i].fd;
			h->item[i] = h->item[--h->n];
			return fd;
		}
	}
	return -1;
}

bool spoolhold_pop(struct spoolhold *h, char key[SPOOLHOLD_KEY])
{
	if (h->n == 0) {
		free(h->item);
		*h = (struct spoolhold){0};
		return false;
	}
	struct spoolhold_item *last = &h->item[--h->n];
	snprintf(key, SPOOLHOLD_KEY, "%s", last->key);
	close(last->fd);
	return true;
}
