/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/diff.h"

static struct app_def *define(const char *dir, const char *const *kv)
{
	struct app_def *d = def_new("web", "shop", NULL, dir, 0);
	for (; kv[0]; kv += 2) {
		def_set(d, kv[0], kv[1], 0);
	}
	return d;
}

struct row {
	const char *before[10];
	const char *after[10];
	struct {
		const char *key, *old_text, *new_text;
		enum apply_effect effect;
	} want[4];
	enum apply_effect effect;
};

static const struct row rows[] = {
	{{"script", "a"}, {"script", "a"}, {{0}}, APPLY_NONE},
	/* A default written out, another way to write the same */
	{{"script", "a", "memory_max", "1G"},
	 {"script", "./a", "memory_max", "1024M", "stop_timeout", "10", "autorestart", "yes", "cwd",
	  "/srv"},
	 {{0}},
	 APPLY_NONE},
	{{"script", "a", "stop_timeout", "10s"},
	 {"script", "a", "stop_timeout", "5s"},
	 {{"stop_timeout", "10s", "5s", APPLY_LIVE}},
	 APPLY_LIVE},
	/* A key taken away falls back to its default */
	{{"script", "a", "log_keep", "9"},
	 {"script", "a"},
	 {{"log_keep", "9", "5", APPLY_LIVE}},
	 APPLY_LIVE},
	{{"script", "a"},
	 {"script", "a", "memory_max", "512M"},
	 {{"memory_max", NULL, "512M", APPLY_LIVE}},
	 APPLY_LIVE},
	{{"script", "a", "env.A", "1", "env.B", "2", "env.D", ""},
	 {"script", "a", "env.B", "3", "env.C", "4", "env.D", ""},
	 {{"env.A", "1", NULL, APPLY_RELOAD},
	  {"env.B", "2", "3", APPLY_RELOAD},
	  {"env.C", NULL, "4", APPLY_RELOAD}},
	 APPLY_RELOAD},
	/* What follows from another key is a difference too */
	{{"script", "a.js"},
	 {"script", "a.js", "instances", "4"},
	 {{"instances", "1", "4", APPLY_LIVE}, {"mode", "fork", "cluster", APPLY_RESTART}},
	 APPLY_RESTART},
	{{"script", "a", "limit.nofile", "64K"},
	 {"script", "a", "limit.nofile", "65536:65536"},
	 {{0}},
	 APPLY_NONE},
	{{"script", "a"},
	 {"script", "a", "autostart", "no"},
	 {{"autostart", "yes", "no", APPLY_NONE}},
	 APPLY_NONE},
	/* Does not decode: as text */
	{{"script", "a", "autostart", "perhaps"},
	 {"script", "a"},
	 {{"autostart", "perhaps", "yes", APPLY_NONE}},
	 APPLY_NONE},
};

static void check_text(const char *have, const char *want)
{
	assert_string_equal(have ? have : "(null)", want ? want : "(null)");
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct app_def *a = define("/srv", r->before);
		struct app_def *b = define("/srv", r->after);
		struct diff d;
		size_t n = 0;
		diff_defs(&d, a, b);
		for (; n < d.n; n++) {
			assert_true(n < 4 && r->want[n].key);
			assert_string_equal(d.v[n].key, r->want[n].key);
			check_text(d.v[n].old_text, r->want[n].old_text);
			check_text(d.v[n].new_text, r->want[n].new_text);
			assert_int_equal(d.v[n].effect, r->want[n].effect);
		}
		assert_true(n == 4 || !r->want[n].key);
		assert_int_equal(d.effect, r->effect);
		diff_finish(&d);
		diff_defs(&d, b, a);
		assert_int_equal(d.n, n);
		diff_finish(&d);
		diff_finish(&d);
		def_free(a);
		def_free(b);
	}
}

static void test_moved_folder(void **state)
{
	(void)state;
	static const char *const kv[] = {"script", "a", NULL};
	struct app_def *a = define("/srv", kv);
	struct app_def *b = define("/opt", kv);
	struct diff d;
	diff_defs(&d, a, b);
	assert_int_equal(d.n, 2);
	assert_string_equal(d.v[0].key, "script");
	assert_string_equal(d.v[0].old_text, "/srv/a");
	assert_string_equal(d.v[0].new_text, "/opt/a");
	assert_string_equal(d.v[1].key, "cwd");
	diff_finish(&d);
	def_free(a);
	def_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_moved_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
