/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_APPLIST_H
#define PMCTL_DAEMON_APPLIST_H
/*
 * applist - the app lists that were applied or started: which app is of which, and with which
 * profile.
 *
 * A list is known by its project where the file names one, so that it may move with each release;
 * else by its path. One that is forgotten with its last app is no loss: the file says all anew.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/list.h"
#include "config/def.h"
#include "proto/jw.h"

struct app;
struct asker;
struct daemon;

/* What a request says of its list. All borrowed from the request but `metrics`. */
struct applist {
	const char *file;    /* absolute; NULL = there is none */
	const char *project; /* NULL = there is no list: an ad hoc app */
	const char *profile; /* NULL = the base alone */
	bool named;	     /* the file says the project's name */
	int64_t read_ms;     /* since the epoch: when it was read; 0 = not known */
	const json_t *files; /* that it includes, paths; NULL = none */
	char *metrics;	     /* as filekeys_metrics() gives it; NULL = not served */
};

/* The parameter `list` of a request; without one *out is zeroed. ERR_USAGE, ERR_CONFIG. */
bool applist_read(const json_t *params, struct applist *out, struct err *err);
void applist_finish(struct applist *l);

/* Whether this definition came from the list, or from where it was before it moved. */
bool applist_owns(const struct applist *l, const struct app_def *def);
/* Whether the list may define this app, which may be NULL: another list's keeps its name. */
bool applist_may_define(const struct applist *l, const struct app *app, const struct app_def *def,
			struct err *err);

/* Lists that are known. */
struct applists {
	struct daemon *daemon;
	struct list all;
	uint64_t key[2]; /* of plan.id, for the life of a supervisor */
};

void applists_init(struct applists *a, struct daemon *d);
void applists_finish(struct applists *a);
/* It was applied, or some of it was started: know it from now on, and serve metrics where it says.
 * True if that is news. */
bool applists_note(struct applists *a, const struct applist *l, bool applied,
		   const struct asker *by);
/* What runs is not what the list of this app said when it was applied last. */
void applists_doubt(struct applists *a, const struct app *app);
/* Forget those of the project that have no app any more. */
void applists_forget(struct applists *a, const char *project);
/* An array of all: {"file", "project", "profile", "named", "read_ms", "files"}. */
void applists_write(const struct applists *a, struct jw *w);
/* The same for the state file, NULL if there is none; and back. */
json_t *applists_save(const struct applists *a);
void applists_load(struct applists *a, const json_t *saved);

#endif
