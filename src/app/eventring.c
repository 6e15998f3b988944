/* SPDX-License-Identifier: MIT */
#include "app/eventring.h"

#include <ctype.h>
#include <string.h>

static uint16_t owner_of(const char *app)
{
	uint32_t h = 2166136261u;
	for (; *app; app++) {
		h = (h ^ (unsigned char)*app) * 16777619u;
	}
	return (uint16_t)(h % LIMIT_EVENTS); /* two apps may share: they get less, not nothing */
}

/* Equal but for numbers: pids and times differ always. */
static bool same_words(const char *a, const char *b)
{
	while (*a && *b) {
		if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
			a += strspn(a, "0123456789.");
			b += strspn(b, "0123456789.");
		} else if (*a++ != *b++) {
			return false;
		}
	}
	return *a == *b;
}

static bool same_exit(const struct event_exit *a, const struct event_exit *b)
{
	return a->known == b->known && a->code == b->code && a->signal == b->signal &&
	       a->oom == b->oom && a->ready == b->ready && a->next == b->next &&
	       strcmp(a->cause, b->cause) == 0;
}

static bool same_kind(const struct event *a, const struct event *b)
{
	return a->slot == b->slot && strcmp(a->type, b->type) == 0 && strcmp(a->app, b->app) == 0;
}

bool event_is_like(const struct event *a, const struct event *b)
{
	if (!same_kind(a, b) || a->has_exit != b->has_exit || a->has_by || b->has_by) {
		return false;
	}
	return a->has_exit ? same_exit(&a->exit, &b->exit) : same_words(a->text, b->text);
}

/* The last one of its kind, if that is the same thing again. */
static struct event *before(struct eventring *r, const struct event *ev, uint16_t owner)
{
	for (size_t i = r->n; i > 0; i--) {
		struct event *old = &r->v[r->order[i - 1].at];
		if (r->order[i - 1].owner != owner || !same_kind(old, ev)) {
			continue;
		}
		bool row = event_is_like(old, ev) && ev->real_ms - old->real_ms < EVENTRING_ROW_MS;
		return row ? old : NULL;
	}
	return NULL;
}

static void forget(struct eventring *r, size_t i)
{
	const struct event *ev = &r->v[r->order[i].at];
	if (!ev->inside && ev->seq > r->lost_seq) {
		r->lost_seq = ev->seq;
	}
	r->share[r->order[i].owner]--;
	r->n--;
	memmove(&r->order[i], &r->order[i + 1], (r->n - i) * sizeof(r->order[0]));
}

/* Room for one; returns its index in v. */
static uint16_t make_room(struct eventring *r)
{
	uint16_t most = 0;
	size_t victim = LIMIT_EVENTS;
	for (uint16_t i = 1; i < LIMIT_EVENTS; i++) {
		most = r->share[i] > r->share[most] ? i : most;
	}
	for (size_t i = 0; i < r->n; i++) {
		if (r->order[i].owner != most) {
			continue;
		}
		if (r->v[r->order[i].at].inside) {
			victim = i;
			break;
		}
		victim = victim == LIMIT_EVENTS ? i : victim;
	}
	uint16_t at = r->order[victim].at;
	forget(r, victim);
	return at;
}

const struct event *eventring_add(struct eventring *r, const struct event *ev)
{
	uint16_t owner = owner_of(ev->app);
	/* The first of a row ends none. */
	struct event *old = ev->seq && ev->times <= 1 ? NULL : before(r, ev, owner);
	struct event add = *ev;
	if (!add.seq) {
		add.seq = r->last_seq + 1;
		add.times = old ? old->times + 1 : 1;
		add.first_ms = old ? old->first_ms : add.real_ms;
	}
	if (old && add.times > 1 && old->times > 1) {
		old->inside = true;
	}
	add.inside = false;
	/* Places in v are given out in order until all are taken. */
	uint16_t at = r->n < LIMIT_EVENTS ? (uint16_t)r->n : make_room(r);
	r->v[at] = add;
	r->order[r->n].at = at;
	r->order[r->n].owner = owner;
	r->n++;
	r->share[owner]++;
	r->last_seq = add.seq;
	return &r->v[at];
}

const struct event *eventring_at(const struct eventring *r, size_t i)
{
	return &r->v[r->order[i].at];
}
