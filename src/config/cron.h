/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CONFIG_CRON_H
#define PMCTL_CONFIG_CRON_H
/*
 * cron - the five fields of crontab(5): what they say, and when that is next.
 *
 * Pure: no clock is read, and the time zone is a function of the caller, so that a test can bring
 * one of its own. A wall minute is what a clock on the wall shows, written as one number: the
 * minutes since 1970-01-01 00:00 if that clock had never been set forward or back.
 *
 * Where summer time skips an hour or repeats one: if the field of hours says which ones, a time
 * that is skipped comes once, right after the gap, and a time that is repeated comes the first
 * time only. If it begins with *, the times go by the clock: those that are skipped do not come,
 * and those that are repeated come twice.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

struct cron {
	uint64_t minutes; /* bit n = minute n */
	uint32_t hours, days, months;
	uint32_t weekdays; /* bit 0 = Sunday */
	bool either_day;   /* neither day field begins with *: one of them is enough */
	bool fixed;	   /* the field of hours does not begin with * */
};

#define CRON_NEVER INT64_MAX

/* Read five fields or one of @hourly, @daily ... *err gets a reason without a subject: which
 * field, what is wrong with it and what would be right. What never comes (30 feb) is refused. */
bool cron_parse(struct cron *out, const char *text, struct err *err);

/* The first wall minute at or after `wall` that the fields name; CRON_NEVER if none is within 41
 * years, which cron_parse() has ruled out. */
int64_t cron_find(const struct cron *c, int64_t wall);

/* By how many seconds the wall clock is ahead of UTC, at this time in seconds since the epoch.
 * That it is set twice within a day is not expected. */
typedef int64_t cron_ahead(int64_t t);

/* The next time after `after`, both in seconds since the epoch; always a full minute. */
int64_t cron_next(const struct cron *c, int64_t after, cron_ahead *ahead);

#endif
