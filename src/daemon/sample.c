/* SPDX-License-Identifier: MIT */
#include "daemon/sample.h"

#include <unistd.h>

#include "common/clock.h"
#include "daemon/runner.h"
#include "sys/proc.h"

/* A percentage over less than this is noise: the one before is kept. */
#define SHORTEST_MS 400
/* Pages of a process that sleeps may be swapped out. */
#define REREAD_MS 60000

void sample_init(struct sample *s)
{
	*s = (struct sample){.cpu_pct = -1,
			     .main_us = -1,
			     .group_last_us = -1,
			     .mem_bytes = -1,
			     .fds = -1,
			     .fds_most = -1,
			     .fds_max = -1,
			     .threads = -1,
			     .nproc = -1,
			     .io_read = -1,
			     .io_write = -1,
			     .io_bps = -1,
			     .group = {-1, -1},
			     .stat_fd = -1};
}

void sample_close(struct sample *s)
{
	cgroup_files_close(&s->group);
	cpuacct_finish(&s->acct);
	if (s->stat_fd >= 0) {
		close(s->stat_fd);
	}
	s->stat_fd = -1;
}

void sample_begin(struct inst *in, bool adopted)
{
	struct sample *s = &in->sample;
	sample_close(s);
	sample_init(s);
	int64_t used = in->cgroup_fd >= 0 ? cgroup_cpu_usec(in->cgroup_fd) : -1;
	s->group_us = used > 0 ? (uint64_t)used : 0;
	s->base_mono_ms = adopted ? clock_mono_ms() : in->started_mono_ms;
	s->acct.look_at = adopted ? proc_now_ticks() : 0;
}

/* One reading of a tree, added up. */
struct reading {
	struct inst *in;
	uint64_t rss_pages;
	int64_t threads;
	int nproc;
	bool deep;
	bool counts; /* the CPU time of each, as no control group does it */
	int fds, fds_most;
	pid_t most_pid;		   /* who has fds_most; 0 = nobody yet */
	int64_t io_read, io_write; /* -1 = of somebody we may not know */
};

static void add_deep(struct reading *r, pid_t pid)
{
	int64_t in, out;
	int fds = proc_count_fds(pid);
	if (pid == r->in->pid && fds < 0) {
		r->fds = -1; /* of the main process we must know */
	}
	r->fds += r->fds >= 0 && fds > 0 ? fds : 0;
	if (fds >= 0 && (!r->most_pid || fds > r->fds_most)) {
		r->fds_most = fds;
		r->most_pid = pid;
	}
	if (proc_read_io(pid, &in, &out)) {
		r->io_read += in;
		r->io_write += out;
	}
}

static void add_stat(struct reading *r, const struct proc_stat *st)
{
	r->rss_pages += st->rss_pages;
	r->threads += st->threads;
	r->nproc++;
	if (r->counts) {
		cpuacct_add(&r->in->sample.acct,
			    &(struct cpuacct_proc){.pid = st->pid,
						   .start = st->starttime,
						   .own = st->utime + st->stime,
						   .waited = st->cutime + st->cstime});
	}
}

static bool add_other(pid_t pid, void *arg)
{
	struct reading *r = arg;
	struct proc_stat st;
	if (pid != r->in->pid && proc_read_stat(pid, &st) && st.state != 'Z') {
		add_stat(r, &st);
		if (r->deep) {
			add_deep(r, pid);
		}
	}
	return true;
}

static bool read_main(struct reading *r)
{
	struct proc_stat st;
	struct sample *s = &r->in->sample;
	if (s->stat_fd < 0) {
		s->stat_fd = proc_open_stat(r->in->pid);
	}
	if (s->stat_fd < 0 || !proc_read_stat_fd(s->stat_fd, &st)) {
		return false;
	}
	add_stat(r, &st);
	if (r->deep) {
		add_deep(r, r->in->pid);
	}
	return true;
}

/* Members, from one pass over /proc, so that the numbers of parents and children belong together.
 * False if the main process is not among them: it began just now. */
static bool read_tree(struct reading *r, struct proc_table *tab)
{
	struct tree *t = &r->in->tree;
	bool has_main = false;
	tree_scan(t, tab);
	for (size_t i = 0; i < t->members; i++) {
		const struct proc_row *row = &tab->row[t->member[i]];
		has_main |= row->pid == r->in->pid;
		struct proc_stat st = {.pid = row->pid,
				       .starttime = row->starttime,
				       .utime = row->cpu_ticks,
				       .cutime = row->waited_ticks,
				       .rss_pages = row->rss_pages,
				       .threads = row->threads};
		bool lives = row->state != 'Z' && row->state != 'X';
		if (!lives) { /* its time is not in its parent's account yet */
			st.rss_pages = 0;
			st.threads = 0;
			r->nproc--;
		}
		add_stat(r, &st);
		if (lives && r->deep) {
			add_deep(r, row->pid);
		}
	}
	return has_main;
}

static void set_io(struct sample *s, const struct reading *r, int64_t now)
{
	int64_t was = s->io_read >= 0 ? s->io_read + s->io_write : -1;
	int64_t more = r->io_read + r->io_write - was;
	int64_t passed = now - s->deep_mono_ms;
	if (was >= 0 && passed > 0) {
		s->io_bps = more > 0 ? more * 1000 / passed : 0;
	}
	s->io_read = r->io_read;
	s->io_write = r->io_write;
}

static void set_cpu(struct sample *s, uint64_t used, int cpus, int64_t now, bool adopted)
{
	int64_t passed = now - s->base_mono_ms;
	if (passed >= SHORTEST_MS || (!s->at_mono_ms && !adopted)) {
		double us = used > s->base_cpu_us ? (double)(used - s->base_cpu_us) : 0;
		double pct = us / (double)(passed > 0 ? passed : 1) / 10.;
		s->cpu_pct = pct < cpus * 100. ? pct : cpus * 100.;
		s->base_mono_ms = now;
		s->base_cpu_us = used;
	}
	s->cpu_us = used;
	s->at_mono_ms = now;
}

/* What a control group has counted, also of those who have ended; -1 = there is none. */
static int64_t group_used(struct inst *in)
{
	struct sample *s = &in->sample;
	if (in->cgroup_fd < 0) {
		return -1;
	}
	if (s->group.procs < 0) {
		cgroup_files_open(&s->group, in->cgroup_fd);
	}
	int64_t us = cgroup_files_cpu_usec(&s->group, in->cgroup_fd);
	return us >= 0 && (uint64_t)us >= s->group_us ? us - (int64_t)s->group_us : us;
}

static bool read_all(struct inst *in, struct proc_table *tab, struct reading *r)
{
	if (in->cgroup_fd < 0) {
		return read_tree(r, tab) || read_main(r);
	}
	if (!read_main(r)) {
		return false;
	}
	cgroup_files_pids(&in->sample.group, in->cgroup_fd, add_other, r);
	return true;
}

static void set_all(struct sample *s, const struct reading *r, uint64_t used, int64_t now)
{
	s->mem_bytes = (int64_t)r->rss_pages * sysconf(_SC_PAGESIZE);
	s->threads = (int)r->threads;
	s->nproc = r->nproc;
	s->full_mono_ms = now;
	if (r->deep) {
		s->fds = r->fds;
		s->fds_most = r->fds < 0 ? -1 : r->fds_most;
		s->fds_max = proc_max_fds(r->fds < 0 ? r->in->pid : r->most_pid);
		set_io(s, r, now);
		s->deep_mono_ms = now;
		s->deep_cpu_us = used;
	}
}

/* The CPU time that was added up, microseconds. */
static uint64_t look_ticks(struct sample *s, const struct proc_table *tab)
{
	return cpuacct_look(&s->acct, tab->ticks) * (1000000 / proc_ticks_per_second());
}

static void note_seen(struct sample_round *round, const struct sample *s, uint64_t used)
{
	uint64_t more = used > s->cpu_us ? used - s->cpu_us : 0;
	round->seen_us += more;
	round->busy += more > 0;
}

/* By the clock of its one process. False if that does not do. */
static bool take_by_clock(struct inst *in, struct sample_round *round, int64_t now)
{
	struct sample *s = &in->sample;
	if (!round->trusts || in->cgroup_fd < 0 || s->nproc != 1 || s->main_us < 0 ||
	    now - s->group_mono_ms >= round->alone_ms) {
		return false;
	}
	int64_t us = proc_cpu_us(in->pid);
	int64_t more = us - s->main_us;
	if (us < 0 || more < 0 ||
	    (more > 0 && round->deep_ms >= 0 && now - s->deep_mono_ms >= round->deep_ms)) {
		return false;
	}
	struct reading r = {.in = in};
	if (more > 0 && !read_main(&r)) {
		return false;
	}
	if (more > 0) {
		s->mem_bytes = (int64_t)r.rss_pages * sysconf(_SC_PAGESIZE);
		s->threads = (int)r.threads;
	}
	s->main_us = us;
	note_seen(round, s, s->cpu_us + (uint64_t)more);
	set_cpu(s, s->cpu_us + (uint64_t)more, round->cpus, now, false);
	return true;
}

/* Whether nothing of its group has run since the last full reading. */
static bool has_slept(const struct sample *s, int64_t group, int64_t now)
{
	return group >= 0 && group == s->group_last_us && s->full_mono_ms &&
	       now - s->full_mono_ms < REREAD_MS;
}

bool sample_take(struct inst *in, struct sample_round *round)
{
	struct sample *s = &in->sample;
	int64_t now = clock_mono_ms();
	if (take_by_clock(in, round, now)) {
		return true;
	}
	s->main_us = in->cgroup_fd >= 0 ? proc_cpu_us(in->pid) : -1;
	int64_t group = group_used(in);
	s->group_mono_ms = now;
	bool adopted = s->acct.look_at != 0 && s->full_mono_ms == 0;
	bool deep = round->deep_ms >= 0 &&
		    (!s->deep_mono_ms || now - s->deep_mono_ms >= round->deep_ms);
	if (has_slept(s, group, now) && (!deep || s->deep_cpu_us == s->cpu_us)) {
		set_cpu(s, s->cpu_us, round->cpus, now, false);
		return true;
	}
	s->group_last_us = group;
	struct reading r = {.in = in, .deep = deep, .counts = group < 0};
	if (!read_all(in, round->tab, &r)) {
		return false;
	}
	uint64_t used = group >= 0 ? (uint64_t)group : look_ticks(s, round->tab);
	used = used > s->cpu_us ? used : s->cpu_us; /* the clock of a process is a little ahead */
	note_seen(round, s, used);
	set_all(s, &r, used, now);
	set_cpu(s, used, round->cpus, now, adopted);
	return true;
}

static bool add_pss(pid_t pid, void *arg)
{
	int64_t *sum = arg, pss = proc_read_pss(pid);
	*sum += pss > 0 ? pss : 0;
	return true;
}

int64_t sample_pss(struct inst *in, struct proc_table *tab)
{
	int64_t sum = 0;
	if (!in->pid || proc_read_pss(in->pid) < 0) {
		return -1;
	}
	if (in->cgroup_fd >= 0) {
		cgroup_pids(in->cgroup_fd, add_pss, &sum);
		return sum;
	}
	tree_scan(&in->tree, tab);
	for (size_t i = 0; i < in->tree.members; i++) {
		add_pss(tab->row[in->tree.member[i]].pid, &sum);
	}
	return sum;
}
