/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/keys.h"

#include "config/conf.h"
#include "config/types.h"

static bool is_family(const struct key *k)
{
	return k->name[strlen(k->name) - 1] == '.';
}

static void test_rows(void **state)
{
	(void)state;
	assert_true(keys_count > 50);
	for (size_t i = 0; i < keys_count; i++) {
		const struct key *k = &keys[i];
		assert_non_null(k->type);
		assert_non_null(k->type->name);
		assert_non_null(k->type->parse);
		assert_non_null(k->type->format);
		assert_non_null(k->meta);
		assert_true(strlen(k->doc) > 20);
		assert_int_equal(k->doc[strlen(k->doc) - 1], '.');
		assert_true(k->min <= k->max);
		assert_true(k->offset < sizeof(struct app_conf));
		assert_ptr_equal(keys_find(k->name), k);
		for (size_t j = 0; j < i; j++) {
			assert_string_not_equal(keys[j].name, k->name);
			assert_int_not_equal(keys[j].offset, k->offset);
		}
	}
}

/* The contract's page has these names; a row that goes missing is a broken promise. */
static void test_contract(void **state)
{
	(void)state;
	static const char names[] =
		"script command args interpreter interpreter_args cwd env.X env_file instances "
		"mode listen "
		"balance graceful instance_var increment_var namespace autostart autorestart "
		"stop_exit_codes restart_delay restart_delay_max max_restarts restart_window "
		"min_uptime "
		"memory_max leak_window stop_signal stop_timeout kill_mode ready ready_timeout "
		"health "
		"health_interval health_timeout health_failures reload_parallel cron_restart watch "
		"watch_ignore watch_delay log_out log_err log_format log_max_size log_keep "
		"log_compress "
		"user group umask nice limit.nofile cpu_affinity after";
	char copy[sizeof(names)];
	size_t n = 0;
	memcpy(copy, names, sizeof(names));
	for (char *save = NULL, *w = strtok_r(copy, " ", &save); w;
	     w = strtok_r(NULL, " ", &save)) {
		if (!keys_find(w)) {
			fail_msg("no key %s", w);
		}
		n++;
	}
	assert_int_equal(n, keys_count);
	assert_null(keys_find("nothing"));
	assert_null(keys_find(""));
	assert_null(keys_find("scrip"));
	assert_null(keys_find("env"));
}

/* A default is text for the user's parser, and what it means is written the same way. */
static void test_defaults(void **state)
{
	(void)state;
	for (size_t i = 0; i < keys_count; i++) {
		const struct key *k = &keys[i];
		struct app_conf c = {.dir = (char *)"/", .umask = -1};
		struct err e;
		if (k->def && !is_family(k)) {
			if (!k->type->parse(&c, k, NULL, k->def, &e)) {
				fail_msg("%s: %s", k->name, e.msg);
			}
			char *text = k->type->format(&c, k, NULL);
			assert_string_equal(text, k->def);
			free(text);
		} else if (!is_family(k)) {
			assert_null(k->type->format(&c, k, NULL));
		}
		if (k->type->free) {
			k->type->free(&c, k);
			k->type->free(&c, k);
		}
	}
}

static void test_suggest(void **state)
{
	(void)state;
	static const struct {
		const char *wrong, *text;
	} rows[] = {
		{"instnaces", "; did you mean \"instances\"?"},
		{"max_memory_restart", "; did you mean \"memory_max\"?"},
		{"kill_timeout", "; did you mean \"stop_timeout\"?"},
		{"evn.PORT", "; did you mean \"env.PORT\"?"},
		{"limits.nofile", "; did you mean \"limit.nofile\"?"},
		{"env", "; did you mean \"env.NAME\"?"},
		{"xyzzy", ""},
		{"xyzzy.y", ""},
		{"", ""},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[160];
		keys_suggest(rows[i].wrong, text, sizeof(text));
		assert_string_equal(text, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_contract),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_suggest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
