/* SPDX-License-Identifier: MIT */
#include "daemon/sampler.h"

#include <stdio.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/near.h"
#include "common/units.h"
#include "daemon/daemon.h"
#include "daemon/runner.h"
#include "daemon/viewers.h"
#include "sys/proc.h"

#define CHECKS_PERIOD	  30.0
#define PERIOD_MS	  15000
#define LIMIT_MS	  2000
#define FRESH_MS	  1000
#define DEEP_ASKED_MS	  2000
#define DEEP_PERIOD_MS	  10000
#define DEEP_UNSEEN_MS	  60000
#define ALONE_MS	  10000
#define ALONE_UNSEEN_MS	  60000
#define DIFFER_US	  1000
#define DIFFER_RUNNING_US 5000
#define EARLY		  8 /* an 8th of its period may be missing: better with the others */

static bool is_running(const struct inst *in)
{
	return in->pid && !in->exited;
}

static bool is_leak_watched(const struct inst *in)
{
	return in->app->conf.leak_window_ms > 0;
}

/* How often this one is to be read, ms. */
static int64_t period_of(const struct inst *in, int viewers_ms)
{
	const struct app_conf *c = &in->app->conf;
	int64_t ms = c->memory_max ? LIMIT_MS : PERIOD_MS;
	if (is_leak_watched(in) && leak_beat_ms(c->leak_window_ms) < ms) {
		ms = leak_beat_ms(c->leak_window_ms);
	}
	return viewers_ms && viewers_ms < ms ? viewers_ms : ms;
}

/* --- the leak watch --- */

static void tell_leak(struct inst *in, const char *over)
{
	const struct app_conf *c = &in->app->conf;
	const struct leak *l = &in->past->leak;
	char rate[24], window[24], max[24], left[24], limit[80] = "";
	if (over) {
		events_add(&in->app->daemon->events, c->name, in->slot, "leak", NULL, "%s", over);
		return;
	}
	int64_t left_ms = leak_left_ms(l, c->memory_max, in->sample.mem_bytes);
	units_format_mem(leak_bytes_per_min(l), rate, sizeof(rate));
	units_format_duration(c->leak_window_ms, window, sizeof(window));
	if (left_ms >= 0) {
		units_format_size(c->memory_max, max, sizeof(max));
		units_format_age(left_ms, left, sizeof(left));
		snprintf(limit, sizeof(limit), "; memory_max %s in about %s", max, left);
	}
	events_add(&in->app->daemon->events, c->name, in->slot, "leak", NULL,
		   "leak? memory has grown %s/min for %s%s", rate, window, limit);
}

static void watch_leak(struct inst *in, int64_t now_ms)
{
	struct leak_conf c = {.window_ms = in->app->conf.leak_window_ms,
			      .memory_max = in->app->conf.memory_max};
	enum leak_news news = leak_add(&in->past->leak, &c, now_ms, in->sample.mem_bytes);
	if (news != LEAK_NOTHING) {
		tell_leak(in, news == LEAK_OVER ? "no leak: memory no longer grows" : NULL);
	}
}

static void end_leak(struct inst *in)
{
	if (leak_end(&in->past->leak, clock_boot_ms()) == LEAK_OVER) {
		tell_leak(in, "the process whose memory grew has ended");
	}
}

void sampler_started(struct inst *in)
{
	struct sampler *s = &in->app->daemon->sampler;
	if (pasts_want(in)) {
		end_leak(in);
		leak_start(&in->past->leak, clock_boot_ms() - inst_uptime_ms(in));
		past_start(&in->past->past, pasts_now());
	}
	double period = (double)period_of(in, viewers_interval_ms(s)) / 1000.;
	if (!ev_is_active(&s->beat) || s->beat.repeat > period) {
		s->beat.repeat = period;
		ev_timer_again(s->daemon->loop, &s->beat);
	}
}

void sampler_ended(struct inst *in)
{
	sample_close(&in->sample);
	if (in->past) {
		past_end(&in->past->past);
		end_leak(in);
	}
}

/* --- descriptors --- */

static void watch_fds(struct inst *in)
{
	struct sample *s = &in->sample;
	bool known = s->fds_most >= 0 && s->fds_max > 0;
	bool near = near_limit(s->fds_most, s->fds_max, s->fds_near);
	bool news = known && near != s->fds_near;
	s->fds_near = near;
	if (news) {
		events_add(&in->app->daemon->events, in->app->conf.name, in->slot, "descriptors",
			   NULL,
			   near ? "has %d of the %lld descriptors it may have (limit.nofile)"
				: "has %d of its %lld descriptors: enough are left again",
			   s->fds_most, (long long)s->fds_max);
	}
}

/* --- reading --- */

static void read_one(struct inst *in, struct sample_round *take)
{
	if (!sample_take(in, take)) {
		return;
	}
	tally_cpu(in, in->sample.cpu_us);
	watch_fds(in);
	if (!pasts_want(in)) {
		return;
	}
	int64_t now_ms = clock_boot_ms();
	past_add(&in->past->past, pasts_second(now_ms), in->sample.cpu_pct, in->sample.mem_bytes);
	watch_leak(in, now_ms);
}

/* Whom to read, and how. */
struct round {
	int viewers_ms;
	int64_t older_than; /* ms; negative = as old as its period */
	bool have_table;
	int64_t now;
	struct sample_round take;
};

static bool is_due(const struct inst *in, const struct round *r)
{
	const struct sample *s = &in->sample;
	int64_t age = r->now - s->at_mono_ms;
	if (!is_running(in)) {
		return false;
	}
	if (!s->at_mono_ms) {
		return true;
	}
	if (r->older_than >= 0) {
		return age >= r->older_than;
	}
	int64_t period = period_of(in, r->viewers_ms);
	return age >= period - period / EARLY;
}

static void read_due(struct daemon *d, struct round *r)
{
	struct app *app, *next;
	r->now = clock_mono_ms();
	r->take.tab = &d->processes;
	r->take.cpus = d->sampler.host.cpus;
	list_for_each(app, next, &d->apps, node)
	{
		for (int i = 0; i < app->nslots; i++) {
			struct inst *in = app->slots[i];
			if (!is_due(in, r)) {
				continue;
			}
			if (in->cgroup_fd < 0 && !r->have_table) {
				r->have_table = proc_table_read(&d->processes);
			}
			read_one(in, &r->take);
		}
	}
}

struct proc_table *sampler_table(struct inst *in)
{
	struct proc_table *tab = &in->app->daemon->processes;
	if (in->cgroup_fd < 0 && proc_now_ticks() - tab->ticks >= proc_ticks_per_second()) {
		proc_table_read(tab);
	}
	return tab;
}

void sampler_refresh(struct sampler *s, enum sampler_want want)
{
	static const int64_t deep_ms[] = {-1, DEEP_PERIOD_MS, DEEP_ASKED_MS};
	struct round r = {.older_than = FRESH_MS, .take = {.deep_ms = deep_ms[want]}};
	read_due(s->daemon, &r);
}

/* --- when --- */

static void check_limit(struct inst *in)
{
	char now[24], max[24];
	const struct app_conf *c = &in->app->conf;
	if (in->state != ST_ONLINE || !c->memory_max || in->sample.mem_bytes <= c->memory_max) {
		return;
	}
	units_format_mem(in->sample.mem_bytes, now, sizeof(now));
	units_format_size(c->memory_max, max, sizeof(max));
	events_add(&in->app->daemon->events, c->name, in->slot, "memory", NULL,
		   "uses %s, more than memory_max %s: replaced", now, max);
	runner_replace(in, "over memory_max");
}

static void check_limits(struct daemon *d)
{
	struct app *app, *next;
	list_for_each(app, next, &d->apps, node)
	{
		for (int i = 0; i < app->nslots && app->conf.memory_max; i++) {
			check_limit(app->slots[i]);
		}
	}
}

/* The shortest period anybody wants, s; 0 = nothing runs and nobody watches. */
static double shortest(const struct sampler *s)
{
	struct app *app, *next;
	int viewers_ms = viewers_interval_ms(s);
	int64_t ms = viewers_ms;
	list_for_each(app, next, &s->daemon->apps, node)
	{
		for (int i = 0; i < app->nslots; i++) {
			int64_t own = is_running(app->slots[i])
					      ? period_of(app->slots[i], viewers_ms)
					      : ms;
			ms = !ms || (own && own < ms) ? own : ms;
		}
	}
	return (double)ms / 1000.;
}

static void set_beat(struct sampler *s)
{
	double period = shortest(s);
	struct ev_loop *loop = s->daemon->loop;
	if (period == 0.) {
		ev_timer_stop(loop, &s->beat);
	} else if (!ev_is_active(&s->beat) || s->beat.repeat != period) {
		s->beat.repeat = period;
		ev_timer_again(loop, &s->beat);
	}
}

void sampler_wake(struct sampler *s)
{
	set_beat(s);
}

/* Whether all CPU time of all groups was found: else there are processes that we do not know, and
 * the next round looks into each group. The kernel notes what runs now a little late, on each CPU.
 */
static void compare_used(struct sampler *s, int64_t used, const struct sample_round *take)
{
	int running = take->busy < take->cpus ? take->busy : take->cpus;
	int64_t may_differ = DIFFER_US + (int64_t)running * DIFFER_RUNNING_US;
	int64_t unseen = used - s->used_us - (int64_t)take->seen_us;
	s->trusts = used >= 0 && s->used_us >= 0 && unseen <= may_differ && -unseen <= may_differ;
	s->used_us = used;
}

static void on_beat(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	struct sampler *s = container_of(w, struct sampler, beat);
	int viewers_ms = viewers_interval_ms(s);
	struct round r = {.viewers_ms = viewers_ms,
			  .older_than = -1,
			  .take = {.trusts = s->trusts,
				   .alone_ms = viewers_ms ? ALONE_MS : ALONE_UNSEEN_MS,
				   .deep_ms = viewers_ms ? DEEP_PERIOD_MS : DEEP_UNSEEN_MS}};
	int64_t used = s->daemon->have_cgroup ? cgroup_cpu_usec(s->daemon->cgroup.dirfd) : -1;
	read_due(s->daemon, &r);
	compare_used(s, used, &r.take);
	check_limits(s->daemon);
	viewers_tell(s, r.now);
	set_beat(s);
}

static void on_checks(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	struct sampler *s = container_of(w, struct sampler, checks);
	server_check_path(&s->daemon->server);
	exporter_check(&s->daemon->exporter);
	daemon_check_log(s->daemon);
	warnings_look(s->daemon, clock_mono_ms());
}

void sampler_init(struct sampler *s, struct daemon *d)
{
	s->daemon = d;
	list_init(&s->viewers);
	hostfig_init(&s->host);
	warnings_init(&d->warnings);
	s->used_us = -1;
	ev_timer_init(&s->beat, on_beat, 0., 1.);
	ev_timer_init(&s->checks, on_checks, CHECKS_PERIOD, CHECKS_PERIOD);
	ev_timer_start(d->loop, &s->checks);
}

void sampler_finish(struct sampler *s)
{
	if (s->daemon) {
		ev_timer_stop(s->daemon->loop, &s->beat);
		ev_timer_stop(s->daemon->loop, &s->checks);
		hostfig_finish(&s->host);
	}
}
