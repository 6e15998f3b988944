/* SPDX-License-Identifier: MIT */
#include "daemon/regrow.h"

#include <string.h>

#include "common/limits.h"
#include "daemon/alive.h"
#include "daemon/daemon.h"
#include "daemon/runner.h"
#include "sys/runtab.h"

static bool is_more(struct daemon *d, const struct app *app, const struct runtab_rec *r)
{
	struct proc_stat st;
	return app && !app->deleting && r->slot >= app->count && r->slot < LIMIT_INSTANCES_APP &&
	       !(r->flags & (RUNTAB_GOING | RUNTAB_OTHER)) && r->pid > 1 &&
	       alive_is(d, r->pid, r->starttime, &st);
}

static void take_wishes(struct daemon *d, struct app *app, int first)
{
	for (size_t i = 0; i < runtab_capacity(d->store.runtab); i++) {
		const struct runtab_rec *r = runtab_get(d->store.runtab, i);
		if (r && r->slot >= first && r->slot < app->count && !(r->flags & RUNTAB_OTHER) &&
		    strcmp(r->app, app->conf.name) == 0) {
			app->slots[r->slot]->wanted = r->wanted;
		}
	}
}

static void grow(struct daemon *d, struct app *app, int count)
{
	int before = app->count;
	app->scaled = true;
	apps_resize(app, count);
	take_wishes(d, app, before);
	events_add(&d->events, app->conf.name, -1, "scale", NULL,
		   "%d instances, not %d: that many run, and the state could not be saved", count,
		   before);
	store_save_later(&d->store);
}

void regrow_all(struct daemon *d)
{
	struct app *app, *next;
	list_for_each(app, next, &d->apps, node)
	{
		int count = app->count;
		for (size_t i = 0; i < runtab_capacity(d->store.runtab); i++) {
			const struct runtab_rec *r = runtab_get(d->store.runtab, i);
			if (r && r->slot >= count && strcmp(r->app, app->conf.name) == 0 &&
			    is_more(d, app, r)) {
				count = r->slot + 1;
			}
		}
		if (count > app->count) {
			grow(d, app, count);
		}
	}
}
