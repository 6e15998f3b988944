/* SPDX-License-Identifier: MIT */
#include "sys/watchtree.h"

#include <sys/resource.h>

#include "watchdir.h"

static void no_change(void **state)
{
	(void)state;
	put("app.js", "one");
	put("empty", "");
	begin();
	assert_int_equal(watchtree_files(tree), 2);
	assert_int_equal(watchtree_dirs(tree), 1);
	touch("app.js");
	work();
	assert_true(watchtree_noticed(tree));
	assert_false(watchtree_noticed(tree));
	put("app.js", "one");
	chmod(at("app.js"), 0640);
	put("empty", "");
	expect(0, "");
	put("app.js", "two");
	put("app.js", "one"); /* and back, before anybody looked */
	expect(0, "");
	put("new", "x");
	unlink(at("new"));
	expect(0, "");
	put("tmp", "one");
	rename(at("tmp"), at("app.js"));
	expect(0, "");
}

static void contents(void **state)
{
	(void)state;
	put("app.js", "one");
	put("b", "1");
	put("c", "1");
	begin();
	put("app.js", "two");
	expect(1, "app.js changed");
	expect(0, "");
	put("tmp", "six"); /* the size is the same */
	rename(at("tmp"), at("app.js"));
	expect(1, "app.js changed");
	put("empty", "");
	expect(1, "empty added");
	unlink(at("c"));
	put("b", "2");
	put("app.js", "1");
	expect(3, "c removed");
	unlink(at("b"));
	make_dir("b");
	put("b/x", "");
	expect(2, "b removed");
	int fd = open(at("app.js"), O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, "x", 1), 1);
	expect(0, ""); /* who writes it has not finished */
	close(fd);
	expect(1, "app.js changed");
}

static void directories(void **state)
{
	(void)state;
	make_dir("lib");
	make_dir("lib/a");
	put("lib/a/x", "1");
	begin();
	assert_int_equal(watchtree_dirs(tree), 3);
	make_dir("new");
	make_dir("new/deep");
	put("new/deep/x", "1"); /* before anybody watches new */
	expect(1, "new/deep/x added");
	put("new/deep/x", "2");
	expect(1, "new/deep/x changed");
	rename(at("new"), at("lib/moved"));
	expect(2, "new/deep/x removed");
	put("lib/moved/deep/x", "3");
	expect(1, "lib/moved/deep/x changed");
	assert_int_equal(watchtree_dirs(tree), 5);
	unlink(at("lib/a/x"));
	rmdir(at("lib/a"));
	make_dir("lib/a");
	put("lib/a/x", "1");
	expect(0, ""); /* a build that makes the same again */
	put("lib/a/x", "2");
	expect(1, "lib/a/x changed");
	unlink(at("lib/a/x"));
	rmdir(at("lib/a"));
	expect(1, "lib/a/x removed");
	assert_int_equal(watchtree_dirs(tree), 4);
	make_dir("lib/empty");
	work();
	rmdir(at("lib/empty"));
	expect(0, "");
	assert_int_equal(watchtree_dirs(tree), 4);
}

static void ignored(void **state)
{
	(void)state;
	make_dir("node_modules");
	make_dir("src");
	make_dir("src/gen");
	make_dir("lib");
	make_dir("lib/gen");
	make_dir("__pycache__");
	begin_with((struct with){.ignore = "node_modules *.log src/gen ./top ''"});
	assert_int_equal(watchtree_dirs(tree), 4);
	static const char *const none[] = {
		"node_modules/x", "a.log", "src/b.log",	  "src/gen/x", "top",	   "__pycache__/x",
		"app.js~",	  "4913",  ".app.js.swp", ".#app.js",  "#app.js#", "src/.x.swx"};
	for (size_t i = 0; i < ARRAY_LEN(none); i++) {
		put(none[i], "x");
	}
	expect(0, "");
	assert_int_equal(watchtree_files(tree), 0);
	put("src/top", "x");
	expect(1, "src/top added");
	put("lib/gen/x", "x");
	expect(1, "lib/gen/x added");
	put("x.own", "x");
	put("src/app", "x");
	expect(1, "src/app added");
}

static void ignored_paths(void **state)
{
	(void)state;
	char words[200];
	make_dir("src");
	make_dir("src/gen");
	make_dir("src/data");
	make_dir("src/abs");
	make_dir("src/root");
	snprintf(words, sizeof(words), "gen/* src/data %s/src/abs /root", top);
	begin_with((struct with){.ignore = words, .paths = "src"});
	put("src/gen/x", "x");
	put("src/data/x", "x");
	put("src/abs/x", "x");
	put("src/root/x", "x");
	expect(0, "");
	put("src/x", "x");
	expect(1, "src/x added");
}

static void skipped(void **state)
{
	(void)state;
	make_dir("log");
	put("log/x", "1");
	assert_int_equal(symlink("log", at("link")), 0);
	begin_with((struct with){.skip = at("link")}); /* by what it is, not by its name */
	assert_int_equal(watchtree_files(tree), 1);    /* the link */
	put("log/x", "2");
	put("log/y", "2");
	expect(0, "");
}

static void odd_files(void **state)
{
	(void)state;
	make_dir("else");
	put("else/x", "1");
	assert_int_equal(mkfifo(at("fifo"), 0600), 0);
	assert_int_equal(symlink("else/x", at("link")), 0);
	assert_int_equal(symlink("nowhere", at("dangling")), 0);
	assert_int_equal(symlink(".", at("loop")), 0);
	begin_with((struct with){.ignore = "else"});
	assert_int_equal(watchtree_files(tree), 3);
	put("else/x", "2");
	expect(0, ""); /* what a link leads to is not its contents */
	unlink(at("link"));
	assert_int_equal(symlink("else/y", at("link")), 0);
	expect(1, "link changed");
	unlink(at("link"));
	put("link", "else/y");
	expect(1, "link changed");
	unlink(at("fifo"));
	assert_int_equal(mkfifo(at("fifo2"), 0600), 0);
	rename(at("fifo2"), at("fifo"));
	expect(0, "");
	put("hard", "1");
	expect(1, "hard added");
	assert_int_equal(link(at("hard"), at("hard2")), 0);
	expect(1, "hard2 added");
}

static void large_files(void **state)
{
	(void)state;
	put("large", "");
	assert_int_equal(truncate(at("large"), LIMIT_WATCH_SIZE + 1), 0);
	put("limit", "");
	assert_int_equal(truncate(at("limit"), LIMIT_WATCH_SIZE), 0);
	begin();
	touch("limit");
	expect(0, "");
	touch("large"); /* by size and time */
	expect(1, "large changed");
	int fd = open(at("limit"), O_WRONLY);
	assert_int_equal(pwrite(fd, "x", 1, LIMIT_WATCH_SIZE - 1), 1);
	close(fd);
	expect(1, "limit changed");
}

static void changed_meanwhile(void **state)
{
	(void)state;
	put("a", "1");
	begin_with((struct with){.now = 1});
	assert_true(watchtree_noticed(tree));
	expect(1, "a changed"); /* after it began, before it was read */
	expect(0, "");
}

static void overflow(void **state)
{
	(void)state;
	char name[20];
	make_dir("lib");
	put("lib/a", "1");
	put("b", "1");
	begin();
	for (int i = 0; i < 9000; i++) { /* two events each; the kernel keeps 16384 */
		snprintf(name, sizeof(name), "t%d", i % 2);
		put(name, "");
	}
	put("lib/a", "2");
	unlink(at("b"));
	make_dir("new");
	put("new/x", "");
	rename(at("t0"), at("new/t0"));
	unlink(at("t1"));
	char first[300];
	assert_int_equal(examine(first, sizeof(first)), 4);
	put("new/x", "2");
	expect(1, "new/x changed");
}

static void full_pool(void **state)
{
	(void)state;
	make_dir("a");
	make_dir("b");
	put("x", "1");
	put("y", "1");
	put("z", "1");
	pool = (struct watchtree_pool){3, 3};
	begin();
	char text[300];
	assert_false(watchtree_problem(tree, text, sizeof(text)));
	make_dir("c");
	expect(0, "");
	expect_problem("directories");
	put("a/more", "1");
	expect(0, "");
	expect_problem("files");
	unlink(at("x"));
	expect(1, "x removed");
	put("a/other", "1");
	expect(1, "a/other added");
	watchtree_free(tree);
	tree = NULL;
	assert_int_equal(pool.dirs, 3);
	assert_int_equal(pool.files, 3);
}

static void no_descriptor(void **state)
{
	(void)state;
	struct rlimit old;
	struct err err = {0};
	struct watchtree_conf c = {.base = top, .pool = &pool};
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	struct rlimit none = {.rlim_cur = 3, .rlim_max = old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	struct watchtree *t = watchtree_new(&c, &err);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_null(t);
	assert_int_equal(err.code, ERR_LIMIT);
	assert_non_null(strstr(err.msg, "fs.inotify.max_user_instances"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_change),	 TEST(contents), TEST(directories), TEST(ignored),
		TEST(ignored_paths),	 TEST(skipped),	 TEST(odd_files),   TEST(large_files),
		TEST(changed_meanwhile), TEST(overflow), TEST(full_pool),   TEST(no_descriptor),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
