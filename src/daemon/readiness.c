/* SPDX-License-Identifier: MIT */
#include "daemon/readiness.h"

#include <stdio.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/units.h"
#include "daemon/cluster.h"
#include "daemon/daemon.h"
#include "daemon/inquiry.h"
#include "daemon/runner.h"
#include "daemon/treekill.h"
#include "sys/spawn.h"

/*
 * `ready = auto` in cluster mode waits for the program to listen. A program that has no server
 * never does; if none of its kind has ever listened, living this long is enough.
 */
#define AUTO_SETTLE 5.0
/* How often a program that is not node is looked at for a listening socket. */
#define LISTEN_POLL 0.1
/* How often a process whose exec nobody will report is looked at. */
#define EXEC_POLL 0.005
/* How often something is asked, at first and at most, and how long it may take to answer. */
#define ASK_FIRST      0.05
#define ASK_MOST       1.0
#define ASK_TIMEOUT_MS 3000

static void arm(struct inst *in, double seconds)
{
	struct ev_loop *loop = in->app->daemon->loop;
	ev_timer_stop(loop, &in->ready_timer);
	ev_timer_set(&in->ready_timer, seconds > 0 ? seconds : 0., 0.);
	ev_timer_start(loop, &in->ready_timer);
}

static double left(const struct inst *in)
{
	return (double)(in->ready_deadline_ms - clock_mono_ms()) / 1000.;
}

static bool asks(const struct inst *in)
{
	return in->app->conf.ready.arg != NULL;
}

/* Whether listening is found out by looking at the kernel's tables. */
static bool polls(const struct inst *in)
{
	return in->app->conf.ready.kind == PROBE_LISTENING && !in->app->cluster;
}

/* The report that its program runs went with the supervisor that started it. */
static bool awaits_exec(const struct inst *in)
{
	return in->app->conf.ready.kind == PROBE_SPAWN && in->report_fd < 0;
}

/* Up for min_uptime is ready; less than the report takes is not before it has come. */
static bool awaits_report(const struct inst *in)
{
	return in->app->conf.ready.kind == PROBE_AUTO && !in->ran;
}

void readiness_begin(struct inst *in)
{
	const struct app_conf *c = &in->app->conf;
	struct ev_loop *loop = in->app->daemon->loop;
	in->ready = false;
	in->ready_mono_ms = 0;
	in->ask_failed[0] = '\0';
	ev_now_update(loop);
	in->ready_deadline_ms = clock_mono_ms() + c->ready_timeout_ms;
	if (c->ready.kind == PROBE_AUTO) {
		double settle = in->app->cluster ? AUTO_SETTLE : (double)c->min_uptime_ms / 1000.;
		arm(in, in->app->cluster && (in->app->listened || settle > left(in)) ? left(in)
										     : settle);
	} else if (awaits_exec(in)) {
		arm(in, 0.);
	} else {
		arm(in, polls(in) ? LISTEN_POLL : asks(in) ? ASK_FIRST : left(in));
		in->ask_wait = ASK_FIRST;
	}
}

static void become_ready(struct inst *in, const char *how)
{
	char age[24];
	if (in->state != ST_STARTING) {
		return;
	}
	units_format_age(inst_uptime_ms(in), age, sizeof(age));
	in->ready = true;
	in->ready_mono_ms = clock_mono_ms();
	/* Where living that long is what made it ready, it need not do so twice. */
	in->proven_mono_ms = clock_mono_ms();
	if (in->app->conf.ready.kind != PROBE_AUTO || in->app->cluster) {
		in->proven_mono_ms += in->app->conf.min_uptime_ms;
	}
	if (in->note_is_old) {
		runner_note(in, NULL);
	}
	events_add(&in->app->daemon->events, in->app->conf.name, in->slot, "ready", NULL,
		   "ready after %s (%s), pid %d", age, how, (int)in->pid);
	runner_event(in, EV_READY);
}

static bool answers(const struct inst *in, enum ready_sign sign)
{
	switch (in->app->conf.ready.kind) {
	case PROBE_AUTO:
		return in->app->cluster && sign == SIGN_LISTENING;
	case PROBE_SPAWN:
		return sign == SIGN_SPAWNED;
	case PROBE_LISTENING:
		return sign == SIGN_LISTENING;
	case PROBE_MESSAGE:
		return sign == SIGN_MESSAGE;
	case PROBE_NOTIFY:
		return sign == SIGN_NOTIFY;
	default:
		return false;
	}
}

/* A successor must serve what the old one serves: new code that listens on another port, or on one
 * of two, would take the rest out of service. */
static bool serves_as_the_old_one(struct inst *in)
{
	const struct inst *old = in->role == ROLE_TRIAL ? in->twin : NULL;
	const char *missing;
	if (!old || in->app->previous.def /* it may be meant to listen elsewhere */ ||
	    !old->worker || !in->worker || worker_covers(in->worker, old->worker, &missing)) {
		return true;
	}
	snprintf(in->ask_failed, sizeof(in->ask_failed),
		 "it does not listen on %.120s as the old one does", missing);
	ops_wake(&in->app->daemon->ops);
	return false;
}

void readiness_sign(struct inst *in, enum ready_sign sign)
{
	static const char *const how[] = {"started", "listening", "its message", "READY=1"};
	if (sign == SIGN_LISTENING && !serves_as_the_old_one(in)) {
		return;
	}
	if (sign == SIGN_LISTENING) {
		in->app->listened = true;
	}
	if (answers(in, sign)) {
		become_ready(in, how[sign]);
	}
}

static void give_up(struct inst *in)
{
	char after[24];
	const char *colon = in->ask_failed[0] ? ": " : "";
	units_format_duration(in->app->conf.ready_timeout_ms, after, sizeof(after));
	snprintf(in->start_error, sizeof(in->start_error), "not ready within %s%s%.200s", after,
		 colon, in->ask_failed);
	events_add(&in->app->daemon->events, in->app->conf.name, in->slot, "failed", NULL,
		   "pid %d was not ready within %s%s%.150s", (int)in->pid, after, colon,
		   in->ask_failed);
	inquiry_end(in);
	in->stop_failed = true;
	runner_event(in, EV_NOT_READY);
}

static void on_answer(struct inst *in, bool ok, bool hung, const char *why)
{
	(void)hung;
	if (ok) {
		become_ready(in, "its probe");
		return;
	}
	snprintf(in->ask_failed, sizeof(in->ask_failed), "%s", why);
	ops_wake(&in->app->daemon->ops); /* whoever waits for it may see why */
	arm(in, in->ask_wait < left(in) ? in->ask_wait : left(in));
	in->ask_wait = in->ask_wait * 1.5 < ASK_MOST ? in->ask_wait * 1.5 : ASK_MOST;
}

/* No longer than until the deadline. */
static void ask(struct inst *in)
{
	int64_t ms = (int64_t)(left(in) * 1000.) + 1;
	inquiry_begin(in, &in->app->conf.ready, ms < ASK_TIMEOUT_MS ? ms : ASK_TIMEOUT_MS,
		      on_answer);
}

static void on_time(struct inst *in)
{
	const struct app_conf *c = &in->app->conf;
	if (in->state != ST_STARTING || in->exited) {
		return;
	}
	if (c->ready.kind == PROBE_AUTO && !in->app->cluster && in->ran) {
		become_ready(in, "min_uptime");
	} else if (c->ready.kind == PROBE_AUTO && in->ran && !in->app->listened) {
		become_ready(in, "runs, does not listen");
	} else if (asks(in) && left(in) > 0.0005) {
		ask(in);
	} else if (polls(in) && treekill_is_listening(in)) {
		readiness_sign(in, SIGN_LISTENING);
	} else if (awaits_exec(in) && !spawn_is_stub(in->pid)) {
		readiness_sign(in, SIGN_SPAWNED);
	} else if (left(in) > 0.0005) {
		arm(in, polls(in)			       ? LISTEN_POLL
			: awaits_exec(in) || awaits_report(in) ? EXEC_POLL
							       : left(in));
	} else {
		give_up(in);
	}
}

void readiness_on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	on_time(container_of(w, struct inst, ready_timer));
}
