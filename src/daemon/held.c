/* SPDX-License-Identifier: MIT */
#include "daemon/held.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "daemon/daemon.h"
#include "daemon/launch.h"
#include "daemon/notify.h"
#include "daemon/orphans.h"
#include "daemon/reap.h"
#include "daemon/refind.h"
#include "daemon/runner.h"
#include "daemon/workers.h"

static struct inst *find_run(struct daemon *d, unsigned long long id, unsigned run)
{
	struct app *app, *next;
	list_for_each(app, next, &d->apps, node)
	{
		for (int i = 0; i < app->nslots; i++) {
			struct inst *in = app->slots[i];
			if (in->id == id && in->run == run && in->pid) {
				return in;
			}
		}
		struct inst *in, *after;
		list_for_each(in, after, &app->others, other_node)
		{
			if (in->id == id && in->run == run && in->pid) {
				return in;
			}
		}
	}
	return NULL;
}

/* What belongs to a process that is left alone stays with the keeper: its app may become known. */
static bool is_of_left(const struct daemon *d, const char *name)
{
	unsigned long long id;
	unsigned run;
	const char *dot = strchr(name, '.');
	if (!dot || sscanf(dot, ".%llu-%u", &id, &run) != 2) {
		return false;
	}
	for (size_t i = 0; i < runtab_capacity(d->store.runtab); i++) {
		const struct runtab_rec *r = runtab_get(d->store.runtab, i);
		if (r && (r->flags & RUNTAB_LEFT) && r->id == id) {
			return true;
		}
	}
	return false;
}

static struct inst *find_id(struct daemon *d, unsigned long long id)
{
	struct app *app, *next;
	list_for_each(app, next, &d->apps, node)
	{
		for (int i = 0; i < app->nslots; i++) {
			if (app->slots[i]->id == id) {
				return app->slots[i];
			}
		}
	}
	return NULL;
}

#define SPOOL "spool."

static void take_held(struct daemon *d, const char *name, int fd)
{
	unsigned long long id;
	unsigned run;
	char stream;
	struct inst *in;
	bool http = strncmp(name, "http.", 5) == 0;
	if (http || strncmp(name, "sock.", 5) == 0) {
		if (!(http ? exporter_restore(&d->exporter, name, fd)
			   : workers_restore_socket(d, name, fd))) {
			link_drop(&d->link, name);
		}
		return;
	}
	if (strncmp(name, SPOOL, strlen(SPOOL)) == 0) {
		spoolhold_add(&d->outputs.spools, name + strlen(SPOOL), fd);
		return;
	}
	if (sscanf(name, "pipe.%llu-%u-%c", &id, &run, &stream) == 3 &&
	    (in = find_run(d, id, run))) {
		launch_adopt_output(in, stream == 'e', fd);
		return;
	}
	/* Of a process that has ended, perhaps before anybody had noted its pid: its last words. */
	if (sscanf(name, "pipe.%llu-%u-%c", &id, &run, &stream) == 3 && (in = find_id(d, id))) {
		launch_finish_output(in, stream == 'e', run, fd);
		return;
	}
	if (sscanf(name, "chan.%llu-%u", &id, &run) == 2 && (in = find_run(d, id, run))) {
		workers_adopt(in, fd);
		return;
	}
	if (sscanf(name, "ntfy.%llu-%u", &id, &run) == 2 && (in = find_run(d, id, run)) &&
	    !in->notify) {
		in->notify = notify_adopt(in, in->app->user.uid, fd);
		return;
	}
	if (sscanf(name, "pid.%llu-%u", &id, &run) == 2 && (in = find_run(d, id, run))) {
		reap_take_pidfd(in, fd);
		return;
	}
	close(fd);
	if (strcmp(name, "log") != 0 && !is_of_left(d, name)) {
		link_drop(&d->link, name);
	}
}

struct held_item {
	char name[KEEPER_NAME];
	int fd;
};

static void on_item(void *ctx, const char *name, int fd)
{
	struct held *h = ctx;
	if (strcmp(name, "control") == 0) {
		h->daemon->control_fd = fd;
		return;
	}
	if (strcmp(name, "past") == 0) {
		pasts_adopt(&h->daemon->pasts, fd);
		return;
	}
	if (strcmp(name, "tally") == 0) {
		tally_adopt(&h->daemon->tally, fd);
		return;
	}
	if (strncmp(name, "file.", 5) == 0) {
		close(fd); /* the keeper's own use; we open files by path */
		return;
	}
	h->item = xreallocarray(h->item, h->n + 1, sizeof(*h->item));
	snprintf(h->item[h->n].name, KEEPER_NAME, "%s", name);
	h->item[h->n++].fd = fd;
}

/* Those whose pipe did not come. */
static void drop_spools(struct daemon *d)
{
	char key[SPOOLHOLD_KEY], name[KEEPER_NAME];
	while (spoolhold_pop(&d->outputs.spools, key)) {
		snprintf(name, sizeof(name), SPOOL "%s", key);
		if (!is_of_left(d, name)) {
			link_drop(&d->link, name);
		}
	}
}

void held_fetch(struct held *h, struct daemon *d)
{
	struct err err;
	*h = (struct held){.daemon = d};
	if (!link_fetch(&d->link, on_item, h, &err)) {
		log_line("%s", err.msg);
	}
}

void held_take(struct held *h)
{
	for (size_t i = 0; i < h->n; i++) {
		refind_learn_run(h->daemon, h->item[i].name);
	}
	for (int pass = 0; pass < 2; pass++) {
		if (pass == 1) {
			orphans_take_sockets(h->daemon);
			workers_restore_clusters(h->daemon);
		}
		for (size_t i = 0; i < h->n; i++) {
			bool first = strncmp(h->item[i].name, "sock.", 5) == 0 ||
				     strncmp(h->item[i].name, SPOOL, strlen(SPOOL)) == 0;
			if (first == (pass == 0)) {
				take_held(h->daemon, h->item[i].name, h->item[i].fd);
			}
		}
	}
	free(h->item);
	drop_spools(h->daemon);
}

/* --- later --- */

struct left {
	const struct inst *in;
	bool spools; /* these come first */
};

static void on_item_of(void *ctx, const char *name, int fd)
{
	const struct left *left = ctx;
	const struct inst *in = left->in;
	unsigned long long id;
	unsigned run;
	const char *dot = strchr(name, '.');
	bool is_spool = strncmp(name, SPOOL, strlen(SPOOL)) == 0;
	if (dot && strncmp(name, "file.", 5) != 0 && strncmp(name, "sock.", 5) != 0 &&
	    is_spool == left->spools && sscanf(dot, ".%llu-%u", &id, &run) == 2 && id == in->id &&
	    run == in->run) {
		take_held(in->app->daemon, name, fd);
	} else {
		close(fd);
	}
}

void held_take_of(struct inst *in)
{
	struct daemon *d = in->app->daemon;
	struct err err;
	for (int pass = 0; pass < 2; pass++) {
		struct left left = {.in = in, .spools = pass == 0};
		if (!link_fetch(&d->link, on_item_of, &left, &err)) {
			log_line("%s", err.msg);
		}
	}
}
