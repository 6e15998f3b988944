/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/buf.h"
#include "common/mem.h"
#include "config/order.h"

#define MANY 10000

/* "web:db cache;db;cache:db" as definitions, the nth in line n, its `after` in line n + 100. */
struct defs {
	struct app_def *v[64];
	size_t n;
};

static struct defs make(const char *text, const char *file)
{
	struct defs d = {0};
	char *copy = xstrdup(text);
	char *save = NULL;
	for (char *s = strtok_r(copy, ";", &save); s; s = strtok_r(NULL, ";", &save)) {
		char *colon = strchr(s, ':');
		if (colon) {
			*colon = '\0';
		}
		unsigned line = (unsigned)d.n + 1;
		d.v[d.n] = def_new(s, "p", file, "/srv", line);
		if (colon) {
			def_set(d.v[d.n], "after", colon + 1, file ? line + 100 : 0);
		}
		d.n++;
	}
	free(copy);
	return d;
}

static void finish(struct defs *d)
{
	for (size_t i = 0; i < d->n; i++) {
		def_free(d->v[i]);
	}
}

static char *text_of(struct err_list *errs)
{
	struct buf b = {0};
	buf_adds(&b, "");
	for (size_t i = 0; i < errs->count; i++) {
		buf_addf(&b, "%s\n", errs->msg[i]);
	}
	err_list_finish(errs);
	return buf_take(&b);
}

static void expect(const char *apps, const char *want)
{
	struct err_list errs = {0};
	struct defs d = make(apps, "/f");
	assert_int_equal(order_check(d.v, d.n, NULL, 0, &errs), want[0] == '\0');
	char *got = text_of(&errs);
	assert_string_equal(got, want);
	free(got);
	finish(&d);
}

static void test_good(void **state)
{
	(void)state;
	expect("", "");
	expect("a", "");
	expect("a:", "");
	expect("web:db;db", "");
	expect("d:b c;b:a;c:a;a", "");
	expect("web:db db;db", "");
}

static void test_unknown(void **state)
{
	(void)state;
	expect("web:dbb;db", "/f:101: [app:web] after: no app \"dbb\" in this file; did you mean "
			     "\"db\"?\n");
	expect("web:x yy", "/f:101: [app:web] after: no app \"x\" in this file\n"
			   "/f:101: [app:web] after: no app \"yy\" in this file\n");
	expect("web:db,;db", "/f:101: [app:web] after: no app \"db,\" in this file; did you mean "
			     "\"db\"?\n");
	/* Its own name is no suggestion; foreign bytes are shown. */
	expect("web:wed\033", "/f:101: [app:web] after: no app \"wed\\x1b\" in this file\n");
}

static void test_cycles(void **state)
{
	(void)state;
	expect("a:a", "/f:101: [app:a] after: an app cannot come after itself\n");
	expect("a:b;b:a",
	       "/f:101: [app:a] after: a -> b -> a is a cycle, so none of them could start\n");
	expect("x:b;a:c;b:a;c:b",
	       "/f:103: [app:b] after: b -> a -> c -> b is a cycle, so none of them could start\n");
	/* All in one go. */
	expect("a:b;b:a;c:d nix;d:c;e:e",
	       "/f:101: [app:a] after: a -> b -> a is a cycle, so none of them could start\n"
	       "/f:103: [app:c] after: no app \"nix\" in this file\n"
	       "/f:103: [app:c] after: c -> d -> c is a cycle, so none of them could start\n"
	       "/f:105: [app:e] after: an app cannot come after itself\n");
}

static void test_long_cycle_is_cut(void **state)
{
	(void)state;
	struct err_list errs = {0};
	struct buf apps = {0};
	for (int i = 0; i < 40; i++) {
		buf_addf(&apps, "a%d:a%d;", i, (i + 1) % 40);
	}
	struct defs d = make(apps.data, "/f");
	assert_false(order_check(d.v, d.n, NULL, 0, &errs));
	assert_int_equal(errs.count, 1);
	assert_non_null(strstr(errs.msg[0], "a10 -> a11 -> ... -> a0 is a cycle"));
	err_list_finish(&errs);
	finish(&d);
	buf_finish(&apps);
}

/* What came from a command line is checked against what runs. */
static void expect_known(const char *apps, const char *file, const char *running, const char *want)
{
	struct err_list errs = {0};
	struct defs d = make(apps, file);
	struct defs k = make(running, NULL);
	struct words after[64] = {0};
	struct order_app known[64];
	for (size_t i = 0; i < k.n; i++) {
		const struct setting *s = def_find(k.v[i], "after");
		assert_true(!s || words_split(&after[i], s->value, NULL));
		known[i] = (struct order_app){.name = k.v[i]->name, .after = &after[i]};
	}
	assert_int_equal(order_check(d.v, d.n, known, k.n, &errs), want[0] == '\0');
	char *got = text_of(&errs);
	assert_string_equal(got, want);
	free(got);
	for (size_t i = 0; i < k.n; i++) {
		words_finish(&after[i]);
	}
	finish(&d);
	finish(&k);
}

static void test_known(void **state)
{
	(void)state;
	expect_known("web:db", NULL, "db", "");
	expect_known("web:dbb", NULL, "db",
		     "app web: after: no app \"dbb\"; did you mean \"db\"?\n");
	expect_known("web:db", NULL, "", "app web: after: no app \"db\"\n");
	expect_known("web:web", NULL, "web", "app web: after: an app cannot come after itself\n");
	/* A file was checked as a whole; only a part of it may be here. */
	expect_known("web:db", "/f", "", "");
	/* The new definition counts. */
	expect_known("db", NULL, "web:db;db:web", "");
	expect_known("db:web", NULL, "web:api;api:db;db",
		     "app db: after: db -> web -> api -> db is a cycle, so none of them could "
		     "start\n");
	/* A cycle that runs already is nobody's fault here. */
	expect_known("x:a", NULL, "a:b;b:a", "");
}

static void test_sort(void **state)
{
	(void)state;
	struct defs d = make("web:api;x;api:db;db;y:x;z:nix", "/f");
	struct buf got = {0};
	order_sort(d.v, d.n);
	for (size_t i = 0; i < d.n; i++) {
		buf_addf(&got, "%s ", d.v[i]->name);
	}
	assert_string_equal(got.data, "db api web x y z ");
	buf_finish(&got);
	finish(&d);
}

struct trail {
	struct buf text;
	size_t until;
};

static bool note(void *ctx, size_t app)
{
	struct trail *t = ctx;
	buf_addf(&t->text, "%zu ", app);
	return app == t->until;
}

static void test_any(void **state)
{
	(void)state;
	/* 3 after 1 and 2, both after 0; 4 alone; 5 and 6 in a cycle of which a link is left out */
	static char *const w0[] = {"a"}, *const w12[] = {"b", "c"}, *const w6[] = {"g"},
			   *const w5[] = {"f"};
	struct words a = {(char **)(uintptr_t)w0, 1}, bc = {(char **)(uintptr_t)w12, 2},
		     g = {(char **)(uintptr_t)w6, 1}, f = {(char **)(uintptr_t)w5, 1};
	struct order_app apps[] = {{"a", NULL}, {"b", &a}, {"c", &a}, {"d", &bc},
				   {"e", NULL}, {"f", &g}, {"g", &f}};
	struct order o;
	struct trail t = {.until = 99};
	order_init(&o, apps, ARRAY_LEN(apps), NULL, NULL);
	assert_false(order_any(&o, o.after, 3, note, &t));
	assert_string_equal(t.text.data, "1 2 0 ");
	t.text.len = 0;
	assert_false(order_any(&o, o.before, 0, note, &t));
	assert_string_equal(t.text.data, "1 2 3 ");
	t.text.len = 0;
	t.until = 2;
	assert_true(order_any(&o, o.before, 0, note, &t));
	assert_string_equal(t.text.data, "1 2 ");
	t.text.len = 0;
	assert_false(order_any(&o, o.after, 0, note, &t) || order_any(&o, o.before, 4, note, &t));
	assert_int_equal(t.text.len, 0);
	assert_int_equal(o.after[5].n + o.after[6].n, 1);
	assert_int_equal(o.before[5].n + o.before[6].n, 1);
	order_finish(&o);
	buf_finish(&t.text);
}

/* As many links as apps, in the order that is worst for a recursion. */
static void test_long_chain(void **state)
{
	(void)state;
	struct order_app *apps = xcalloc(MANY, sizeof(*apps));
	struct words *after = xcalloc(MANY, sizeof(*after));
	struct order o;
	for (size_t i = 0; i < MANY; i++) {
		char *next = xasprintf("a%zu", i + 1);
		apps[i] = (struct order_app){.name = xasprintf("a%zu", i), .after = &after[i]};
		words_add(&after[i], next);
		free(next);
	}
	order_init(&o, apps, MANY, NULL, NULL);
	for (size_t i = 0; i < MANY; i++) {
		assert_int_equal(o.sorted[i], MANY - 1 - i);
		words_finish(&after[i]);
		free((char *)(uintptr_t)apps[i].name);
	}
	order_finish(&o);
	free(apps);
	free(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),   cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_cycles), cmocka_unit_test(test_long_cycle_is_cut),
		cmocka_unit_test(test_known),  cmocka_unit_test(test_sort),
		cmocka_unit_test(test_any),    cmocka_unit_test(test_long_chain),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
