/* SPDX-License-Identifier: MIT */
#include "daemon/pasts.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/log.h"
#include "daemon/daemon.h"
#include "daemon/runner.h"

#define NAME		"past" /* with the keeper */
#define MAGIC		0x74736170u
#define VERSION		1u /* of everything below */
#define PAGE		4096
#define REC_SIZE	(4 * PAGE)
#define CRASHES_SUSPECT 3 /* in a row */

/* Whole pages, so that one that is free costs nothing. */
union rec_space {
	struct pasts_rec rec;
	char space[REC_SIZE];
};
_Static_assert(sizeof(union rec_space) == REC_SIZE, "a record must fit its pages");

struct pasts_file {
	union {
		struct {
			uint32_t magic, version, rec_size, capacity;
			uint32_t used; /* records from here on were never used */
		};
		char space[PAGE];
	} head;
	union rec_space rec[LIMIT_INSTANCES];
};

uint32_t pasts_second(int64_t boot_ms)
{
	return (uint32_t)(boot_ms / 1000) + 1;
}

uint32_t pasts_now(void)
{
	return pasts_second(clock_boot_ms());
}

static struct pasts_rec *rec_at(const struct pasts *p, size_t i)
{
	return &p->file->rec[i].rec;
}

static void make(struct pasts *p)
{
	p->file = keptmap_make(&p->map);
	if (p->file) {
		p->file->head.magic = MAGIC;
		p->file->head.version = VERSION;
		p->file->head.rec_size = REC_SIZE;
		p->file->head.capacity = LIMIT_INSTANCES;
	}
}

void pasts_init(struct pasts *p, struct daemon *d)
{
	*p = (struct pasts){.daemon = d};
	keptmap_init(&p->map, &d->link, NAME, sizeof(struct pasts_file));
}

void pasts_finish(struct pasts *p)
{
	keptmap_finish(&p->map);
	p->file = NULL;
}

void pasts_deposit(struct pasts *p)
{
	keptmap_deposit(&p->map);
}

static bool is_ours(const struct pasts_file *f)
{
	return f->head.magic == MAGIC && f->head.version == VERSION &&
	       f->head.rec_size == REC_SIZE && f->head.capacity == LIMIT_INSTANCES &&
	       f->head.used <= LIMIT_INSTANCES;
}

static void free_rec(struct pasts *p, size_t i)
{
	struct pasts_rec *r = rec_at(p, i);
	r->app[0] = '\0';
	p->first_free = i < p->first_free ? i : p->first_free;
	/* Back to the system; where it does not want them, by hand. */
	if (madvise(r, REC_SIZE, MADV_REMOVE) != 0) {
		memset(r, 0, sizeof(*r));
	}
}

static void repair(struct pasts *p)
{
	uint32_t now = pasts_now();
	for (size_t i = 0; i < p->file->head.used; i++) {
		struct pasts_rec *r = rec_at(p, i);
		r->app[LIMIT_NAME] = '\0';
		if (r->app[0]) {
			past_repair(&r->past, now);
			leak_repair(&r->leak, clock_boot_ms());
		}
	}
}

void pasts_adopt(struct pasts *p, int fd)
{
	/* Supervisors that crash over it would do so for ever. */
	bool suspect = p->daemon->link.ring->crashes >= CRASHES_SUSPECT;
	p->file = keptmap_adopt(&p->map, fd);
	if (suspect || !p->file || !is_ours(p->file)) {
		log_line("the figures of before are %s: forgotten",
			 suspect ? "suspect" : "of another kind");
		pasts_finish(p);
		return;
	}
	repair(p);
}

static struct pasts_rec *give(struct pasts *p, const char *app, int slot)
{
	size_t n = p->file->head.used;
	while (p->first_free < n && rec_at(p, p->first_free)->app[0]) {
		p->first_free++;
	}
	if (p->first_free == LIMIT_INSTANCES) {
		return NULL;
	}
	p->file->head.used += p->first_free == n;
	struct pasts_rec *r = rec_at(p, p->first_free++);
	r->slot = slot;
	snprintf(r->app, sizeof(r->app), "%s", app);
	return r;
}

bool pasts_want(struct inst *in)
{
	struct pasts *p = &in->app->daemon->pasts;
	if (in->past || in->role != ROLE_SLOT) {
		return in->past != NULL;
	}
	if (!p->file) {
		make(p);
	}
	in->past = p->file ? give(p, in->app->conf.name, in->slot) : NULL;
	return in->past != NULL;
}

void pasts_forget(struct inst *in)
{
	if (in->past) {
		struct pasts *p = &in->app->daemon->pasts;
		free_rec(p, (size_t)((union rec_space *)in->past - p->file->rec));
		in->past = NULL;
	}
}

/* The slot that a record of before belongs to; NULL = there is none any more. */
static struct inst *slot_of(const struct daemon *d, const struct pasts_rec *r)
{
	const struct app *app = apps_find((struct daemon *)d, r->app);
	bool here = app && r->slot >= 0 && r->slot < app->nslots;
	return here && !app->slots[r->slot]->past ? app->slots[r->slot] : NULL;
}

void pasts_resume(struct pasts *p)
{
	for (size_t i = 0; p->file && i < p->file->head.used; i++) {
		struct pasts_rec *r = rec_at(p, i);
		struct inst *in = r->app[0] ? slot_of(p->daemon, r) : NULL;
		if (in) {
			in->past = r;
		} else if (r->app[0]) {
			free_rec(p, i);
		}
	}
}
