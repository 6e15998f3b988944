/* SPDX-License-Identifier: MIT */
#include "daemon/resume.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "daemon/daemon.h"
#include "daemon/health.h"
#include "daemon/launch.h"
#include "daemon/notify.h"
#include "daemon/readiness.h"
#include "daemon/reap.h"
#include "daemon/rollout.h"
#include "daemon/runner.h"
#include "daemon/watch.h"
#include "daemon/workers.h"
#include "sys/proc.h"

/* --- descriptors the keeper held --- */

static struct inst *find_run(struct daemon *d, unsigned long long id, unsigned run)
{
	struct app *app, *next;
	list_for_each(app, next, &d->apps, node)
	{
		for (int i = 0; i < app->nslots; i++) {
			struct inst *in = app->slots[i];
			if (in->id == id && in->run == run && in->pid) {
				return in;
			}
		}
		struct inst *in, *after;
		list_for_each(in, after, &app->others, other_node)
		{
			if (in->id == id && in->run == run && in->pid) {
				return in;
			}
		}
	}
	return NULL;
}

static void take_held(struct daemon *d, const char *name, int fd)
{
	unsigned long long id;
	unsigned run;
	char stream;
	struct inst *in;
	if (strncmp(name, "sock.", 5) == 0) {
		if (!workers_restore_socket(d, name, fd)) {
			link_drop(&d->link, name);
		}
		return;
	}
	if (sscanf(name, "pipe.%llu-%u-%c", &id, &run, &stream) == 3 &&
	    (in = find_run(d, id, run))) {
		launch_adopt_output(in, stream == 'e', fd);
		return;
	}
	if (sscanf(name, "chan.%llu-%u", &id, &run) == 2 && (in = find_run(d, id, run))) {
		workers_adopt(in, fd);
		return;
	}
	if (sscanf(name, "ntfy.%llu-%u", &id, &run) == 2 && (in = find_run(d, id, run)) &&
	    !in->notify) {
		in->notify = notify_adopt(in, in->app->user.uid, fd);
		return;
	}
	close(fd);
	if (strcmp(name, "log") != 0) {
		link_drop(&d->link, name);
	}
}

/* Held descriptors are sorted by what must be there first: sockets before the channels. */
struct held {
	char name[KEEPER_NAME];
	int fd;
};

struct fetched {
	struct daemon *daemon;
	struct held *item;
	size_t n;
};

static void on_item(void *ctx, const char *name, int fd)
{
	struct fetched *f = ctx;
	if (strcmp(name, "control") == 0) {
		f->daemon->control_fd = fd;
		return;
	}
	if (strncmp(name, "file.", 5) == 0) {
		close(fd); /* the keeper's own use; we open files by path */
		return;
	}
	f->item = xreallocarray(f->item, f->n + 1, sizeof(*f->item));
	snprintf(f->item[f->n].name, KEEPER_NAME, "%s", name);
	f->item[f->n++].fd = fd;
}

static void take_all(struct fetched *f)
{
	for (int pass = 0; pass < 2; pass++) {
		if (pass == 1) {
			workers_restore_clusters(f->daemon);
		}
		for (size_t i = 0; i < f->n; i++) {
			bool first = strncmp(f->item[i].name, "sock.", 5) == 0;
			if (first == (pass == 0)) {
				take_held(f->daemon, f->item[i].name, f->item[i].fd);
			}
		}
	}
	free(f->item);
}

/* --- processes --- */

static void restore_history(struct inst *in, const struct runtab_rec *r)
{
	uint32_t n = r->window_count < RUNTAB_RESTARTS ? r->window_count : RUNTAB_RESTARTS;
	for (uint32_t i = n; i > 0; i--) {
		uint32_t at = (r->window_next + RUNTAB_RESTARTS - i) % RUNTAB_RESTARTS;
		history_add(&in->history, r->window[at]);
	}
	in->history.in_a_row = r->in_a_row;
	in->restarts = r->restarts;
	in->run = (uint32_t)r->extra[0];
	in->app->listened |= r->extra[1] & 1;
	in->has_exited = r->exit_real_ms != 0;
	in->last_exit_real_ms = r->exit_real_ms;
	in->last_exit = (struct exit_status){.known = r->exit_known,
					     .code = r->exit_code,
					     .signal = r->exit_signal,
					     .core = r->exit_core,
					     .oom = r->exit_oom};
}

/* The supervisor died between the clone and the note of the pid: look among the children. */
static bool is_noted(const struct daemon *d, pid_t pid)
{
	for (size_t i = 0; i < runtab_capacity(d->store.runtab); i++) {
		const struct runtab_rec *r = runtab_get(d->store.runtab, i);
		if (r && r->pid == pid) {
			return true;
		}
	}
	return false;
}

static pid_t find_unnoted(const struct inst *in, pid_t keeper)
{
	char id[24], want[24];
	pid_t *child = NULL;
	pid_t found = 0;
	snprintf(want, sizeof(want), "%llu", (unsigned long long)in->id);
	size_t n = proc_children(keeper, &child);
	for (size_t i = 0; i < n && !found; i++) {
		if (proc_env_value(child[i], "PMCTL_ID", id, sizeof(id)) && strcmp(id, want) == 0 &&
		    !is_noted(in->app->daemon, child[i])) {
			found = child[i];
		}
	}
	free(child);
	return found;
}

/* Whether the exit of this process waits in the keeper's ring: then it is adopted as well, and
 * the record ends it in the ordinary way, with its status. */
static bool is_in_ring(struct daemon *d, pid_t pid, uint64_t starttime)
{
	const struct ring *ring = d->link.ring;
	for (uint64_t s = atomic_load(&ring->tail); s != atomic_load(&ring->head); s++) {
		const struct ring_record *rec = &ring->rec[s % RING_SIZE];
		if (rec->pid == pid && (!rec->starttime || rec->starttime == starttime)) {
			return true;
		}
	}
	return false;
}

static void adopt(struct inst *in, const struct runtab_rec *r)
{
	struct daemon *d = in->app->daemon;
	struct proc_stat st;
	char leaf[24];
	in->pid = r->pid;
	in->starttime = r->starttime;
	in->started_mono_ms = r->started_mono_ms;
	in->started_real_ms = r->started_real_ms;
	in->ran = true;
	in->exited = false;
	in->ready = r->state == ST_ONLINE;
	in->state = (enum inst_state)r->state;
	in->cgroup_run = (uint32_t)r->extra[2];
	in->cgroup_spent = r->extra[3] & 1;
	launch_cgroup_name(in, leaf);
	bool here = proc_is(in->pid, in->starttime);
	in->cgroup_fd = d->have_cgroup && here ? cgroup_adopt(&d->cgroup, in->pid, leaf) : -1;
	if (in->cgroup_fd < 0 && d->have_cgroup) {
		in->cgroup_fd = cgroup_open(&d->cgroup, leaf); /* what it left behind is there */
	}
	in->pidfd = here ? (int)syscall(SYS_pidfd_open, in->pid, 0) : -1;
	if (in->pidfd >= 0 && !proc_is(in->pid, in->starttime)) {
		close(in->pidfd); /* died and its number was used again meanwhile */
		in->pidfd = -1;
	}
	in->lost = !here && !is_in_ring(d, in->pid, in->starttime);
	launch_register(in);
	if (proc_read_stat(in->pid, &st) && st.ppid != (pid_t)d->link.ring->keeper_pid) {
		reap_watch(in); /* it was the child of a keeper that is dead */
	}
}

static void take_record(struct inst *in, struct runtab_rec *r)
{
	struct daemon *d = in->app->daemon;
	bool live = states_is_live((enum inst_state)r->state);
	struct runtab_rec rec = *r;
	in->rec = r;
	restore_history(in, &rec);
	if (live && !rec.pid) {
		struct proc_stat st;
		rec.pid = find_unnoted(in, d->link.ring->keeper_pid);
		rec.starttime = rec.pid && proc_read_stat(rec.pid, &st) ? st.starttime : 0;
		rec.started_mono_ms = clock_mono_ms();
		rec.started_real_ms = clock_real_ms();
	}
	if (live && rec.pid > 0) {
		adopt(in, &rec);
	} else if (rec.state == ST_FAILED || rec.state == ST_DONE) {
		in->state = (enum inst_state)rec.state;
	}
}

static struct inst *inst_of(struct daemon *d, const struct runtab_rec *r)
{
	struct app *app = apps_find(d, r->app);
	if (!app || r->slot < 0 || r->slot >= app->nslots) {
		return NULL;
	}
	return r->flags & RUNTAB_OTHER ? rollout_restore(app, r->slot, r->id) : app->slots[r->slot];
}

/* A process whose app is not in the state any more was being deleted when we died. */
static void end_unknown(struct daemon *d, struct runtab_rec *r)
{
	if (!(r->flags & RUNTAB_GOING) && r->pid > 1 && proc_is(r->pid, r->starttime)) {
		events_add(&d->events, r->app, r->slot, "failed", NULL,
			   "pid %d runs, but the state file does not know it: left alone",
			   (int)r->pid);
		return; /* the record stays: an older state file may come back */
	}
	if (r->pid > 1 && proc_is(r->pid, r->starttime)) {
		log_line("%s:%d: pid %d is no longer wanted and ends", r->app, r->slot, r->pid);
		int fd = (int)syscall(SYS_pidfd_open, r->pid, 0);
		if (fd >= 0 && proc_is(r->pid, r->starttime)) {
			kill(-r->pid, SIGKILL); /* the stub has made it the leader of a group */
			syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
		}
		if (fd >= 0) {
			close(fd);
		}
	}
	runtab_free(r);
}

/* The keeper that held this pipe is gone too. The app's own end leads to it, if it still is there.
 */
static void reopen_output(struct inst *in, bool is_err, uint64_t inode)
{
	char path[40], name[KEEPER_NAME];
	struct stat st;
	if (!inode || (is_err ? in->err : in->out)) {
		return;
	}
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)in->pid, is_err ? 2 : 1);
	if (stat(path, &st) != 0 || !S_ISFIFO(st.st_mode) || (uint32_t)st.st_ino != inode) {
		return;
	}
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 && (fstat(fd, &st) != 0 || (uint32_t)st.st_ino != inode)) {
		close(fd);
		fd = -1;
	}
	if (fd >= 0) {
		snprintf(name, sizeof(name), "pipe.%llu-%u-%c", (unsigned long long)in->id, in->run,
			 is_err ? 'e' : 'o');
		link_deposit(&in->app->daemon->link, name, fd);
		launch_adopt_output(in, is_err, fd);
	}
}

static void reopen_outputs(struct daemon *d)
{
	struct app *app, *next;
	list_for_each(app, next, &d->apps, node)
	{
		for (int i = 0; i < app->nslots; i++) {
			struct inst *in = app->slots[i];
			if (in->pid && !in->lost && in->rec) {
				reopen_output(in, false, in->rec->extra[1] >> 32);
				reopen_output(in, true, in->rec->extra[3] >> 32);
			}
		}
	}
}

void resume_adopt(struct daemon *d)
{
	struct fetched f = {.daemon = d};
	struct err err;
	unsigned adopted = 0;
	workers_load(d);
	for (size_t i = 0; i < runtab_capacity(d->store.runtab); i++) {
		struct runtab_rec *r = runtab_get(d->store.runtab, i);
		struct inst *in = r ? inst_of(d, r) : NULL;
		if (in) {
			take_record(in, r);
			adopted += in->pid != 0;
		} else if (r) {
			end_unknown(d, r);
		}
	}
	struct app *app, *next;
	list_for_each(app, next, &d->apps, node)
	{
		rollout_restored(app);
	}
	if (!link_fetch(&d->link, on_item, &f, &err)) {
		log_line("%s", err.msg);
	}
	take_all(&f);
	reopen_outputs(d);
	workers_restored(d);
	d->store.resuming = false;
	if (adopted) {
		events_add(&d->events, NULL, -1, "adopted", NULL,
			   "supervisor started anew, took over %u processes", adopted);
	}
}

/* An adopted one goes on where it was: stopping, getting ready, or running. */
static void go_on(struct inst *in)
{
	events_add(&in->app->daemon->events, in->app->conf.name, in->slot, "adopted", NULL,
		   "took over pid %d", (int)in->pid);
	if (in->state == ST_STOPPING) {
		in->state = ST_ONLINE;
		in->again = in->wanted;
		runner_event(in, in->wanted ? EV_RESTART : EV_STOP);
	} else if (in->state == ST_STARTING) {
		readiness_begin(in);
	} else if (!in->wanted) {
		runner_stop(in, NULL);
	} else {
		health_begin(in);
	}
	if (in->lost) {
		reap_lost(in);
	}
}

/* Of a reload that nobody goes on with: what is in the slots stays, what was beside it ends. */
static void end_others(struct app *app)
{
	struct inst *in, *next;
	list_for_each(in, next, &app->others, other_node)
	{
		in->wanted = in->again = false;
		if (in->pid) {
			in->state = in->state == ST_STOPPING ? ST_ONLINE : in->state;
			runner_event(in, EV_STOP);
		}
		if (in->lost) {
			reap_lost(in);
		}
		apps_collect(in);
	}
}

void resume_start(struct daemon *d)
{
	struct app *app, *next;
	list_for_each(app, next, &d->apps, node)
	{
		for (int i = 0; i < app->nslots; i++) {
			struct inst *in = app->slots[i];
			if (in->pid) {
				go_on(in);
			} else if (in->wanted && in->state == ST_STOPPED) {
				runner_start(in, NULL);
			}
			store_inst(&d->store, in);
		}
		end_others(app);
		watch_update(app);
	}
	link_drain(&d->link);
}
