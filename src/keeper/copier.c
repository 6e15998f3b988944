/* SPDX-License-Identifier: MIT */
#include "keeper/copier.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define PIPE "pipe."

static void copy(int from, int to)
{
	for (int turn = 0; turn < 16; turn++) {
		ssize_t n =
			splice(from, NULL, to, NULL, 1 << 20, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
		if (n == 0 || (n < 0 && errno != EINTR)) {
			return;
		}
	}
}

void copier_run(struct fdstore *s)
{
	for (int i = 0; i < s->used; i++) {
		const struct fdstore_entry *e = &s->entry[i];
		if (strncmp(e->name, PIPE, strlen(PIPE)) != 0) {
			continue;
		}
		char file[KEEPER_NAME];
		snprintf(file, sizeof(file), "file.%.40s", e->name + strlen(PIPE));
		int to = fdstore_find(s, file);
		if (to >= 0) {
			copy(e->fd, to);
		}
	}
}
