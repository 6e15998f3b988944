/* SPDX-License-Identifier: MIT */
#include "daemon/resume.h"
#include "daemon/apply.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/mem.h"
#include "daemon/alive.h"
#include "daemon/daemon.h"
#include "daemon/health.h"
#include "daemon/held.h"
#include "daemon/inquiry.h"
#include "daemon/launch.h"
#include "daemon/looptimer.h"
#include "daemon/orphans.h"
#include "daemon/readiness.h"
#include "daemon/reap.h"
#include "daemon/refind.h"
#include "daemon/regrow.h"
#include "daemon/rollout.h"
#include "daemon/runner.h"
#include "daemon/watch.h"
#include "daemon/workers.h"
#include "sys/proc.h"

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
	in->last_exit_asked = r->exit_asked;
	in->last_exit = (struct exit_status){.known = r->exit_known,
					     .code = r->exit_code,
					     .signal = r->exit_signal,
					     .core = r->exit_core,
					     .oom = r->exit_oom};
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
	in->ready_mono_ms = r->ready_mono_ms;
	in->ran = true;
	in->exited = false;
	in->ready = r->state == ST_ONLINE;
	in->state = (enum inst_state)r->state;
	in->cgroup_run = (uint32_t)r->extra[2];
	in->cgroup_spent = r->extra[3] & 1;
	launch_cgroup_name(in, leaf);
	bool here = alive_is(d, in->pid, in->starttime, &st);
	in->cgroup_fd = d->have_cgroup && here ? cgroup_adopt(&d->cgroup, in->pid, leaf) : -1;
	if (in->cgroup_fd < 0 && d->have_cgroup) {
		in->cgroup_fd = cgroup_open(&d->cgroup, leaf); /* what it left behind is there */
	}
	in->pidfd = here ? alive_pidfd(d, in->pid, in->starttime) : -1;
	in->lost = !here && !is_in_ring(d, in->pid, in->starttime);
	launch_register(in);
	sample_begin(in, true);
	if (here && st.ppid != (pid_t)d->link.ring->keeper_pid) {
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
	inquiry_end_left(rec.probe_pid, rec.probe_starttime);
	if (live && !rec.pid) {
		struct proc_stat st;
		rec.pid = refind_unnoted(in, d->link.ring->keeper_pid);
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
	if (!app || r->slot < 0 || r->slot >= LIMIT_INSTANCES_APP) {
		return NULL;
	}
	if (r->slot >= app->nslots) {
		if (!(r->flags & RUNTAB_GOING) || !r->pid) {
			return NULL;
		}
		apps_restore_leaving(app, r->slot);
	}
	struct inst *in = app->slots[r->slot];
	/* A second record of one slot is as one that a reload has left behind: it ends. */
	return r->flags & RUNTAB_OTHER || in->rec ? rollout_restore(app, r->slot, r->id) : in;
}

/* A process whose app the state does not know: an older state has come back. */
static void end_unknown(struct daemon *d, struct runtab_rec *r)
{
	struct proc_stat st;
	bool here = r->pid > 1 && alive_is(d, r->pid, r->starttime, &st);
	if (here && !(r->flags & RUNTAB_GOING)) {
		events_add(&d->events, r->app, r->slot, "failed", NULL,
			   "pid %d runs, but the state file does not know it: left alone",
			   (int)r->pid);
		r->flags |= RUNTAB_LEFT;
		return; /* the record stays: its app may become known again */
	}
	if (here) {
		log_line("%s:%d: pid %d is no longer wanted and ends", r->app, r->slot, r->pid);
		int fd = alive_pidfd(d, r->pid, r->starttime);
		if (fd >= 0) {
			kill(-r->pid, SIGKILL); /* the stub has made it the leader of a group */
			syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
			close(fd);
		}
	}
	runtab_free(r);
}

void resume_adopt(struct daemon *d)
{
	struct held held;
	unsigned adopted = 0;
	workers_load(d);
	regrow_all(d);
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
	held_fetch(&held, d);
	tally_resume(&d->tally); /* first: outputs count into it */
	held_take(&held);
	orphans_take_rest(d);
	workers_restored(d);
	pasts_resume(&d->pasts);
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
	} else if (!in->wanted && !ops_will_stop(&in->app->daemon->ops, in)) {
		runner_stop(in, NULL);
	} else if (in->state == ST_STARTING) {
		readiness_begin(in);
	} else {
		health_begin(in);
	}
	if (in->lost) {
		reap_lost(in);
	}
}

/* Where no reload goes on: what is in the slots stays, what was beside it ends. */
static void end_others(struct app *app)
{
	struct inst *in, *next;
	list_for_each(in, next, &app->others, other_node)
	{
		bool goes_on = rollout_go_on(in);
		in->wanted = goes_on;
		in->again = false;
		if (in->pid && !goes_on) {
			in->state = in->state == ST_STOPPING ? ST_ONLINE : in->state;
			runner_event(in, EV_STOP);
		}
		if (in->lost) {
			reap_lost(in);
		}
		apps_collect(in);
	}
}

/* Who started us tells at once what is to run, as it is defined now. */
static bool leaves_to_list(const struct daemon *d)
{
	const struct ring *ring = d->link.ring;
	return ring->container.has_list && ring->supervisor_starts == 1;
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
			} else if (in->wanted && leaves_to_list(d)) {
				in->wanted = false;
				in->state = ST_STOPPED;
			} else if (in->wanted && in->state == ST_STOPPED) {
				runner_start(in, NULL);
			}
			store_inst(&d->store, in);
		}
		end_others(app);
		orphans_replace_deaf(app);
		watch_update(app);
		apps_collect(app->slots[0]); /* what was deleted or scaled away */
	}
	looptimer_soon(d->loop, &d->collect); /* what was going may have gone */
	link_drain(&d->link);
	ops_resume(&d->ops);
	apply_forget_lost(d);
}

bool resume_left(struct inst *in)
{
	struct daemon *d = in->app->daemon;
	struct runtab_rec *r = store_left(&d->store, in->app->conf.name, in->slot);
	if (!r || r->id != in->id) {
		return false;
	}
	r->flags &= (uint8_t)~RUNTAB_LEFT;
	take_record(in, r);
	if (!in->pid) {
		return false;
	}
	in->wanted = true;
	workers_restore_left(in);
	held_take_of(in);
	orphans_take_one(in);
	go_on(in);
	store_inst(&d->store, in);
	return true;
}
