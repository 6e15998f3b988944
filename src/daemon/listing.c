/* SPDX-License-Identifier: MIT */
#include "daemon/listing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/signals.h"
#include "common/units.h"
#include "daemon/daemon.h"
#include "daemon/note.h"
#include "daemon/runner.h"
#include "daemon/workers.h"
#include "proto/params.h"
#include "version.h"

#define SPARK_SPAN_S 900

void selection_add(void *ctx, struct inst *in)
{
	struct selection *s = ctx;
	if ((s->n & (s->n - 1)) == 0) {
		s->v = xreallocarray(s->v, s->n ? s->n * 2 : 1, sizeof(struct inst *));
	}
	s->v[s->n++] = in;
}

void selection_finish(struct selection *s)
{
	free(s->v);
	*s = (struct selection){0};
}

static void kint_or_null(struct jw *w, const char *key, int64_t v, bool known)
{
	if (known) {
		jw_kint(w, key, v);
	} else {
		jw_knull(w, key);
	}
}

static void kreal_or_null(struct jw *w, const char *key, double v, bool known)
{
	if (known) {
		jw_kreal1(w, key, v);
	} else {
		jw_knull(w, key);
	}
}

static void real2_or_null(struct jw *w, double v)
{
	if (v < 0) {
		jw_null(w);
	} else {
		jw_real2(w, v);
	}
}

static void write_last_exit(struct jw *w, const struct inst *in)
{
	const struct exit_status *e = &in->last_exit;
	char stamp[CLOCK_RFC3339], sig[SIGNALS_NAME];
	if (!in->has_exited) {
		jw_knull(w, "last_exit");
		return;
	}
	clock_format_utc(in->last_exit_real_ms, stamp);
	jw_key(w, "last_exit");
	jw_obj(w);
	kint_or_null(w, "code", e->code, e->known && !e->signal);
	jw_kstr(w, "signal", e->known && e->signal ? signals_name(e->signal, sig) : NULL);
	jw_kbool(w, "core", e->core);
	jw_kbool(w, "oom", e->oom);
	jw_kbool(w, "asked", in->last_exit_asked);
	jw_kstr(w, "at", stamp);
	jw_end(w);
}

static void write_leak(struct jw *w, int64_t bytes_per_min, int64_t left_ms)
{
	jw_kint(w, "bytes_per_min", bytes_per_min);
	kint_or_null(w, "left_ms", left_ms, left_ms >= 0);
}

static void write_leak_of(struct jw *w, const struct inst *in)
{
	int64_t rate, left;
	if (!note_leak(in, &rate, &left)) {
		jw_knull(w, "leak");
		return;
	}
	jw_key(w, "leak");
	jw_obj(w);
	write_leak(w, rate, left);
	jw_end(w);
}

static void write_life(struct jw *w, const struct leak_life *l, bool runs)
{
	jw_obj(w);
	jw_kint(w, "up_ms", (int64_t)l->lived_s * 1000);
	kint_or_null(w, "first_bytes", (int64_t)l->first * 1024, l->first != 0);
	jw_kint(w, "last_bytes", (int64_t)l->last * 1024);
	jw_kbool(w, "runs", runs);
	jw_end(w);
}

static void write_lives(struct jw *w, const struct inst *in)
{
	jw_key(w, "generations");
	jw_arr(w);
	for (uint32_t i = 0; in->past && i < in->past->leak.lives; i++) {
		write_life(w, &in->past->leak.life[i], false);
	}
	if (in->past && in->pid && in->past->leak.now.last) {
		struct leak_life now = in->past->leak.now;
		now.lived_s = (uint32_t)(inst_uptime_ms(in) / 1000);
		write_life(w, &now, true);
	}
	jw_end(w);
}

static void write_spark(struct jw *w, const struct past_point *v, struct past_span span)
{
	pastjson_cpu(w, "cpu_history", v, span.points);
	pastjson_mem(w, "mem_history", v, span.points);
}

/* What only a view of one instance or a watcher shows. */
static void write_figures(struct jw *w, const struct inst *in, bool known)
{
	const struct sample *s = &in->sample;
	kint_or_null(w, "threads", s->threads, known);
	kint_or_null(w, "nproc", s->nproc, known);
	kint_or_null(w, "fds_most", s->fds_most, known && s->fds_most >= 0);
	kint_or_null(w, "fds_max", s->fds_max, known && s->fds_max >= 0);
	jw_kbool(w, "fds_near", known && s->fds_near);
	kint_or_null(w, "io_read_bytes", s->io_read, known && s->io_read >= 0);
	kint_or_null(w, "io_write_bytes", s->io_write, known && s->io_write >= 0);
	kint_or_null(w, "io_bps", s->io_bps, known && s->io_bps >= 0);
	kint_or_null(w, "memory_max", in->app->conf.memory_max, in->app->conf.memory_max > 0);
}

static void write_proc(const struct listing *l, struct jw *w, struct inst *in)
{
	const struct sample *s = &in->sample;
	char note[sizeof(in->note) + 100];
	bool known = s->at_mono_ms != 0 && in->pid;
	jw_obj(w);
	jw_kint(w, "id", (int64_t)in->id);
	jw_kint(w, "slot", in->slot);
	kint_or_null(w, "pid", in->pid, in->pid != 0);
	jw_kstr(w, "state", states_name(in->state));
	kint_or_null(w, "up_ms", inst_uptime_ms(in), in->pid != 0);
	jw_kint(w, "restarts", in->restarts);
	kreal_or_null(w, "cpu_pct", s->cpu_pct, known && s->cpu_pct >= 0);
	kint_or_null(w, "mem_bytes", s->mem_bytes, known);
	kint_or_null(w, "fds", s->fds, known && s->fds >= 0);
	note_inst(in, note, sizeof(note));
	jw_kstr(w, "note", note);
	write_leak_of(w, in);
	if (l->lives) {
		write_lives(w, in);
	}
	if (l->spark.points) {
		struct past_point v[PASTJSON_POINTS];
		pastjson_slot(in, l->spark, v);
		write_spark(w, v, l->spark);
	}
	if (l->pss) {
		int64_t pss = in->pid ? sample_pss(in, sampler_table(in)) : -1;
		kint_or_null(w, "pss_bytes", pss, pss >= 0);
	}
	int64_t ready = in->ready_mono_ms - in->started_mono_ms;
	kint_or_null(w, "ready_ms", ready, in->state == ST_ONLINE && in->ready_mono_ms);
	if (l->detail == DETAIL_ALL || in->has_exited) {
		write_last_exit(w, in);
	}
	if (l->detail == DETAIL_ALL) {
		jw_kbool(w, "ready", in->state == ST_ONLINE);
		jw_kbool(w, "waits", in->held == HOLD_WAITS || in->held == HOLD_LATE);
		write_figures(w, in, known);
		jw_key(w, "listen");
		jw_arr(w);
		workers_list_sockets(in, w);
		jw_end(w);
	}
	jw_end(w);
}

struct totals {
	int online, wanted;
	unsigned restarts;
	double cpu;
	int64_t mem, oldest_ms;
	bool any_sample;
	enum inst_state states[LIMIT_INSTANCES_APP];
	bool wants[LIMIT_INSTANCES_APP];
	int n;
	const struct inst *trouble;
	int leaks;
	const struct inst *warned; /* the first that leaks, or is short of descriptors */
	int64_t leak_rate, leak_left_ms;
};

static void add_leak(struct totals *t, const struct inst *in)
{
	int64_t rate, left;
	if (!note_leak(in, &rate, &left)) {
		return;
	}
	t->warned = t->warned ? t->warned : in;
	t->leak_left_ms =
		!t->leaks || (left >= 0 && left < t->leak_left_ms) ? left : t->leak_left_ms;
	t->leak_rate += rate;
	t->leaks++;
}

static void write_leaks(struct jw *w, const struct app *app, const struct totals *t)
{
	int64_t rate, left;
	if (!t->leaks) {
		jw_knull(w, "leak");
		return;
	}
	jw_key(w, "leak");
	jw_obj(w);
	write_leak(w, t->leak_rate, t->leak_left_ms);
	jw_key(w, "slots");
	jw_arr(w);
	for (int i = 0; i < app->count; i++) {
		if (note_leak(app->slots[i], &rate, &left)) {
			jw_int(w, i);
		}
	}
	jw_end(w);
	jw_end(w);
}

static void add_up(const struct app *app, struct totals *t)
{
	*t = (struct totals){.n = app->count};
	for (int i = 0; i < app->count; i++) {
		const struct inst *in = app->slots[i];
		t->states[i] = in->state;
		t->wants[i] = in->wanted;
		t->online += in->state == ST_ONLINE;
		t->wanted += in->wanted;
		t->restarts += in->restarts;
		if (in->pid && inst_uptime_ms(in) > t->oldest_ms) {
			t->oldest_ms = inst_uptime_ms(in);
		}
		if (in->pid && in->sample.at_mono_ms) {
			t->any_sample = true;
			t->cpu += in->sample.cpu_pct > 0 ? in->sample.cpu_pct : 0;
			t->mem += in->sample.mem_bytes;
		}
		add_leak(t, in);
		t->warned = t->warned || !in->pid || !in->sample.fds_near ? t->warned : in;
		if (in->state == ST_FAILED ||
		    ((in->state == ST_BACKOFF || in->held) && !t->trouble)) {
			t->trouble = in;
		}
	}
	if (!t->trouble && app->count) {
		t->trouble = t->warned ? t->warned : app->slots[0];
	}
}

static void write_next_cron(struct jw *w, const struct app *app)
{
	char stamp[CLOCK_RFC3339];
	int64_t ms = schedule_next_ms(app);
	clock_format_utc(ms, stamp);
	jw_kstr(w, "next_cron", ms ? stamp : NULL);
}

/* What makes an instance ready, in a word. */
static const char *ready_by(const struct app *app)
{
	static const char *const names[] = {
		[PROBE_NONE] = NULL,	     [PROBE_AUTO] = "uptime",
		[PROBE_SPAWN] = "spawn",     [PROBE_LISTENING] = "listening",
		[PROBE_MESSAGE] = "message", [PROBE_NOTIFY] = "notify",
		[PROBE_HTTP] = "http",	     [PROBE_TCP] = "tcp",
		[PROBE_UNIX] = "unix",	     [PROBE_EXEC] = "exec"};
	enum probe_kind kind = app->conf.ready.kind;
	return kind == PROBE_AUTO && app->cluster ? "listening" : names[kind];
}

/* Everything of an app but its closing brace: show adds to it. */
static void write_app(const struct listing *l, struct jw *w, const struct app *app,
		      struct inst *const *in, size_t n)
{
	struct totals t;
	char note[400] = "";
	add_up(app, &t);
	jw_obj(w);
	jw_kstr(w, "name", app->conf.name);
	jw_kstr(w, "project", app->conf.project);
	jw_kstr(w, "namespace", app->conf.namespace_);
	jw_kstr(w, "file", app->def->file);
	if (app->def->list) {
		jw_kstr(w, "list", app->def->list); /* that includes it */
	}
	jw_kstr(w, "mode", app->conf.mode == MODE_CLUSTER ? "cluster" : "fork");
	jw_kstr(w, "state", states_of_app(t.states, t.wants, t.n));
	jw_kint(w, "instances", app->count);
	jw_kint(w, "online", t.online);
	jw_kint(w, "wanted", t.wanted);
	jw_kint(w, "restarts", t.restarts);
	kint_or_null(w, "up_ms", t.oldest_ms, t.oldest_ms > 0);
	kreal_or_null(w, "cpu_pct", t.cpu, t.any_sample);
	kint_or_null(w, "mem_bytes", t.mem, t.any_sample);
	if (t.trouble) {
		note_app(app, t.trouble, note, sizeof(note));
	}
	jw_kstr(w, "note", note);
	write_leaks(w, app, &t);
	if (l->spark.points) {
		struct past_point v[PASTJSON_POINTS];
		pastjson_app(app, l->spark, v);
		write_spark(w, v, l->spark);
	}
	kint_or_null(w, "memory_max", app->conf.memory_max * app->count, app->conf.memory_max > 0);
	if (l->detail == DETAIL_ALL) {
		write_next_cron(w, app);
	}
	if (l->detail != DETAIL_APPS) {
		jw_kstr(w, "user", app->user.name);
		jw_kstr(w, "ready_by", ready_by(app));
	} else if (app->count == 1 && app->slots[0]->has_exited) {
		write_last_exit(w, app->slots[0]);
	}
	jw_key(w, "procs");
	jw_arr(w);
	for (size_t i = 0; i < n && l->detail != DETAIL_APPS; i++) {
		write_proc(l, w, in[i]);
	}
	jw_end(w);
}

static void write_host(struct jw *w, const struct hostfig *h)
{
	jw_key(w, "host");
	jw_obj(w);
	jw_kstr(w, "name", h->name);
	jw_kint(w, "cpus", h->cpus);
	kreal_or_null(w, "cpu_pct", h->cpu_pct, h->cpu_pct >= 0);
	kint_or_null(w, "mem_used_bytes", h->mem_used, h->mem_used >= 0);
	kint_or_null(w, "mem_total_bytes", h->mem_total, h->mem_total >= 0);
	jw_key(w, "load1");
	real2_or_null(w, h->load1);
	jw_end(w);
	jw_key(w, "self");
	jw_obj(w);
	jw_key(w, "cpu_pct");
	real2_or_null(w, h->self_cpu_pct);
	kint_or_null(w, "mem_bytes", h->self_mem, h->self_mem >= 0);
	jw_end(w);
}

static void write_daemon(const struct listing *l, struct jw *w, struct daemon *d)
{
	jw_key(w, "daemon");
	jw_obj(w);
	jw_kint(w, "pid", getpid());
	kint_or_null(w, "keeper_pid", d->link.ring->keeper_pid, d->link.alive);
	jw_kstr(w, "version", PMCTL_VERSION);
	jw_kint(w, "up_ms", clock_mono_ms() - d->link.ring->started_mono_ms);
	if (l->detail == DETAIL_ALL) {
		hostfig_read(&d->sampler.host, clock_mono_ms());
		write_host(w, &d->sampler.host);
		warnings_look(d, clock_mono_ms());
		jw_key(w, "alerts");
		warnings_write(w, d);
	}
	jw_end(w);
}

static bool read_detail(const char *text, enum detail *out, struct err *err)
{
	static const char *const names[] = {"all", "rows", "apps"};
	text = text ? text : names[DETAIL_ALL];
	for (*out = DETAIL_ALL; *out <= DETAIL_APPS; (*out)++) {
		if (strcmp(text, names[*out]) == 0) {
			return true;
		}
	}
	return err_set(err, ERR_USAGE, "detail is one of all, rows, apps");
}

bool listing_read_params(struct listing *l, const json_t *params, struct err *err)
{
	*l = (struct listing){
		.spark = {.span_s = (uint32_t)rpc_param_int(params, "spark_span_s", SPARK_SPAN_S),
			  .points = (size_t)rpc_param_int(params, "spark_points", 0)}};
	return read_detail(rpc_param_str(params, "detail"), &l->detail, err);
}

static void write_apps(const struct listing *l, struct jw *w, struct daemon *d,
		       const struct selection *s)
{
	jw_key(w, "apps");
	jw_arr(w);
	for (size_t i = 0; i < s->n;) {
		const struct app *app = s->v[i]->app;
		size_t from = i;
		while (i < s->n && s->v[i]->app == app) {
			i++;
		}
		write_app(l, w, app, s->v + from, i - from);
		if (l->more) {
			l->more(w, d, app);
		}
		jw_end(w);
	}
	jw_end(w);
}

void listing_write(const struct listing *l, struct jw *w, struct daemon *d,
		   const struct selection *s)
{
	jw_obj(w);
	jw_kint(w, "v", 1);
	write_daemon(l, w, d);
	write_apps(l, w, d, s);
	jw_end(w);
}
