/* SPDX-License-Identifier: MIT */
#include "proto/openmetrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct om_family up = {"app_up", OM_GAUGE, NULL, "Whether it is \"up\"."};
static const struct om_family cpu = {"app_cpu_seconds", OM_COUNTER, "seconds", "CPU\\time\nused."};
static const struct om_family build = {"app_build", OM_INFO, NULL, "Version."};

static void expect(struct buf *b, const char *text)
{
	assert_string_equal(b->data ? b->data : "", text);
	buf_finish(b);
}

static void test_head_once_and_in_order(void **state)
{
	struct buf b = {0};
	struct om w;
	(void)state;
	om_init(&w, &b, OM_OPENMETRICS);
	om_family(&w, &cpu);
	for (int i = 0; i < 2; i++) {
		om_sample(&w, NULL);
		om_label_int(&w, "slot", i);
		om_value(&w, 5, 0);
	}
	om_end(&w);
	expect(&b, "# TYPE app_cpu_seconds counter\n"
		   "# UNIT app_cpu_seconds seconds\n"
		   "# HELP app_cpu_seconds CPU\\\\time\\nused.\n"
		   "app_cpu_seconds_total{slot=\"0\"} 5\n"
		   "app_cpu_seconds_total{slot=\"1\"} 5\n"
		   "# EOF\n");
}

static void test_no_sample_no_family(void **state)
{
	struct buf b = {0};
	struct om w;
	(void)state;
	om_init(&w, &b, OM_OPENMETRICS);
	om_family(&w, &cpu);
	om_family(&w, &up);
	om_end(&w);
	expect(&b, "# EOF\n");
}

static void test_suffixes(void **state)
{
	struct buf b = {0};
	struct om w;
	(void)state;
	om_init(&w, &b, OM_OPENMETRICS);
	om_family(&w, &build);
	om_sample(&w, NULL);
	om_value(&w, 1, 0);
	om_family(&w, &up);
	om_sample(&w, "_x");
	om_value(&w, 1, 0);
	expect(&b, "# TYPE app_build info\n# HELP app_build Version.\napp_build_info 1\n"
		   "# TYPE app_up gauge\n# HELP app_up Whether it is \\\"up\\\".\napp_up_x 1\n");
}

static void label(const char *value, const char *expected)
{
	struct buf b = {0};
	struct om w;
	om_init(&w, &b, OM_OPENMETRICS);
	om_family(&w, &up);
	om_sample(&w, NULL);
	buf_reset(&b);
	om_label(&w, "a", value);
	om_label(&w, "b", "c");
	om_value(&w, 0, 0);
	expect(&b, expected);
}

static void test_labels_are_escaped(void **state)
{
	(void)state;
	label("plain", "{a=\"plain\",b=\"c\"} 0\n");
	label("a\"b\\c\nd", "{a=\"a\\\"b\\\\c\\nd\",b=\"c\"} 0\n");
	label("tab\there, {br}=#", "{a=\"tab\there, {br}=#\",b=\"c\"} 0\n");
	label("gr\xc3\xbc\xc3\x9f", "{a=\"gr\xc3\xbc\xc3\x9f\",b=\"c\"} 0\n");
	label("x\xff\xc3", "{a=\"x\xef\xbf\xbd\xef\xbf\xbd\",b=\"c\"} 0\n");
}

static void test_absent_labels(void **state)
{
	(void)state;
	label(NULL, "{b=\"c\"} 0\n");
	label("", "{b=\"c\"} 0\n");
}

static void number(int64_t value, int digits, const char *expected)
{
	struct buf b = {0};
	struct om w;
	om_init(&w, &b, OM_OPENMETRICS);
	om_family(&w, &up);
	om_sample(&w, NULL);
	buf_reset(&b);
	om_value(&w, value, digits);
	expect(&b, expected);
}

static void test_numbers(void **state)
{
	(void)state;
	number(0, 0, " 0\n");
	number(0, 6, " 0\n");
	number(-1, 0, " -1\n");
	number(1500, 3, " 1.5\n");
	number(1050, 3, " 1.05\n");
	number(7, 3, " 0.007\n");
	number(-500, 3, " -0.5\n");
	number(-1500, 3, " -1.5\n");
	number(2000000, 6, " 2\n");
	number(1, 9, " 0.000000001\n");
	number(INT64_MAX, 0, " 9223372036854775807\n");
	number(INT64_MIN, 0, " -9223372036854775808\n");
	number(INT64_MIN, 9, " -9223372036.854775808\n");
}

static void test_the_older_format(void **state)
{
	static const struct om_family st = {"app_state", OM_STATESET, NULL, "State."};
	const struct om_family *const all[] = {&cpu, &build, &st};
	struct buf b = {0};
	struct om w;
	(void)state;
	om_init(&w, &b, OM_PROMETHEUS);
	for (size_t i = 0; i < 3; i++) {
		om_family(&w, all[i]);
		om_sample(&w, NULL);
		om_value(&w, 1, 0);
	}
	om_end(&w);
	expect(&b, "# TYPE app_cpu_seconds_total counter\n"
		   "# HELP app_cpu_seconds_total CPU\\\\time\\nused.\n"
		   "app_cpu_seconds_total 1\n"
		   "# TYPE app_build_info gauge\n# HELP app_build_info Version.\napp_build_info 1\n"
		   "# TYPE app_state gauge\n# HELP app_state State.\napp_state 1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_head_once_and_in_order),
		cmocka_unit_test(test_no_sample_no_family),
		cmocka_unit_test(test_suffixes),
		cmocka_unit_test(test_labels_are_escaped),
		cmocka_unit_test(test_absent_labels),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_the_older_format),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
