/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_MONITWATCH_H
#define PMCTL_CLIENT_MONITWATCH_H
/*
 * monitwatch - tells which of some log files changed (inotify). Owned by struct monitlogs.
 *
 * A file is watched with its index, which is written with each piece of it, and its folder for what
 * comes to bear its name.
 */
#include <stdbool.h>
#include <stddef.h>

struct monitwatch {
	int fd; /* -1 = this cannot be had: look at the files from time to time */
	struct monitwatch_file {
		char *path;
		int file, index, folder; /* watches; -1 = none */
	} * v;
	size_t n;
	bool blind; /* some cannot be watched */
};

void monitwatch_init(struct monitwatch *w);
void monitwatch_finish(struct monitwatch *w);
/* Watch none any more. */
void monitwatch_clear(struct monitwatch *w);
/* Watch one more; they are numbered in this order, from 0 on. */
void monitwatch_add(struct monitwatch *w, const char *path);
/* Take what was told; changed[i] is set where file i changed. True if any did. */
bool monitwatch_read(struct monitwatch *w, bool *changed);

#endif
