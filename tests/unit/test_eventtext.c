/* SPDX-License-Identifier: MIT */
#include "client/eventtext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/mem.h"

static void expect(const char *json, const char *want)
{
	struct buf out = {0};
	json_t *e = json_loads(json, 0, NULL);
	assert_non_null(e);
	eventtext_add(&out, e);
	assert_string_equal(out.data, want);
	json_decref(e);
	buf_finish(&out);
}

static void lines(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	expect("{\"t\":\"2024-02-29T14:02:11.377Z\",\"app\":\"flaky\",\"slot\":0,\"type\":"
	       "\"failed\",\"text\":\"gave up\",\"by\":{\"uid\":3999999999,\"pid\":0}}",
	       "2024-02-29 14:02:11.377  flaky:0       failed    gave up  (uid 3999999999, pid "
	       "0)\n");
	expect("{\"t\":\"2024-02-29T14:02:11.377Z\",\"app\":\"flaky\",\"slot\":null,\"type\":"
	       "\"stopped\",\"text\":\"asked to stop\",\"by\":null}",
	       "2024-02-29 14:02:11.377  flaky         stopped   asked to stop\n");
	/* What happened again and again. */
	expect("{\"t\":\"2024-02-29T14:02:11.377Z\",\"app\":\"flaky\",\"slot\":0,\"type\":"
	       "\"exit\",\"text\":\"exited 1\",\"times\":12,\"first_ms\":1709215200000}",
	       "2024-02-29 14:02:11.377  flaky:0       exit      exited 1  "
	       "(12 times since 14:00:00)\n");
	/* Longer words push the rest, none is cut. */
	expect("{\"t\":\"2024-02-29T14:02:11.377Z\",\"app\":\"a-rather-long-name\",\"slot\":12,"
	       "\"type\":\"definition\",\"text\":\"x\"}",
	       "2024-02-29 14:02:11.377  a-rather-long-name:12  definition  x\n");
	expect("{}", "-  pmctld        ?         \n");
	expect("{\"t\":\"never\",\"app\":null,\"slot\":\"1\",\"type\":null,\"text\":3,\"by\":[]}",
	       "-  pmctld        ?         \n");
}

static void the_day_is_local(void **state)
{
	(void)state;
	static const char event[] = "{\"t\":\"2024-02-29T14:02:11.000Z\",\"text\":\"x\"}";
	setenv("TZ", "NZST-12", 1);
	tzset();
	expect(event, "2024-03-01 02:02:11.000  pmctld        ?         x\n");
	setenv("TZ", "HST10", 1);
	tzset();
	expect(event, "2024-02-29 04:02:11.000  pmctld        ?         x\n");
}

static void text_of_others_is_one_line(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	expect("{\"t\":\"2024-02-29T14:02:11.377Z\",\"app\":\"w\\u001b[2J\",\"type\":\"t\\n\","
	       "\"text\":\"a\\nb\\u0007\\u202e\"}",
	       "2024-02-29 14:02:11.377  w\\x1b[2J      t\\x0a     a\\x0ab\\x07\\xe2\\x80\\xae\n");
}

/* Where it is noon now, so that the day does not end under our hands. */
static void set_noon(void)
{
	char zone[32];
	int hour = (int)(clock_real_ms() / 3600000 % 24);
	snprintf(zone, sizeof(zone), "XXX%d", hour - 12); /* XXX-3 is three hours ahead */
	setenv("TZ", zone, 1);
	tzset();
}

static void shown(int64_t ms, struct buf *out)
{
	char stamp[CLOCK_RFC3339];
	clock_format_utc(ms, stamp);
	json_t *e = json_pack("{s:s}", "t", stamp);
	buf_reset(out);
	eventtext_add(out, e);
	json_decref(e);
}

static void today_has_no_date(void **state)
{
	(void)state;
	struct buf out = {0};
	char hms[CLOCK_HMS];
	set_noon();
	int64_t now = clock_real_ms();
	clock_format_local(now, hms);
	shown(now, &out);
	assert_memory_equal(out.data, hms, strlen(hms));
	assert_memory_equal(out.data + strlen(hms), "  pmctld", 8);
	/* Ten hours ago is still today, and so is what comes; fourteen hours ago is not. */
	shown(now - 10 * 3600000, &out);
	assert_int_equal(out.data[2], ':');
	shown(now + 10 * 3600000, &out);
	assert_int_equal(out.data[2], ':');
	shown(now - 14 * 3600000, &out);
	assert_int_equal(out.data[4], '-');
	/* The same day of another year. */
	shown(now - INT64_C(365) * 86400000, &out);
	assert_int_equal(out.data[4], '-');
	buf_finish(&out);
}

static void empty_words(void **state)
{
	(void)state;
	expect("{\"app\":\"\",\"type\":\"\",\"text\":\"\"}", "-                          \n");
	expect("{\"app\":\"\",\"slot\":1,\"type\":\"\",\"text\":\"x\"}",
	       "-  :1                      x\n");
}

static void more_than_one(void **state)
{
	(void)state;
	struct buf out = {0};
	json_t *e = json_pack("{s:s, s:s}", "t", "2024-02-29T00:00:00.000Z", "text", "x");
	setenv("TZ", "UTC", 1);
	tzset();
	eventtext_add(&out, e);
	eventtext_add(&out, e);
	assert_string_equal(out.data, "2024-02-29 00:00:00.000  pmctld        ?         x\n"
				      "2024-02-29 00:00:00.000  pmctld        ?         x\n");
	json_decref(e);
	buf_finish(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(the_day_is_local),
		cmocka_unit_test(text_of_others_is_one_line),
		cmocka_unit_test(today_has_no_date),
		cmocka_unit_test(empty_words),
		cmocka_unit_test(more_than_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
