/* SPDX-License-Identifier: MIT */
#include "client/monitlogs.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/clock.h"
#include "common/mem.h"
#include "ui/logscroll.h"

#define SETTLE_MS    80	  /* a selection that stays for so long is meant */
#define SLICE_MS     15	  /* of work, then keys are looked at */
#define REST_MS	     100  /* between two looks at files that change all the time */
#define BLIND_MS     1000 /* between looks where nobody tells of changes */
#define CHECK_MS     5000 /* and where somebody should */
#define LATE_MS	     50	  /* lines may come so much later than an event of the same time */
#define STALE_MS     1000 /* the beginning of a line that stays one is shown after this */
#define STREAMS_MAX  128
#define MANY	     32	 /* streams, from which on the limit of open files is raised */
#define PREFETCH_MAX 500 /* instances, up to which the files of all are asked for */
#define NS	     1000000

void monitlogs_init(struct monitlogs *m, struct client *c, struct monitlink *link, struct ui *ui)
{
	*m = (struct monitlogs){.c = c, .link = link, .ui = ui};
	monitfill_init(&m->fill, ui, &m->chosen, &m->want);
	monitwatch_init(&m->watch);
}

void monitlogs_finish(struct monitlogs *m)
{
	monitfill_finish(&m->fill);
	monitwatch_finish(&m->watch);
	monitfiles_finish(&m->known);
	monitfiles_finish(&m->chosen);
	monitwant_finish(&m->want);
	free(m->wanted);
	free(m->changed);
	*m = (struct monitlogs){.watch.fd = -1};
}

/* --- which files --- */

void monitlogs_choose(struct monitlogs *m)
{
	struct logpane *p = &m->ui->logs;
	bool others = !m->wanted || strcmp(m->wanted, p->want) != 0;
	m->generation = p->generation;
	m->choose_mono = clock_mono_ms() + (m->wanted && others ? SETTLE_MS : 0);
	m->asked = m->answered = false;
	if (others) {
		monitfill_seek_end(&m->fill);
		logpane_clear(p);
		monitfill_finish(&m->fill);
		monitfill_init(&m->fill, m->ui, &m->chosen, &m->want);
		free(m->wanted);
		m->wanted = xstrdup(p->want);
		monitwant_parse(&m->want, p->want);
	}
}

static void on_files(void *ctx, const json_t *result)
{
	struct monitlogs *m = ctx;
	if (result) {
		monitfiles_take(&m->known, result, false);
	}
	m->answered = m->answered || m->asked;
	m->asked = false;
}

static void on_all_files(void *ctx, const json_t *result)
{
	struct monitlogs *m = ctx;
	if (result) {
		monitfiles_take(&m->known, result, true);
	}
}

static void ask_files(struct monitlogs *m)
{
	json_t *params = json_object(), *sel = json_array();
	char *copy = xstrdup(m->wanted), *rest = copy, *word;
	while ((word = strtok_r(rest, ",", &rest))) {
		json_array_append_new(sel, json_string(word));
	}
	bool any = json_array_size(sel) > 0;
	client_set(params, "sel", sel);
	free(copy);
	m->asked = true;
	if (!any || !monitlink_ask(m->link, "logs", any ? params : NULL, on_files, m)) {
		on_files(m, NULL); /* away: what it said before */
	}
	if (!any) {
		json_decref(params);
	}
}

/* For when the daemon is away and somebody selects what was not selected before. */
static void ask_all_files(struct monitlogs *m)
{
	bool up = m->ui->model.link == UI_LINK_UP;
	if (up && !m->all_known && m->ui->model.wanted <= PREFETCH_MAX) {
		monitlink_ask(m->link, "logs", NULL, on_all_files, m);
	}
	m->all_known = up;
}

static void raise_limit(void)
{
	struct rlimit r;
	if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < r.rlim_max) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r); /* each stream holds files open */
	}
}

static void watch_files(struct monitlogs *m)
{
	const struct logset *s = &m->fill.fwd;
	monitwatch_clear(&m->watch);
	for (size_t i = 0; i < s->n; i++) {
		monitwatch_add(&m->watch, s->v[i]->src.files.path);
	}
	free(m->changed);
	m->changed = xcalloc(s->n + 1, sizeof(*m->changed));
}

/* The files are known: fill the pane. Not again if an instance only told of others, and somebody
 * reads; following anew does it then. */
static void place(struct monitlogs *m)
{
	struct monitfiles now = {0};
	struct logpane *p = &m->ui->logs;
	bool again = m->stale && m->fill.open;
	monitfiles_choose(&m->known, &m->want, &m->ui->model, STREAMS_MAX, &now);
	bool same = monitfiles_equal(&now, &m->chosen);
	m->answered = m->stale = false;
	if (again && (same || !p->follow)) {
		p->more |= !same;
		monitfiles_finish(&now);
		return;
	}
	monitfiles_finish(&m->chosen);
	m->chosen = now;
	if (now.n > MANY) {
		raise_limit();
	}
	monitfill_place(&m->fill, clock_mono_ms() + SLICE_MS);
	watch_files(m);
	memset(m->rate, 0, sizeof(m->rate));
	p->rate = 0;
	m->rate_added = m->fill.added;
	m->look_mono = clock_mono_ms();
	m->rate_from_s = m->rate_s = m->look_mono / 1000;
}

/* --- following --- */

static void count_rate(struct monitlogs *m, int64_t now)
{
	int64_t s = now / 1000;
	uint64_t sum = 0;
	for (int64_t at = m->rate_s + 1; at <= s && at <= m->rate_s + MONITLOGS_RATE_S; at++) {
		m->rate[at % MONITLOGS_RATE_S] = 0;
	}
	m->rate_s = s;
	m->rate[s % MONITLOGS_RATE_S] += m->fill.added - m->rate_added;
	m->rate_added = m->fill.added;
	for (int i = 0; i < MONITLOGS_RATE_S; i++) {
		sum += m->rate[i];
	}
	int64_t span = s - m->rate_from_s + 1;
	m->ui->logs.rate =
		(double)sum / (double)(span < MONITLOGS_RATE_S ? span : MONITLOGS_RATE_S);
}

/* What was written. Twice: behind the last bytes of a file that was rotated begins another. */
static bool read_changed(struct monitlogs *m, int64_t now, bool check)
{
	struct logset *s = &m->fill.fwd;
	bool any = false, more = true;
	for (int round = 0; round < 3 && more; round++) {
		for (size_t i = 0; i < s->n; i++) {
			if (check || m->changed[i]) {
				logset_refresh_one(s, i);
			}
		}
		more = monitfill_newer(&m->fill, now + SLICE_MS);
		any |= more;
	}
	memset(m->changed, 0, s->n * sizeof(*m->changed));
	return any;
}

static bool look(struct monitlogs *m, int64_t now)
{
	double rate = m->ui->logs.rate;
	logset_take_open(&m->fill.fwd, (clock_real_ms() - STALE_MS) * NS);
	bool any = read_changed(m, now, now >= m->look_mono);
	count_rate(m, now);
	m->rest_mono = now + REST_MS;
	m->look_mono = now + (m->ui->logs.rate > 0 || m->watch.blind ? BLIND_MS : CHECK_MS);
	return any || rate != m->ui->logs.rate;
}

static bool take_events(struct monitlogs *m)
{
	const struct feed *feed = &m->ui->feed;
	for (; m->events_seen < feed->n; m->events_seen++) {
		const struct feed_event *e = feed_get(feed, feed->n - 1 - m->events_seen);
		if (e && e->slot >= 0 && m->wanted && !m->asked && !m->choose_mono &&
		    monitwant_has(&m->want, &m->ui->model, e->app, e->slot) &&
		    !monitfiles_has(&m->known, e->app, e->slot)) {
			m->stale = true; /* an instance that was not there before */
			ask_files(m);
		}
	}
	return monitfill_events(&m->fill, clock_real_ms() - LATE_MS);
}

/* --- what a reader asks for --- */

static bool scroll(struct monitlogs *m, int64_t now)
{
	struct logpane *p = &m->ui->logs;
	bool older = p->want_older, newer = p->want_newer;
	p->want_older = p->want_newer = false;
	if (p->refill) {
		monitfill_refill(&m->fill, now + SLICE_MS);
		watch_files(m);
		return true;
	}
	if ((older && p->head_cut) || (newer && p->tail_cut)) {
		monitfill_around_current(&m->fill, now + SLICE_MS);
		watch_files(m);
		return true;
	}
	bool sparse = logscroll_is_sparse(p);
	if ((older || sparse) && m->fill.older_left == 0 && !m->fill.back_ended) {
		m->fill.older_left = older ? LOGPANE_LINES / 4 : p->rows;
	}
	return false;
}

void monitlogs_search(struct monitlogs *m, int dir)
{
	monitfill_seek(&m->fill, dir, clock_mono_ms() + SLICE_MS);
}

static bool seek(struct monitlogs *m, int64_t now)
{
	struct logpane *p = &m->ui->logs;
	if (!p->seeking) {
		monitfill_seek_return(&m->fill, now + SLICE_MS);
		watch_files(m);
		ui_say(m->ui, UI_PLAIN, false, "search ended");
		return true;
	}
	enum monitfill_seek r = monitfill_seek_on(&m->fill, now + SLICE_MS);
	if (r != SEEK_GOES_ON) {
		watch_files(m);
	}
	if (r == SEEK_NOTHING) {
		ui_say(m->ui, UI_WARN, false, "no more hits of /%s", p->search);
	}
	return true;
}

const struct monitfiles *monitlogs_files(struct monitlogs *m)
{
	if (!m->fill.open) {
		monitfiles_choose(&m->known, &m->want, &m->ui->model, STREAMS_MAX, &m->chosen);
	}
	return &m->chosen;
}

/* --- the loop --- */

static bool is_hidden(const struct monitlogs *m)
{
	return m->ui->logs.rows == 0 || m->ui->paused;
}

/* Whether lines would find room. */
static bool has_room(const struct monitlogs *m)
{
	const struct logpane *p = &m->ui->logs;
	return m->fill.open && !p->tail_cut && !logpane_is_full(p);
}

/* Whether lines are left that were not read yet. */
static bool has_backlog(const struct monitlogs *m)
{
	return has_room(m) && m->ui->logs.more && !m->stale;
}

static bool listens(const struct monitlogs *m)
{
	return m->watch.fd >= 0 && !is_hidden(m) && has_room(m);
}

int monitlogs_fd(const struct monitlogs *m)
{
	return listens(m) && clock_mono_ms() >= m->rest_mono ? m->watch.fd : -1;
}

static void earlier(int64_t *due, int64_t at)
{
	*due = *due == 0 || at < *due ? at : *due;
}

int64_t monitlogs_due(const struct monitlogs *m)
{
	const struct logpane *p = &m->ui->logs;
	int64_t due = 0;
	if (is_hidden(m)) {
		return 0;
	}
	if (m->answered || m->generation != p->generation) {
		return 1;
	}
	if (m->choose_mono) {
		earlier(&due, m->choose_mono);
	}
	if (!m->fill.open) {
		return due;
	}
	if (m->fill.seeking || m->fill.older_left > 0 || p->want_older || p->want_newer ||
	    p->refill) {
		return 1;
	}
	if (has_backlog(m)) {
		earlier(&due, m->rest_mono);
	}
	if (monitfill_has_event(&m->fill)) {
		earlier(&due, m->rest_mono > 0 ? m->rest_mono : 1);
	}
	if (listens(m) && clock_mono_ms() < m->rest_mono) {
		earlier(&due, m->rest_mono); /* then it is listened to again */
	}
	earlier(&due, m->look_mono);
	return due;
}

static bool begin(struct monitlogs *m, int64_t now)
{
	if (m->generation != m->ui->logs.generation) {
		monitlogs_choose(m);
	}
	if (m->choose_mono && now >= m->choose_mono) {
		m->choose_mono = 0;
		m->stale = false;
		ask_files(m);
	}
	if (m->answered && !m->choose_mono) {
		place(m);
		ask_all_files(m);
		return true;
	}
	return false;
}

bool monitlogs_read(struct monitlogs *m)
{
	int64_t now = clock_mono_ms();
	if (is_hidden(m)) {
		return false;
	}
	bool any = begin(m, now);
	if (!m->fill.open) {
		return any;
	}
	any |= scroll(m, now);
	if (m->fill.seeking) {
		return seek(m, now) || any;
	}
	any |= monitfill_older(&m->fill, now + SLICE_MS);
	if (now >= m->rest_mono) {
		bool told = listens(m) && monitwatch_read(&m->watch, m->changed);
		if (told || has_backlog(m) || now >= m->look_mono) {
			any |= look(m, now);
		}
		any |= take_events(m);
	}
	return any;
}
