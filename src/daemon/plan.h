/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_PLAN_H
#define PMCTL_DAEMON_PLAN_H
/*
 * plan - what is different between an app list and what is known, and what it costs to make it so.
 *
 * Nothing is changed here. daemon/apply.h does what a plan says.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "config/diff.h"
#include "daemon/applist.h"
#include "proto/jw.h"

struct inst;

enum plan_action {
	PLAN_SAME,
	PLAN_NEW,    /* also one that is being deleted and is to stay */
	PLAN_CHANGE, /* a key, or the number it was scaled to */
	PLAN_LEFT,   /* not in the list any more, and kept */
	PLAN_REMOVE  /* ... and deleted */
};

/* How the processes of an app get to the new definition. */
enum plan_way {
	WAY_NONE,    /* they are not touched */
	WAY_RELOAD,  /* a successor beside each */
	WAY_RESTART, /* one after the other: it holds a port that it opened by itself */
	WAY_SWAP,    /* all stop, then all start */
	WAY_START    /* none runs */
};

struct plan_item {
	enum plan_action action;
	enum plan_way way;
	struct app *app;     /* NULL = there is none yet */
	struct app_def *def; /* owned; NULL = not in the list, or taken by daemon/apply.h */
	struct diff diff;
	bool moved;	/* the same, in other lines */
	int now, count; /* instances that are wanted to exist, now and then */
	int live;	/* that run now */
	int starting;	/* of a changed one: that do not run, and are to */
	bool autostart;
};

/* What is in force and not in the list. */
enum plan_rest {
	REST_ALONE, /* is not looked at: the list is a part of one */
	REST_KEEP,  /* PLAN_LEFT */
	REST_PRUNE  /* PLAN_REMOVE */
};

struct plan {
	struct plan_item *v; /* in the order of the list; what is not in it stands behind */
	size_t n;
	size_t add, change, left, remove, same;
	uint32_t id; /* of what is to be done: another plan, or one of another supervisor, has
			another one */
};

/* Check all definitions (each taken over, also on failure) and compare. False with ERR_CONFIG,
 * ERR_FAILED or ERR_PERMISSION if one of them cannot be; the message names it. */
bool plan_make(struct plan *p, struct daemon *d, const struct applist *list,
	       struct app_def *const *defs, size_t n, enum plan_rest rest, struct err *err);
void plan_finish(struct plan *p);
/* Whether a change starts this instance, which is there and not running: one that failed is tried
 * again, maybe it is mended; one whose work is done only if its processes are to be others. */
bool plan_starts(const struct inst *in, enum apply_effect effect);
/* One key as an object: its values, masked if it is a variable. */
void plan_write_key(struct jw *w, const struct diff_entry *e);
/* Whether there is anything to do. */
bool plan_is_empty(const struct plan *p);
/* The members of an object: id, counts and the apps that are not the same. Values of variables are
 * left out. */
void plan_write(const struct plan *p, struct jw *w);

#endif
