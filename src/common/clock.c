/* SPDX-License-Identifier: MIT */
#include "common/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t now_ms(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_mono_ms(void)
{
	return now_ms(CLOCK_MONOTONIC);
}

int64_t clock_boot_ms(void)
{
	return now_ms(CLOCK_BOOTTIME);
}

int64_t clock_real_ms(void)
{
	return now_ms(CLOCK_REALTIME);
}

/* Whole seconds and the rest, rounded towards the past also before 1970. */
static time_t split(int64_t real_ms, unsigned *ms)
{
	int64_t s = real_ms / 1000;
	int64_t r = real_ms % 1000;
	if (r < 0) {
		r += 1000;
		s--;
	}
	*ms = (unsigned)r;
	return (time_t)s;
}

void clock_format_utc(int64_t real_ms, char out[CLOCK_RFC3339])
{
	unsigned ms;
	time_t t = split(real_ms, &ms);
	struct tm tm;
	char day[32] = "1970-01-01T00:00:00";
	if (gmtime_r(&t, &tm)) {
		strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	}
	snprintf(out, CLOCK_RFC3339, "%.19s.%03uZ", day, ms % 1000);
}

void clock_format_local(int64_t real_ms, char out[CLOCK_HMS])
{
	unsigned ms;
	time_t t = split(real_ms, &ms);
	struct tm tm;
	char hms[16] = "00:00:00";
	if (localtime_r(&t, &tm)) {
		strftime(hms, sizeof(hms), "%H:%M:%S", &tm);
	}
	snprintf(out, CLOCK_HMS, "%.8s.%03u", hms, ms % 1000);
}
