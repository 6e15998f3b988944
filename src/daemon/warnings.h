/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_WARNINGS_H
#define PMCTL_DAEMON_WARNINGS_H
/*
 * warnings - what is wrong with the daemon itself, or runs out under it: state that is not saved,
 * logs that cannot be written, disk, descriptors.
 *
 * Told by `status` (and so by doctor) and, for a dashboard, in each `list` and sample of `watch`.
 * Disk and descriptors are looked at each half minute, and each second while somebody asks;
 * that they begin or cease to be short is an event. Owned by struct daemon.
 */
#include <stdbool.h>
#include <stdint.h>

#include "proto/jw.h"
#include "sys/diskroom.h"

struct daemon;

/* One of them, while it is told. */
struct warning {
	const char *kind; /* "disk-logs": the same for as long as the matter is the same */
	bool fail;	  /* it costs something already */
	char text[500], fix[5000];
};

/* Descriptors of supervisor or keeper, who is nearer to its limit. */
struct fds_use {
	const char *who; /* NULL = not known (yet) */
	int used, most;
};

struct warnings {
	int64_t looked_mono_ms; /* 0 = never */
	struct diskroom state, log;
	bool has_state, has_log; /* they could be read */
	struct fds_use fds;
	bool fds_near;
};

void warnings_init(struct warnings *w);
/* Look at disk and descriptors if that was not done in the last second. */
void warnings_look(struct daemon *d, int64_t now_mono_ms);
/* The array of all: {"kind","fail","text","fix"}. */
void warnings_write(struct jw *w, struct daemon *d);
/* Only the texts, and what was lost earlier. */
void warnings_write_texts(struct jw *w, struct daemon *d);

#endif
