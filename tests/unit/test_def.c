/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/def.h"

#include <stdio.h>

static void test_set_find_unset(void **state)
{
	(void)state;
	struct app_def *d = def_new("web", "shop", "/srv/pmctl.ini", "/srv", 3);
	assert_null(def_find(d, "script"));
	def_set(d, "script", "app.js", 4);
	def_set(d, "cwd", "x", 5);
	def_set(d, "env.B", "", 6);
	def_set(d, "script", "other.js", 7);
	def_unset(d, "nothing");
	assert_int_equal(d->nset, 3);
	assert_string_equal(d->set[0].key, "cwd");
	assert_string_equal(d->set[1].key, "env.B");
	assert_string_equal(d->set[2].key, "script");
	assert_string_equal(def_find(d, "script")->value, "other.js");
	assert_int_equal(def_find(d, "script")->line, 7);
	def_unset(d, "cwd");
	assert_null(def_find(d, "cwd"));
	assert_int_equal(d->nset, 2);
	def_free(d);
	def_free(NULL);
}

static void test_copy_is_apart(void **state)
{
	(void)state;
	struct app_def *d = def_new("web", "shop", NULL, "/srv", 0);
	def_set(d, "script", "app.js", 0);
	struct app_def *c = def_copy(d);
	def_set(d, "script", "b.js", 0);
	def_free(d);
	assert_string_equal(c->name, "web");
	assert_null(c->file);
	assert_string_equal(def_find(c, "script")->value, "app.js");
	def_free(c);
}

/* Any order of many keys, and growing again after shrinking. */
static void test_many(void **state)
{
	(void)state;
	struct app_def *d = def_new("a", "p", NULL, "/", 0);
	char key[32];
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 1000; i++) {
			snprintf(key, sizeof(key), "env.V%u", i * 7919 % 1000);
			def_set(d, key, key, i);
		}
		assert_int_equal(d->nset, 1000);
		for (size_t i = 1; i < d->nset; i++) {
			assert_true(strcmp(d->set[i - 1].key, d->set[i].key) < 0);
		}
		for (unsigned i = 0; i < 1000 - round; i++) {
			snprintf(key, sizeof(key), "env.V%u", i);
			def_unset(d, key);
		}
		assert_int_equal(d->nset, round);
	}
	def_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_find_unset),
		cmocka_unit_test(test_copy_is_apart),
		cmocka_unit_test(test_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
