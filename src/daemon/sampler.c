/* SPDX-License-Identifier: MIT */
#include "daemon/sampler.h"

#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/units.h"
#include "daemon/daemon.h"
#include "daemon/runner.h"
#include "sys/proc.h"

#define SLOW_PERIOD  30.0
#define LIMIT_PERIOD 2.0
#define FRESH_MS     1000
/* A percentage over less than this is noise: the one before is kept. */
#define SHORTEST_MS 400

void sample_close(struct sample *s)
{
	cgroup_files_close(&s->group);
	if (s->stat_fd >= 0) {
		close(s->stat_fd);
	}
	s->stat_fd = -1;
}

void sample_reset(struct sample *s)
{
	*s = (struct sample){.cpu_pct = -1,
			     .mem_bytes = -1,
			     .fds = -1,
			     .threads = -1,
			     .nproc = -1,
			     .group = {-1, -1},
			     .stat_fd = -1};
}

/* Figures of a tree, added up. */
struct sum {
	const struct inst *in;
	uint64_t ticks, rss_pages;
	int64_t threads;
	int nproc, fds;
};

static void add_stat(struct sum *s, const struct proc_stat *st)
{
	s->ticks += st->utime + st->stime + st->cutime + st->cstime;
	s->rss_pages += st->rss_pages;
	s->threads += st->threads;
	s->nproc++;
}

static bool add_other(pid_t pid, void *arg)
{
	struct sum *s = arg;
	struct proc_stat st;
	if (pid != s->in->pid && proc_read_stat(pid, &st) && st.state != 'Z') {
		add_stat(s, &st);
		int fds = proc_count_fds(pid);
		s->fds += fds > 0 ? fds : 0;
	}
	return true;
}

static bool read_main(struct inst *in, struct sum *s)
{
	struct proc_stat st;
	if (in->sample.stat_fd < 0) {
		in->sample.stat_fd = proc_open_stat(in->pid);
	}
	if (in->sample.stat_fd < 0 || !proc_read_stat_fd(in->sample.stat_fd, &st)) {
		return false;
	}
	add_stat(s, &st);
	s->fds = proc_count_fds(in->pid);
	return true;
}

/* CPU time so far in microseconds. A cgroup also knows of those who have ended. */
static uint64_t cpu_us(const struct inst *in, const struct sum *s)
{
	int64_t us =
		in->cgroup_fd >= 0 ? cgroup_files_cpu_usec(&in->sample.group, in->cgroup_fd) : -1;
	if (us >= 0) {
		return (uint64_t)us - in->sample.group_us;
	}
	return s->ticks * (1000000 / proc_ticks_per_second());
}

static void update(struct inst *in, const struct sum *s, int64_t now)
{
	struct sample *p = &in->sample;
	uint64_t used = cpu_us(in, s);
	int64_t base = p->at_mono_ms ? p->base_mono_ms : in->started_mono_ms;
	uint64_t base_us = p->at_mono_ms ? p->base_cpu_us : 0;
	if (now - base >= SHORTEST_MS || !p->at_mono_ms) {
		double us = used > base_us ? (double)(used - base_us) : 0;
		p->cpu_pct = us / (double)(now - base > 0 ? now - base : 1) / 10.;
		p->base_mono_ms = now;
		p->base_cpu_us = used;
	}
	p->at_mono_ms = now;
	p->cpu_us = used;
	p->mem_bytes = (int64_t)s->rss_pages * sysconf(_SC_PAGESIZE);
	p->threads = (int)s->threads;
	p->nproc = s->nproc;
	p->fds = s->fds;
}

/* Processes beside the main one: by cgroup, or all at once from one pass over /proc. */
static void sample_inst(struct inst *in, struct proc_table *tab)
{
	struct sum s = {.in = in};
	if (!in->pid || in->exited || !read_main(in, &s)) {
		return;
	}
	if (in->cgroup_fd >= 0) {
		if (in->sample.group.procs < 0) {
			cgroup_files_open(&in->sample.group, in->cgroup_fd);
		}
		cgroup_files_pids(&in->sample.group, in->cgroup_fd, add_other, &s);
	} else {
		struct tree_sum t;
		tree_sum(&in->tree, tab, &t);
		s.ticks = t.cpu_ticks;
		s.rss_pages = t.rss_bytes / (uint64_t)sysconf(_SC_PAGESIZE);
		s.threads = t.threads;
		s.nproc = (int)t.nproc;
	}
	update(in, &s, clock_mono_ms());
}

static void for_each(struct daemon *d, bool only_limited, int64_t older_than)
{
	struct app *app, *next;
	bool have_table = false;
	int64_t now = clock_mono_ms();
	list_for_each(app, next, &d->apps, node)
	{
		for (int i = 0; i < app->nslots; i++) {
			struct inst *in = app->slots[i];
			if ((only_limited && !app->conf.memory_max) || !in->pid ||
			    (in->sample.at_mono_ms && now - in->sample.at_mono_ms < older_than)) {
				continue;
			}
			if (in->cgroup_fd < 0 && !have_table) {
				have_table = proc_table_read(&d->processes);
			}
			sample_inst(in, &d->processes);
		}
	}
}

void sampler_refresh(struct sampler *s)
{
	for_each(s->daemon, false, FRESH_MS);
}

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

static bool any_limited(struct daemon *d)
{
	struct app *app, *next;
	list_for_each(app, next, &d->apps, node)
	{
		if (app->conf.memory_max) {
			return true;
		}
	}
	return false;
}

static void on_limit(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	struct sampler *s = container_of(w, struct sampler, limit);
	struct app *app, *next;
	if (!any_limited(s->daemon)) {
		ev_timer_stop(loop, w);
		return;
	}
	for_each(s->daemon, true, FRESH_MS);
	list_for_each(app, next, &s->daemon->apps, node)
	{
		for (int i = 0; i < app->nslots; i++) {
			check_limit(app->slots[i]);
		}
	}
}

static void on_slow(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	struct sampler *s = container_of(w, struct sampler, slow);
	for_each(s->daemon, false, FRESH_MS);
	server_check_path(&s->daemon->server);
	daemon_check_log(s->daemon);
}

void sampler_watch_limits(struct sampler *s)
{
	if (any_limited(s->daemon) && !ev_is_active(&s->limit)) {
		ev_timer_again(s->daemon->loop, &s->limit);
	}
}

void sampler_init(struct sampler *s, struct daemon *d)
{
	s->daemon = d;
	ev_timer_init(&s->slow, on_slow, SLOW_PERIOD, SLOW_PERIOD);
	ev_timer_init(&s->limit, on_limit, LIMIT_PERIOD, LIMIT_PERIOD);
	ev_timer_start(d->loop, &s->slow);
}

void sampler_finish(struct sampler *s)
{
	if (s->daemon) {
		ev_timer_stop(s->daemon->loop, &s->slow);
		ev_timer_stop(s->daemon->loop, &s->limit);
	}
}
