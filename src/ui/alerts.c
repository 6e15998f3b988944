/* SPDX-License-Identifier: MIT */
#include "ui/alerts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/near.h"
#include "common/units.h"
#include "ui/look.h"
#include "ui/style.h"

#define DAY_MS (24LL * 3600 * 1000)

/* The instances of an app that have the same trouble. */
struct group {
	const struct ui_app *app;
	const struct ui_proc *first;
	int n;
	int64_t since_ms;
};

int alerts_style(const struct alert *a)
{
	return a->fail ? UI_FAIL : UI_WARN;
}

static bool has_trouble(const struct ui_proc *p, enum alert_kind kind, int64_t now_ms)
{
	switch (kind) {
	case ALERT_FAILED:
		return strcmp(p->state, "failed") == 0;
	case ALERT_BACKOFF:
		return strcmp(p->state, "backoff") == 0;
	case ALERT_NOT_READY:
		return strcmp(p->state, "starting") == 0 && p->fig.up_ms > ALERTS_LATE_MS;
	case ALERT_LIMIT:
		return near_limit(p->fig.mem_bytes, p->fig.limit_bytes, false);
	case ALERT_FDS:
		return p->fds_near;
	case ALERT_LEAK:
		return p->leak;
	case ALERT_RESTARTED:
		return look_runs(p->state) && p->restarted_ms > now_ms - ALERTS_RECENT_MS;
	default:
		return false;
	}
}

/* Since when, as far as it is known; 0 = since now. */
static int64_t since(const struct ui_proc *p, enum alert_kind kind, int64_t now_ms)
{
	switch (kind) {
	case ALERT_FAILED:
	case ALERT_BACKOFF:
		return p->exit_ms;
	case ALERT_NOT_READY:
		return now_ms - p->fig.up_ms;
	case ALERT_RESTARTED:
		return p->restarted_ms;
	default:
		return 0;
	}
}

static struct group find(const struct ui_app *a, enum alert_kind kind, int64_t now_ms)
{
	struct group g = {.app = a};
	for (int i = 0; i < a->nprocs; i++) {
		if (has_trouble(a->proc[i], kind, now_ms)) {
			int64_t t = since(a->proc[i], kind, now_ms);
			g.first = g.n++ ? g.first : a->proc[i];
			g.since_ms = t > g.since_ms ? t : g.since_ms;
		}
	}
	return g;
}

/* --- the words --- */

static void who(const struct group *g, char *out, size_t cap)
{
	if (g->n == 1 && g->app->nprocs > 1) {
		snprintf(out, cap, "%s:%d", g->app->name, g->first->slot);
	} else if (g->n > 1) {
		snprintf(out, cap, "%s %d of %d", g->app->name, g->n, g->app->nprocs);
	} else {
		snprintf(out, cap, "%s", g->app->name);
	}
}

static void say_failed(struct alert *to, const char *name, const struct ui_proc *p)
{
	const char *exit = p->exit;
	if (!exit[0] || p->fig.restarts == 0) {
		snprintf(to->brief, sizeof(to->brief), "%s failed%s%s", name, exit[0] ? ": " : "",
			 exit);
		snprintf(to->text, sizeof(to->text), "%s failed%s%s", name, p->note[0] ? ": " : "",
			 p->note);
		return;
	}
	snprintf(to->brief, sizeof(to->brief), "%s gave up: %s", name, exit);
	snprintf(to->text, sizeof(to->text), "%s gave up after %d restart%s (%s)", name,
		 p->fig.restarts, p->fig.restarts == 1 ? "" : "s", exit);
}

static void say_limit(struct alert *to, const char *name, const struct ui_figures *f)
{
	char limit[24];
	units_format_size(f->limit_bytes, limit, sizeof(limit));
	int pct = (int)((double)f->mem_bytes * 100 / (double)f->limit_bytes);
	snprintf(to->brief, sizeof(to->brief), "%s memory %d%%", name, pct);
	snprintf(to->text, sizeof(to->text), "%s uses %d%% of %s memory", name, pct, limit);
}

static void say_fds(struct alert *to, const char *name, const struct ui_proc *p)
{
	long long pct = p->fds_max > 0 ? p->fds_most * 100LL / p->fds_max : 0;
	snprintf(to->brief, sizeof(to->brief), "%s descriptors %lld%%", name, pct);
	snprintf(to->text, sizeof(to->text), "%s has %d of %lld descriptors", name, p->fds_most,
		 (long long)p->fds_max);
}

/* The same words in both forms, with the details behind in the longer one. */
static void say(struct alert *to, const char *name, const char *what, const char *more)
{
	snprintf(to->brief, sizeof(to->brief), "%s %s", name, what);
	snprintf(to->text, sizeof(to->text), more[0] ? "%s %s (%s)" : "%s %s", name, what, more);
}

static void say_all(struct alert *to, const struct group *g)
{
	char name[MODEL_NAME + 32], age[24];
	const struct ui_proc *p = g->first;
	who(g, name, sizeof(name));
	switch (to->kind) {
	case ALERT_FAILED:
		say_failed(to, name, p);
		break;
	case ALERT_BACKOFF:
		say(to, name, "backoff", p->exit);
		break;
	case ALERT_NOT_READY:
		units_format_age(p->fig.up_ms, age, sizeof(age));
		say(to, name, "not ready", age);
		break;
	case ALERT_LIMIT:
		say_limit(to, name, &p->fig);
		break;
	case ALERT_FDS:
		say_fds(to, name, p);
		break;
	case ALERT_LEAK:
		say(to, name, "leak?", p->leak_text);
		break;
	case ALERT_RESTARTED:
		say(to, name, "restarted", p->exit);
		break;
	default:
		say(to, name, "degraded", g->app->note);
	}
}

/* --- the list of them --- */

static struct alert *find_alert(struct alerts *a, const char *app, enum alert_kind kind)
{
	for (int i = 0; i < a->n; i++) {
		if (a->v[i].kind == kind && strcmp(a->v[i].app, app) == 0) {
			return &a->v[i];
		}
	}
	return NULL;
}

/* What makes an acknowledged alert a new one: other instances, another cause. */
static unsigned sum_of(const struct group *g)
{
	unsigned sum = (unsigned)g->n * 31u;
	if (g->first) {
		sum += (unsigned)g->first->slot;
		for (const char *s = g->first->exit; *s; s++) {
			sum = sum * 33u + (unsigned char)*s;
		}
	}
	return sum;
}

/* That of this app, or a new one; NULL = there are too many. */
static struct alert *take(struct alerts *a, const char *app, enum alert_kind kind, unsigned sum,
			  int64_t now_ms)
{
	struct alert *to = find_alert(a, app, kind);
	if (!to && a->n == ALERTS_MAX) {
		return NULL;
	}
	if (!to) {
		to = &a->v[a->n++];
		/* what was there when we came has no beginning, unless the daemon tells it */
		*to = (struct alert){.kind = kind, .sum = sum, .since_ms = a->begun ? now_ms : 0};
		snprintf(to->app, sizeof(to->app), "%s", app);
	}
	to->acked = to->acked && to->sum == sum;
	to->sum = sum;
	to->seen = true;
	return to;
}

static void add(struct alerts *a, const struct group *g, enum alert_kind kind, int64_t now_ms)
{
	struct alert *to = take(a, g->app->name, kind, sum_of(g), now_ms);
	if (!to) {
		return;
	}
	to->since_ms = g->since_ms ? g->since_ms : to->since_ms;
	to->fail = kind == ALERT_FAILED;
	to->slot = g->n == 1 && g->app->nprocs > 1 ? g->first->slot : -1;
	say_all(to, g);
}

static void look_at(struct alerts *a, const struct ui_app *app, int64_t now_ms)
{
	bool told = false;
	for (int kind = 0; kind < ALERT_KINDS; kind++) {
		struct group g = find(app, (enum alert_kind)kind, now_ms);
		if (g.n > 0) {
			add(a, &g, (enum alert_kind)kind, now_ms);
			told |= kind == ALERT_FAILED || kind == ALERT_BACKOFF;
		}
	}
	struct group g = {.app = app};
	if (!told && strcmp(app->state, "degraded") == 0) {
		add(a, &g, ALERT_DEGRADED, now_ms);
	}
}

static void add_notice(struct alerts *a, const struct ui_notice *n, int64_t now_ms)
{
	struct alert *to = take(a, n->key, ALERT_NOTICE, n->fail, now_ms);
	if (to) {
		to->slot = -1;
		to->fail = n->fail;
		snprintf(to->brief, sizeof(to->brief), "%s", n->brief);
		snprintf(to->text, sizeof(to->text), "%s", n->text);
		snprintf(to->fix, sizeof(to->fix), "%s", n->fix);
	}
}

/* What failed, and in that the newest. */
static int newest_first(const void *x, const void *y)
{
	const struct alert *a = x, *b = y;
	int c = b->fail - a->fail;
	c = c ? c : (a->since_ms < b->since_ms) - (a->since_ms > b->since_ms);
	c = c ? c : strcmp(a->app, b->app);
	return c ? c : (int)a->kind - (int)b->kind;
}

void alerts_update(struct alerts *a, const struct model *m)
{
	if (m->link != UI_LINK_UP) {
		return;
	}
	a->now_ms = m->sampled_ms;
	for (int i = 0; i < a->n; i++) {
		a->v[i].seen = false;
	}
	for (int i = 0; i < m->napps; i++) {
		look_at(a, m->app[i], m->sampled_ms);
	}
	for (int i = 0; i < m->nnotices; i++) {
		add_notice(a, &m->notice[i], m->sampled_ms);
	}
	int n = 0;
	a->begun = true;
	a->fresh = 0;
	for (int i = 0; i < a->n; i++) {
		if (a->v[i].seen) {
			a->fresh += !a->v[i].acked;
			a->v[n++] = a->v[i];
		}
	}
	a->n = n;
	qsort(a->v, (size_t)n, sizeof(a->v[0]), newest_first);
}

void alerts_acknowledge(struct alerts *a, const char *app)
{
	a->fresh = 0;
	for (int i = 0; i < a->n; i++) {
		a->v[i].acked |= !app || strcmp(a->v[i].app, app) == 0;
		a->fresh += !a->v[i].acked;
	}
}

void alerts_list(const struct alerts *a, struct buf *out)
{
	for (int i = 0; i < a->n; i++) {
		const struct alert *v = &a->v[i];
		char clock[CLOCK_HMS], age[24];
		clock_format_local(v->since_ms, clock);
		units_format_age(a->now_ms - v->since_ms, age, sizeof(age));
		if (v->since_ms == 0) {
			buf_addf(out, "%8s  ", "");
		} else if (a->now_ms - v->since_ms < DAY_MS) {
			buf_addf(out, "%.8s  ", clock);
		} else {
			buf_addf(out, "%8s  ", age);
		}
		buf_addf(out, "%s%s\n", v->text, v->acked ? "  (seen)" : "");
		if (v->fix[0]) {
			buf_addf(out, "%10sfix: %s\n", "", v->fix);
		}
	}
	if (a->n == 0) {
		buf_adds(out, "nothing needs a look\n");
	}
}
