/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/cron.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define DAY 1440

static struct cron parse(const char *text)
{
	struct cron c;
	struct err err;
	if (!cron_parse(&c, text, &err)) {
		fail_msg("%s: %s", text, err.msg);
	}
	return c;
}

/* --- reading --- */

static uint64_t bits(int lo, int hi, int step)
{
	uint64_t set = 0;
	for (int i = lo; i <= hi; i += step) {
		set |= UINT64_C(1) << i;
	}
	return set;
}

static void test_fields(void **state)
{
	(void)state;
	struct cron c = parse("5 2 3 4 1");
	assert_true(c.minutes == bits(5, 5, 1) && c.hours == bits(2, 2, 1));
	assert_true(c.days == bits(3, 3, 1) && c.months == bits(4, 4, 1));
	assert_true(c.weekdays == bits(1, 1, 1) && c.either_day && c.fixed);
	c = parse("* * * * *");
	assert_true(c.minutes == bits(0, 59, 1) && c.hours == bits(0, 23, 1));
	assert_true(c.days == bits(1, 31, 1) && c.months == bits(1, 12, 1));
	assert_true(c.weekdays == bits(0, 6, 1) && !c.either_day && !c.fixed);
	c = parse(" */15\t8-18/2  1,15 JAN,mar-May  fri-sun ");
	assert_true(c.minutes == bits(0, 59, 15) && c.hours == bits(8, 18, 2));
	assert_true(c.days == (bits(1, 1, 1) | bits(15, 15, 1)));
	assert_true(c.months == (bits(1, 1, 1) | bits(3, 5, 1)));
	assert_true(c.weekdays == (bits(5, 6, 1) | 1) && c.either_day);
	assert_true(parse("0 0 * * 7").weekdays == 1);
	assert_true(parse("0 0 * * 0").weekdays == 1);
	assert_true(parse("0 0 * * 1-7").weekdays == bits(0, 6, 1));
	assert_true(parse("0 0 * * 5-0").weekdays == (bits(5, 6, 1) | 1));
	assert_true(parse("00 007 * * *").hours == bits(7, 7, 1));
	assert_true(parse("0 0-23 * * *").fixed);
	assert_false(parse("0 */2 * * *").fixed);
	assert_true(parse("* 2 * * *").fixed);
	/* A day field that begins with * does not restrict, as in crontab(5). */
	assert_false(parse("0 0 */2 * 1").either_day);
	assert_false(parse("0 0 1 * */2").either_day);
	assert_true(parse("0 0 1-31 * 0-6").either_day);
}

static void assert_same(const struct cron *a, const struct cron *b)
{
	assert_true(a->minutes == b->minutes && a->hours == b->hours && a->days == b->days);
	assert_true(a->months == b->months && a->weekdays == b->weekdays);
	assert_true(a->either_day == b->either_day && a->fixed == b->fixed);
}

static void test_nicknames(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"@hourly", "0 * * * *"},   {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
		{"@weekly", "0 0 * * 0"},   {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
		{"@annually", "0 0 1 1 *"}, {"@Daily", "0 0 * * *"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cron a = parse(rows[i][0]), b = parse(rows[i][1]);
		assert_same(&a, &b);
	}
}

static const struct {
	const char *text, *reason;
} bad[] = {
	{"", "has 0 fields instead of five: minute, hour, day of month, month, day of week"},
	{"5", "has 1 field instead of five: minute, hour, day of month, month, day of week"},
	{"* * * *", "has 4 fields instead of five: minute, hour, day of month, month, day of week"},
	{"* * * * * * *",
	 "has 7 fields instead of five: minute, hour, day of month, month, day of week"},
	{"*/10 * * * * *", "has six fields, and seconds are not supported; leave out the first "
			   "one, \"*/10\""},
	{"60 * * * *", "minute: \"60\" is not a number from 0 to 59"},
	{"-1 * * * *", "minute: \"-1\" is not a number from 0 to 59"},
	{"1.5 * * * *", "minute: \"1.5\" is not a number from 0 to 59"},
	{"99999999999999999999 * * * *",
	 "minute: \"99999999999999999999\" is not a number from 0 to 59"},
	{"\x1b[31m * * * *", "minute: \"\\x1b[31m\" is not a number from 0 to 59"},
	{"0 24 * * *", "hour: \"24\" is not a number from 0 to 23"},
	{"0 2am * * *", "hour: \"2am\" is not a number from 0 to 23"},
	{"0 jan * * *", "hour: \"jan\" is not a number from 0 to 23"},
	{"0 0 0 * *", "day of month: \"0\" is not a number from 1 to 31"},
	{"0 0 32 * *", "day of month: \"32\" is not a number from 1 to 31"},
	{"0 0 L * *", "day of month: \"L\" is not a number from 1 to 31"},
	{"0 0 ? * *", "day of month: \"?\" is not a number from 1 to 31"},
	{"0 0 * 0 *", "month: \"0\" is not a number from 1 to 12 or a name from jan to dec"},
	{"0 0 * 13 *", "month: \"13\" is not a number from 1 to 12 or a name from jan to dec"},
	{"0 0 * january *",
	 "month: \"january\" is not a number from 1 to 12 or a name from jan to dec"},
	{"0 0 * anf *", "month: \"anf\" is not a number from 1 to 12 or a name from jan to dec"},
	{"0 0 * * 8", "day of week: \"8\" is not a number from 0 to 7 (0 and 7 are Sunday) or a "
		      "name from sun to sat"},
	{"0 0 * * 5#2", "day of week: \"5#2\" is not a number from 0 to 7 (0 and 7 are Sunday) or "
			"a name from sun to sat"},
	{"1,,2 * * * *", "minute: there is an empty place in its list"},
	{"1, * * * *", "minute: there is an empty place in its list"},
	{"*,x * * * *", "minute: \"x\" is not a number from 0 to 59"},
	{"** * * * *", "minute: \"**\" is not a number from 0 to 59"},
	{"*-5 * * * *", "minute: \"*\" is not a number from 0 to 59"},
	{"5- * * * *", "minute: \"\" is not a number from 0 to 59"},
	{"1-2-3 * * * *", "minute: \"2-3\" is not a number from 0 to 59"},
	{"0 22-2 * * *", "hour: \"22-2\" runs backwards; write 22-23,0-2"},
	{"0 0 * nov-feb *", "month: \"nov-feb\" runs backwards; write 11-12,1-2"},
	{"0 0 * * 6-1", "day of week: \"6-1\" runs backwards; write 6-6,0-1"},
	{"5/15 * * * *", "minute: \"5/15\" has a step without a range; write 5-59/15"},
	{"*/0 * * * *", "minute: the step of \"*/0\" is not a number from 1 to 59"},
	{"*/60 * * * *", "minute: the step of \"*/60\" is not a number from 1 to 59"},
	{"*/ * * * *", "minute: the step of \"*/\" is not a number from 1 to 59"},
	{"*/2/3 * * * *", "minute: the step of \"*/2/3\" is not a number from 1 to 59"},
	{"0 */24 * * *", "hour: the step of \"*/24\" is not a number from 1 to 23"},
	{"0 1-5/x * * *", "hour: the step of \"1-5/x\" is not a number from 1 to 23"},
	{"0 0 30 2 *", "never comes: its months have no such day"},
	{"0 0 31 2,4,jun,9,11 *", "never comes: its months have no such day"},
	{"0 0 30,31 feb */2", "never comes: its months have no such day"},
	{"@reboot", "@reboot is not a time; what is wanted starts with the daemon"},
	{"@dayly", "\"@dayly\" is not one of @hourly, @daily, @midnight, @weekly, @monthly, "
		   "@yearly, @annually; did you mean \"@daily\"?"},
	{"@daily x", "\"@daily x\" is not one of @hourly, @daily, @midnight, @weekly, @monthly, "
		     "@yearly, @annually; did you mean \"@daily\"?"},
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct cron c = {.minutes = 42}, before = c;
		struct err err;
		if (cron_parse(&c, bad[i].text, &err)) {
			fail_msg("accepted: %s", bad[i].text);
		}
		assert_string_equal(err.msg, bad[i].reason);
		assert_int_equal(err.code, ERR_CONFIG);
		assert_same(&c, &before);
	}
}

/* --- the wall clock --- */

/* "2026-02-28 23:59" in minutes. */
static int64_t wall_of(const char *text)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%d %H:%M", &tm);
	assert_true(end && !*end);
	return timegm(&tm) / 60;
}

static void check_find(const char *spec, const char *from, const char *expected)
{
	struct cron c = parse(spec);
	int64_t found = cron_find(&c, wall_of(from));
	time_t t = (time_t)found * 60;
	struct tm tm;
	char text[32];
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M", gmtime_r(&t, &tm));
	if (strcmp(text, expected) != 0) {
		fail_msg("\"%s\" from %s: %s, not %s", spec, from, text, expected);
	}
}

static void test_find(void **state)
{
	(void)state;
	check_find("* * * * *", "2026-11-22 14:03", "2026-11-22 14:03");
	check_find("0 2 * * *", "2026-11-22 02:00", "2026-11-22 02:00");
	check_find("0 2 * * *", "2026-11-22 02:01", "2026-11-23 02:00");
	check_find("59 23 31 12 *", "2026-12-31 23:59", "2026-12-31 23:59");
	check_find("0 0 1 1 *", "2026-12-31 23:59", "2027-01-01 00:00");
	check_find("0 0 1 * *", "2026-02-28 23:59", "2026-03-01 00:00");
	check_find("30 4 31 * *", "2026-04-01 00:00", "2026-05-31 04:30");
	check_find("*/7 * * * *", "2026-11-22 14:57", "2026-11-22 15:00");
	check_find("5,10 8-10 * * *", "2026-11-22 10:11", "2026-11-23 08:05");
	/* leap years */
	check_find("0 0 29 2 *", "2026-01-01 00:00", "2028-02-29 00:00");
	check_find("0 0 29 2 *", "2096-02-29 00:01", "2104-02-29 00:00");
	check_find("0 0 29 2 *", "2196-03-01 00:00", "2204-02-29 00:00");
	check_find("0 0 29 2 *", "1999-01-01 00:00", "2000-02-29 00:00");
	check_find("0 0 28 2 *", "2027-02-28 00:01", "2028-02-28 00:00");
	check_find("0 12 29 2 */6", "2072-03-01 00:00", "2076-02-29 12:00");
	/* days: both, one, either */
	check_find("0 0 * * mon", "2026-11-22 00:00", "2026-11-23 00:00");
	check_find("0 0 13 * fri", "2026-11-01 00:00", "2026-11-06 00:00");
	check_find("0 0 13 * fri", "2026-12-12 00:00", "2026-12-13 00:00");
	check_find("0 0 13 * */5", "2026-11-01 00:00", "2026-11-13 00:00");
	check_find("0 0 */2 * mon", "2026-11-22 00:00", "2026-11-23 00:00");
	check_find("0 0 */2 * tue", "2026-11-22 00:00", "2026-12-01 00:00");
	check_find("0 0 30 2 mon", "2026-11-22 00:00", "2027-02-01 00:00");
	/* before 1970 */
	check_find("0 0 * * thu", "1969-12-31 23:59", "1970-01-01 00:00");
	check_find("0 0 * * mon", "1969-12-28 00:00", "1969-12-29 00:00");
}

static bool matches(const struct cron *c, int64_t wall)
{
	time_t t = (time_t)wall * 60;
	struct tm tm;
	gmtime_r(&t, &tm);
	bool day = c->days >> tm.tm_mday & 1, week = c->weekdays >> tm.tm_wday & 1;
	return (c->minutes >> tm.tm_min & 1) && (c->hours >> tm.tm_hour & 1) &&
	       (c->months >> (tm.tm_mon + 1) & 1) && (c->either_day ? day || week : day && week);
}

static unsigned seed = 20261122;

static unsigned roll(unsigned n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % n;
}

static void add_random_field(char *out, size_t cap, int min, int max)
{
	size_t len = strlen(out);
	unsigned n = (unsigned)(max - min + 1);
	int a = min + (int)roll(n), b = min + (int)roll(n);
	int lo = a < b ? a : b, hi = a < b ? b : a;
	switch (roll(7)) {
	case 0:
	case 1:
		snprintf(out + len, cap - len, "* ");
		break;
	case 2:
		snprintf(out + len, cap - len, "*/%d ", 1 + (int)roll(n - 1));
		break;
	case 3:
		snprintf(out + len, cap - len, "%d-%d ", lo, hi);
		break;
	case 4:
		snprintf(out + len, cap - len, "%d-%d/%d ", lo, hi, 1 + (int)roll(n - 1));
		break;
	case 5:
		snprintf(out + len, cap - len, "%d ", a);
		break;
	default:
		snprintf(out + len, cap - len, "%d,%d ", a, b);
	}
}

/* A random one that comes at all. */
static struct cron random_cron(char *text, size_t cap)
{
	struct cron c;
	struct err err;
	do {
		text[0] = '\0';
		add_random_field(text, cap, 0, 59);
		add_random_field(text, cap, 0, 23);
		add_random_field(text, cap, 1, 31);
		add_random_field(text, cap, 1, 12);
		add_random_field(text, cap, 0, 6);
	} while (!cron_parse(&c, text, &err));
	return c;
}

static void test_find_is_a_scan(void **state)
{
	(void)state;
	char text[80];
	for (int i = 0; i < 400; i++) {
		struct cron c = random_cron(text, sizeof(text));
		int64_t from = wall_of("2020-01-01 00:00") + (int64_t)roll(30000) * 365 +
			       (int64_t)roll(1440);
		int64_t found = cron_find(&c, from);
		int64_t at = from;
		while (at < from + 20 * DAY && !matches(&c, at)) {
			at++;
		}
		if (at < from + 20 * DAY ? found != at : found < at || !matches(&c, found)) {
			fail_msg("\"%s\" from %lld: %lld, not %lld", text, (long long)from,
				 (long long)found, (long long)at);
		}
	}
}

/* --- time zones --- */

static int64_t local_ahead(int64_t t)
{
	time_t when = (time_t)t;
	struct tm tm;
	localtime_r(&when, &tm);
	return tm.tm_gmtoff;
}

static bool use_zone(const char *name)
{
	char path[128];
	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
	if (access(path, R_OK) != 0) {
		return false;
	}
	setenv("TZ", name, 1);
	tzset();
	return true;
}

static void check_next(const char *spec, const char *utc_after, const char *utc_expected,
		       cron_ahead *ahead)
{
	struct cron c = parse(spec);
	int64_t found = cron_next(&c, wall_of(utc_after) * 60, ahead);
	time_t t = (time_t)found;
	struct tm tm;
	char text[32];
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M", gmtime_r(&t, &tm));
	if (strcmp(text, utc_expected) != 0 || found % 60 != 0) {
		fail_msg("\"%s\" after %s: %s, not %s", spec, utc_after, text, utc_expected);
	}
}

static int64_t utc(int64_t t)
{
	(void)t;
	return 0;
}

static void test_after(void **state)
{
	(void)state;
	struct cron c = parse("* * * * *");
	int64_t noon = wall_of("2026-11-22 12:00") * 60;
	assert_int_equal(cron_next(&c, noon, utc), noon + 60);
	assert_int_equal(cron_next(&c, noon - 1, utc), noon);
	assert_int_equal(cron_next(&c, noon + 59, utc), noon + 60);
	check_next("0 12 * * *", "2026-11-22 12:00", "2026-11-23 12:00", utc);
	check_next("0 0 29 2 *", "2096-03-01 00:00", "2104-02-29 00:00", utc);
	check_next("@yearly", "2026-01-01 00:00", "2027-01-01 00:00", utc);
}

static void test_berlin(void **state)
{
	(void)state;
	if (!use_zone("Europe/Berlin")) {
		skip();
	}
	check_next("0 2 * * *", "2026-11-22 14:00", "2026-11-23 01:00", local_ahead);
	check_next("0 2 * * *", "2026-07-01 14:00", "2026-07-02 00:00", local_ahead);
	check_next("0 4 1 7 *", "2026-11-22 14:00", "2027-07-01 02:00", local_ahead);
	/* 2026-03-29: 02:00 becomes 03:00 at 01:00 UTC */
	check_next("30 1 * * *", "2026-03-28 12:00", "2026-03-29 00:30", local_ahead);
	check_next("30 2 * * *", "2026-03-28 12:00", "2026-03-29 01:00", local_ahead);
	check_next("30 2 * * *", "2026-03-29 00:59", "2026-03-29 01:00", local_ahead);
	check_next("30 2 * * *", "2026-03-29 01:00", "2026-03-30 00:30", local_ahead);
	check_next("*/20 2 * * *", "2026-03-28 12:00", "2026-03-29 01:00", local_ahead);
	check_next("*/20 2 * * *", "2026-03-29 01:00", "2026-03-30 00:00", local_ahead);
	check_next("0 3 * * *", "2026-03-28 12:00", "2026-03-29 01:00", local_ahead);
	check_next("0 2,3 * * *", "2026-03-29 01:00", "2026-03-30 00:00", local_ahead);
	check_next("30 * * * *", "2026-03-29 00:30", "2026-03-29 01:30", local_ahead);
	check_next("0 * * * *", "2026-03-29 00:00", "2026-03-29 01:00", local_ahead);
	check_next("30 2 29 3 *", "2025-04-01 00:00", "2026-03-29 01:00", local_ahead);
	check_next("30 */2 * * *", "2026-03-28 23:45", "2026-03-29 02:30", local_ahead);
	/* 2026-10-25: 03:00 becomes 02:00 at 01:00 UTC */
	check_next("30 2 * * *", "2026-10-24 12:00", "2026-10-25 00:30", local_ahead);
	check_next("30 2 * * *", "2026-10-25 00:30", "2026-10-26 01:30", local_ahead);
	check_next("30 2 * * *", "2026-10-25 01:10", "2026-10-26 01:30", local_ahead);
	check_next("0 3 * * *", "2026-10-24 12:00", "2026-10-25 02:00", local_ahead);
	check_next("30 * * * *", "2026-10-25 00:30", "2026-10-25 01:30", local_ahead);
	check_next("* 1-4 * * *", "2026-10-25 00:59", "2026-10-25 02:00", local_ahead);
	check_next("* * * * *", "2026-10-25 00:59", "2026-10-25 01:00", local_ahead);
}

static void test_new_york(void **state)
{
	(void)state;
	if (!use_zone("America/New_York")) {
		skip();
	}
	check_next("0 2 * * *", "2026-03-07 12:00", "2026-03-08 07:00", local_ahead);
	check_next("0 2 * * *", "2026-03-08 07:00", "2026-03-09 06:00", local_ahead);
	check_next("15 1 * * *", "2026-11-01 04:00", "2026-11-01 05:15", local_ahead);
	check_next("15 1 * * *", "2026-11-01 05:15", "2026-11-02 06:15", local_ahead);
	check_next("59 23 31 12 *", "2026-06-01 00:00", "2027-01-01 04:59", local_ahead);
}

/* Half an hour. */
static void test_lord_howe(void **state)
{
	(void)state;
	if (!use_zone("Australia/Lord_Howe")) {
		skip();
	}
	check_next("15 2 * * *", "2026-10-03 12:00", "2026-10-03 15:30", local_ahead);
	check_next("15 2 * * *", "2026-10-03 15:30", "2026-10-04 15:15", local_ahead);
	check_next("45 1 * * *", "2026-04-04 12:00", "2026-04-04 14:45", local_ahead);
	check_next("45 1 * * *", "2026-04-04 14:45", "2026-04-05 15:15", local_ahead);
	check_next("45 * * * *", "2026-04-04 14:45", "2026-04-04 15:15", local_ahead);
}

/* A whole day that was not. */
static void test_apia(void **state)
{
	(void)state;
	if (!use_zone("Pacific/Apia")) {
		skip();
	}
	check_next("0 12 30 12 *", "2011-12-29 12:00", "2011-12-30 10:00", local_ahead);
	check_next("0 12 30 12 *", "2011-12-30 10:00", "2012-12-29 22:00", local_ahead);
	check_next("0 12 * * *", "2011-12-30 10:00", "2011-12-30 22:00", local_ahead);
}

/* What cron_next() should find, minute by minute. walls[i] is the wall minute at base + i. */
static int64_t scan(const struct cron *c, const int64_t *walls, int n, int after)
{
	int64_t passed = walls[0];
	for (int i = 0; i < n; i++) {
		int64_t wall = walls[i];
		bool hit = false;
		for (int64_t w = c->fixed ? passed : wall; w <= wall && !hit; w++) {
			hit = matches(c, w);
		}
		passed = wall + 1 > passed ? wall + 1 : passed;
		if (hit && i > after) {
			return i;
		}
	}
	return n;
}

#define WINDOW (12 * DAY)

static void check_zone(const char *zone, const char *around)
{
	static int64_t walls[WINDOW];
	char text[80];
	if (!use_zone(zone)) {
		return;
	}
	int64_t base = wall_of(around) - 4 * DAY;
	for (int i = 0; i < WINDOW; i++) {
		walls[i] = base + i + local_ahead((base + i) * 60) / 60;
	}
	for (int i = 0; i < 60; i++) {
		struct cron c = random_cron(text, sizeof(text));
		int after = 2 * DAY + (int)roll(3 * DAY);
		int64_t expected = base + scan(&c, walls, WINDOW, after);
		int64_t found = cron_next(&c, (base + after) * 60, local_ahead);
		if (found != expected * 60 && (expected < base + WINDOW || found < expected * 60)) {
			fail_msg("%s: \"%s\" after %lld: %lld, not %lld", zone, text,
				 (long long)(base + after) * 60, (long long)found,
				 (long long)expected * 60);
		}
	}
}

static void test_next_is_a_scan(void **state)
{
	(void)state;
	check_zone("UTC", "2026-02-28 12:00");
	check_zone("Europe/Berlin", "2026-03-29 01:00");
	check_zone("Europe/Berlin", "2026-10-25 01:00");
	check_zone("America/New_York", "2026-03-08 07:00");
	check_zone("America/New_York", "2026-11-01 06:00");
	check_zone("Australia/Lord_Howe", "2026-04-04 15:00");
	check_zone("Australia/Lord_Howe", "2026-10-03 15:30");
	check_zone("America/Sao_Paulo", "2018-11-04 03:00"); /* at midnight */
	check_zone("America/Sao_Paulo", "2018-02-18 02:00");
	check_zone("Antarctica/Troll", "2026-03-29 01:00"); /* two hours */
	check_zone("Antarctica/Troll", "2026-10-25 01:00");
	check_zone("Asia/Kathmandu", "2026-12-31 12:00");
	check_zone("Pacific/Apia", "2011-12-30 10:00");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_nicknames),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_find_is_a_scan),
		cmocka_unit_test(test_after),
		cmocka_unit_test(test_berlin),
		cmocka_unit_test(test_new_york),
		cmocka_unit_test(test_lord_howe),
		cmocka_unit_test(test_apia),
		cmocka_unit_test(test_next_is_a_scan),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
