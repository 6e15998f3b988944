/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_TESTS_UIFAKE_H
#define PMCTL_TESTS_UIFAKE_H
/* uifake - the daemon of the drawings: web, worker, mailer, flaky, cron-report at 14:03:07. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/ui.h"

#define UIFAKE_NOW 1795356187000LL /* 2026-11-22T14:03:07Z */
#define MIN_MS	   60000LL
#define HOUR_MS	   (60 * MIN_MS)
#define DAY_MS	   (24 * HOUR_MS)
#define MEGA	   (1024.0 * 1024)

static inline void put(char *out, size_t cap, const char *text)
{
	snprintf(out, cap, "%s", text);
}
#define PUT(field, text) put(field, sizeof(field), text)

/* A series whose last cells of `per` steps look like `shape`: digits 0 to 7, ' ' = no sample. */
static inline void shape(struct series *s, int per, double scale, const char *digits)
{
	double v[SERIES_MAX];
	int64_t newest = UIFAKE_NOW / s->step_ms;
	int n = (int)strlen(digits), filled = (int)(newest % per) + 1;
	for (int i = 0; i < SERIES_MAX; i++) {
		int back = SERIES_MAX - 1 - i; /* steps before the newest */
		int cell = back < filled ? 0 : 1 + (back - filled) / per;
		char c = digits[((n - 1 - cell) % n + n) % n];
		v[i] = c == ' ' ? NAN : (c - '0' + 0.5) / 8 * scale;
	}
	series_load(s, UIFAKE_NOW, v, SERIES_MAX);
}

struct uifake_figures {
	double cpu, mem; /* mem in MiB */
	int64_t up_ms;
	int restarts, fds;
	const char *cpu_shape, *mem_shape;
	double cpu_scale, mem_scale; /* that it will be drawn to */
};

static inline void set_figures(struct ui_figures *f, const struct uifake_figures *v)
{
	f->cpu_pct = v->cpu;
	f->mem_bytes = (int64_t)(v->mem * MEGA);
	f->up_ms = v->up_ms;
	f->restarts = v->restarts;
	f->fds = v->fds;
	f->threads = 11;
	f->io_bps = v->fds * 1000.0;
	shape(&f->cpu, 8, v->cpu_scale, v->cpu_shape);
	shape(&f->mem, 8, v->mem_scale * MEGA, v->mem_shape);
}

static inline struct ui_app *uifake_app(struct ui *u, const char *name, const char *ns,
					const char *state, int online, int instances)
{
	struct ui_app *a = model_app(&u->model, name);
	PUT(a->ns, ns);
	PUT(a->state, state);
	PUT(a->user, "shop");
	PUT(a->mode, instances > 1 ? "cluster" : "fork");
	a->online = online;
	a->instances = instances;
	return a;
}

static inline struct ui_proc *uifake_proc(struct ui_app *a, int slot, int pid, const char *state)
{
	struct ui_proc *p = model_proc(a, slot);
	p->pid = pid;
	p->id = slot;
	p->ready = pid > 0;
	PUT(p->state, state);
	return p;
}

static inline void uifake_web(struct ui *u)
{
	static const struct uifake_figures all = {.cpu = 12,
						  .mem = 214.6,
						  .up_ms = 3 * DAY_MS + 4 * HOUR_MS,
						  .restarts = 2,
						  .fds = 124,
						  .cpu_shape = "12142112",
						  .mem_shape = "33333333",
						  .cpu_scale = 20,
						  .mem_scale = 500};
	static const struct uifake_figures one[4] = {
		{3, 53.6, 3 * DAY_MS + 4 * HOUR_MS, 0, 31, "01020010", "00000000", 5, 512},
		{3, 53.9, 3 * DAY_MS + 4 * HOUR_MS, 0, 31, "01020010", "00000000", 5, 512},
		{4, 52.8, 11 * MIN_MS, 2, 31, "11132112", "00000000", 5, 512},
		{2, 54.3, 3 * DAY_MS + 4 * HOUR_MS, 0, 31, "00011001", "00000000", 5, 512}};
	static const int pids[4] = {48213, 48214, 51990, 48216};
	struct ui_app *a = uifake_app(u, "web", "shop", "online", 4, 4);
	a->open = true;
	set_figures(&a->fig, &all);
	for (int i = 0; i < 4; i++) {
		struct ui_proc *p = uifake_proc(a, i, pids[i], "online");
		set_figures(&p->fig, &one[i]);
		p->fig.limit_bytes = (int64_t)(512 * MEGA);
		p->fds_most = p->fig.fds;
		p->fds_max = 1024;
	}
	PUT(a->proc[2]->exit, "SIGSEGV");
	a->proc[2]->exit_ms = UIFAKE_NOW - 11 * MIN_MS - 5000;
}

static inline void uifake_worker(struct ui *u)
{
	static const struct uifake_figures all = {3,	      118,	  42 * MIN_MS, 0,  40,
						  "00100100", "01234567", 5,	       200};
	static const struct uifake_figures one[2] = {
		{1, 41, 42 * MIN_MS, 0, 20, "00100100", "11111111", 5, 256},
		{2, 77, 42 * MIN_MS, 0, 20, "00100100", "01112222", 5, 256}};
	struct ui_app *a = uifake_app(u, "worker", "shop", "online", 2, 2);
	set_figures(&a->fig, &all);
	for (int i = 0; i < 2; i++) {
		struct ui_proc *p = uifake_proc(a, i, 50102 + i, "online");
		set_figures(&p->fig, &one[i]);
		p->fig.limit_bytes = (int64_t)(256 * MEGA);
	}
	a->leak = a->proc[1]->leak = true;
	PUT(a->proc[1]->leak_text, "+2.1M/min");
	PUT(a->proc[1]->leak_left, "256M in ~1h25m");
}

static inline void uifake_mailer(struct ui *u)
{
	static const struct uifake_figures fig = {
		0, 51.2, 2 * HOUR_MS + 11 * MIN_MS, 8, 18, "00000000", "44444444", 5, 100};
	struct ui_app *a = uifake_app(u, "mailer", "", "degraded", 1, 2);
	PUT(a->note, "try in 12s: exit 75");
	set_figures(&a->fig, &fig);
	struct ui_proc *p = uifake_proc(a, 0, 50440, "online");
	set_figures(&p->fig, &fig);
	p->fig.restarts = 0;
	p = uifake_proc(a, 1, 0, "backoff");
	p->fig.restarts = 8;
	PUT(p->note, "try in 12s: exit 75");
	PUT(p->exit, "exit 75");
	p->exit_ms = UIFAKE_NOW - 3000;
}

static inline void uifake_others(struct ui *u)
{
	struct ui_app *a = uifake_app(u, "flaky", "", "failed", 0, 1);
	struct ui_proc *p = uifake_proc(a, 0, 0, "failed");
	a->fig.restarts = p->fig.restarts = 10;
	PUT(a->note, "exited 1 after 0.4s; gave up after 10 restarts in 1m");
	PUT(p->note, a->note);
	PUT(p->exit, "exit 1");
	p->exit_ms = UIFAKE_NOW - 56000;
	a = uifake_app(u, "cron-report", "", "done", 0, 1);
	uifake_proc(a, 0, 0, "done");
	PUT(a->note, "next 2026-11-23 02:00");
	PUT(a->proc[0]->note, a->note);
}

static inline void uifake_host(struct ui *u)
{
	struct ui_host *h = &u->model.host;
	struct ui_daemon *d = &u->model.daemon;
	PUT(h->name, "shop-1");
	h->cpus = 8;
	h->cpu_pct = 18;
	h->load1 = 0.71;
	h->mem_used = (int64_t)(2.9 * 1024 * MEGA);
	h->mem_total = (int64_t)(23.5 * 1024 * MEGA);
	shape(&h->cpu, 8, 100, "12142112");
	shape(&h->mem, 10, 23.5 * 1024 * MEGA, "22222222");
	d->pid = 4711;
	PUT(d->version, "0.1.0");
	d->up_ms = 3 * DAY_MS + 4 * HOUR_MS;
	d->cpu_pct = 0.2;
	d->mem_bytes = (int64_t)(5.1 * MEGA);
}

static inline void uifake_event(struct ui *u, int64_t ago_ms, const char *app, int slot,
				const char *type, const char *text, const char *by)
{
	struct feed_event e = {.t_ms = UIFAKE_NOW - ago_ms, .slot = slot};
	PUT(e.app, app);
	PUT(e.type, type);
	PUT(e.text, text);
	PUT(e.by, by);
	feed_add(&u->feed, &e);
}

static inline void uifake_events(struct ui *u)
{
	uifake_event(u, 42 * MIN_MS, "worker", -1, "reload", "reload done: 2 of 2", "uid 1000");
	uifake_event(u, 11 * MIN_MS + 5000, "web", 2, "exit", "killed by SIGSEGV after 3d4h", "");
	uifake_event(u, 11 * MIN_MS + 4600, "web", 2, "online", "ready after 0.4s", "");
	uifake_event(u, 4 * MIN_MS + 27000, "worker", 1, "leak", "leak? +2.1M/min", "");
	uifake_event(u, 56000, "flaky", 0, "failed", "exited 1; gave up after 10 restarts", "");
}

static inline void uifake_log(struct ui *u, int64_t ago_ms, bool err, const char *text)
{
	struct logpane_line l = {.t_ms = UIFAKE_NOW - ago_ms, .slot = 2, .err = err};
	char copy[200];
	PUT(l.app, "web");
	PUT(copy, text);
	l.text = copy;
	l.len = strlen(copy);
	logpane_add(&u->logs, &l);
}

/* Everything; web:2 is selected. */
static inline void uifake_make(struct ui *u, bool utf8)
{
	ui_init(u, utf8);
	u->model.link = UI_LINK_UP;
	u->model.now_ms = u->model.sampled_ms = UIFAKE_NOW;
	model_begin(&u->model);
	uifake_web(u);
	uifake_worker(u);
	uifake_mailer(u);
	uifake_others(u);
	model_end(&u->model);
	uifake_host(u);
	uifake_events(u);
	u->rows.sort = SORT_CPU;
	ui_refresh(u);
	rows_select(&u->rows, 3);
	ui_refresh(u);
	u->effects.n = 0;
	detail_add(&u->detail, "command", "node app.js");
	detail_add(&u->detail, "file", "shop/pmctl.ini:24");
	detail_add(&u->detail, "cwd", "/srv/shop");
	detail_add(&u->detail, "user", "shop");
	uifake_log(u, 11 * MIN_MS + 6000, false, "GET /api/items/41 200 12ms");
	uifake_log(u, 11 * MIN_MS + 5600, true, "WARN slow query took 757ms");
	uifake_log(u, 11 * MIN_MS + 4600, false, "listening 4100");
	uifake_log(u, 2000, false, "GET /api/items/42 200 18ms");
	uifake_log(u, 1000, false, "GET /api/items/43 200 3ms");
}

#endif
