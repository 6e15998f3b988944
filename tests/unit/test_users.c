/* SPDX-License-Identifier: MIT */
#include "sys/users.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"

static bool in_groups(const struct user *u, gid_t gid)
{
	for (size_t i = 0; i < u->ngroups; i++) {
		if (u->groups[i] == gid) {
			return true;
		}
	}
	return false;
}

static void test_found(void **state)
{
	(void)state;
	static const struct {
		const char *user, *group;
		uid_t uid;
		gid_t gid;
		const char *name;
	} rows[] = {
		{"root", NULL, 0, 0, "root"},
		{"0", NULL, 0, 0, "root"},
		{"root", "12345", 0, 12345, "root"},
		{"4000000001", "77", 4000000001u, 77, "4000000001"},
		{"root", "root", 0, 0, "root"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct user u;
		struct err err = {0};
		if (!users_resolve(rows[i].user, rows[i].group, &u, &err)) {
			fail_msg("%s", err.msg);
		}
		assert_int_equal(u.uid, rows[i].uid);
		assert_int_equal(u.gid, rows[i].gid);
		assert_string_equal(u.name, rows[i].name);
		assert_true(u.home[0] == '/' && u.shell[0] == '/');
		assert_true(in_groups(&u, rows[i].gid));
		users_finish(&u);
		users_finish(&u);
	}
}

static void test_self(void **state)
{
	(void)state;
	struct user u;
	assert_true(users_resolve(NULL, NULL, &u, NULL));
	assert_int_equal(u.uid, geteuid());
	users_finish(&u);
}

static void test_refused(void **state)
{
	(void)state;
	static const struct {
		const char *user, *group, *msg;
	} rows[] = {
		{"nobodyx", NULL, "user \"nobodyx\": no such user"},
		{"", NULL, "user \"\": no such user"},
		{"-1", NULL, "no such user"},
		{"4294967295", NULL, "no such user"},
		{"99999999999", "0", "no such user"},
		{"12 ", NULL, "no such user"},
		{"4000000001", NULL, "set group"},
		{"root", "nogroupx", "group \"nogroupx\": no such group"},
		{NULL, "4294967295", "no such group"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct user u = {.name = NULL};
		struct err err = {0};
		assert_false(users_resolve(rows[i].user, rows[i].group, &u, &err));
		assert_non_null(strstr(err.msg, rows[i].msg));
		assert_null(u.name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_self),
		cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
