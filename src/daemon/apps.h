/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_APPS_H
#define PMCTL_DAEMON_APPS_H
/*
 * apps - the apps the daemon knows: definitions and their instances by slot.
 *
 * Changes what exists and what is wanted; daemon/runner makes processes of it.
 */
#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"
#include "common/list.h"
#include "config/conf.h"
#include "config/def.h"
#include "daemon/asker.h"
#include "sys/users.h"

struct daemon;
struct inst;
struct cluster;
struct tally_app;
struct watch;

/* In force again if the apply that is under way fails. */
struct previous {
	struct app_def *def; /* NULL = none is under way */
	int64_t applied_real_ms;
	struct asker applied_by;
	int scaled; /* how many instances `scale` had made of it; 0 = as defined */
};

struct app {
	struct list node; /* daemon.apps */
	struct daemon *daemon;
	struct app_def *def;
	struct previous previous;
	struct app_conf conf;
	struct user user;	 /* who its processes run as; name NULL = not known (yet) */
	struct cluster *cluster; /* node cluster mode; else NULL */
	struct watch *watch;	 /* of its files; NULL = none */
	struct tally_app *tally; /* NULL = none yet: tally_of() */
	struct inst **slots;
	struct list others; /* successors on trial and retired ones: daemon/rollout.h */
	int nslots;    /* instances that exist, slots 0..nslots-1; some may be on their way out */
	int count;     /* instances that are wanted to exist */
	size_t number; /* in the graph of daemon/turns.h */
	bool scaled;   /* count was set by `scale` and outranks the definition */
	bool deleting; /* goes once its last process has */
	struct asker deleter;	     /* who asked for that */
	int64_t cron_due, cron_last; /* cron_restart, in s since the epoch: daemon/schedule.h */
	bool told_shared;	     /* that health probes ask whoever answers */
	bool listened; /* an instance of it has listened: `ready = auto` waits for that */
	int64_t applied_real_ms;
	struct asker applied_by;
};

/* NULL if there is none. */
struct app *apps_find(struct daemon *d, const char *name);

/* Make an app of a definition (taken over, also on failure). Nothing is started. */
struct app *apps_add(struct daemon *d, struct app_def *def, const struct asker *by,
		     struct err *err);
/* Whether this definition says something else than the one that runs. */
bool apps_differs(const struct app *app, const struct app_def *def);

/* Find out who its processes run as, unless that is known. */
bool apps_resolve_user(struct app *app, struct err *err);

/* Set how many instances are wanted. New slots are created stopped; the highest ones become
 * unwanted and vanish once they have stopped. */
void apps_resize(struct app *app, int count);
/* Up to this slot, which was being scaled away when the last supervisor died. */
void apps_restore_leaving(struct app *app, int slot);
/* It was being deleted and is wanted again, as its definition says. Fine if it was not. */
void apps_undelete(struct app *app);
/* An instance has come to rest: soon drop what was taken away, close what nobody needs. */
void apps_collect(struct inst *in);
void apps_on_collect(struct ev_loop *loop, ev_timer *w, int revents);
/* Whether one of its instances is wanted to run. */
bool apps_any_wanted(const struct app *app);
bool apps_any_live(const struct app *app);
/* How many processes it has, those of a reload counted. */
int apps_count_live(const struct app *app);
void apps_free_all(struct daemon *d);

/* Call fn for each instance a list of selectors means, each once, in order of apps and slots.
 * False with ERR_NO_TARGET if one of them matches nothing; then fn is not called at all.
 * n = 0 means all. */
bool apps_select(struct daemon *d, const char *const *sel, size_t n,
		 void (*fn)(void *ctx, struct inst *in), void *ctx, struct err *err);

#endif
