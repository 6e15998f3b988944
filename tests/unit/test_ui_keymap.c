/* SPDX-License-Identifier: MIT */
/* The table of keys: nothing twice, nothing without a meaning, and what is said about it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <string.h>

#include "common/mem.h"
#include "ui/control.h"
#include "ui/grid.h"
#include "ui/keyhelp.h"

static void take_keys(const char *keys, uint32_t *v, size_t *n, size_t cap)
{
	uint32_t key;
	for (size_t i = 0; (key = keymap_key(keys, i, NULL)) != UK_NONE; i++) {
		assert_true(*n < cap);
		v[(*n)++] = key;
	}
}

static void no_key_twice_in_one_pane(void **state)
{
	(void)state;
	for (int pane = PANE_LIST; pane < PANE_COUNT; pane++) {
		uint32_t v[200];
		size_t n = 0;
		for (size_t i = 0; i < keymap_count; i++) {
			if (keymap[i].panes & 1u << pane) {
				take_keys(keymap[i].keys, v, &n, ARRAY_LEN(v));
			}
			take_keys(keymap[i].also, v, &n, ARRAY_LEN(v));
		}
		for (size_t i = 0; i < n; i++) {
			for (size_t k = 0; k < i; k++) {
				if (v[i] == v[k]) {
					fail_msg("pane %d: key %#x is there twice", pane, v[i]);
				}
			}
		}
	}
}

static void every_name_is_a_key(void **state)
{
	(void)state;
	for (size_t i = 0; i < keymap_count; i++) {
		const char *lists[] = {keymap[i].keys, keymap[i].also};
		for (size_t k = 0; k < ARRAY_LEN(lists); k++) {
			char name[16];
			uint32_t key;
			for (size_t j = 0; (key = keymap_key(lists[k], j, name)) != UK_NONE; j++) {
				if (name[1] && key > ' ' && key < UK_BASE) {
					fail_msg("\"%s\" is no name of a key", name);
				}
			}
		}
		assert_non_null(keymap[i].keys);
	}
	assert_int_equal(keymap_key("j Down", 1, NULL), UK_ARROW_DOWN);
	assert_int_equal(keymap_key("F10", 0, NULL), UK_FN + 10);
	assert_int_equal(keymap_key("Ctrl-D", 0, NULL), 4);
	assert_int_equal(keymap_key(NULL, 0, NULL), UK_NONE);
}

static void every_function_key_has_a_letter(void **state)
{
	(void)state;
	for (size_t i = 0; i < keymap_count; i++) {
		uint32_t key = keymap_key(keymap[i].keys, 0, NULL);
		if (keymap[i].also && (key <= ' ' || key >= UK_BASE)) {
			fail_msg("%s has no letter", keymap[i].also);
		}
	}
	for (uint32_t f = 1; f <= 10; f++) {
		assert_non_null(keymap_find(UK_FN + f, PANE_LOGS));
	}
}

static void every_action_has_one_row_and_a_handler(void **state)
{
	(void)state;
	for (int a = ACT_NONE + 1; a < ACT_COUNT; a++) {
		int rows = 0;
		for (size_t i = 0; i < keymap_count; i++) {
			rows += keymap[i].action == (enum action)a;
		}
		if (rows != 1 || !control_handles((enum action)a)) {
			fail_msg("action %d has %d rows", a, rows);
		}
	}
	assert_false(control_handles(ACT_NONE));
}

static void every_row_is_told_in_the_box(void **state)
{
	(void)state;
	for (size_t i = 0; i < keymap_count; i++) {
		bool last = i + 1 == keymap_count || keymap[i + 1].group != keymap[i].group;
		assert_true(keymap[i].brief && keymap[i].doc && keymap[i].doc[0]);
		assert_true(strlen(keymap[i].doc) <= KEYMAP_DOC);
		if (last && !keymap[i].brief[0]) {
			fail_msg("\"%s\" is told with a row that is not there", keymap[i].keys);
		}
		assert_true(keymap[i].group >= (i ? keymap[i - 1].group : 0));
	}
}

static void panes_give_a_key_its_meaning(void **state)
{
	(void)state;
	assert_int_equal(keymap_find('/', PANE_LIST)->action, ACT_FILTER);
	assert_int_equal(keymap_find('/', PANE_LOGS)->action, ACT_SEARCH);
	assert_int_equal(keymap_find('t', PANE_EVENTS)->action, ACT_FORM);
	assert_int_equal(keymap_find('t', PANE_LOGS)->action, ACT_TIMES);
	assert_int_equal(keymap_find('2', PANE_LIST)->action, ACT_PANE);
	assert_int_equal(keymap_find('2', PANE_LOGS)->action, ACT_SINCE);
	assert_int_equal(keymap_find(UK_RETURN, PANE_EVENTS)->action, ACT_GO_TO_EVENT);
	assert_int_equal(keymap_find(UK_FN + 4, PANE_LOGS)->action, ACT_FILTER);
	assert_null(keymap_find('#', PANE_LIST));
}

static void expect_foot(enum ui_pane pane, bool away, int width, const char *want)
{
	struct buf out = {0};
	keyhelp_foot(pane, away, width, &out);
	assert_string_equal(out.data, want);
	assert_true(grid_width(out.data) <= width);
	buf_finish(&out);
}

static void the_key_line(void **state)
{
	(void)state;
	expect_foot(PANE_LIST, false, 78,
		    "? help  / filter  Enter actions  r reload  s start  S stop  l logs  : cmd  q");
	expect_foot(PANE_LIST, false, 100,
		    "? help  / filter  Enter actions  r reload  s start  S stop  l logs  : cmd  q "
		    "quit");
	expect_foot(PANE_LIST, false, 42, "? help  / filter  Enter actions  q quit");
	expect_foot(PANE_LIST, true, 78, "? help  / filter  l logs  : cmd  q quit");
	expect_foot(PANE_LOGS, false, 60,
		    "? help  / search  Enter actions  F follow  r reload  q quit");
	expect_foot(PANE_EVENTS, false, 42, "? help  / filter  Enter its logs  q quit");
	for (int width = 1; width < 100; width++) {
		struct buf out = {0};
		keyhelp_foot(PANE_LIST, false, width, &out);
		assert_true(grid_width(out.data) <= width);
		buf_finish(&out);
	}
}

static void the_wide_key_line(void **state)
{
	(void)state;
	struct buf out = {0};
	keyhelp_wide(false, true, &out);
	assert_string_equal(out.data,
			    "F1 Help F2 Columns F3 Search F4 Filter F5 Tree F6 Sort │ Enter "
			    "Actions  r Reload  s Start  S Stop  R Restart │ F10 Quit");
	buf_reset(&out);
	keyhelp_wide(true, false, &out);
	assert_string_equal(out.data,
			    "F1 Help F2 Columns F3 Search F4 Filter F5 Tree F6 Sort | F10 Quit");
	buf_finish(&out);
}

static void keys_as_people_read_them(void **state)
{
	(void)state;
	struct buf out = {0};
	keyhelp_keys(keymap_row(ACT_DOWN), true, &out);
	keyhelp_keys(keymap_row(ACT_SINCE), true, &out);
	keyhelp_keys(keymap_row(ACT_FILTER), false, &out);
	assert_string_equal(out.data, "j ↓0-6/ F4");
	buf_finish(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_key_twice_in_one_pane),
		cmocka_unit_test(every_name_is_a_key),
		cmocka_unit_test(every_function_key_has_a_letter),
		cmocka_unit_test(every_action_has_one_row_and_a_handler),
		cmocka_unit_test(every_row_is_told_in_the_box),
		cmocka_unit_test(panes_give_a_key_its_meaning),
		cmocka_unit_test(the_key_line),
		cmocka_unit_test(the_wide_key_line),
		cmocka_unit_test(keys_as_people_read_them),
	};
	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
