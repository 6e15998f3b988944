/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_STARTUP_UNIT_H
#define PMCTL_CLIENT_STARTUP_UNIT_H
/*
 * unit - the text of pmctld.service, and whose an existing one is. Pure.
 *
 * The first line of a unit that `pmctl startup` writes holds a checksum of the rest. So a unit that
 * somebody has edited is known from one that an earlier pmctl wrote, whatever that looked like.
 */
#include <stdbool.h>

#include "common/buf.h"

#define UNIT_NAME "pmctld.service"

struct unit {
	bool user;	    /* of a user's manager */
	const char *pmctld; /* absolute paths */
	const char *pmctl;
	/* What the daemon must have in common with the shell it is asked from; NULL = not set. */
	const char *pmctl_home;
	const char *xdg_state_home;
	const char *path; /* for the apps; NULL = what the manager gives */
};

enum unit_is {
	UNIT_SAME,  /* says what we would say */
	UNIT_OURS,  /* written by a pmctl, and nobody changed it */
	UNIT_EDITED /* somebody's own */
};

/* Append the text without the first line, as a package would ship it. */
void unit_add(struct buf *out, const struct unit *u);
/* Append the line that goes before this text. */
void unit_add_mark(struct buf *out, const char *text);
/* What an existing file is, compared with the text we would write. */
enum unit_is unit_judge(const char *file, const char *text);

#endif
