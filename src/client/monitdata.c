/* SPDX-License-Identifier: MIT */
#include "client/monitdata.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/client.h"
#include "client/listview.h"
#include "client/who.h"
#include "common/clock.h"
#include "common/mem.h"
#include "common/units.h"

static double number(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);
	return json_is_number(v) ? json_number_value(v) : NAN;
}

static void copy(char *out, size_t cap, const json_t *o, const char *key)
{
	snprintf(out, cap, "%s", member_text(o, key, ""));
}

static void take_figures(struct ui_figures *f, const json_t *o, int64_t now_ms)
{
	f->cpu_pct = number(o, "cpu_pct");
	f->mem_bytes = member_int(o, "mem_bytes", -1);
	f->limit_bytes = member_int(o, "memory_max", 0);
	f->io_bps = number(o, "io_bps");
	f->fds = (int)member_int(o, "fds", -1);
	f->threads = (int)member_int(o, "threads", -1);
	f->restarts = (int)member_int(o, "restarts", 0);
	f->up_ms = member_int(o, "up_ms", -1);
	series_add(&f->cpu, now_ms, f->cpu_pct);
	series_add(&f->mem, now_ms, f->mem_bytes < 0 ? NAN : (double)f->mem_bytes);
}

/* "+2.1M/min", "256M in ~1h25m" */
static void take_leak(struct ui_proc *p, const json_t *o)
{
	const json_t *leak = json_object_get(o, "leak");
	int64_t left = member_int(leak, "left_ms", -1);
	char text[24], age[24];
	p->leak = json_is_object(leak);
	p->leak_text[0] = p->leak_left[0] = '\0';
	if (p->leak) {
		units_format_mem(member_int(leak, "bytes_per_min", 0), text, sizeof(text));
		snprintf(p->leak_text, sizeof(p->leak_text), "+%s/min", text);
	}
	if (p->leak && left >= 0 && p->fig.limit_bytes > 0) {
		units_format_size(p->fig.limit_bytes, text, sizeof(text));
		units_format_age(left, age, sizeof(age));
		snprintf(p->leak_left, sizeof(p->leak_left), "%s in ~%s", text, age);
	}
}

/* Restarts that happen while we look are news. */
static void take_restarts(struct ui_proc *p, const json_t *o, int64_t now_ms)
{
	bool known = p->state[0] != '\0';
	if (known && member_int(o, "restarts", 0) > p->fig.restarts) {
		p->restarted_ms = now_ms;
	}
}

static void take_proc(struct ui_app *a, const json_t *o, int64_t now_ms)
{
	struct ui_proc *p = model_proc(a, (int)member_int(o, "slot", 0));
	const json_t *exit = json_object_get(o, "last_exit");
	take_restarts(p, o, now_ms);
	p->id = member_int(o, "id", -1);
	p->pid = (int)member_int(o, "pid", 0);
	copy(p->state, sizeof(p->state), o, "state");
	copy(p->note, sizeof(p->note), o, "note");
	p->ready = json_is_true(json_object_get(o, "ready"));
	p->ready_ms = member_int(o, "ready_ms", -1);
	p->exit[0] = '\0';
	p->exit_ms = 0;
	if (json_is_object(exit)) {
		char *text = listview_exit_text(exit);
		snprintf(p->exit, sizeof(p->exit), "%s", text);
		free(text);
		p->exit_ms = listview_parse_time(member_text(exit, "at", NULL));
	}
	take_figures(&p->fig, o, now_ms);
	p->fds_most = (int)member_int(o, "fds_most", -1);
	p->fds_max = member_int(o, "fds_max", -1);
	p->fds_near = json_is_true(json_object_get(o, "fds_near"));
	take_leak(p, o);
}

/* What the list has only for instances. */
static void sum_up(struct ui_app *a)
{
	a->fig.fds = a->fig.threads = -1;
	a->fig.up_ms = -1;
	a->leak = false;
	for (int i = 0; i < a->nprocs; i++) {
		const struct ui_figures *f = &a->proc[i]->fig;
		if (!a->proc[i]->seen) {
			continue; /* it is gone */
		}
		a->fig.fds = f->fds < 0 ? a->fig.fds : (a->fig.fds < 0 ? 0 : a->fig.fds) + f->fds;
		a->fig.threads = f->threads < 0
					 ? a->fig.threads
					 : (a->fig.threads < 0 ? 0 : a->fig.threads) + f->threads;
		a->fig.up_ms = f->up_ms > a->fig.up_ms ? f->up_ms : a->fig.up_ms;
		a->leak |= a->proc[i]->leak;
	}
}

static void take_app(struct ui *u, const json_t *o, int64_t now_ms)
{
	size_t i;
	const json_t *p;
	struct ui_app *a = model_app(&u->model, member_text(o, "name", "?"));
	copy(a->project, sizeof(a->project), o, "project");
	copy(a->ns, sizeof(a->ns), o, "namespace");
	copy(a->mode, sizeof(a->mode), o, "mode");
	copy(a->user, sizeof(a->user), o, "user");
	copy(a->state, sizeof(a->state), o, "state");
	copy(a->note, sizeof(a->note), o, "note");
	a->instances = (int)member_int(o, "instances", 0);
	a->online = (int)member_int(o, "online", 0);
	take_figures(&a->fig, o, now_ms);
	json_array_foreach(json_object_get(o, "procs"), i, p)
	{
		take_proc(a, p, now_ms);
	}
	sum_up(a);
}

static void take_daemon(struct ui *u, const json_t *d, int64_t now_ms)
{
	const json_t *host = json_object_get(d, "host"), *self = json_object_get(d, "self");
	struct ui_host *h = &u->model.host;
	struct ui_daemon *me = &u->model.daemon;
	me->pid = (int)member_int(d, "pid", 0);
	copy(me->version, sizeof(me->version), d, "version");
	me->up_ms = member_int(d, "up_ms", -1);
	me->cpu_pct = number(self, "cpu_pct");
	me->mem_bytes = member_int(self, "mem_bytes", -1);
	copy(h->name, sizeof(h->name), host, "name");
	h->cpus = (int)member_int(host, "cpus", 0);
	h->cpu_pct = number(host, "cpu_pct");
	h->load1 = number(host, "load1");
	h->mem_used = member_int(host, "mem_used_bytes", -1);
	h->mem_total = member_int(host, "mem_total_bytes", -1);
	series_add(&h->cpu, now_ms, h->cpu_pct);
	series_add(&h->mem, now_ms, h->mem_used < 0 ? NAN : (double)h->mem_used);
}

/* What is wrong with the daemon itself. */
static void take_notices(struct ui *u, const json_t *alerts)
{
	size_t i;
	const json_t *a;
	model_notices_clear(&u->model, NOTICE_DAEMON);
	json_array_foreach(alerts, i, a)
	{
		struct ui_notice *n =
			model_notice(&u->model, NOTICE_DAEMON, member_text(a, "kind", "?"));
		if (!n) {
			return;
		}
		n->fail = json_is_true(json_object_get(a, "fail"));
		copy(n->brief, sizeof(n->brief), a, "text");
		copy(n->text, sizeof(n->text), a, "text");
		copy(n->fix, sizeof(n->fix), a, "fix");
	}
}

void monitdata_list(struct ui *u, const json_t *list, int64_t now_ms)
{
	size_t i;
	const json_t *app;
	const json_t *daemon = json_object_get(list, "daemon");
	take_daemon(u, daemon, now_ms);
	take_notices(u, json_object_get(daemon, "alerts"));
	model_begin(&u->model);
	json_array_foreach(json_object_get(list, "apps"), i, app)
	{
		take_app(u, app, now_ms);
	}
	model_end(&u->model);
	u->model.sampled_ms = now_ms;
	u->model.link = UI_LINK_UP;
}

/* Fewer points than steps are there: each stands for several. */
static void load(struct series *s, const json_t *o, const char *key, int64_t now_ms)
{
	double v[SERIES_MAX];
	const json_t *points = json_object_get(o, key);
	size_t n = json_array_size(points);
	for (size_t i = 0; n > 0 && i < SERIES_MAX; i++) {
		const json_t *e = json_array_get(points, i * n / SERIES_MAX);
		v[i] = json_is_number(e) ? json_number_value(e) : NAN;
	}
	series_load(s, now_ms, v, n > 0 ? SERIES_MAX : 0);
}

void monitdata_history(struct ui *u, const json_t *history, bool memory, int64_t now_ms)
{
	size_t i, k;
	const json_t *app, *proc;
	const char *key = memory ? "mem_bytes" : "cpu_pct";
	json_array_foreach(json_object_get(history, "apps"), i, app)
	{
		struct ui_app *a = model_find(&u->model, member_text(app, "name", ""));
		if (!a) {
			continue;
		}
		load(memory ? &a->fig.mem : &a->fig.cpu, app, key, now_ms);
		json_array_foreach(json_object_get(app, "procs"), k, proc)
		{
			struct ui_proc *p = model_find_proc(a, (int)member_int(proc, "slot", -1));
			if (p) {
				load(memory ? &p->fig.mem : &p->fig.cpu, proc, key, now_ms);
			}
		}
	}
}

/* Who asked: its name, not asked for again while it is the same one. */
static void who_text(const json_t *by, char *out, size_t cap)
{
	static int64_t last = -1;
	static char name[MODEL_NAME];
	int64_t uid = member_int(by, "uid", -1);
	if (uid != last || !name[0]) {
		struct buf text = {0};
		who_user(&text, uid);
		snprintf(name, sizeof(name), "%s", text.data ? text.data : "");
		last = uid;
		buf_finish(&text);
	}
	snprintf(out, cap, "%s", name);
}

void monitdata_event(struct ui *u, const json_t *event)
{
	struct feed_event e = {.seq = member_int(event, "seq", 0),
			       .slot = (int)member_int(event, "slot", -1),
			       .t_ms = member_int(event, "ms", 0)};
	const json_t *by = json_object_get(event, "by");
	copy(e.app, sizeof(e.app), event, "app");
	copy(e.type, sizeof(e.type), event, "type");
	copy(e.text, sizeof(e.text), event, "text");
	if (json_is_object(by)) {
		who_text(by, e.by, sizeof(e.by));
	}
	feed_add(&u->feed, &e);
}

/* --- what only `show` knows --- */

static const char *setting(const json_t *app, const char *key)
{
	size_t i;
	const json_t *s;
	json_array_foreach(json_object_get(app, "settings"), i, s)
	{
		if (strcmp(member_text(s, "key", ""), key) == 0) {
			return member_text(s, "value", "");
		}
	}
	return "";
}

/* A row, unless there is nothing to say. */
static void add_row(struct detail *d, const char *key, const char *value)
{
	if (value && value[0]) {
		detail_add(d, key, value);
	}
}

const char *monitdata_end_of(const char *path)
{
	const char *from = path;
	int slashes = 0;
	for (const char *s = path + strlen(path); s > path && slashes < 2; s--) {
		slashes += s[-1] == '/';
		from = slashes < 2 ? s - 1 : s;
	}
	return from;
}

/* "shop/pmctl.ini:24" */
static void add_file(struct detail *d, const json_t *app)
{
	char text[MODEL_NOTE];
	const char *file = member_text(app, "file", "");
	if (file[0]) {
		snprintf(text, sizeof(text), "%.120s:%lld", monitdata_end_of(file),
			 (long long)member_int(app, "line", 0));
	} else {
		snprintf(text, sizeof(text), "none, given on the command line");
	}
	detail_add(d, "file", text);
}

static void add_applied(struct detail *d, const json_t *app)
{
	char text[MODEL_NAME + 16], clock[CLOCK_HMS], who[MODEL_NAME];
	long long at = listview_parse_time(member_text(app, "applied_at", NULL));
	const json_t *by = json_object_get(app, "applied_by");
	if (at > 0) {
		clock_format_local(at, clock);
		who_text(by, who, sizeof(who));
		snprintf(text, sizeof(text), "%.8s by %s", clock, who);
		detail_add(d, "applied", text);
	}
}

static void add_cron(struct detail *d, const json_t *app)
{
	long long at = listview_parse_time(member_text(app, "next_cron", NULL));
	time_t when = (time_t)(at / 1000);
	struct tm tm;
	char text[48];
	if (at > 0 && localtime_r(&when, &tm) &&
	    strftime(text, sizeof(text), "next %F %H:%M", &tm)) {
		detail_add(d, "cron", text);
	}
}

static void add_stop(struct detail *d, const json_t *app)
{
	char text[MODEL_NOTE];
	snprintf(text, sizeof(text), "%.60s, SIGKILL after %.60s", setting(app, "stop_signal"),
		 setting(app, "stop_timeout"));
	detail_add(d, "stop", text);
}

static void add_logs(struct detail *d, const json_t *app)
{
	const json_t *logs = json_object_get(app, "logs");
	for (size_t i = 0; i < json_array_size(logs) && i < 2; i++) {
		add_row(d, i ? "" : "logs", json_string_value(json_array_get(logs, i)));
	}
}

/* What else is not as it is by itself. */
static void add_settings(struct detail *d, const json_t *app)
{
	static const char *const told[] = {"script",	"command",     "args",	      "cwd",
					   "instances", "mode",	       "user",	      "ready",
					   "health",	"stop_signal", "stop_timeout"};
	size_t i;
	const json_t *s;
	json_array_foreach(json_object_get(app, "settings"), i, s)
	{
		const char *key = member_text(s, "key", "");
		bool skip = strcmp(member_text(s, "from", ""), "default") == 0;
		char text[MODEL_NOTE];
		for (size_t k = 0; k < ARRAY_LEN(told); k++) {
			skip |= strcmp(key, told[k]) == 0;
		}
		if (!skip) {
			snprintf(text, sizeof(text), "%.60s = %.90s", key,
				 member_text(s, "value", ""));
			detail_add(d, "set", text);
		}
	}
}

void monitdata_show(struct ui *u, const json_t *show)
{
	const json_t *app = json_array_get(json_object_get(show, "apps"), 0);
	struct detail *d = &u->detail;
	const char *name = member_text(app, "name", "");
	size_t len = strcspn(d->selector, ":");
	if (strlen(name) != len || strncmp(name, d->selector, len) != 0) {
		return; /* something else was selected meanwhile */
	}
	d->n = 0;
	add_file(d, app);
	add_row(d, "command", member_text(app, "command", NULL));
	add_row(d, "cwd", member_text(app, "cwd", NULL));
	add_row(d, "user", member_text(app, "user", NULL));
	add_row(d, "ready", setting(app, "ready"));
	add_row(d, "health", setting(app, "health"));
	add_stop(d, app);
	add_cron(d, app);
	add_applied(d, app);
	add_logs(d, app);
	add_settings(d, app);
}
