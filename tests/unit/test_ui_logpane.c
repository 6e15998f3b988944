/* SPDX-License-Identifier: MIT */
/* The lines of the log pane: which are kept, shown, found, and where one is after a key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "ui/logpane.h"
#include "ui/logscroll.h"
#include "ui/logtext.h"
#include "ui/style.h"

static struct logpane pane;

static int setup(void **state)
{
	(void)state;
	logpane_init(&pane);
	pane.rows = 5;
	pane.cols = 80;
	pane.utf8 = true;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	logpane_finish(&pane);
	return 0;
}

static struct logpane_line line_of(const char *text)
{
	struct logpane_line l = {.t_ms = 1000, .app = "web", .slot = 0, .len = strlen(text)};
	l.text = (char *)(uintptr_t)text;
	return l;
}

static void add(const char *text)
{
	struct logpane_line l = line_of(text);
	logpane_add(&pane, &l);
}

static void add_front(const char *text)
{
	struct logpane_line l = line_of(text);
	logpane_add_front(&pane, &l);
}

/* Lines "0", "1" ... */
static void add_numbers(int from, int n)
{
	char text[16];
	for (int i = from; i < from + n; i++) {
		snprintf(text, sizeof(text), "%d", i);
		add(text);
	}
}

/* The texts in the rows, with a comma between. */
static const char *rows(void)
{
	static char out[1024];
	struct logrow row[64];
	int n = logscroll_window(&pane, row, pane.rows);
	out[0] = '\0';
	for (int i = 0; i < n; i++) {
		size_t len = strlen(out);
		snprintf(out + len, sizeof(out) - len, "%s%.20s", i ? "," : "",
			 logpane_get(&pane, row[i].line)->text);
		if (row[i].part) {
			len = strlen(out);
			snprintf(out + len, sizeof(out) - len, "/%d", row[i].part);
		}
	}
	return out;
}

static const char *current(void)
{
	const struct logpane_line *l = logpane_current(&pane);
	return l ? l->text : "";
}

static const char *shown(const char *text, bool json)
{
	static struct logtext t;
	struct logpane_line l = line_of(text);
	pane.json = json;
	logtext_make(&t, &pane, &l);
	static char out[8192];
	snprintf(out, sizeof(out), "%s", t.text.data);
	logtext_finish(&t);
	return out;
}

static void an_empty_pane_takes_every_key(void **state)
{
	(void)state;
	char why[100];
	assert_string_equal(rows(), "");
	logpane_move(&pane, -3);
	logpane_page(&pane, 2);
	logpane_edge(&pane, -1);
	logpane_edge(&pane, 1);
	logpane_mark(&pane);
	logpane_pick(&pane, 2);
	assert_null(logpane_current(&pane));
	assert_true(logpane_search(&pane, "x", why, sizeof(why)));
	assert_false(logpane_next(&pane, -1));
	assert_false(logpane_next(&pane, 1));
}

static void it_follows_and_stays_where_one_scrolls_to(void **state)
{
	(void)state;
	add_numbers(0, 20);
	assert_string_equal(rows(), "15,16,17,18,19");
	assert_string_equal(current(), "19");
	logpane_move(&pane, -1);
	assert_string_equal(rows(), "14,15,16,17,18");
	assert_string_equal(current(), "18");
	add_numbers(20, 3);
	assert_string_equal(rows(), "14,15,16,17,18");
	assert_int_equal(pane.fresh, 3);
	logpane_page(&pane, -2);
	assert_string_equal(rows(), "10,11,12,13,14");
	logpane_page(&pane, -1);
	assert_string_equal(rows(), "8,9,10,11,12");
	logpane_move(&pane, 100);
	assert_true(pane.follow);
	assert_string_equal(rows(), "18,19,20,21,22");
	logpane_edge(&pane, -1);
	assert_string_equal(rows(), "0,1,2,3,4");
	assert_string_equal(current(), "0");
	assert_true(pane.want_older);
	logpane_edge(&pane, 1);
	assert_true(pane.follow);
}

static void at_the_top_the_current_line_goes_on(void **state)
{
	(void)state;
	add_numbers(0, 6);
	logpane_move(&pane, -1);
	assert_string_equal(rows(), "0,1,2,3,4");
	logpane_move(&pane, -1);
	assert_string_equal(rows(), "0,1,2,3,4");
	assert_string_equal(current(), "3");
	assert_true(pane.want_older);
	add_front("older");
	assert_string_equal(rows(), "0,1,2,3,4");
	logpane_move(&pane, -1);
	assert_string_equal(rows(), "older,0,1,2,3");
}

static void the_ring_is_bounded_in_lines_and_bytes(void **state)
{
	(void)state;
	char *big = xmalloc(LOGPANE_LINE * 2 + 1);
	memset(big, 'x', LOGPANE_LINE * 2);
	big[LOGPANE_LINE * 2] = '\0';
	add_numbers(0, LOGPANE_LINES + 10);
	assert_int_equal(pane.end - pane.first, LOGPANE_LINES);
	assert_string_equal(logpane_get(&pane, pane.first)->text, "10");
	assert_true(pane.head_cut);
	for (int i = 0; i < LOGPANE_LINES; i++) {
		add(big);
		assert_true(pane.bytes <= LOGPANE_BYTES);
	}
	assert_int_equal(pane.end - pane.first, LOGPANE_BYTES / LOGPANE_LINE);
	assert_true(logpane_get(&pane, pane.first)->cut);
	free(big);
}

static void what_is_read_is_not_pushed_out(void **state)
{
	(void)state;
	add_numbers(0, LOGPANE_LINES);
	assert_false(logpane_is_full(&pane));
	logpane_edge(&pane, -1);
	assert_true(logpane_is_full(&pane));
	logpane_move(&pane, 100);
	assert_false(logpane_is_full(&pane));
	/* Older lines in front push out the youngest. */
	logpane_edge(&pane, -1);
	add_front("older");
	assert_string_equal(rows(), "0,1,2,3,4");
	assert_true(pane.tail_cut);
	uint64_t generation = pane.generation;
	logpane_follow(&pane, true);
	assert_int_equal(pane.generation, generation + 1);
	assert_int_equal(pane.from, LOGPANE_TAIL);
}

static void filters(void **state)
{
	(void)state;
	char why[100] = "";
	add_numbers(0, 40);
	assert_true(logpane_filter(&pane, "^3", why, sizeof(why)));
	assert_string_equal(rows(), "35,36,37,38,39");
	logpane_page(&pane, -2);
	assert_string_equal(rows(), "31,32,33,34,35");
	logpane_page(&pane, -2);
	assert_string_equal(rows(), "3,30,31,32,33");
	assert_true(logpane_filter(&pane, "!^3", why, sizeof(why)));
	logpane_follow(&pane, true);
	assert_string_equal(rows(), "25,26,27,28,29");
	assert_false(logpane_filter(&pane, "(", why, sizeof(why)));
	assert_string_not_equal(why, "");
	assert_string_equal(rows(), "25,26,27,28,29");
	assert_true(logpane_filter(&pane, "", why, sizeof(why)));
	assert_string_equal(rows(), "35,36,37,38,39");
	struct logpane_line l = line_of("from stderr");
	l.err = true;
	logpane_add(&pane, &l);
	logpane_toggle_err(&pane);
	assert_string_equal(rows(), "from stderr");
	logpane_toggle_err(&pane);
	assert_string_equal(rows(), "36,37,38,39,from stderr");
}

static void a_filter_sees_what_is_shown(void **state)
{
	(void)state;
	char why[100];
	add("\033[31mer\033[1mror\033[0m");
	add("{\"level\":50,\"msg\":\"b\\u0061d\"}");
	assert_true(logpane_filter(&pane, "^error$", why, sizeof(why)));
	assert_string_equal(rows(), "\033[31mer\033[1mror\033[0m");
	logpane_toggle_json(&pane);
	assert_true(logpane_filter(&pane, "^error bad$", why, sizeof(why)));
	assert_string_equal(rows(), "{\"level\":50,\"msg\":\"b");
}

static void searching(void **state)
{
	(void)state;
	char why[100];
	add_numbers(0, 50);
	assert_true(logpane_search(&pane, "7", why, sizeof(why)));
	assert_true(logpane_next(&pane, -1));
	assert_string_equal(current(), "47");
	assert_false(pane.follow);
	assert_true(logpane_next(&pane, -1));
	assert_string_equal(current(), "37");
	assert_non_null(strstr(rows(), "37"));
	assert_true(logpane_next(&pane, 1));
	assert_string_equal(current(), "47");
	assert_false(logpane_next(&pane, 1));
	assert_string_equal(current(), "47");
	assert_false(logpane_search(&pane, "[", why, sizeof(why)));
	assert_string_equal(pane.search, "7");
	/* Case counts where capitals are given. */
	add("Error");
	assert_true(logpane_search(&pane, "error", why, sizeof(why)));
	assert_true(logpane_next(&pane, 1));
	assert_true(logpane_search(&pane, "error", why, sizeof(why)));
	assert_true(logpane_next(&pane, -1));
	assert_false(logpane_next(&pane, -1));
	logpane_follow(&pane, true);
	assert_true(logpane_search(&pane, "ERROR", why, sizeof(why)));
	assert_false(logpane_next(&pane, -1));
}

static void wrapped_lines_scroll_by_rows(void **state)
{
	(void)state;
	pane.cols = 25; /* 2 before the text, 23 for it */
	pane.times = false;
	add("a");
	add("bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"); /* 72 */
	add("c");
	logpane_toggle_wrap(&pane);
	pane.rows = 3;
	assert_string_equal(rows(), "bbbbbbbbbbbbbbbbbbbb/2,bbbbbbbbbbbbbbbbbbbb/3,c");
	logpane_move(&pane, -1);
	assert_string_equal(rows(),
			    "bbbbbbbbbbbbbbbbbbbb/1,bbbbbbbbbbbbbbbbbbbb/2,bbbbbbbbbbbbbbbbbbbb/3");
	logpane_move(&pane, -1);
	assert_string_equal(rows(),
			    "bbbbbbbbbbbbbbbbbbbb,bbbbbbbbbbbbbbbbbbbb/1,bbbbbbbbbbbbbbbbbbbb/2");
	logpane_move(&pane, -1);
	assert_string_equal(rows(), "a,bbbbbbbbbbbbbbbbbbbb,bbbbbbbbbbbbbbbbbbbb/1");
	logpane_move(&pane, 3);
	assert_string_equal(rows(), "bbbbbbbbbbbbbbbbbbbb/2,bbbbbbbbbbbbbbbbbbbb/3,c");
	assert_true(pane.follow);
}

static void marks_and_clicks(void **state)
{
	(void)state;
	add_numbers(0, 10);
	logpane_pick(&pane, 1);
	assert_string_equal(current(), "6");
	logpane_mark(&pane);
	assert_true(logpane_current(&pane)->marked);
	/* The lines go and come again, and the mark with them. */
	logpane_clear(&pane);
	add_numbers(0, 10);
	assert_false(logpane_current(&pane)->marked);
	logpane_pick(&pane, 1);
	assert_true(logpane_current(&pane)->marked);
	logpane_mark(&pane);
	assert_false(logpane_current(&pane)->marked);
	logpane_pick(&pane, 77);
	assert_string_equal(current(), "6");
}

static void since(void **state)
{
	(void)state;
	uint64_t generation = pane.generation;
	logpane_since(&pane, 3, 1000000);
	assert_int_equal(pane.from, LOGPANE_SINCE);
	assert_int_equal(pane.at_ms, 1000000 - 300000);
	assert_string_equal(pane.since, "5m");
	logpane_since(&pane, 1, 1000000);
	assert_int_equal(pane.from, LOGPANE_HEAD);
	assert_int_equal(pane.generation, generation + 2);
	assert_true(logpane_choose(&pane, "web:1", "web:1"));
	assert_int_equal(pane.from, LOGPANE_TAIL);
	assert_false(logpane_choose(&pane, "web:1", "web:1"));
}

static void json_is_folded(void **state)
{
	(void)state;
	static const struct {
		const char *line, *want;
	} cases[] = {
		{"{\"level\":30,\"time\":1531171074631,\"msg\":\"job done\",\"id\":881}",
		 "info job done id=881"},
		{" { \"level\" : \"warn\" , \"message\":\"x\" , \"a b\":\"c d\" } ",
		 "warn x a b=\"c d\""},
		{"{\"msg\":\"\",\"a\":{\"b\":[1,\"}\"]},\"c\":null,\"d\":-1.5e3}",
		 "a={\"b\":[1,\"}\"]} c=null d=-1.5e3"},
		{"{\"msg\":\"\\u00e9\\ud83d\\ude00\\\"\\\\\\/\\n\\u001b[31m\\u202e\"}",
		 "é😀\"\\/\\n\\u001b[31m\\u202e"},
		{"{\"severity\":\"ERROR\",\"k\":\"\",\"ts\":1}", "ERROR k=\"\""},
		{"{}", ""},
		/* None of these is an object. */
		{"{\"a\":1", "{\"a\":1"},
		{"{\"a\":1}}", "{\"a\":1}}"},
		{"{\"a\":[1}", "{\"a\":[1}"},
		{"{\"a\":\"\\", "{\"a\":\"\\"},
		{"{\"a\"", "{\"a\""},
		{"{a:1}", "{a:1}"},
		{"[1]", "[1]"},
		{"{\"a\":}", "{\"a\":}"},
		{"{\"a\":1,}", "{\"a\":1,}"},
		{"{\"msg\":\"\\ud83d\"}", "\\ud83d"},
		{"{\"msg\":\"\\u12\"}", "\\u12"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_string_equal(shown(cases[i].line, true), cases[i].want);
		assert_string_equal(shown(cases[i].line, false), cases[i].line);
	}
	/* Deep nesting and many members are shown as they are. */
	char deep[300] = "{\"a\":";
	memset(deep + 5, '[', 200);
	assert_string_equal(shown(deep, true), deep);
}

static void colours_become_styles(void **state)
{
	(void)state;
	struct logtext t = {0};
	struct logpane_line l =
		line_of("\033[31mred\033[0m no\tx\033[1mbold\033[38;5;3mw\033[38;2;1;2;3mz\033[m.");
	logtext_make(&t, &pane, &l);
	assert_string_equal(t.text.data, "red no  xboldwz.");
	assert_int_equal(logtext_style(&t, 0), UI_FAIL);
	assert_int_equal(logtext_style(&t, 3), UI_PLAIN);
	assert_int_equal(logtext_style(&t, 9), UI_BOLD);
	assert_int_equal(logtext_style(&t, 13), UI_WARN);
	assert_int_equal(logtext_style(&t, 14), UI_BOLD);
	assert_int_equal(logtext_style(&t, 15), UI_PLAIN);
	logtext_finish(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ONE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		ONE(an_empty_pane_takes_every_key),
		ONE(it_follows_and_stays_where_one_scrolls_to),
		ONE(at_the_top_the_current_line_goes_on),
		ONE(the_ring_is_bounded_in_lines_and_bytes),
		ONE(what_is_read_is_not_pushed_out),
		ONE(filters),
		ONE(a_filter_sees_what_is_shown),
		ONE(searching),
		ONE(wrapped_lines_scroll_by_rows),
		ONE(marks_and_clicks),
		ONE(since),
		ONE(json_is_folded),
		ONE(colours_become_styles),
	};
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
