/* SPDX-License-Identifier: MIT */
#include "daemon/health.h"

#include <stdio.h>

#include "common/clock.h"
#include "common/units.h"
#include "daemon/daemon.h"
#include "daemon/inquiry.h"
#include "daemon/looptimer.h"
#include "daemon/runner.h"

/* Later than this we were stopped or the machine slept: everybody gets another round. */
#define LATE_MS 1000

static void arm(struct inst *in)
{
	int64_t ms = in->app->conf.health_interval_ms;
	looptimer_arm(in->app->daemon->loop, &in->health_timer, (double)ms / 1000.);
	in->health_due_ms = clock_mono_ms() + ms;
}

static bool is_asked(const struct inst *in)
{
	return in->app->conf.health.kind != PROBE_NONE && in->state == ST_ONLINE;
}

/* Nobody shall believe that it is this instance that answered. */
static void tell_if_shared(const struct inst *in)
{
	struct app *app = in->app;
	if (!app->told_shared && inquiry_is_shared(in, &app->conf.health)) {
		app->told_shared = true;
		events_add(&app->daemon->events, app->conf.name, -1, "health", NULL,
			   "the probe asks a socket of listen, where any instance may answer");
	}
}

void health_begin(struct inst *in)
{
	health_end(in);
	if (is_asked(in)) {
		tell_if_shared(in);
		arm(in);
	}
}

void health_end(struct inst *in)
{
	ev_timer_stop(in->app->daemon->loop, &in->health_timer);
	inquiry_end(in);
	in->health_failures = 0;
	in->health_heard = false;
}

static void replace(struct inst *in, const char *why)
{
	events_add(&in->app->daemon->events, in->app->conf.name, in->slot, "health", NULL,
		   "pid %d is not healthy: %s; replaced", (int)in->pid, why);
	in->health_failures = 0;
	runner_replace(in, "not healthy");
}

static void note_failure(struct inst *in, bool hung, const char *why)
{
	const struct app_conf *c = &in->app->conf;
	in->health_failures++;
	if ((int)in->health_failures < c->health_failures) {
		events_add(&in->app->daemon->events, c->name, in->slot, "health", NULL,
			   "pid %d, %u of %d: %s", (int)in->pid, in->health_failures,
			   c->health_failures, why);
		return;
	}
	char text[300];
	snprintf(text, sizeof(text), "%.200s, %d time%s in a row", why, c->health_failures,
		 c->health_failures == 1 ? "" : "s");
	in->hung = hung;
	replace(in, text);
}

static void note_ok(struct inst *in)
{
	if (in->health_failures) {
		events_add(&in->app->daemon->events, in->app->conf.name, in->slot, "health", NULL,
			   "pid %d is healthy again", (int)in->pid);
	}
	in->health_failures = 0;
}

static void on_answer(struct inst *in, bool ok, bool hung, const char *why)
{
	arm(in); /* first: a replacement ends it */
	if (ok) {
		note_ok(in);
	} else {
		note_failure(in, hung, why);
	}
}

static void check_heard(struct inst *in)
{
	char age[24];
	bool heard = in->health_heard;
	in->health_heard = false;
	if (heard) {
		note_ok(in);
		return;
	}
	units_format_duration(in->app->conf.health_interval_ms, age, sizeof(age));
	char why[80];
	snprintf(why, sizeof(why), "no WATCHDOG=1 within %s", age);
	note_failure(in, true, why);
}

void health_sign(struct inst *in, bool trigger)
{
	in->health_heard = true;
	if (trigger && is_asked(in)) {
		replace(in, "it sent WATCHDOG=trigger");
	}
}

void health_on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	struct inst *in = container_of(w, struct inst, health_timer);
	const struct app_conf *c = &in->app->conf;
	if (!is_asked(in)) {
		return;
	}
	if (clock_mono_ms() - in->health_due_ms > LATE_MS) {
		arm(in);
	} else if (c->health.kind == PROBE_NOTIFY) {
		arm(in);
		check_heard(in);
	} else {
		inquiry_begin(in, &c->health, c->health_timeout_ms, on_answer);
	}
}
