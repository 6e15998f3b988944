/* SPDX-License-Identifier: MIT */
/* Where the watched paths lead, and that it is noticed when they lead elsewhere. */
#include "watchdir.h"

static void single_files(void **state)
{
	(void)state;
	put("a.js", "1");
	put("b.js", "1");
	put("c.js", "1");
	make_dir("conf");
	put("conf/x.json", "1");
	assert_int_equal(symlink("conf/x.json", at("x.json")), 0);
	begin_with((struct with){.paths = "a.js ./b.js x.json", .ignore = "b.js"});
	assert_int_equal(watchtree_files(tree), 3);
	put("c.js", "2");
	put("conf/y", "2");
	make_dir("d");
	expect(0, "");
	put("b.js", "2"); /* what is named is watched, though its name is left out elsewhere */
	expect(1, "b.js changed");
	put("conf/x.json", "2");
	expect(1, "x.json changed");
	put("conf/z.json", "2");
	unlink(at("x.json"));
	assert_int_equal(symlink("conf/z.json", at("x.json")), 0);
	expect(0, ""); /* another file, the same contents */
	put("conf/x.json", "3");
	expect(0, "");
	put("conf/z.json", "3");
	expect(1, "x.json changed");
	put("tmp", "3");
	rename(at("tmp"), at("a.js"));
	expect(1, "a.js changed");
}

static void missing_paths(void **state)
{
	(void)state;
	begin_with((struct with){.paths = "not/yet x"});
	char text[300];
	assert_true(watchtree_problem(tree, text, sizeof(text)));
	assert_non_null(strstr(text, "/not/yet is not there"));
	expect_problem("/x is not there");
	make_dir("not");
	expect(0, "");
	make_dir("not/yet");
	put("not/yet/a", "1");
	expect(1, "not/yet/a added");
	put("x", "1");
	expect(1, "x added");
	/* Gone for a moment, and back the same. */
	rename(at("not"), at("old"));
	unlink(at("x"));
	expect(0, "");
	put("x", "1");
	rename(at("old"), at("not"));
	expect(0, "");
	put("not/yet/a", "2");
	expect(1, "not/yet/a changed");
	rename(at("not"), at("old"));
	expect(0, "");
	make_dir("not");
	make_dir("not/yet");
	put("not/yet/b", "1");
	expect(2, "not/yet/b added");
	put("old/yet/a", "3");
	expect(0, "");
}

/* Release after release, and a link that says which is the current one. */
static void a_switched_link(void **state)
{
	(void)state;
	make_dir("r1");
	make_dir("r2");
	put("r1/a", "1");
	put("r1/b", "1");
	put("r2/a", "1");
	put("r2/b", "2");
	assert_int_equal(symlink("r1", at("current")), 0);
	begin_with((struct with){.base = at("current")});
	put("r2/a", "1");
	expect(0, "");
	assert_int_equal(symlink("r2", at("next")), 0);
	rename(at("next"), at("current"));
	expect(2, "current changed");
	put("r1/a", "3");
	expect(0, "");
	put("r2/a", "3");
	expect(1, "a changed");
}

static void a_link_on_the_way(void **state)
{
	(void)state;
	make_dir("r1");
	make_dir("r1/src");
	make_dir("r2");
	make_dir("r2/src");
	put("r1/src/a", "1");
	put("r2/src/a", "1");
	char real[300];
	snprintf(real, sizeof(real), "%s/r1", top);
	assert_int_equal(symlink(real, at("one")), 0);
	assert_int_equal(symlink("one", at("current")), 0);
	begin_with((struct with){.paths = "./current/../current/src/"});
	unlink(at("one")); /* not the link itself, but one behind it */
	expect(0, "");
	assert_int_equal(symlink("r2/.", at("one")), 0);
	expect(1, "current/../current/src changed");
	put("r2/src/a", "2");
	expect(1, "current/../current/src/a changed");
}

static void same_dir_twice(void **state)
{
	(void)state;
	make_dir("lib");
	put("lib/a", "1");
	begin_with((struct with){.paths = ". lib"});
	put("lib/a", "2");
	char first[300];
	assert_int_equal(examine(first, sizeof(first)), 2);
	unlink(at("lib/a"));
	rmdir(at("lib"));
	expect(1, "lib/a removed"); /* the path that is gone may be back in a moment */
	make_dir("lib");
	put("lib/a", "2");
	expect(1, "lib/a added");
	put("lib/a", "3");
	assert_int_equal(examine(first, sizeof(first)), 2);
}

static void unreadable(void **state)
{
	(void)state;
	if (geteuid() == 0) {
		skip();
	}
	make_dir("shut");
	put("secret", "1");
	chmod(at("secret"), 0);
	chmod(at("shut"), 0);
	begin_with((struct with){.paths = "shut secret"});
	expect_problem("/shut: Permission denied");
	chmod(at("shut"), 0700);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(single_files),	 TEST(missing_paths),  TEST(a_switched_link),
		TEST(a_link_on_the_way), TEST(same_dir_twice), TEST(unreadable),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
