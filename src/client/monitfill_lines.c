/* SPDX-License-Identifier: MIT */
/* Lines of files as the pane has them, and the events between them. */
#include "client/monitfill_priv.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"

struct logpane *monitfill_pane(const struct monitfill *f)
{
	return &f->ui->logs;
}

bool monitfill_is_over(int64_t deadline)
{
	return clock_mono_ms() >= deadline;
}

struct logpane_line monitfill_line_of(const struct monitfill *f, const struct logset_entry *e,
				      const struct logline *l, const char *text)
{
	struct logpane_line out = {.t_ms = l->t_ns / NS,
				   .slot = e->src.slot,
				   .hue = e->hue,
				   .err = e->src.stream == LOG_ERR,
				   .cut = l->cut,
				   .len = l->len};
	bool one_app = f->fwd.n && f->fwd.v[f->fwd.n - 1]->hue == 0;
	out.hue = one_app && e->src.slot > 0 ? (unsigned)e->src.slot : e->hue;
	out.text = (char *)(uintptr_t)text;
	snprintf(out.app, sizeof(out.app), "%s", e->src.app);
	return out;
}

struct logpane_line monitfill_note_of(int64_t t_ms, const char *app, int slot, const char *text)
{
	struct logpane_line out = {.t_ms = t_ms, .slot = slot, .event = true, .len = strlen(text)};
	out.text = (char *)(uintptr_t)text;
	snprintf(out.app, sizeof(out.app), "%s", app);
	return out;
}

static const struct feed_event *event_at(const struct monitfill *f, uint64_t number)
{
	const struct feed *feed = &f->ui->feed;
	return number < feed->n ? feed_get(feed, feed->n - 1 - number) : NULL;
}

static bool is_wanted(const struct monitfill *f, const struct feed_event *e)
{
	return e->app[0] && monitwant_has(f->want, &f->ui->model, e->app, e->slot);
}

static bool add_event(struct monitfill *f, const struct feed_event *e, bool front)
{
	if (!is_wanted(f, e)) {
		return false;
	}
	struct logpane_line l = monitfill_note_of(e->t_ms, e->app, e->slot, e->text);
	(front ? logpane_add_front : logpane_add)(monitfill_pane(f), &l);
	return true;
}

bool monitfill_pass_events(struct monitfill *f, int64_t until_ms)
{
	bool any = false;
	const struct feed_event *e;
	uint64_t kept = f->ui->feed.n > FEED_EVENTS ? f->ui->feed.n - FEED_EVENTS : 0;
	f->ev_next = f->ev_next < kept ? kept : f->ev_next;
	while ((e = event_at(f, f->ev_next)) && e->t_ms <= until_ms) {
		any |= add_event(f, e, false);
		f->ev_next++;
	}
	return any;
}

void monitfill_pass_events_back(struct monitfill *f, int64_t down_to_ms)
{
	const struct feed_event *e;
	while (f->ev_prev > 0 && (e = event_at(f, f->ev_prev - 1)) && e->t_ms >= down_to_ms) {
		add_event(f, e, true);
		f->ev_prev--;
	}
}

void monitfill_place_events(struct monitfill *f, int64_t t_ms)
{
	const struct feed_event *e;
	uint64_t n = f->ui->feed.n;
	while (n > 0 && (e = event_at(f, n - 1)) && e->t_ms > t_ms) {
		n--;
	}
	f->ev_next = f->ev_prev = n;
}
