/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/words.h"

#include "common/buf.h"
#include "common/mem.h"

struct row {
	const char *text;
	const char *want[6];
};

static const struct row good[] = {
	{"", {0}},
	{"  \t ", {0}},
	{"node app.js", {"node", "app.js"}},
	{"  a\tb  ", {"a", "b"}},
	{"'a b' \"c d\"", {"a b", "c d"}},
	{"a'b'\"c\"d", {"abcd"}},
	{"'' \"\"", {"", ""}},
	{"a\\ b \\'", {"a b", "'"}},
	{"'\\n' \"\\n\" \\n", {"\\n", "\\n", "n"}},
	{"\"a\\\"b\\\\c\\$d\\`\"", {"a\"b\\c$d`"}},
	{"$'a\\nb\\t\\x41\\'\\\\' $x'y' \"$'\"", {"a\nb\tA'\\", "$xy", "$'"}},
	{"a$'\\e[0m'b", {"a\033[0mb"}},
	{"$HOME *.c #x;y|z", {"$HOME", "*.c", "#x;y|z"}},
};

static void test_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct words w = {0};
		struct err e;
		assert_true(words_split(&w, good[i].text, &e));
		size_t n = 0;
		for (; good[i].want[n]; n++) {
			assert_true(n < w.n);
			assert_string_equal(w.v[n], good[i].want[n]);
		}
		assert_int_equal(w.n, n);
		assert_true(n == 0 || w.v[n] == NULL);
		words_finish(&w);
	}
}

static void test_refuse(void **state)
{
	(void)state;
	static const char *const bad[] = {"'open", "\"open", "x \"a\\\"", "end\\",   "\"a\\",
					  "$'a",   "$'\\q'", "$'\\x0g'",  "$'\\x00'"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct words w = {0};
		struct err e = {0};
		words_add(&w, "kept");
		assert_false(words_split(&w, bad[i], &e));
		assert_int_equal(e.code, ERR_CONFIG);
		assert_int_equal(w.n, 1);
		assert_false(words_split(&w, bad[i], NULL));
		words_finish(&w);
		words_finish(&w);
	}
}

static void test_join_is_read_back(void **state)
{
	(void)state;
	char *const v[] = {(char *)"plain",
			   (char *)"",
			   (char *)"a b",
			   (char *)"it's",
			   (char *)"\"\\$`",
			   (char *)"\t\n",
			   (char *)"--x=1,2",
			   (char *)"*?~#",
			   (char *)"a\nb 'c' \"d\" \\",
			   (char *)"\r\033\x01\x7f\v",
			   (char *)"$'x'",
			   (char *)"\n"};
	char *text = words_join(v, ARRAY_LEN(v));
	struct words w = {0};
	assert_true(words_split(&w, text, NULL));
	assert_int_equal(w.n, ARRAY_LEN(v));
	assert_null(strpbrk(text, "\r\n"));
	for (size_t i = 0; i < w.n; i++) {
		assert_string_equal(w.v[i], v[i]);
	}
	words_finish(&w);
	free(text);
	text = words_join(v, 1);
	assert_string_equal(text, "plain");
	free(text);
	text = words_join(NULL, 0);
	assert_string_equal(text, "");
	free(text);
}

static void test_named(void **state)
{
	(void)state;
	assert_true(words_named("a bc d", "bc"));
	assert_true(words_named("a", "a"));
	assert_false(words_named("a bc d", "b"));
	assert_false(words_named("a bc d", "bc d"));
	assert_false(words_named("a", ""));
	assert_false(words_named("", ""));
	assert_false(words_named(NULL, "a"));
}

static void test_quoted_is_one_word(void **state)
{
	(void)state;
	static const char *const words[] = {"plain",	 "",	       "a b",	 "it's",
					    "$HOME;ls",	 "two\nlines", "`x` \\", "\"q\" #",
					    "=ls a^b *", "'"};
	struct buf line = {0};
	struct words back = {0};
	struct err err;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		buf_adds(&line, i ? " " : "");
		words_add_quoted(&line, words[i]);
	}
	assert_true(words_split(&back, line.data, &err));
	assert_int_equal(back.n, ARRAY_LEN(words));
	for (size_t i = 0; i < back.n; i++) {
		assert_string_equal(back.v[i], words[i]);
	}
	words_finish(&back);
	buf_finish(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_refuse),
		cmocka_unit_test(test_join_is_read_back),
		cmocka_unit_test(test_quoted_is_one_word),
		cmocka_unit_test(test_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
