/* SPDX-License-Identifier: MIT */
/* The two readers: older lines in front, younger ones at the end. */
#include "client/monitfill_priv.h"

#include <stdio.h>
#include <string.h>

#include "common/units.h"

static bool is_stop_due(void *ctx)
{
	const struct monitfill *f = ctx;
	return monitfill_is_over(f->stop_deadline);
}

void monitfill_pass_over(struct monitfill *f)
{
	struct logpane *p = monitfill_pane(f);
	/* Of a search, too, only what a look at the files can tell. */
	bool plain = f->seeking && !p->json && !strpbrk(p->search, "^$");
	const struct logmatch *sought = plain ? &f->match : NULL;
	const struct logmatch *back = f->seeking  ? (f->seek_dir < 0 ? sought : NULL)
				      : f->sieves ? &f->sieve
						  : NULL;
	const struct logmatch *fwd = f->seeking && f->seek_dir > 0 ? sought : NULL;
	for (size_t i = 0; i < f->back.n; i++) {
		logsrc_want(&f->back.v[i]->src, back, is_stop_due, f);
	}
	for (size_t i = 0; i < f->fwd.n; i++) {
		logsrc_want(&f->fwd.v[i]->src, fwd, is_stop_due, f);
	}
	p->sieved |= f->sieves; /* lines are left out from now on */
}

/* --- backward --- */

/* False: a search was stopped, call it again. */
static bool step_back(struct monitfill *f, size_t i)
{
	struct back_line *b = &f->prev[i];
	struct logsrc *s = &f->back.v[i]->src;
	if (logsrc_prev(s, false, &b->line, &b->seg, &b->at)) {
		logmerge_push(&f->merge, i, b->line.t_ns);
		s->stopped = false;
	} else {
		b->line.data = NULL;
	}
	return !s->stopped;
}

/* Where the sources are whose next line is not known yet. */
static bool step_all_back(struct monitfill *f)
{
	bool all = true;
	for (size_t i = 0; i < f->back.n; i++) {
		if (!f->back_begun || f->back.v[i]->src.stopped) {
			all &= step_back(f, i);
		}
	}
	f->back_begun = true;
	return all;
}

static void know_spot(struct monitfill *f, size_t source, const struct logseg *g, uint64_t at)
{
	f->spot = (struct monitfill_spot){.source = source, .dev = g->dev, .ino = g->ino, .at = at};
}

enum monitfill_back monitfill_take_back(struct monitfill *f, struct logpane_line *out)
{
	size_t i;
	while (step_all_back(f)) {
		if (!logmerge_pop(&f->merge, &i)) {
			f->back_ended = true;
			return BACK_ENDED;
		}
		struct back_line b = f->prev[i];
		size_t keep = b.line.len > LOGPANE_LINE ? LOGPANE_LINE + 1 : b.line.len;
		buf_reset(&f->copy);
		buf_adds(&f->copy, "");
		buf_add(&f->copy, b.line.data, keep);
		b.line.len = keep;
		step_back(f, i);
		const struct back_line *before = &f->prev[i];
		if (before->line.data && before->line.cut && before->seg == b.seg) {
			continue;
		}
		*out = monitfill_line_of(f, f->back.v[i], &b.line, f->copy.data);
		know_spot(f, i, f->back.v[i]->src.files.seg[b.seg], b.at);
		return BACK_LINE;
	}
	return BACK_STOPPED;
}

/* The filter as it is now. */
static void know_filter(struct monitfill *f)
{
	const struct logpane *p = monitfill_pane(f);
	struct err ignored;
	/* Only what a look at the files can tell: not what only matches as it is shown. */
	bool plain = p->filter[0] && !p->filter_not && !p->json && !strpbrk(p->filter, "^$");
	const char *text = plain ? p->filter : "";
	if (strcmp(text, f->sieve_text) == 0) {
		return;
	}
	monitfill_forget_filter(f);
	snprintf(f->sieve_text, sizeof(f->sieve_text), "%s", text);
	f->sieves = text[0] &&
		    logmatch_init(&f->sieve, text,
				  logpane_ignores_case(text) ? LOGMATCH_IGNORE_CASE : 0, &ignored);
	monitfill_pass_over(f);
}

void monitfill_forget_filter(struct monitfill *f)
{
	if (f->sieves) {
		logmatch_finish(&f->sieve);
	}
	f->sieves = false;
	f->sieve_text[0] = '\0';
}

/* One older line in front. False: there is none, or none yet. */
static bool bring_older(struct monitfill *f)
{
	struct logpane *p = monitfill_pane(f);
	struct logpane_line l;
	enum monitfill_back got = f->back_ended ? BACK_ENDED : monitfill_take_back(f, &l);
	if (got == BACK_STOPPED) {
		return false;
	}
	if (got == BACK_ENDED || l.t_ms < f->since_ms) {
		f->back_ended = true;
		monitfill_pass_events_back(f, f->since_ms);
		f->older_left = 0;
		return false;
	}
	monitfill_pass_events_back(f, l.t_ms);
	uint64_t before = p->first;
	logpane_add_front(p, &l);
	f->older_left -= p->first != before;
	return true;
}

bool monitfill_older(struct monitfill *f, int64_t deadline)
{
	struct logpane *p = monitfill_pane(f);
	bool owed = f->open && f->older_left > 0;
	know_filter(f);
	f->stop_deadline = deadline;
	for (int n = 1; f->open && f->older_left > 0; n++) {
		if (p->head_cut) {
			f->older_left = 0; /* they would not come before the first line */
		} else if ((n % MONITFILL_SLICE == 0 && monitfill_is_over(deadline)) ||
			   !bring_older(f)) {
			break;
		}
	}
	if (owed) {
		snprintf(p->note, sizeof(p->note), "%s",
			 f->older_left > 0 && logpane_sieves(p) ? "looking further back" : "");
	}
	return owed;
}

/* --- forward --- */

static void tell_lost(struct monitfill *f, struct logset_entry *e)
{
	char text[64], size[24];
	if (e->src.skipped) {
		units_format_mem((int64_t)e->src.skipped, size, sizeof(size));
		snprintf(text, sizeof(text), "%s left out, they come too fast", size);
		struct logpane_line l =
			monitfill_note_of(e->next.t_ns / NS, e->src.app, e->src.slot, text);
		logpane_add(monitfill_pane(f), &l);
		e->src.skipped = 0;
	}
	if (e->src.files.gap) {
		char what[LOGFILES_GAP];
		logfiles_gap_text(&e->src.files, what);
		struct logpane_line l =
			monitfill_note_of(e->next.t_ns / NS, e->src.app, e->src.slot, what);
		logpane_add(monitfill_pane(f), &l);
		logfiles_gap_told(&e->src.files);
	}
}

/* Which source it is: for the rest of a long line. */
static size_t number_of(const struct monitfill *f, const struct logset_entry *e)
{
	size_t i = 0;
	while (f->fwd.v[i] != e) {
		i++;
	}
	return i;
}

/* The next line that is not the rest of a long one; NULL = there is none now. */
static struct logset_entry *next_line(struct monitfill *f)
{
	const struct logset_entry *e;
	while ((e = logset_next(&f->fwd))) {
		size_t i = number_of(f, e);
		bool rest = f->in_piece[i];
		f->in_piece[i] = e->next.cut;
		if (!rest) {
			return f->fwd.v[i];
		}
	}
	return NULL;
}

bool monitfill_take_forward(struct monitfill *f, struct logpane_line *out)
{
	const struct logset_entry *e = next_line(f);
	if (e) {
		const struct logsrc *s = &e->src;
		*out = monitfill_line_of(f, e, &e->next, e->next.data);
		know_spot(f, number_of(f, e), s->files.seg[s->fwd_seg], s->line_at);
	}
	return e != NULL;
}

bool monitfill_take_newer(struct monitfill *f)
{
	struct logset_entry *e = next_line(f);
	if (!e) {
		return false;
	}
	struct logpane_line l = monitfill_line_of(f, e, &e->next, e->next.data);
	monitfill_pass_events(f, l.t_ms);
	tell_lost(f, e);
	logpane_add(monitfill_pane(f), &l);
	f->added++;
	return true;
}

/* Too slow for who writes: leave out what has piled up, but not of those that write little. */
static void skip(struct monitfill *f)
{
	for (size_t i = 0; i < f->fwd.n; i++) {
		if (logsrc_behind(&f->fwd.v[i]->src) > 4 * MONITFILL_BLOCK) {
			logsrc_skip(&f->fwd.v[i]->src);
			f->in_piece[i] = false;
		}
	}
}

bool monitfill_newer(struct monitfill *f, int64_t deadline)
{
	struct logpane *p = monitfill_pane(f);
	uint64_t before = p->end;
	for (int n = 1; f->open && !p->tail_cut; n++) {
		p->more = true;
		if (logpane_is_full(p)) {
			break;
		}
		if (n % MONITFILL_SLICE == 0 && monitfill_is_over(deadline)) {
			if (p->follow) {
				skip(f);
			}
			break;
		}
		if (!monitfill_take_newer(f)) {
			p->more = false;
			p->fresh = p->counts ? p->fresh : 0;
			p->counts = true;
			break;
		}
	}
	return p->end != before;
}

bool monitfill_has_event(const struct monitfill *f)
{
	return f->open && f->ev_next < f->ui->feed.n && !monitfill_pane(f)->more &&
	       !monitfill_pane(f)->tail_cut;
}

bool monitfill_events(struct monitfill *f, int64_t now_ms)
{
	return monitfill_has_event(f) && monitfill_pass_events(f, now_ms);
}
