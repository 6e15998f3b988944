/* SPDX-License-Identifier: MIT */
/* A line that is typed: editing in UTF-8, what was typed before, completion. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "common/utf8.h"
#include "ui/input.h"
#include "ui/prompt.h"

static void type(struct prompt *p, const char *text)
{
	while (*text) {
		uint32_t cp;
		text += utf8_decode(text, strlen(text), &cp);
		assert_true(prompt_key(p, NULL, cp));
	}
}

static void press(struct prompt *p, uint32_t key, int times)
{
	while (times-- > 0) {
		assert_true(prompt_key(p, NULL, key));
	}
}

static void editing(void **state)
{
	(void)state;
	struct prompt p = {0};
	type(&p, "restart wéb");
	assert_string_equal(p.text, "restart wéb");
	press(&p, UK_ARROW_LEFT, 1);
	press(&p, UK_BACK, 1);
	assert_string_equal(p.text, "restart wb");
	type(&p, "日本");
	press(&p, UK_ARROW_LEFT, 1);
	press(&p, UK_DEL, 1);
	assert_string_equal(p.text, "restart w日b");
	press(&p, UK_CTRL('a'), 1);
	type(&p, "x");
	press(&p, UK_CTRL('e'), 1);
	type(&p, "y");
	assert_string_equal(p.text, "xrestart w日by");
	press(&p, UK_CTRL('w'), 1);
	assert_string_equal(p.text, "xrestart ");
	press(&p, UK_CTRL('w'), 1);
	assert_string_equal(p.text, "");
	press(&p, UK_BACK, 2);
	press(&p, UK_ARROW_RIGHT, 2);
	press(&p, UK_DEL, 1);
	assert_string_equal(p.text, "");
}

static void cutting(void **state)
{
	(void)state;
	struct prompt p = {0};
	prompt_set(&p, "one two three");
	press(&p, UK_CTRL('a'), 1);
	press(&p, UK_ARROW_RIGHT, 3);
	press(&p, UK_CTRL('k'), 1);
	assert_string_equal(p.text, "one");
	prompt_set(&p, "one two three");
	press(&p, UK_ARROW_LEFT, 5);
	press(&p, UK_CTRL('u'), 1);
	assert_string_equal(p.text, "three");
	assert_int_equal(p.cursor, 0);
}

static void what_is_no_text_is_not_taken(void **state)
{
	(void)state;
	struct prompt p = {0};
	assert_false(prompt_key(&p, NULL, UK_ESC));
	assert_false(prompt_key(&p, NULL, UK_RETURN));
	assert_false(prompt_key(&p, NULL, UK_FN + 1));
	assert_false(prompt_key(&p, NULL, UK_ARROW_UP));
	assert_string_equal(p.text, "");
}

static void a_full_line_stays_whole(void **state)
{
	(void)state;
	struct prompt p = {0};
	for (int i = 0; i < PROMPT_TEXT; i++) {
		assert_true(prompt_key(&p, NULL, 0x65e5));
	}
	size_t len = strlen(p.text);
	assert_true(len < PROMPT_TEXT && len > PROMPT_TEXT - 4);
	for (size_t at = 0; at < len; at += 3) {
		uint32_t cp;
		assert_int_equal(utf8_decode(p.text + at, len - at, &cp), 3);
	}
}

static void what_was_typed_before(void **state)
{
	(void)state;
	struct prompt p = {0};
	struct prompt_history h = {0};
	prompt_remember(&h, "first");
	prompt_remember(&h, "second");
	prompt_remember(&h, "");
	prompt_remember(&h, "first");
	assert_int_equal(h.n, 2);
	type(&p, "now");
	assert_true(prompt_key(&p, &h, UK_ARROW_UP));
	assert_string_equal(p.text, "first");
	prompt_key(&p, &h, UK_ARROW_UP);
	assert_string_equal(p.text, "second");
	prompt_key(&p, &h, UK_ARROW_UP);
	assert_string_equal(p.text, "second");
	prompt_key(&p, &h, UK_ARROW_DOWN);
	prompt_key(&p, &h, UK_ARROW_DOWN);
	assert_string_equal(p.text, "now");
	prompt_key(&p, &h, UK_ARROW_DOWN);
	assert_string_equal(p.text, "now");
	for (int i = 0; i < 100; i++) {
		char line[8] = {'a', (char)('a' + i % 26), (char)('a' + i / 26), '\0'};
		prompt_remember(&h, line);
	}
	assert_int_equal(h.n, PROMPT_HISTORY);
	assert_string_equal(h.line[h.n - 1], "avd");
}

static const char *words(void *ctx, int word, size_t k)
{
	static const char *const commands[] = {"reload", "reset", "restart", "stop"};
	static const char *const apps[] = {"web", "worker"};
	(void)ctx;
	return word == 0 ? (k < 4 ? commands[k] : NULL) : k < 2 ? apps[k] : NULL;
}

static void expect(const char *line, const char *want, const char *want_several)
{
	struct prompt p = {0};
	char several[64];
	prompt_set(&p, line);
	prompt_complete(&p, words, NULL, several, sizeof(several));
	assert_string_equal(p.text, want);
	assert_string_equal(several, want_several);
}

static void completion(void **state)
{
	(void)state;
	expect("st", "stop ", "");
	expect("r", "re", "reload reset restart");
	expect("res", "res", "reset restart");
	expect("rest", "restart ", "");
	expect("restart w", "restart w", "web worker");
	expect("restart we", "restart web ", "");
	expect("restart  web wo", "restart  web worker ", "");
	expect("restart ", "restart w", "web worker");
	expect("xyz", "xyz", "");
	expect("", "", "reload reset restart stop");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(editing),
		cmocka_unit_test(cutting),
		cmocka_unit_test(what_is_no_text_is_not_taken),
		cmocka_unit_test(a_full_line_stays_whole),
		cmocka_unit_test(what_was_typed_before),
		cmocka_unit_test(completion),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
