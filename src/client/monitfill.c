/* SPDX-License-Identifier: MIT */
/* Files opened, and the pane filled from a place on. */
#include "client/monitfill_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/logview.h"
#include "common/clock.h"
#include "common/mem.h"
#include "ui/logscroll.h"

#define FIRST_LINES  500 /* brought at once */
#define AROUND_LINES 500 /* before and behind a place */
#define BACK_BLOCK   16384
#define MANY	     32 /* streams, from which on each gets smaller blocks */
#define MANY_BLOCK   8192

void monitfill_init(struct monitfill *f, struct ui *ui, const struct monitfiles *files,
		    const struct monitwant *want)
{
	*f = (struct monitfill){.ui = ui, .files = files, .want = want};
	logset_init(&f->fwd);
	logset_init(&f->back);
	logmerge_init(&f->merge, true);
}

static void close_all(struct monitfill *f)
{
	logset_finish(&f->fwd);
	logset_finish(&f->back);
	logmerge_finish(&f->merge);
	free(f->prev);
	free(f->in_piece);
	f->prev = NULL;
	f->in_piece = NULL;
	f->open = false;
}

void monitfill_finish(struct monitfill *f)
{
	monitfill_seek_end(f);
	monitfill_forget_filter(f);
	close_all(f);
	buf_finish(&f->copy);
}

/* --- where to begin --- */

static void open_files(struct monitfill *f)
{
	bool many = f->files->n > MANY;
	close_all(f);
	logset_init(&f->fwd);
	logset_init(&f->back);
	logmerge_init(&f->merge, true);
	f->fwd.complete = true;
	f->fwd.block_size = many ? MANY_BLOCK : MONITFILL_BLOCK;
	f->back.block_size = many ? MANY_BLOCK : BACK_BLOCK;
	for (size_t i = 0; i < f->files->n; i++) {
		const struct monitfile *e = &f->files->v[i];
		logset_add(&f->fwd, e->app, e->slot, e->stream, e->path)->stamp = e->stamp;
	}
}

/* The backward reader ends where the forward one begins. Two tries: a rotation may come between. */
static bool join(struct monitfill *f)
{
	bool ok = true;
	for (size_t i = 0; i < f->files->n; i++) {
		const struct monitfile *e = &f->files->v[i];
		logset_add(&f->back, e->app, e->slot, e->stream, e->path)->stamp = e->stamp;
	}
	for (size_t i = 0; i < f->back.n && i < f->fwd.n; i++) {
		ok &= logsrc_back_join(&f->back.v[i]->src, &f->fwd.v[i]->src);
	}
	f->prev = xcalloc(f->back.n + 1, sizeof(*f->prev));
	f->in_piece = xcalloc(f->fwd.n + 1, sizeof(*f->in_piece));
	f->back_begun = f->back_ended = false;
	f->open = true;
	monitfill_pass_over(f);
	return ok;
}

/* Lines of one moment may be many: its own file begins with the line itself. */
static void begin_at_spot(struct monitfill *f)
{
	const struct monitfill_spot *at = &f->spot;
	struct logsrc *s = at->known && at->source < f->fwd.n ? &f->fwd.v[at->source]->src : NULL;
	for (size_t i = 0; s && i < s->files.n; i++) {
		if (s->files.seg[i]->dev == at->dev && s->files.seg[i]->ino == at->ino) {
			logsrc_start_at(s, i, at->at);
		}
	}
}

/* t_ms INT64_MAX = at the end, INT64_MIN = at the beginning. */
static void begin_at(struct monitfill *f, int64_t t_ms)
{
	for (int left = 2; left >= 0; left--) {
		open_files(f);
		if (t_ms == INT64_MAX) {
			logset_start_last(&f->fwd, 0, INT64_MIN);
		} else {
			logset_start_since(&f->fwd, t_ms == INT64_MIN ? INT64_MIN : t_ms * NS);
			begin_at_spot(f);
		}
		if (join(f)) {
			break;
		}
	}
	monitfill_place_events(f, t_ms == INT64_MAX   ? clock_real_ms()
				  : t_ms == INT64_MIN ? t_ms
						      : t_ms - 1);
}

/* Names, and whether there is more than one. */
static void tell_names(struct monitfill *f)
{
	struct logpane *p = monitfill_pane(f);
	const struct monitfile *first = f->files->v;
	p->several = false;
	p->name_width = p->slot_width = 0;
	for (size_t i = 0; i < f->fwd.n; i++) {
		const struct logsrc *s = &f->fwd.v[i]->src;
		char name[64], slot[16];
		logview_name(s->app, s->slot, name, sizeof(name));
		int slot_len = snprintf(slot, sizeof(slot), "%d", s->slot);
		int len = (int)strlen(name);
		p->name_width = len > p->name_width ? len : p->name_width;
		p->slot_width = slot_len > p->slot_width ? slot_len : p->slot_width;
		p->several |= s->slot != first->slot || strcmp(s->app, first->app) != 0;
	}
}

/* --- places --- */

/* Forward to the line that is that one, or else comes after it. Its number. */
static uint64_t go_to(struct monitfill *f, const struct logpane_line *line)
{
	struct logpane *p = monitfill_pane(f);
	uint64_t found = LOGSCROLL_NONE, seen = p->end;
	for (int n = 0; n < 8 * LOGPANE_LINES && found == LOGSCROLL_NONE; n++) {
		if (!monitfill_take_newer(f)) {
			break;
		}
		for (; seen < p->end && found == LOGSCROLL_NONE; seen++) {
			const struct logpane_line *l = logpane_get(p, seen);
			bool same = line->text && l && l->t_ms == line->t_ms &&
				    l->slot == line->slot && l->len == line->len &&
				    strcmp(l->app, line->app) == 0 &&
				    memcmp(l->text, line->text, l->len) == 0;
			int64_t after = line->text ? line->t_ms : line->t_ms - 1;
			found = same || (l && l->t_ms > after) ? seen : found;
		}
	}
	return found;
}

void monitfill_place_around(struct monitfill *f, const struct logpane_line *line, int64_t deadline)
{
	struct logpane *p = monitfill_pane(f);
	logpane_clear(p);
	f->since_ms = INT64_MIN;
	begin_at(f, line->t_ms);
	f->spot.known = false;
	uint64_t at = go_to(f, line);
	p->more = true;
	for (int n = 0; n < AROUND_LINES && p->more; n++) {
		p->more = monitfill_take_newer(f);
	}
	f->older_left = p->head_cut ? 0 : AROUND_LINES;
	monitfill_older(f, deadline);
	logscroll_show(p, at == LOGSCROLL_NONE ? p->end - 1 : at);
}

void monitfill_around_current(struct monitfill *f, int64_t deadline)
{
	const struct logpane_line *cur = logpane_current(monitfill_pane(f));
	if (cur) {
		struct logpane_line copy = *cur;
		copy.text = xstrdup(cur->text);
		monitfill_place_around(f, &copy, deadline);
		free(copy.text);
	}
}

static void place_head(struct monitfill *f, int64_t deadline)
{
	struct logpane *p = monitfill_pane(f);
	begin_at(f, INT64_MIN);
	logpane_follow(p, false);
	p->more = true;
	for (int n = 1; n < LOGPANE_LINES / 2 && p->more; n++) {
		p->more = monitfill_take_newer(f) &&
			  (n % MONITFILL_SLICE || !monitfill_is_over(deadline));
	}
	p->more = true;
	logpane_edge(p, -1);
}

void monitfill_place(struct monitfill *f, int64_t deadline)
{
	struct logpane *p = monitfill_pane(f);
	struct logpane_line line = {.t_ms = p->at_ms};
	monitfill_seek_end(f);
	logpane_clear(p);
	f->since_ms = p->from == LOGPANE_SINCE ? p->at_ms : INT64_MIN;
	if (p->from == LOGPANE_AT) {
		monitfill_place_around(f, &line, deadline);
	} else if (p->from == LOGPANE_HEAD) {
		place_head(f, deadline);
	} else {
		begin_at(f, INT64_MAX);
		f->older_left = p->from == LOGPANE_SINCE ? LOGPANE_LINES : FIRST_LINES;
		monitfill_older(f, deadline);
	}
	tell_names(f);
	snprintf(p->note, sizeof(p->note), "%s", f->files->n ? "" : "no log files");
}

void monitfill_refill(struct monitfill *f, int64_t deadline)
{
	struct logpane *p = monitfill_pane(f);
	p->refill = p->sieved = false;
	if (!p->follow && logpane_current(p)) {
		monitfill_seek_end(f);
		monitfill_around_current(f, deadline);
	} else {
		p->from = p->from == LOGPANE_SINCE ? LOGPANE_SINCE : LOGPANE_TAIL;
		monitfill_place(f, deadline);
	}
}
