/* SPDX-License-Identifier: MIT */
#include "keeper/store.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct store_entry *find(const struct store *s, const char *name)
{
	for (int i = 0; i < s->used; i++) {
		if (strncmp(s->entry[i].name, name, KEEPER_NAME) == 0) {
			return (struct store_entry *)&s->entry[i];
		}
	}
	return NULL;
}

static struct store_entry *find_free(struct store *s)
{
	for (int i = 0; i < s->used; i++) {
		if (!s->entry[i].name[0]) {
			return &s->entry[i];
		}
	}
	return s->used < STORE_SIZE ? &s->entry[s->used++] : NULL;
}

bool store_put(struct store *s, const char *name, int fd)
{
	struct store_entry *e = name[0] ? find(s, name) : NULL;
	if (e) {
		close(e->fd);
	} else if (!name[0] || !(e = find_free(s))) {
		close(fd);
		return false;
	}
	snprintf(e->name, sizeof(e->name), "%s", name);
	e->fd = fd;
	return true;
}

void store_drop(struct store *s, const char *name)
{
	struct store_entry *e = name[0] ? find(s, name) : NULL;
	if (e) {
		close(e->fd);
		e->name[0] = '\0';
	}
}

int store_find(const struct store *s, const char *name)
{
	const struct store_entry *e = find(s, name);
	return e ? e->fd : -1;
}
