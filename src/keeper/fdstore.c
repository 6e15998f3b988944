/* SPDX-License-Identifier: MIT */
#include "keeper/fdstore.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static struct fdstore_entry *find(const struct fdstore *s, const char *name)
{
	for (int i = 0; i < s->used; i++) {
		if (strncmp(s->entry[i].name, name, KEEPER_NAME) == 0) {
			return (struct fdstore_entry *)&s->entry[i];
		}
	}
	return NULL;
}

static struct fdstore_entry *find_free(struct fdstore *s)
{
	for (int i = 0; i < s->used; i++) {
		if (!s->entry[i].name[0]) {
			return &s->entry[i];
		}
	}
	return s->used < FDSTORE_SIZE ? &s->entry[s->used++] : NULL;
}

/* Of what fdstore_note() made, several may have one descriptor: a log file of several pipes. */
static bool is_shared(const struct fdstore *s, const struct fdstore_entry *e)
{
	for (int i = 0; i < s->used; i++) {
		const struct fdstore_entry *other = &s->entry[i];
		if (other != e && other->fd == e->fd && other->name[0]) {
			return true;
		}
	}
	return false;
}

static void release(const struct fdstore *s, const struct fdstore_entry *e)
{
	if (!is_shared(s, e)) {
		close(e->fd);
	}
}

/* The lowest free number is taken: with one so high there are only a few left. */
static bool is_last_room(int fd)
{
	struct rlimit rl;
	return getrlimit(RLIMIT_NOFILE, &rl) == 0 && (rlim_t)fd + FDSTORE_SPARE >= rl.rlim_cur;
}

bool fdstore_put(struct fdstore *s, const char *name, int fd)
{
	struct fdstore_entry *e = name[0] ? find(s, name) : NULL;
	bool is_more = !e || is_shared(s, e);
	if (!name[0] || (is_more && is_last_room(fd)) || (!e && !(e = find_free(s)))) {
		close(fd);
		return false;
	}
	if (e->name[0]) {
		release(s, e);
	}
	snprintf(e->name, sizeof(e->name), "%s", name);
	e->fd = fd;
	return true;
}

void fdstore_note(struct fdstore *s, const char *name, int fd)
{
	if (s->used < FDSTORE_SIZE) {
		struct fdstore_entry *e = &s->entry[s->used++];
		snprintf(e->name, sizeof(e->name), "%s", name);
		e->fd = fd;
	}
}

void fdstore_drop(struct fdstore *s, const char *name)
{
	struct fdstore_entry *e = name[0] ? find(s, name) : NULL;
	if (e) {
		release(s, e);
		e->name[0] = '\0';
	}
}

int fdstore_find(const struct fdstore *s, const char *name)
{
	const struct fdstore_entry *e = find(s, name);
	return e ? e->fd : -1;
}
