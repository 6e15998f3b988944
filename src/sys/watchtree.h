/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_SYS_WATCHTREE_H
#define PMCTL_SYS_WATCHTREE_H
/*
 * watchtree - which files below some paths have other contents than before.
 *
 * Watches directories with inotify and remembers a hash of each file, so that a touch, or the same
 * bytes written again, is no change. Works in small steps, for an event loop that must not be held
 * up: the caller waits for the descriptor, reads what was noticed, steps until nothing is left to
 * do, and when all has been quiet for a while asks for the noticed files to be examined. A file
 * counts as written when its writer closes it. Links in the tree are not followed: where one leads
 * is its contents. The watched paths themselves may be, or lead through, links: one that is
 * switched is noticed. Nothing but regular files is opened.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/words.h"

/* How much more may be remembered, by all trees that share it. */
struct watchtree_pool {
	size_t dirs, files;
};

/* Borrowed only for the call of watchtree_new(), but for `pool` and `ctx`. */
struct watchtree_conf {
	const char *base;    /* absolute: what relative paths are below */
	struct words paths;  /* files and directories; none = base itself */
	struct words ignore; /* names, or paths where there is a slash, as of fnmatch(3) */
	struct words skip;   /* directories that are never entered, whatever their names */
	/* Files of ours, asked for only where one has changed; NULL = none. */
	bool (*is_own)(void *ctx, const char *path);
	void *ctx;
	struct watchtree_pool *pool;
	int64_t now_real_ns; /* what was changed after this is a change */
};

struct watchtree;

/* NULL with an error that says what to do if there is no inotify descriptor left. Nothing is read
 * yet: that is for watchtree_step(). */
struct watchtree *watchtree_new(const struct watchtree_conf *c, struct err *err);
void watchtree_free(struct watchtree *t);

/* Close-on-exec; readable when something happened. */
int watchtree_fd(const struct watchtree *t);
/* Take in what happened. */
void watchtree_read(struct watchtree *t);
/* One small piece of work: some entries of a directory, 64 KiB of a file. False if nothing is left
 * to do. */
bool watchtree_step(struct watchtree *t);
/* Whether something happened to a file since the last call: its time of quiet begins anew. */
bool watchtree_noticed(struct watchtree *t);
/* Let the next steps compare the contents of what was noticed. */
void watchtree_examine(struct watchtree *t);
/* After the last step: how many files have changed since the last call, and what happened to the
 * first ("lib/app.js changed"), cut to fit. */
size_t watchtree_changes(struct watchtree *t, char *first, size_t cap);
/* Something that keeps it from watching all: a sentence, each only once. False if there is none. */
bool watchtree_problem(struct watchtree *t, char *text, size_t cap);

size_t watchtree_files(const struct watchtree *t);
size_t watchtree_dirs(const struct watchtree *t);

#endif
