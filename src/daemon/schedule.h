/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_SCHEDULE_H
#define PMCTL_DAEMON_SCHEDULE_H
/*
 * schedule - cron_restart: looks at the clock and does what is due.
 *
 * One timer for all apps fires at each full minute, as long as any of them has cron_restart, and
 * the next times are found anew each time: a clock or a time zone that was set is noticed within a
 * minute. A time is late when the machine slept or the clock was set forward; up to 3 hours later
 * it is made up for, once. A clock that is set back by less does not make a given hour come again.
 */
#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct app;
struct daemon;
struct inst;

struct schedule {
	struct daemon *daemon;
	ev_timer minute;
};

void schedule_init(struct schedule *s, struct daemon *d);
void schedule_finish(struct schedule *s);

/* An app has another cron_restart, or none any more. Times before now are no concern of it. */
void schedule_changed(struct app *app);

/* When it is next, in ms since the epoch; 0 = never, or nothing of the app is wanted. */
int64_t schedule_next_ms(const struct app *app);
/* The same in words: "02:00", "Mon 02:00" or "2026-12-01 02:00". False if there is none. */
bool schedule_next_text(const struct app *app, char *out, size_t cap);
/* Whether this instance is one that has ended and is started again by cron_restart. */
bool schedule_starts(const struct inst *in);

#endif
