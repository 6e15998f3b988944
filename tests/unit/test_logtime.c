/* SPDX-License-Identifier: MIT */
#include "client/logtime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <time.h>

#include "common/mem.h"

#define NOW 1763820000000LL /* 2025-11-22T14:00:00Z, a Saturday */

static void points_in_time(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t want; /* ms before NOW */
	} cases[] = {
		{"10m", 600000},
		{"1.5s", 1500},
		{"2h", 7200000},
		{"14:00", 0}, /* UTC+1: 15:00 is now */
		{"15:00", 0},
		{"15:00:01", 86399000},
		{"yesterday", 15 * 3600000 + 86400000},
		{"today", 15 * 3600000},
		{"2025-11-22T13:59:00Z", 60000},
		{"2025-11-22T13:59:00.250Z", 59750},
		{"2025-11-22T13:59:00.999999999Z", 59001},
		{"2025-11-22T13:59:00.5Z", 59500},
		{"2025-11-22T13:59:00z", 60000},
		{"2025-11-22T14:59:00+01:00", 60000},
		{"2025-11-22T08:29:00-05:30", 60000},
		{"2025-11-22 14:59", 60000},
		{"2025-11-22", 15 * 3600000},
	};
	setenv("TZ", "UTC-1", 1);
	tzset();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t got = -1;
		int64_t want = NOW - cases[i].want;
		if (i == 3) {
			want = NOW - 3600000;
		}
		if (!logtime_parse(cases[i].text, NOW, &got) || got != want) {
			fail_msg("%s: %lld ms before now", cases[i].text, (long long)(NOW - got));
		}
	}
}

static void not_points_in_time(void **state)
{
	(void)state;
	static const char *const bad[] = {"",
					  "x",
					  "25:00",
					  "14:60",
					  "14",
					  "14:0x",
					  "2025-13-01",
					  "2025-11-22T",
					  "2025-11-22Tx",
					  "2025-11-22T14:00:00+1",
					  "2025-11-22T14:00:00ZZ",
					  "tomorrow",
					  "2025-02-29",
					  "2025-11-31T10:00:00Z",
					  "2025-00-10",
					  "2025-11-00",
					  "2025- 1- 2",
					  "+025-11-22",
					  "5-1-1",
					  " 9:00",
					  "+9:00",
					  "9:5",
					  "14:00:5",
					  "2025-11-22T10:00:00.1e5Z",
					  "2025-11-22T10:00:00.Z",
					  "2025-11-22T10:00:00+24:00",
					  "2025-11-22T10:00:00+01:60",
					  "2025-11-22T10:00:00+01:-5",
					  "-5m",
					  "2025-11-22T99999999999999999:00"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		int64_t got;
		/* "14" alone is a duration: 14 seconds. */
		if (i != 4 && logtime_parse(bad[i], NOW, &got)) {
			fail_msg("%s is taken", bad[i]);
		}
	}
}

static void set_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

/* 2025-03-30T12:00:00Z: at one o'clock UTC the clocks went from 02:00 to 03:00. */
#define SPRING 1743336000000LL

static void where_the_clocks_change(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t want; /* seconds before SPRING */
	} cases[] = {
		{"today", 13 * 3600},	     /* midnight was 23:00Z */
		{"yesterday", 37 * 3600},    /* a day of 24 hours before it */
		{"14:00", 0},		     /* UTC+2 now */
		{"14:01", 23 * 3600 - 60},   /* yesterday, UTC+1 */
		{"01:30", 11 * 3600 + 1800}, /* before the change */
		{"03:00", 11 * 3600},	     /* right behind it */
		{"2025-03-30", 13 * 3600},
		{"2025-03-29 14:00", 23 * 3600},
		{"2025-03-30T12:00:00Z", 0},
	};
	set_zone("CET-1CEST,M3.5.0,M10.5.0/3");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t got = -1;
		int64_t want = SPRING - cases[i].want * 1000;
		if (!logtime_parse(cases[i].text, SPRING, &got) || got != want) {
			fail_msg("%s: %lld s before", cases[i].text,
				 (long long)((SPRING - got) / 1000));
		}
	}
}

static void far_from_greenwich(void **state)
{
	(void)state;
	int64_t got;
	set_zone("NZDT-13");
	assert_true(logtime_parse("today", NOW, &got)); /* it is three in the night of the 23rd */
	assert_int_equal(got, NOW - 3 * 3600000);
	set_zone("HST10");
	assert_true(logtime_parse("today", NOW, &got)); /* four in the morning of the 22nd */
	assert_int_equal(got, NOW - 4 * 3600000);
	set_zone("NPT-5:45");
	assert_true(logtime_parse("2025-11-22T19:45:00", NOW, &got));
	assert_int_equal(got, NOW);
	set_zone("UTC");
}

static void around_midnight_and_the_year(void **state)
{
	(void)state;
	static const int64_t new_year = 1767225600000LL; /* 2026-01-01T00:00:00Z */
	int64_t got;
	set_zone("UTC");
	assert_true(logtime_parse("yesterday", new_year, &got));
	assert_int_equal(got, new_year - 86400000);
	assert_true(logtime_parse("00:00", new_year, &got));
	assert_int_equal(got, new_year);
	assert_true(logtime_parse("00:00:01", new_year, &got));
	assert_int_equal(got, new_year - 86399000);
	assert_true(logtime_parse("23:59:59", new_year + 500, &got));
	assert_int_equal(got, new_year - 1000);
	/* A leap day, and far more than there was time. */
	assert_true(logtime_parse("2024-02-29T00:00:00Z", new_year, &got));
	assert_int_equal(got, 1709164800000LL);
	assert_true(logtime_parse("100000d", new_year, &got));
	assert_int_equal(got, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(points_in_time),
		cmocka_unit_test(not_points_in_time),
		cmocka_unit_test(where_the_clocks_change),
		cmocka_unit_test(far_from_greenwich),
		cmocka_unit_test(around_midnight_and_the_year),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
