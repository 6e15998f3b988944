/* SPDX-License-Identifier: MIT */
#include "daemon/runner.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/units.h"
#include "daemon/cluster.h"
#include "daemon/daemon.h"
#include "daemon/health.h"
#include "daemon/launch.h"
#include "daemon/listen.h"
#include "daemon/looptimer.h"
#include "daemon/orphans.h"
#include "daemon/readiness.h"
#include "daemon/reap.h"
#include "daemon/rollout.h"
#include "daemon/treekill.h"
#include "daemon/watch.h"
#include "daemon/workers.h"
#include "sys/listening.h"

/* After its channel has closed a worker gets this long to end by itself, and more as long as it has
 * connections to answer. */
#define DRAIN_GRACE 0.5
#define DRAIN_LOOK  0.25
/* One that did not answer its health probes: seconds. */
#define DRAIN_HUNG 1.0
/* Of stop_timeout, how much a worker may drain before it gets the stop signal all the same. */
#define DRAIN_SHARE 0.8

static void on_kill_timer(struct ev_loop *loop, ev_timer *w, int revents);
static void on_backoff_timer(struct ev_loop *loop, ev_timer *w, int revents);
static void on_drain_timer(struct ev_loop *loop, ev_timer *w, int revents);

static struct ev_loop *loop_of(const struct inst *in)
{
	return in->app->daemon->loop;
}

struct inst *inst_new(struct app *app, int slot, uint64_t id)
{
	struct inst *in = xcalloc(1, sizeof(*in));
	in->app = app;
	in->slot = slot;
	in->id = id;
	in->state = ST_STOPPED;
	in->last_lines = xstrdup("");
	in->pidfd = in->report_fd = in->cgroup_fd = -1;
	history_init(&in->history, app->conf.max_restarts);
	sample_init(&in->sample);
	list_init(&in->pid_node);
	list_init(&in->other_node);
	ev_init(&in->report_io, launch_on_report);
	ev_init(&in->pid_io, reap_on_pidfd);
	ev_init(&in->ready_timer, readiness_on_timer);
	ev_init(&in->health_timer, health_on_timer);
	ev_init(&in->kill_timer, on_kill_timer);
	ev_init(&in->backoff_timer, on_backoff_timer);
	ev_init(&in->drain_timer, on_drain_timer);
	ev_init(&in->tree_timer, reap_on_tree_timer);
	ev_init(&in->trial_timer, rollout_on_timer);
	return in;
}

/* All but trial_timer and tree_timer: what is left of a process that has ended is waited for in
 * every state. */
static void disarm(struct inst *in)
{
	struct ev_loop *loop = loop_of(in);
	ev_timer_stop(loop, &in->ready_timer);
	ev_timer_stop(loop, &in->kill_timer);
	ev_timer_stop(loop, &in->backoff_timer);
	ev_timer_stop(loop, &in->drain_timer);
	health_end(in);
	in->backoff_until_mono_ms = 0;
}

void inst_free(struct inst *in)
{
	if (!in) {
		return;
	}
	disarm(in);
	ev_timer_stop(loop_of(in), &in->tree_timer);
	ev_timer_stop(loop_of(in), &in->trial_timer);
	if (in->role == ROLE_SLOT) {
		pasts_forget(in);
		tally_forget_slot(in);
		ops_on_gone(&in->app->daemon->ops, in);
	}
	launch_release(in);
	launch_drop_cgroup(in);
	listen_close(in);
	history_finish(&in->history);
	free(in->last_lines);
	free(in);
}

int64_t inst_uptime_ms(const struct inst *in)
{
	return in->pid ? clock_mono_ms() - in->started_mono_ms : 0;
}

static void arm(struct inst *in, ev_timer *t, double seconds)
{
	looptimer_arm(loop_of(in), t, seconds);
}

/* --- stopping --- */

static void send_stop_signal(struct inst *in)
{
	treekill_signal(in, in->app->conf.stop_signal);
}

/* The grace is over: SIGKILL, and a word in the log about who needed it. */
static void on_kill_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	struct inst *in = container_of(w, struct inst, kill_timer);
	const struct app_conf *c = &in->app->conf;
	if (in->killed) {
		runner_note(in, "will not die");
		events_add(&in->app->daemon->events, c->name, in->slot, "stop", NULL,
			   "%spid %d does not die of SIGKILL", in->exited ? "what is left of " : "",
			   (int)in->pid);
		return;
	}
	char grace[24];
	units_format_duration(c->stop_timeout_ms, grace, sizeof(grace));
	events_add(&in->app->daemon->events, c->name, in->slot, "stop", NULL,
		   "%spid %d still there after %s: SIGKILL", in->exited ? "children of " : "",
		   (int)in->pid, grace);
	in->killed = true;
	treekill_signal(in, SIGKILL);
	arm(in, &in->kill_timer, 5.);
}

static void on_drain_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	struct inst *in = container_of(w, struct inst, drain_timer);
	if (clock_mono_ms() < in->drain_until_mono_ms &&
	    listening_serves(in->pid, in->drain_port, in->ndrain_ports)) {
		arm(in, &in->drain_timer, DRAIN_LOOK);
		return;
	}
	send_stop_signal(in);
}

/* A clustered worker first answers what it has; everybody else gets the signal at once. */
static void begin_stop(struct inst *in)
{
	double grace = (double)in->app->conf.stop_timeout_ms / 1000.;
	in->killed = false;
	listen_end_use(in);
	arm(in, &in->kill_timer, grace);
	in->ndrain_ports = workers_ports(in, in->drain_port, DRAIN_PORTS);
	double share = grace * DRAIN_SHARE;
	share = in->hung && share > DRAIN_HUNG ? DRAIN_HUNG : share;
	in->drain_until_mono_ms = clock_mono_ms() + (int64_t)(share * 1000.);
	/* Also one that hangs is told: so it is out of the set that gets connections. */
	if (in->app->cluster && in->worker && worker_disconnect(in->worker)) {
		arm(in, &in->drain_timer, share);
		return;
	}
	send_stop_signal(in);
}

void runner_drained(struct inst *in)
{
	if (in->state == ST_STOPPING && ev_is_active(&in->drain_timer)) {
		arm(in, &in->drain_timer, DRAIN_GRACE);
	}
}

/* --- starting --- */

static void spawn(struct inst *in)
{
	struct err err;
	in->start_error[0] = '\0';
	in->note_is_old = true;
	in->stop_failed = in->hung = in->again = false;
	in->replaced_why = in->overruled = NULL;
	in->signalled = 0;
	in->held = HOLD_NO;
	watch_update(in->app); /* before the program reads its files */
	if (launch_start(in, &err)) {
		readiness_begin(in);
		return;
	}
	snprintf(in->start_error, sizeof(in->start_error), "%.399s", err.msg);
	reap_start_failed(in, err.code == ERR_LIMIT);
}

static void on_backoff_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	struct inst *in = container_of(w, struct inst, backoff_timer);
	in->restarts++;
	runner_event(in, EV_BACKOFF_OVER);
}

/* --- the table --- */

static void perform(struct inst *in, unsigned fx)
{
	if (fx & FX_DISARM) {
		disarm(in);
	}
	if (fx & FX_FORGIVE) {
		history_clear(&in->history);
	}
	if (fx & FX_ARM_BACKOFF) {
		in->backoff_until_mono_ms = clock_mono_ms() + in->next_delay_ms;
		arm(in, &in->backoff_timer, (double)in->next_delay_ms / 1000.);
	}
	if (fx & FX_TERM) {
		begin_stop(in);
	}
	if (fx & FX_SPAWN) {
		spawn(in);
	}
}

void runner_event(struct inst *in, enum inst_event ev)
{
	const struct transition *t = states_cell(in->state, ev);
	enum inst_state old = in->state;
	struct daemon *d = in->app->daemon;
	if (!t->reason) {
		return;
	}
	if (d->stopping && (t->fx & FX_SPAWN)) {
		in->state = ST_STOPPED; /* the daemon ends: nothing is started any more */
		disarm(in);
	} else {
		in->state = t->next;
		log_line("%s:%d: %s -> %s (%s)", in->app->conf.name, in->slot, states_name(old),
			 states_name(in->state), t->reason);
		ops_on_state(&d->ops, in);
		if (in->state == t->next) {
			perform(in, t->fx);
		}
		if (in->state == ST_ONLINE && old != ST_ONLINE) {
			health_begin(in);
		}
	}
	store_inst(&d->store, in);
	turns_wake(d);
	if (!states_is_live(in->state)) {
		daemon_check_stopped(d);
		exitpolicy_wake(d);
		apps_collect(in);
	}
}

static void journal(struct inst *in, const char *type, const struct asker *by, const char *text)
{
	if (by) {
		events_add(&in->app->daemon->events, in->app->conf.name, in->slot, type, by, "%s",
			   text);
	}
}

void runner_start(struct inst *in, const struct asker *by)
{
	in->wanted = true;
	if (in->state == ST_ONLINE || in->state == ST_STARTING) {
		return;
	}
	if (by) {
		in->asker = in->starter = *by;
		in->restarts = 0; /* automatic ones since this */
	}
	bool held = turns_hold(in);
	if (in->state == ST_STOPPING) {
		in->again = !held;
	} else {
		runner_event(in, held ? EV_STOP : EV_START);
	}
}

void runner_overrule(struct inst *in, const char *how, const struct asker *by)
{
	in->overruled = how;
	in->overruler = *by;
}

void runner_stop(struct inst *in, const struct asker *by)
{
	if (by) {
		runner_overrule(in,
				in->app->deleting ? "deleted"
				: in->leaving	  ? "scaled away"
						  : "stopped",
				by);
	}
	in->wanted = in->again = in->stop_failed = false;
	rollout_call_off(in);
	if (in->state != ST_STOPPED || in->held) {
		journal(in, "stop", by, "asked to stop");
	}
	turns_drop(in);
	runner_event(in, EV_STOP);
}

void runner_restart(struct inst *in, const struct asker *by)
{
	in->wanted = true;
	in->stop_failed = false;
	journal(in, "restart", by, "asked to restart");
	if (states_is_live(in->state)) {
		in->again = true;
		orphans_restart_all(in);
	} else if (turns_hold(in)) {
		runner_event(in, EV_STOP);
		return;
	}
	runner_event(in, EV_RESTART);
}

bool runner_can_overlap(struct inst *in)
{
	return rollout_can(in) &&
	       (in->app->cluster || in->app->conf.nlisten > 0 || !treekill_is_listening(in));
}

void runner_replace(struct inst *in, const char *why)
{
	const struct app_conf *c = &in->app->conf;
	int64_t now = clock_mono_ms();
	/* A reload brings it a successor anyway, or whoever complains comes again after it. */
	if (in->role != ROLE_SLOT || rollout_is_busy(in) ||
	    ops_is_reloading(&in->app->daemon->ops, in->app)) {
		return;
	}
	bool too_often =
		c->max_restarts > 0 &&
		history_within(&in->history, now, c->restart_window_ms) >= (size_t)c->max_restarts;
	if (!too_often && runner_can_overlap(in)) {
		history_add(&in->history, now);
		in->restarts++;
		ops_reload_one(&in->app->daemon->ops, in);
		return;
	}
	if (c->autorestart == RESTART_NEVER) {
		in->restarts++;
		in->again = true;
	} else {
		in->stop_failed = true; /* the policy decides: reap.c */
		in->replaced_why = why;
	}
	orphans_restart_all(in);
	runner_event(in, EV_RESTART);
}

bool runner_signal(struct inst *in, int sig)
{
	return treekill_main(in, sig);
}

void runner_note(struct inst *in, const char *text)
{
	snprintf(in->note, sizeof(in->note), "%s", text ? text : "");
	in->note_is_old = false;
	if (in->state == ST_STARTING) {
		ops_wake(&in->app->daemon->ops); /* whoever waits for it may see what it says */
	}
}
