/* SPDX-License-Identifier: MIT */
#include "client/eventtext.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/client.h"
#include "client/listview.h"
#include "client/who.h"
#include "common/clock.h"

static bool is_today(long long ms)
{
	time_t then = (time_t)(ms / 1000);
	time_t now = (time_t)(clock_real_ms() / 1000);
	struct tm a, b;
	return localtime_r(&then, &a) && localtime_r(&now, &b) && a.tm_year == b.tm_year &&
	       a.tm_yday == b.tm_yday;
}

static void add_time(struct buf *out, const char *stamp)
{
	long long ms = listview_parse_time(stamp);
	char hms[CLOCK_HMS];
	if (ms < 0) {
		buf_adds(out, "-");
		return;
	}
	if (!is_today(ms)) {
		time_t t = (time_t)(ms / 1000);
		struct tm tm;
		char day[16];
		if (localtime_r(&t, &tm) && strftime(day, sizeof(day), "%Y-%m-%d ", &tm)) {
			buf_adds(out, day);
		}
	}
	clock_format_local(ms, hms);
	buf_adds(out, hms);
}

/* "12 times since 14:02:03" */
static void add_times(struct buf *out, const json_t *event)
{
	int64_t times = member_int(event, "times", 1);
	int64_t first = member_int(event, "first_ms", 0);
	char hms[CLOCK_HMS];
	if (times > 1 && first > 0) {
		clock_format_local(first, hms);
		buf_addf(out, "  (%lld times since %.8s)", (long long)times, hms);
	}
}

void eventtext_add(struct buf *out, const json_t *event)
{
	struct buf who = {0};
	const json_t *by = json_object_get(event, "by");
	const char *app = member_text(event, "app", "pmctld");
	add_time(out, member_text(event, "t", NULL));
	client_add_text(&who, app);
	if (json_is_integer(json_object_get(event, "slot"))) {
		buf_addf(&who, ":%lld", (long long)member_int(event, "slot", 0));
	}
	buf_addf(out, "  %-12s  ", who.data ? who.data : "");
	buf_finish(&who);
	client_add_text(&who, member_text(event, "type", "?"));
	buf_addf(out, "%-8s  ", who.data ? who.data : "");
	buf_finish(&who);
	client_add_text(out, member_text(event, "text", ""));
	add_times(out, event);
	if (json_is_object(by)) {
		buf_adds(out, "  (");
		who_asked(out, by, listview_parse_time(member_text(event, "t", NULL)));
		buf_addc(out, ')');
	}
	buf_addc(out, '\n');
}
