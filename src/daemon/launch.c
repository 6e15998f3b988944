/* SPDX-License-Identifier: MIT */
#include "daemon/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "daemon/daemon.h"
#include "daemon/environ.h"
#include "daemon/listen.h"
#include "daemon/notify.h"
#include "daemon/orphans.h"
#include "daemon/outputtail.h"
#include "daemon/readiness.h"
#include "daemon/reap.h"
#include "daemon/runner.h"
#include "daemon/treekill.h"
#include "daemon/workers.h"
#include "sys/cpus.h"
#include "sys/proc.h"
#include "sys/spawn.h"

#define TAIL_LINES LIMIT_LAST_LINES

/* What one spawn needs, given back at its end whatever happens. */
struct launch {
	struct inst *in;
	struct words argv, env;
	size_t nbase;
	int out_fd, err_fd, channel_fd; /* the child's ends */
	int *listen_fds;
	struct spawn_limit *limits;
	size_t nlimits;
	char affinity[CPUS_HEX];
	char oom[16];
};

char *launch_log_path(const struct inst *in, bool is_err)
{
	const struct app_conf *c = &in->app->conf;
	const char *path = is_err ? c->log_err : c->log_out;
	if (path) {
		return path[0] ? xstrdup(path) : NULL;
	}
	return xasprintf("%s/%s-%d.%s.log", in->app->daemon->paths.log, c->name, in->slot,
			 is_err ? "err" : "out");
}

static void output_conf_of(const struct inst *in, bool is_err, char key[40], char *path,
			   struct output_conf *out)
{
	const struct app_conf *c = &in->app->conf;
	snprintf(key, 40, "%llu-%u-%c", (unsigned long long)in->id, in->run, is_err ? 'e' : 'o');
	*out = (struct output_conf){
		.app = c->name,
		.slot = in->slot,
		.is_err = is_err,
		.key = key,
		.tally = tally_of(in->app),
		.file = {.path = path,
			 .user = &in->app->user,
			 .chosen = is_err ? c->log_err : c->log_out,
			 .format = c->log_format,
			 .max_size = c->log_max_size,
			 .keep = c->log_keep,
			 .compress = c->log_compress},
	};
}

static bool make_output(struct launch *l, bool is_err, struct err *err)
{
	struct inst *in = l->in;
	char *path = launch_log_path(in, is_err);
	char key[40];
	struct output_conf conf;
	if (!path) {
		return true;
	}
	output_conf_of(in, is_err, key, path, &conf);
	struct output *out =
		output_new(&in->app->daemon->outputs, &conf, is_err ? &l->err_fd : &l->out_fd, err);
	if (is_err) {
		in->err = out;
	} else {
		in->out = out;
	}
	free(path);
	/* A place somebody chose may not be there; ours always is. */
	bool chosen = is_err ? in->app->conf.log_err : in->app->conf.log_out;
	return out && (!chosen || output_open(out, err));
}

/* Where both end in one file they share a pipe, which keeps their order. */
static bool make_outputs(struct launch *l, struct err *err)
{
	char *out = launch_log_path(l->in, false);
	char *log_err = launch_log_path(l->in, true);
	bool same = out && log_err && strcmp(out, log_err) == 0;
	free(out);
	free(log_err);
	if (!make_output(l, false, err)) {
		return false;
	}
	if (!same) {
		return make_output(l, true, err);
	}
	l->err_fd = fcntl(l->out_fd, F_DUPFD_CLOEXEC, 3);
	return l->err_fd >= 0 || err_set(err, ERR_LIMIT, "dup: %s", strerror(errno));
}

static void redirect(struct inst *in, bool is_err)
{
	struct output *out = is_err ? in->err : in->out;
	char *path = launch_log_path(in, is_err);
	char key[40];
	struct output_conf conf;
	if (out && path) {
		output_conf_of(in, is_err, key, path, &conf);
		output_redirect(out, &conf.file);
	}
	free(path);
}

void launch_redirect(struct inst *in)
{
	redirect(in, false);
	redirect(in, true);
}

void launch_adopt_output(struct inst *in, bool is_err, int fd)
{
	char *path = launch_log_path(in, is_err);
	char key[40];
	struct output_conf conf;
	if (!path || (is_err ? in->err : in->out)) {
		close(fd);
		free(path);
		return;
	}
	output_conf_of(in, is_err, key, path, &conf);
	struct output *out = output_adopt(&in->app->daemon->outputs, &conf, fd);
	output_set_pid(out, in->pid);
	if (is_err) {
		in->err = out;
	} else {
		in->out = out;
	}
	free(path);
}

void launch_finish_output(struct inst *in, bool is_err, unsigned run, int fd)
{
	struct output *running = is_err ? in->err : in->out;
	uint32_t latest = in->run;
	*(is_err ? &in->err : &in->out) = NULL;
	in->run = run;
	launch_adopt_output(in, is_err, fd);
	output_detach(is_err ? in->err : in->out);
	*(is_err ? &in->err : &in->out) = running;
	in->run = latest;
}

void launch_cgroup_name(const struct inst *in, char out[24])
{
	snprintf(out, 24, "i%llu-%u", (unsigned long long)in->id, in->cgroup_run);
}

void launch_drop_cgroup(struct inst *in)
{
	char name[24];
	if (in->cgroup_fd < 0) {
		return;
	}
	close(in->cgroup_fd);
	in->cgroup_fd = -1;
	launch_cgroup_name(in, name);
	cgroup_remove(&in->app->daemon->cgroup, name);
}

/*
 * One leaf per instance, used again by its next process; without it the tree is walked instead.
 * But not after a cgroup.kill: from Linux 6.14 on a process cloned into a group that was ever
 * killed is killed at once (its kill_seq is compared with that of the parent's group).
 */
static void make_cgroup(struct inst *in)
{
	struct daemon *d = in->app->daemon;
	struct err err;
	char name[24];
	/* Or somebody has removed it while it was empty. */
	if (in->cgroup_spent ||
	    (in->cgroup_fd >= 0 && faccessat(in->cgroup_fd, "cgroup.procs", F_OK, 0) != 0)) {
		launch_drop_cgroup(in);
	}
	if (!d->have_cgroup || in->cgroup_fd >= 0) {
		return;
	}
	in->cgroup_run = in->run;
	in->cgroup_spent = false;
	launch_cgroup_name(in, name);
	in->cgroup_fd = cgroup_create(&d->cgroup, name, &err);
	if (in->cgroup_fd < 0) {
		log_line("%s:%d: cgroup: %s", in->app->conf.name, in->slot, err.msg);
	}
}

static void add_limit(struct launch *l, int resource, uint64_t soft, uint64_t hard)
{
	for (size_t i = 0; i < l->nlimits; i++) {
		if (l->limits[i].resource == resource) {
			l->limits[i].soft = soft;
			l->limits[i].hard = hard;
			return;
		}
	}
	l->limits[l->nlimits++] =
		(struct spawn_limit){resource, conf_limit_name(resource), soft, hard};
}

/* We raised or lowered some limits for ourselves: the app gets what we were started with. */
static void make_limits(struct launch *l)
{
	const struct app_conf *c = &l->in->app->conf;
	const struct ring *ring = l->in->app->daemon->link.ring;
	l->limits = xcalloc(c->nlimits + 2, sizeof(*l->limits));
	add_limit(l, RLIMIT_NOFILE, ring->nofile_soft, ring->nofile_hard);
	add_limit(l, RLIMIT_CORE, ring->core_soft, ring->core_hard);
	for (size_t i = 0; i < c->nlimits; i++) {
		add_limit(l, c->limits[i].resource, c->limits[i].soft, c->limits[i].hard);
	}
	snprintf(l->oom, sizeof(l->oom), "%d", ring->oom_score_adj);
}

static bool make_affinity(struct launch *l, struct err *err)
{
	const struct app_conf *c = &l->in->app->conf;
	cpu_set_t allowed, set;
	if (!c->cpu_auto && !c->cpu_list) {
		return true;
	}
	bool known = cpus_allowed(&allowed);
	if (c->cpu_list) {
		if (!cpus_parse_list(c->cpu_list, known ? &allowed : NULL, &set, err)) {
			return err_wrap(err, "cpu_affinity");
		}
	} else {
		int cpu = known ? cpus_nth(&allowed, (unsigned)l->in->slot) : -1;
		if (cpu < 0) {
			return true;
		}
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
	}
	cpus_format_hex(&set, l->affinity);
	return true;
}

static void make_listen(struct launch *l)
{
	const struct inst *in = l->in;
	l->listen_fds = xcalloc(in->nlisten, sizeof(*l->listen_fds));
	for (size_t i = 0; i < in->nlisten; i++) {
		l->listen_fds[i] = in->listen[i]->fd;
	}
}

bool launch_needs_notify(const struct app_conf *c)
{
	return c->ready.kind == PROBE_NOTIFY || c->health.kind == PROBE_NOTIFY;
}

/* What makes a closing http server answer "Connection: close"; NULL where it is not wanted. */
static const char *preload(const struct inst *in)
{
	return conf_takes_preload(&in->app->conf) ? in->app->daemon->preload : NULL;
}

static bool prepare(struct launch *l, struct err *err)
{
	struct inst *in = l->in;
	const struct app_conf *c = &in->app->conf;
	if (!apps_resolve_user(in->app, err) || !listen_open(in, err) || !make_affinity(l, err) ||
	    !make_outputs(l, err) || !workers_attach(in, &l->channel_fd, err)) {
		return false;
	}
	if (launch_needs_notify(c) && !(in->notify = notify_new(in, l->in->app->user.uid, err))) {
		return false;
	}
	make_limits(l);
	make_listen(l);
	make_cgroup(in);
	conf_argv(c, preload(in), &l->argv);
	l->nbase = environ_build(in, &l->env);
	return true;
}

void launch_as_app(const struct app *app, struct spawn_req *req)
{
	const struct user *user = &app->user;
	req->cwd = app->conf.cwd;
	req->env_file = app->conf.env_file;
	req->set_user = user->uid != geteuid() || user->gid != getegid();
	req->uid = user->uid;
	req->gid = user->gid;
	req->groups = user->groups;
	req->ngroups = user->ngroups;
	req->umask = app->conf.umask >= 0 ? app->conf.umask : 022;
}

static bool spawn(struct launch *l, struct spawn_child *child, struct err *err)
{
	struct inst *in = l->in;
	const struct app_conf *c = &in->app->conf;
	struct spawn_req req = {
		.argv = l->argv.v,
		.envp = l->env.v,
		.nbase = l->nbase,
		.script = c->script,
		.out_fd = l->out_fd,
		.err_fd = l->err_fd,
		.listen_fds = l->listen_fds,
		.nlisten = in->nlisten,
		.channel_fd = l->channel_fd,
		.spare_fd = workers_channel_fd(in),
		.nice = c->nice,
		.set_nice = c->nice_given,
		.affinity = l->affinity[0] ? l->affinity : NULL,
		.oom_score_adj = l->oom,
		.limits = l->limits,
		.nlimits = l->nlimits,
		.cgroup_fd = in->cgroup_fd,
		.as_own_child = !in->app->daemon->link.alive,
	};
	launch_as_app(in->app, &req);
	return spawn_start(&req, child, err);
}

static void finish(struct launch *l)
{
	int fds[] = {l->out_fd, l->err_fd, l->channel_fd};
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		if (fds[i] >= 0) {
			close(fds[i]);
		}
	}
	words_finish(&l->argv);
	words_finish(&l->env);
	free(l->listen_fds);
	free(l->limits);
}

void launch_register(struct inst *in)
{
	struct daemon *d = in->app->daemon;
	struct proc_stat st;
	if (!in->starttime && proc_read_stat(in->pid, &st)) {
		in->starttime = st.starttime;
	}
	list_add(&d->by_pid[(unsigned)in->pid % ARRAY_LEN(d->by_pid)], &in->pid_node);
	if (!d->link.alive) {
		reap_watch(in);
	}
	treekill_begin(in);
	if (in->out) {
		output_set_pid(in->out, in->pid);
	}
	if (in->err) {
		output_set_pid(in->err, in->pid);
	}
}

static void started(struct inst *in, const struct spawn_child *child)
{
	struct daemon *d = in->app->daemon;
	in->pid = child->pid;
	in->pidfd = child->pidfd;
	in->report_fd = child->report_fd;
	in->starttime = 0;
	in->started_mono_ms = clock_mono_ms();
	in->started_real_ms = clock_real_ms();
	in->ran = in->exited = in->killed = in->ready = false;
	listen_begin_use(in);
	launch_register(in);
	sample_begin(in, false);
	sampler_started(in);
	tally_started(in);
	ev_io_set(&in->report_io, in->report_fd, EV_READ);
	ev_io_start(d->loop, &in->report_io);
	store_inst(&d->store, in);
	events_add(&d->events, in->app->conf.name, in->slot, "start",
		   in->asker.pid ? &in->asker : NULL, "started pid %d", (int)in->pid);
	in->asker.pid = 0;
}

bool launch_start(struct inst *in, struct err *err)
{
	struct launch l = {.in = in, .out_fd = -1, .err_fd = -1, .channel_fd = -1};
	struct spawn_child child;
	launch_release(in);
	in->run = (in->run > in->last_run ? in->run : in->last_run) + 1;
	store_inst(&in->app->daemon->store, in); /* the intent: see store_resume() */
	bool ok = prepare(&l, err) && spawn(&l, &child, err);
	if (ok) {
		started(in, &child);
	} else {
		launch_release(in);
		err_wrap(err, "cannot start %s:%d", in->app->conf.name, in->slot);
	}
	finish(&l);
	return ok;
}

void launch_read_report(struct inst *in)
{
	struct err err;
	if (in->report_fd < 0) {
		return;
	}
	int r = spawn_read_report(in->report_fd, &err);
	if (r == 0) {
		return;
	}
	ev_io_stop(in->app->daemon->loop, &in->report_io);
	close(in->report_fd);
	in->report_fd = -1;
	if (r < 0) {
		snprintf(in->start_error, sizeof(in->start_error), "cannot start %s:%d: %.300s",
			 in->app->conf.name, in->slot, err.msg);
		return;
	}
	in->ran = true;
	if (!in->exited) {
		readiness_sign(in, SIGN_SPAWNED);
	}
}

void launch_on_report(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	launch_read_report(container_of(w, struct inst, report_io));
}

/* Keep the last words with the instance: its next process writes over the end of the file. */
static void keep_last_lines(struct inst *in)
{
	struct buf text = {0};
	if (in->err) {
		output_tail(in->err, TAIL_LINES, &text);
	}
	if (!text.len && in->out) {
		output_tail(in->out, TAIL_LINES, &text);
	}
	free(in->last_lines);
	in->last_lines = buf_take(&text);
}

void launch_release(struct inst *in)
{
	struct ev_loop *loop = in->app->daemon->loop;
	if (in->pid) {
		keep_last_lines(in);
	}
	ev_io_stop(loop, &in->report_io);
	reap_forget(in);
	if (in->report_fd >= 0) {
		close(in->report_fd);
	}
	orphans_gone(in);
	workers_release(in);
	notify_free(in->notify);
	output_detach(in->out);
	output_detach(in->err);
	tree_finish(&in->tree);
	sampler_ended(in);
	in->notify = NULL;
	in->out = in->err = NULL;
	in->report_fd = -1;
	in->pid = 0;
	in->starttime = 0;
}
