/* SPDX-License-Identifier: MIT */
#include "config/cron.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"
#include "config/names.h"
#include "config/types.h"

#define DAY (24 * 60) /* all in minutes, but where it says seconds */
/* The rarest there is: a 29 feb on given days of the week, about the year 2100. */
#define SEARCH_DAYS (41 * 366)

enum { MINUTE, HOUR, MONTHDAY, MONTH, WEEKDAY, FIELDS };

static const struct field {
	const char *name;
	int min, max;	   /* what * stands for */
	int largest;	   /* number that is understood */
	const char *names; /* three letters each, for min and up; NULL = none */
	const char *allowed;
} fields[FIELDS] = {
	[MINUTE] = {"minute", 0, 59, 59, NULL, "a number from 0 to 59"},
	[HOUR] = {"hour", 0, 23, 23, NULL, "a number from 0 to 23"},
	[MONTHDAY] = {"day of month", 1, 31, 31, NULL, "a number from 1 to 31"},
	[MONTH] = {"month", 1, 12, 12, "janfebmaraprmayjunjulaugsepoctnovdec",
		   "a number from 1 to 12 or a name from jan to dec"},
	[WEEKDAY] = {"day of week", 0, 6, 7, "sunmontuewedthufrisat",
		     "a number from 0 to 7 (0 and 7 are Sunday) or a name from sun to sat"},
};

static const struct {
	const char *name, *fields;
} nicknames[] = {
	{"@hourly", "0 * * * *"},   {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
	{"@weekly", "0 0 * * 0"},   {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
	{"@annually", "0 0 1 1 *"},
};
#define NICKNAMES "@hourly|@daily|@midnight|@weekly|@monthly|@yearly|@annually"

/* --- reading --- */

static bool read_value(const struct field *f, const char *text, int *out, struct err *err)
{
	char shown[SHOWN_MAX];
	long long v;
	for (int i = 0; f->names && strlen(text) == 3 && i <= f->max - f->min; i++) {
		if (strncasecmp(text, f->names + 3 * (ptrdiff_t)i, 3) == 0) {
			*out = f->min + i;
			return true;
		}
	}
	if (!types_read_number(text, 9999, &v) || v < f->min || v > f->largest) {
		return err_set(err, ERR_CONFIG, "\"%s\" is not %s", names_shown(text, shown),
			       f->allowed);
	}
	*out = (int)v;
	return true;
}

/* "9-17", given as what is before and behind the dash. */
static bool read_range(const struct field *f, const char *first, const char *last, int *lo, int *hi,
		       struct err *err)
{
	if (!read_value(f, first, lo, err) || !read_value(f, last, hi, err)) {
		return false;
	}
	if (*hi == 0 && f->largest > f->max) {
		*hi = f->largest; /* fri-sun */
	}
	return *lo <= *hi ||
	       err_set(err, ERR_CONFIG, "\"%.20s-%.20s\" runs backwards; write %d-%d,%d-%d", first,
		       last, *lo, f->max, f->min, *hi);
}

/* "*", "5", "9-17", and "/2" behind a * or a range. */
static bool read_part(const struct field *f, char *text, uint64_t *set, struct err *err)
{
	char shown[SHOWN_MAX];
	long long step = 1;
	int lo = f->min, hi = f->max;
	names_shown(text, shown);
	char *behind = strchr(text, '/');
	if (behind) {
		*behind++ = '\0';
	}
	if (behind &&
	    (!types_read_number(behind, 9999, &step) || step < 1 || step > f->max - f->min)) {
		return err_set(err, ERR_CONFIG, "the step of \"%s\" is not a number from 1 to %d",
			       shown, f->max - f->min);
	}
	char *dash = strchr(text, '-');
	if (strcmp(text, "*") == 0) {
		/* all of them */
	} else if (dash && text[0] != '-') {
		*dash = '\0';
		if (!read_range(f, text, dash + 1, &lo, &hi, err)) {
			return false;
		}
	} else if (!read_value(f, text, &lo, err)) {
		return false;
	} else if (behind) {
		return err_set(err, ERR_CONFIG,
			       "\"%s\" has a step without a range; write %d-%d/%lld", shown, lo,
			       f->max, step);
	} else {
		hi = lo;
	}
	for (int v = lo; v <= hi; v += (int)step) {
		*set |= UINT64_C(1) << (v > f->max ? f->min : v);
	}
	return true;
}

static bool read_field(const struct field *f, char *text, uint64_t *set, struct err *err)
{
	char *rest = text;
	for (char *part; (part = strsep(&rest, ","));) {
		if (!*part) {
			return err_set(err, ERR_CONFIG, "%s: there is an empty place in its list",
				       f->name);
		}
		if (!read_part(f, part, set, err)) {
			return err_wrap(err, "%s", f->name);
		}
	}
	return true;
}

/* `text` is changed. */
static bool split(char *text, char *word[FIELDS], struct err *err)
{
	char *seconds = NULL;
	size_t n = 0;
	for (char *save = NULL, *w = strtok_r(text, " \t", &save); w;
	     w = strtok_r(NULL, " \t", &save), n++) {
		if (n < FIELDS) {
			word[n] = w;
		} else if (n == FIELDS) {
			seconds = word[0];
		}
	}
	if (n == FIELDS + 1) {
		char shown[SHOWN_MAX];
		return err_set(err, ERR_CONFIG,
			       "has six fields, and seconds are not supported; leave out the "
			       "first one, \"%.40s\"",
			       names_shown(seconds, shown));
	}
	return n == FIELDS || err_set(err, ERR_CONFIG,
				      "has %zu field%s instead of five: minute, hour, day of "
				      "month, month, day of week",
				      n, n == 1 ? "" : "s");
}

static bool read_fields(struct cron *out, char *text, struct err *err)
{
	char *word[FIELDS];
	bool all[FIELDS];
	uint64_t set[FIELDS] = {0};
	if (!split(text, word, err)) {
		return false;
	}
	for (int i = 0; i < FIELDS; i++) {
		all[i] = word[i][0] == '*';
		if (!read_field(&fields[i], word[i], &set[i], err)) {
			return false;
		}
	}
	struct cron c = {
		.minutes = set[MINUTE],
		.hours = (uint32_t)set[HOUR],
		.days = (uint32_t)set[MONTHDAY],
		.months = (uint32_t)set[MONTH],
		.weekdays = (uint32_t)set[WEEKDAY],
		.either_day = !all[MONTHDAY] && !all[WEEKDAY],
		.fixed = !all[HOUR],
	};
	if (cron_find(&c, 0) == CRON_NEVER) {
		return err_set(err, ERR_CONFIG, "never comes: its months have no such day");
	}
	*out = c;
	return true;
}

bool cron_parse(struct cron *out, const char *text, struct err *err)
{
	const char *s = text;
	for (size_t i = 0; text[0] == '@' && i < ARRAY_LEN(nicknames); i++) {
		if (strcasecmp(text, nicknames[i].name) == 0) {
			s = nicknames[i].fields;
		}
	}
	if (strcasecmp(s, "@reboot") == 0) {
		return err_set(err, ERR_CONFIG,
			       "@reboot is not a time; what is wanted starts with the daemon");
	}
	if (s[0] == '@') {
		return types_bad_choice(err, s, NICKNAMES);
	}
	char *copy = xstrdup(s);
	bool ok = read_fields(out, copy, err);
	free(copy);
	return ok;
}

/* --- the wall clock --- */

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Month and day of the month from days since 1970-01-01: years begin in March here, so that the
 * leap day is the last one, and 400 of them are an era. */
static void date_of(int64_t days, int *month, int *mday)
{
	int64_t from_march = days + 719468;
	int64_t era = floor_div(from_march, 146097);
	int d = (int)(from_march - era * 146097);
	int year = (d - d / 1460 + d / 36524 - d / 146096) / 365;
	d -= 365 * year + year / 4 - year / 100;
	int m = (5 * d + 2) / 153;
	*mday = d - (153 * m + 2) / 5 + 1;
	*month = m < 10 ? m + 3 : m - 9;
}

static bool is_day(const struct cron *c, int64_t days)
{
	int month, mday;
	date_of(days, &month, &mday);
	int64_t since_sunday = days + 4; /* 1970-01-01 was a Thursday */
	int weekday = (int)(since_sunday - floor_div(since_sunday, 7) * 7);
	bool by_date = c->days >> mday & 1;
	bool by_week = c->weekdays >> weekday & 1;
	return (c->months >> month & 1) &&
	       (c->either_day ? by_date || by_week : by_date && by_week);
}

/* Within a day, from this minute of it on; -1 = none. */
static int find_in_day(const struct cron *c, int from)
{
	uint64_t minutes = c->minutes >> from % 60 << from % 60;
	for (int hour = from / 60; hour < 24; hour++, minutes = c->minutes) {
		if ((c->hours >> hour & 1) && minutes) {
			return hour * 60 + __builtin_ctzll(minutes);
		}
	}
	return -1;
}

int64_t cron_find(const struct cron *c, int64_t wall)
{
	int64_t day = floor_div(wall, DAY);
	int from = (int)(wall - day * DAY);
	for (int i = 0; i < SEARCH_DAYS; i++, day++, from = 0) {
		int minute = is_day(c, day) ? find_in_day(c, from) : -1;
		if (minute >= 0) {
			return day * DAY + minute;
		}
	}
	return CRON_NEVER;
}

/* --- real time --- */

/* What the wall clock shows at this minute since the epoch. */
static int64_t wall_at(int64_t minute, cron_ahead *ahead)
{
	return floor_div(minute * 60 + ahead(minute * 60), 60);
}

/* The first minute after `minute` at which the wall clock has been set; at most a day later. */
static int64_t steady_until(int64_t minute, cron_ahead *ahead)
{
	int64_t lo = minute, hi = minute + DAY;
	int64_t now = ahead(lo * 60);
	if (ahead(hi * 60) == now) {
		return hi;
	}
	while (hi - lo > 1) {
		int64_t mid = lo + (hi - lo) / 2;
		*(ahead(mid * 60) == now ? &lo : &hi) = mid;
	}
	return hi;
}

/*
 * Real time is walked in stretches over which the wall clock is steady, from a day before on, so
 * that what a repeated hour repeats is known: `passed` is the first wall minute that has not been
 * yet. It is behind the clock where one was skipped, and ahead of it where one is repeated.
 */
int64_t cron_next(const struct cron *c, int64_t after, cron_ahead *ahead)
{
	int64_t first = floor_div(after, 60) + 1;
	int64_t at = first - DAY;
	int64_t passed = wall_at(at, ahead);
	for (int turn = 0; turn < 32; turn++) {
		int64_t wall = wall_at(at, ahead);
		int64_t end = steady_until(at, ahead);
		int64_t from = at < first ? wall + (first - at) : wall;
		if (c->fixed && (at >= first || passed > from)) {
			from = passed;
		}
		int64_t hit = cron_find(c, from);
		if (hit == CRON_NEVER) {
			break;
		}
		int64_t when = hit > wall ? at + (hit - wall) : at;
		if (when < end) {
			return when * 60;
		}
		if (when - 2 * DAY > end) { /* however the clock is set: not before that */
			at = when - 2 * DAY;
			passed = wall_at(at, ahead);
			continue;
		}
		passed = wall + (end - at);
		at = end;
	}
	return CRON_NEVER;
}
