/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "app/select.h"
#include "common/mem.h"

static const struct select_target targets[] = {
	{"web", "shop", 0, 1},	   {"web", "shop", 1, 2},    {"web", "shop", 2, 3},
	{"web-admin", NULL, 0, 7}, {"worker", "shop", 0, 8},
};

/* Which targets a word selects, as "0 1 4". */
static void selected(const char *word, char *out, size_t cap)
{
	struct selector sel;
	size_t len = 0;
	out[0] = '\0';
	assert_true(selector_parse(&sel, word, NULL));
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		if (selector_matches(&sel, &targets[i])) {
			len += (size_t)snprintf(out + len, cap - len, "%s%zu", len ? " " : "", i);
		}
	}
}

static void words_select(void **arg)
{
	static const struct {
		const char *word, *want;
	} cases[] = {
		{"web", "0 1 2"},
		{"web:2", "2"},
		{"web:0,2", "0 2"},
		{"web:1-2", "1 2"},
		{"web:0,1-2", "0 1 2"},
		{"web-*", "3"},
		{"w*", "0 1 2 3 4"},
		{"@shop", "0 1 2 4"},
		{"@sh*:0", "0 4"},
		{"all", "0 1 2 3 4"},
		{"7", "3"},
		{"99", ""},
		{"web:9", ""},
		{"We", ""},
		{"@none", ""},
		{"w?rker", "4"},
		{"web:2-1", ""},
	};
	char got[64];
	(void)arg;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		selected(cases[i].word, got, sizeof(got));
		assert_string_equal(got, cases[i].want);
	}
}

static void nonsense_is_refused(void **arg)
{
	static const char *const words[] = {
		"",
		":",
		":1",
		"web:",
		"web:x",
		"web:1,",
		"web:1-",
		"web:-1",
		"web:1,,2",
		"@",
		"@:1",
		"web:1 2",
		"99999999999999999999999",
		"web:12345678",
		"a-name-that-is-longer-than-any-app-could-have-it-by-the-rules-of-the-file",
	};
	(void)arg;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		struct selector sel;
		struct err err = {0};
		assert_false(selector_parse(&sel, words[i], &err));
		assert_int_equal(err.code, ERR_NO_TARGET);
	}
}

static void bad_bytes_do_not_reach_a_message(void **arg)
{
	struct selector sel;
	struct err err = {0};
	(void)arg;
	assert_false(selector_parse(&sel, "web:\x1b[2J", &err));
	assert_null(strchr(err.msg, '\x1b'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_select),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(bad_bytes_do_not_reach_a_message),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
