/* SPDX-License-Identifier: MIT */
#include "config/filekeys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/ini.h"

static void good(const char *value, const char *expected)
{
	struct err err = {0};
	char *out = NULL;
	if (!filekeys_metrics("/srv", value, &out, &err)) {
		fail_msg("%s: %s", value, err.msg);
	}
	if (expected) {
		assert_non_null(out);
		assert_string_equal(out, expected);
	} else {
		assert_null(out);
	}
	free(out);
}

static void bad(const char *value, const char *why)
{
	struct err err = {0};
	char *out = NULL;
	assert_false(filekeys_metrics("/srv", value, &out, &err));
	assert_null(out);
	if (!strstr(err.msg, why)) {
		fail_msg("%s: %s", value, err.msg);
	}
}

static void test_addresses(void **state)
{
	(void)state;
	good("unix:/run/x.sock", "unix:/run/x.sock");
	good("unix:run/x.sock", "unix:/srv/run/x.sock");
	good("127.0.0.1:9100", "127.0.0.1:9100");
	good("tcp:127.8.9.1:1", "127.8.9.1:1");
	good("localhost:9100", "127.0.0.1:9100");
	good("[::1]:9100", "[::1]:9100");
	good("[0:0::1]:9100", "[::1]:9100");
	good("no", NULL);
	good("off", NULL);
}

/* What it gives is what it takes: the state file is read with it. */
static void test_again(void **state)
{
	static const char *const values[] = {"unix:a b", "localhost:1", "[::1]:65535", "unix:/x,y"};
	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct err err;
		char *out = NULL;
		if (filekeys_metrics("/srv", values[i], &out, &err) && out) {
			good(out, out);
		}
		free(out);
	}
}

static void test_not_for_others(void **state)
{
	(void)state;
	bad("9100", "reached from elsewhere");
	bad("*:9100", "reached from elsewhere");
	bad("0.0.0.0:9100", "reached from elsewhere");
	bad("10.0.0.1:9100", "reached from elsewhere");
	bad("128.0.0.1:9100", "reached from elsewhere");
	bad("[::]:9100", "reached from elsewhere");
	bad("[::ffff:10.0.0.1]:9100", "reached from elsewhere");
	bad("example.org:9100", "reached from elsewhere");
	bad("127.0.0.1.evil.org:9100", "reached from elsewhere");
}

static void test_nonsense(void **state)
{
	(void)state;
	bad("unix:", "needs a path");
	bad("yes", "port");
	bad("127.0.0.1", "port");
	bad("127.0.0.1:0", "port");
	bad("127.0.0.1:65536", "port");
	bad("udp:127.0.0.1:9100", "UDP");
	bad("127.0.0.1:1, 127.0.0.1:2", "one address");
}

static bool parse(struct ini_file *f, const char *file, const char *text, struct err_list *errs)
{
	struct ini_source src = {
		.text = text, .len = strlen(text), .file = file, .dir = "/srv", .project = "p"};
	return ini_parse_apps(f, &src, errs);
}

static void test_in_a_file(void **state)
{
	struct ini_file f;
	struct err_list errs = {0};
	(void)state;
	assert_true(parse(&f, "/srv/a.ini", "[pmctl]\nmetrics = unix:m\n", &errs));
	assert_string_equal(f.metrics, "unix:/srv/m");
	assert_string_equal(f.file, "/srv/a.ini");
	ini_file_finish(&f);
	assert_true(parse(&f, "/srv/a.ini", "[pmctl]\nmetrics = no\n", &errs));
	assert_null(f.metrics);
	assert_int_equal(f.metrics_line, 2);
	ini_file_finish(&f);
	assert_false(parse(&f, "/srv/a.ini", "[pmctl]\nmetrics = 9100\nmetric = no\n", &errs));
	assert_int_equal(errs.count, 2);
	assert_non_null(strstr(errs.msg[0], "/srv/a.ini:2: [pmctl] metrics: \"9100\""));
	assert_string_equal(errs.msg[1],
			    "/srv/a.ini:3: [pmctl] metric: unknown key; did you mean \"metrics\"?");
	ini_file_finish(&f);
	err_list_finish(&errs);
}

static void test_included(void **state)
{
	struct ini_file a, b, c;
	struct err_list errs = {0};
	(void)state;
	assert_true(parse(&a, "/srv/a.ini", "", &errs));
	assert_true(parse(&b, "/srv/b.ini", "[pmctl]\nmetrics = unix:m\n", &errs));
	assert_true(parse(&c, "/srv/c.ini", "[pmctl]\n\nmetrics = no\n", &errs));
	assert_true(ini_merge(&a, &b, &errs));
	assert_string_equal(a.metrics, "unix:/srv/m");
	assert_string_equal(a.file, "/srv/a.ini");
	assert_false(ini_merge(&a, &c, &errs));
	assert_int_equal(errs.count, 1);
	assert_string_equal(errs.msg[0],
			    "/srv/c.ini:3: [pmctl] metrics: given twice, first in /srv/b.ini:2");
	ini_file_finish(&a);
	err_list_finish(&errs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),      cmocka_unit_test(test_again),
		cmocka_unit_test(test_not_for_others), cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_in_a_file),      cmocka_unit_test(test_included),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
