/* SPDX-License-Identifier: MIT */
/* A search beyond the lines of the pane. */
#include "client/monitfill_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

void monitfill_seek_end(struct monitfill *f)
{
	if (f->seeking) {
		f->seeking = false;
		monitfill_pass_over(f);
		logmatch_finish(&f->match);
		free(f->seek_from.text);
		f->seek_from.text = NULL;
		monitfill_pane(f)->note[0] = '\0';
		monitfill_pane(f)->seeking = false;
	}
}

/* Nothing was found: back to where it began. */
void monitfill_seek_return(struct monitfill *f, int64_t deadline)
{
	struct logpane_line from = f->seek_from;
	f->seek_from.text = NULL;
	bool moved = f->seek_dir > 0;
	monitfill_seek_end(f);
	if (moved && from.text) {
		monitfill_place_around(f, &from, deadline);
	}
	free(from.text);
}

void monitfill_seek(struct monitfill *f, int dir, int64_t deadline)
{
	struct logpane *p = monitfill_pane(f);
	struct err ignored;
	monitfill_seek_end(f);
	if (!f->open || !p->search[0] ||
	    !logmatch_init(&f->match, p->search,
			   logpane_ignores_case(p->search) ? LOGMATCH_IGNORE_CASE : 0, &ignored)) {
		return;
	}
	if ((dir < 0 && p->head_cut) || (dir > 0 && p->tail_cut)) {
		monitfill_around_current(f, deadline);
		if (logpane_next(p, dir)) { /* among those that came */
			logmatch_finish(&f->match);
			return;
		}
	}
	const struct logpane_line *cur = logpane_current(p);
	if (cur) {
		f->seek_from = *cur;
		f->seek_from.text = xstrdup(cur->text);
	}
	f->older_left = 0;
	f->seek_dir = dir;
	f->seeking = p->seeking = true;
	monitfill_pass_over(f);
}

/* A quick look; what only looks so when it is shown, colours and JSON, is looked at closely. */
static bool may_match(const struct monitfill *f, const struct logpane_line *l)
{
	return (monitfill_pane(f)->json && l->len && l->text[0] == '{') ||
	       memchr(l->text, '\033', l->len) || logmatch_line(&f->match, l->text, l->len);
}

/* True: the line is one, and what the pane is around now. */
static bool is_found(struct monitfill *f, const struct logpane_line *l, int64_t deadline)
{
	struct logpane_line safe;
	if (!may_match(f, l) || !logpane_would_find(monitfill_pane(f), l)) {
		return false;
	}
	logpane_make_line(&safe, l);
	monitfill_seek_end(f);
	f->spot.known = true;
	monitfill_place_around(f, &safe, deadline);
	free(safe.text);
	return true;
}

static enum monitfill_back take(struct monitfill *f, struct logpane_line *l)
{
	if (f->seek_dir < 0) {
		return f->back_ended ? BACK_ENDED : monitfill_take_back(f, l);
	}
	return monitfill_take_forward(f, l) ? BACK_LINE
	       : f->fwd.stopped		    ? BACK_STOPPED
					    : BACK_ENDED;
}

enum monitfill_seek monitfill_seek_on(struct monitfill *f, int64_t deadline)
{
	struct logpane *p = monitfill_pane(f);
	struct logpane_line l = {0};
	bool back = f->seek_dir < 0;
	f->stop_deadline = deadline;
	for (int n = 1; n % MONITFILL_SLICE || !monitfill_is_over(deadline); n++) {
		enum monitfill_back got = take(f, &l);
		if (got == BACK_ENDED) {
			p->head_cut |= back;
			monitfill_seek_return(f, deadline);
			return SEEK_NOTHING;
		}
		if (got == BACK_STOPPED) {
			break;
		}
		if (is_found(f, &l, deadline)) {
			return SEEK_FOUND;
		}
	}
	*(back ? &p->head_cut : &p->tail_cut) = true; /* what was read is not in the pane */
	snprintf(p->note, sizeof(p->note), "searching, Esc ends");
	return SEEK_GOES_ON;
}
