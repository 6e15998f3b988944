/* SPDX-License-Identifier: MIT */
#include "daemon/schedule.h"

#include <stdio.h>
#include <time.h>

#include "common/clock.h"
#include "common/units.h"
#include "daemon/daemon.h"
#include "daemon/looptimer.h"
#include "daemon/rollout.h"
#include "daemon/runner.h"

#define MINUTE_MS 60000
#define HOUR_S	  3600
#define DAY_S	  (24 * HOUR_S)
#define LATE_S	  (3 * HOUR_S)

static void on_minute(struct ev_loop *loop, ev_timer *w, int revents);

void schedule_init(struct schedule *s, struct daemon *d)
{
	*s = (struct schedule){.daemon = d};
	ev_init(&s->minute, on_minute);
}

void schedule_finish(struct schedule *s)
{
	if (s->daemon) {
		ev_timer_stop(s->daemon->loop, &s->minute);
	}
}

/* --- when --- */

static int64_t ahead_of_utc(int64_t t)
{
	time_t when = (time_t)t;
	struct tm tm;
	return localtime_r(&when, &tm) ? tm.tm_gmtoff : 0;
}

static bool has_cron(const struct app *app)
{
	return app->conf.cron_restart && !app->deleting;
}

/* The clock may be before the last time, because it was set back: that one does not come again. */
static void plan(struct app *app, int64_t now)
{
	int64_t hold = app->conf.cron.fixed ? LATE_S : MINUTE_MS / 1000;
	int64_t last = app->cron_last;
	int64_t from = last > now && last - now < hold ? last : now;
	app->cron_due = cron_next(&app->conf.cron, from, ahead_of_utc);
}

static void arm(struct schedule *s)
{
	int64_t left = MINUTE_MS - clock_real_ms() % MINUTE_MS;
	looptimer_arm(s->daemon->loop, &s->minute, (double)(left + 1) / 1000.);
}

void schedule_changed(struct app *app)
{
	struct schedule *s = &app->daemon->schedule;
	app->cron_due = app->cron_last = 0;
	if (has_cron(app)) {
		tzset();
		plan(app, clock_real_ms() / 1000);
		if (!ev_is_active(&s->minute) && !ev_is_pending(&s->minute)) {
			arm(s);
		}
	}
}

int64_t schedule_next_ms(const struct app *app)
{
	bool wanted = false;
	for (int i = 0; i < app->count; i++) {
		wanted |= app->slots[i]->wanted;
	}
	return has_cron(app) && wanted && app->cron_due != CRON_NEVER ? app->cron_due * 1000 : 0;
}

bool schedule_next_text(const struct app *app, char *out, size_t cap)
{
	int64_t ms = schedule_next_ms(app);
	int64_t left = (ms - clock_real_ms()) / 1000;
	time_t when = (time_t)(ms / 1000);
	struct tm tm;
	if (!ms || !localtime_r(&when, &tm)) {
		return false;
	}
	size_t n = left < DAY_S	      ? strftime(out, cap, "%H:%M", &tm)
		   : left < 6 * DAY_S ? strftime(out, cap, "%a %H:%M", &tm)
				      : strftime(out, cap, "%Y-%m-%d %H:%M", &tm);
	return n > 0;
}

bool schedule_starts(const struct inst *in)
{
	const struct app *app = in->app;
	if (!has_cron(app) || !in->wanted || in->leaving || rollout_is_busy(in)) {
		return false;
	}
	/* A program that should always run and cannot is for somebody to look at; a job that failed
	 * may have better luck next time. */
	return in->state == ST_DONE ||
	       (in->state == ST_FAILED && app->conf.autorestart != RESTART_ALWAYS);
}

/* --- what --- */

static void tell(struct app *app, int slot, const char *text)
{
	events_add(&app->daemon->events, app->conf.name, slot, "cron", NULL, "%s", text);
}

static void reload(struct app *app)
{
	struct ops *ops = &app->daemon->ops;
	if (ops_is_reloading(ops, app)) {
		tell(app, -1, "skipped: a reload is still under way");
		return;
	}
	tell(app, -1, "time of cron_restart: reload");
	ops_reload_app(ops, app);
}

/* Whether a process of this instance is there, be it one that is being replaced. */
static bool is_running(const struct inst *in)
{
	return in->pid || rollout_is_busy(in);
}

static void skip_job(struct inst *in)
{
	char age[24], text[80] = "skipped: it is being replaced";
	if (in->pid) {
		units_format_age(inst_uptime_ms(in), age, sizeof(age));
		snprintf(text, sizeof(text), "skipped: pid %d still runs after %s", (int)in->pid,
			 age);
	}
	tell(in->app, in->slot, text);
}

/* A job, which is not restarted by itself, is never run twice at once. */
static void do_due(struct app *app)
{
	bool is_job = app->conf.autorestart == RESTART_NEVER;
	bool any_online = false, told = false;
	const struct inst *other = NULL;
	for (int i = 0; i < app->count; i++) {
		struct inst *in = app->slots[i];
		if (schedule_starts(in)) {
			tell(app, in->slot, "time of cron_restart: started");
			runner_start(in, NULL);
			told = true;
		} else if (in->wanted && is_job && is_running(in)) {
			skip_job(in);
			told = true;
		} else if (in->state == ST_ONLINE) {
			any_online = true;
		} else if (in->wanted) {
			other = in;
		}
	}
	if (any_online) {
		reload(app);
	} else if (other && !told) {
		char text[64];
		snprintf(text, sizeof(text), "skipped: none is online (%s)",
			 states_name(other->state));
		tell(app, -1, text);
	}
}

static void skip_late(struct app *app, int64_t late)
{
	char age[24], text[80];
	units_format_age(late * 1000, age, sizeof(age));
	snprintf(text, sizeof(text), "skipped: the clock is %s beyond its time", age);
	tell(app, -1, text);
}

static void check(struct app *app, int64_t now)
{
	int64_t late = now - app->cron_due;
	if (late >= LATE_S) {
		/* The clock was set: what counts is whether it went to a time that is due. */
		app->cron_due = cron_next(&app->conf.cron, now - MINUTE_MS / 1000, ahead_of_utc);
		if (app->cron_due > now && schedule_next_ms(app)) {
			skip_late(app, late);
		}
	}
	if (app->cron_due <= now) {
		app->cron_last = app->cron_due;
		do_due(app);
	}
}

static void on_minute(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	struct schedule *s = container_of(w, struct schedule, minute);
	struct app *app, *next;
	bool any = false;
	int64_t now = clock_real_ms() / 1000;
	tzset(); /* the zone may be another one by now */
	list_for_each(app, next, &s->daemon->apps, node)
	{
		if (!app->conf.cron_restart || s->daemon->stopping) {
			continue;
		}
		any = true; /* also one that is being deleted: it may be started again */
		if (has_cron(app)) {
			check(app, now);
		}
		plan(app, now);
	}
	if (any) {
		arm(s);
	}
}
