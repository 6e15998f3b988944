/* SPDX-License-Identifier: MIT */
#include "daemon/tally.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/mem.h"
#include "daemon/daemon.h"
#include "daemon/runner.h"

#define NAME	"tally" /* with the keeper */
#define MAGIC	0x796c6174u
#define VERSION 1u /* of everything below and of the records */

struct tally_file {
	uint32_t magic, version, size;
	uint32_t apps, slots; /* records from here on were never used */
	struct tally_app app[LIMIT_APPS];
	struct tally_slot slot[LIMIT_INSTANCES];
};

static const char *const cause_names[TALLY_CAUSES] = {
	[TALLY_ASKED] = "asked",       [TALLY_SUCCESS] = "success", [TALLY_ERROR] = "error",
	[TALLY_SIGNAL] = "signal",     [TALLY_OOM] = "oom",	    [TALLY_START] = "start",
	[TALLY_REPLACED] = "replaced", [TALLY_UNKNOWN] = "unknown",
};

const char *tally_cause_name(enum tally_cause cause)
{
	return cause_names[cause];
}

static void make(struct tally *t)
{
	t->file = keptmap_make(&t->map);
	if (t->file) {
		t->file->magic = MAGIC;
		t->file->version = VERSION;
		t->file->size = sizeof(struct tally_file);
	}
}

void tally_init(struct tally *t, struct daemon *d)
{
	*t = (struct tally){.daemon = d};
	keptmap_init(&t->map, &d->link, NAME, sizeof(struct tally_file));
}

void tally_finish(struct tally *t)
{
	keptmap_finish(&t->map);
	t->file = NULL;
}

void tally_deposit(struct tally *t)
{
	keptmap_deposit(&t->map);
}

static bool is_ours(const struct tally_file *f)
{
	return f->magic == MAGIC && f->version == VERSION && f->size == sizeof(*f) &&
	       f->apps <= LIMIT_APPS && f->slots <= LIMIT_INSTANCES;
}

void tally_adopt(struct tally *t, int fd)
{
	t->file = keptmap_adopt(&t->map, fd);
	if (!t->file || !is_ours(t->file)) {
		log_line("the counters of before are of another kind: they begin anew");
		tally_finish(t);
	}
}

/* --- records --- */

static struct tally_app *give_app(struct tally *t, const char *app)
{
	struct tally_file *f = t->file;
	while (t->first_app < f->apps && f->app[t->first_app].app[0]) {
		t->first_app++;
	}
	if (t->first_app == LIMIT_APPS) {
		return NULL;
	}
	f->apps += t->first_app == f->apps;
	struct tally_app *r = &f->app[t->first_app++];
	memset(r, 0, sizeof(*r));
	snprintf(r->app, sizeof(r->app), "%s", app);
	return r;
}

static struct tally_slot *give_slot(struct tally *t, const char *app, int slot)
{
	struct tally_file *f = t->file;
	while (t->first_slot < f->slots && f->slot[t->first_slot].app[0]) {
		t->first_slot++;
	}
	if (t->first_slot == LIMIT_INSTANCES) {
		return NULL;
	}
	f->slots += t->first_slot == f->slots;
	struct tally_slot *r = &f->slot[t->first_slot++];
	memset(r, 0, sizeof(*r));
	r->slot = slot;
	snprintf(r->app, sizeof(r->app), "%s", app);
	return r;
}

static bool is_there(struct tally *t)
{
	if (!t->file) {
		make(t);
	}
	return t->file != NULL;
}

struct tally_app *tally_of(struct app *app)
{
	struct tally *t = &app->daemon->tally;
	if (!app->tally && is_there(t)) {
		app->tally = give_app(t, app->conf.name);
	}
	return app->tally;
}

static struct tally_slot *slot_of(struct inst *in)
{
	struct tally *t = &in->app->daemon->tally;
	if (!in->tally && in->role == ROLE_SLOT && is_there(t)) {
		in->tally = give_slot(t, in->app->conf.name, in->slot);
	}
	return in->tally;
}

void tally_forget_app(struct app *app)
{
	struct tally *t = &app->daemon->tally;
	if (app->tally) {
		size_t i = (size_t)(app->tally - t->file->app);
		app->tally->app[0] = '\0';
		app->tally = NULL;
		t->first_app = i < t->first_app ? i : t->first_app;
	}
}

void tally_forget_slot(struct inst *in)
{
	struct tally *t = &in->app->daemon->tally;
	if (in->tally) {
		size_t i = (size_t)(in->tally - t->file->slot);
		in->tally->app[0] = '\0';
		in->tally = NULL;
		t->first_slot = i < t->first_slot ? i : t->first_slot;
	}
}

static void resume_app(struct tally *t, struct tally_app *r)
{
	r->app[LIMIT_NAME] = '\0';
	struct app *app = r->app[0] ? apps_find(t->daemon, r->app) : NULL;
	if (app && !app->tally) {
		app->tally = r;
	} else {
		r->app[0] = '\0';
	}
}

/* Figures of a process that is taken over count from now on. Where a control group counts, what was
 * used since we died is known, too. */
static void go_on(struct tally_slot *r, struct inst *in)
{
	struct sample *s = &in->sample;
	if (in->cgroup_fd >= 0 && in->run == r->run && r->group_us <= s->group_us) {
		s->base_cpu_us = s->group_us - r->group_us; /* no percentage of that */
		s->group_us = r->group_us;
	} else {
		r->run = in->run;
		r->group_us = s->group_us;
		r->seen_us = 0;
	}
}

static void resume_slot(struct tally *t, struct tally_slot *r)
{
	r->app[LIMIT_NAME] = '\0';
	const struct app *app = r->app[0] ? apps_find(t->daemon, r->app) : NULL;
	bool here = app && r->slot >= 0 && r->slot < app->nslots && !app->slots[r->slot]->tally;
	if (here) {
		app->slots[r->slot]->tally = r;
		go_on(r, app->slots[r->slot]);
	} else {
		r->app[0] = '\0';
	}
}

void tally_resume(struct tally *t)
{
	for (size_t i = 0; t->file && i < t->file->apps; i++) {
		resume_app(t, &t->file->app[i]);
	}
	for (size_t i = 0; t->file && i < t->file->slots; i++) {
		resume_slot(t, &t->file->slot[i]);
	}
}

/* --- counting --- */

void tally_started(struct inst *in)
{
	struct tally_app *r = tally_of(in->app);
	if (r) {
		r->starts++;
	}
}

static enum tally_cause cause_of(const struct inst *in, bool asked)
{
	const struct exit_status *st = &in->status;
	if (in->start_error[0]) {
		return TALLY_START;
	}
	if (in->replaced_why || in->stop_failed) {
		return TALLY_REPLACED;
	}
	if (asked) {
		return TALLY_ASKED;
	}
	return !st->known   ? TALLY_UNKNOWN
	       : st->oom    ? TALLY_OOM
	       : st->signal ? TALLY_SIGNAL
	       : st->code   ? TALLY_ERROR
			    : TALLY_SUCCESS;
}

void tally_ended(struct inst *in, bool asked)
{
	struct tally_app *r = tally_of(in->app);
	if (r) {
		r->ends[cause_of(in, asked)]++;
	}
	/* What it used since we looked last; only a control group still knows. */
	int64_t us = in->pid && in->cgroup_fd >= 0 ? cgroup_cpu_usec(in->cgroup_fd) : -1;
	if (us >= 0 && (uint64_t)us >= in->sample.group_us) {
		tally_cpu(in, (uint64_t)us - in->sample.group_us);
	}
}

void tally_log(struct tally_app *r, const char *app, bool is_err, size_t bytes)
{
	if (r && strcmp(r->app, app) == 0) {
		r->log_bytes[is_err] += bytes;
	}
}

void tally_cpu(struct inst *in, uint64_t used_us)
{
	struct tally_slot *r = slot_of(in);
	if (!r) {
		return;
	}
	if (r->run != in->run) {
		r->run = in->run;
		r->seen_us = 0;
		r->group_us = in->sample.group_us;
	}
	/* Less than before: a child of the tree has gone, with what it had used. */
	if (used_us > r->seen_us) {
		r->cpu_us += used_us - r->seen_us;
		r->seen_us = used_us;
	}
}

int64_t tally_cpu_us(const struct inst *in)
{
	return in->tally ? (int64_t)in->tally->cpu_us : -1;
}
