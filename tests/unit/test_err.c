/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/err.h"

#include <errno.h>

#include "common/mem.h"

static void test_set(void **state)
{
	(void)state;
	struct err e = {0};
	assert_false(err_set(&e, ERR_USAGE, "no %s", "such"));
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(e.msg, "no such");
	assert_false(err_set(NULL, ERR_USAGE, "nobody listens"));
	assert_false(err_wrap(NULL, "nobody listens"));
}

static void test_sys(void **state)
{
	(void)state;
	struct err e = {0};
	errno = ENOENT;
	assert_false(err_sys(&e, "open %s", "x"));
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_string_equal(e.msg, "open x: No such file or directory");
	assert_int_equal(errno, ENOENT);
	errno = EACCES;
	err_sys(&e, "open x");
	assert_int_equal(e.code, ERR_PERMISSION);
	err_wrap(&e, "app %s", "web");
	assert_int_equal(e.code, ERR_PERMISSION);
	assert_string_equal(e.msg, "app web: open x: Permission denied");
}

static void test_long_messages_are_cut_not_overrun(void **state)
{
	(void)state;
	struct err e = {0};
	char *big = xmalloc(5000);
	memset(big, 'x', 4999);
	big[4999] = '\0';
	err_set(&e, ERR_FAILED, "%s", big);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
	err_wrap(&e, "outer");
	assert_int_equal(strncmp(e.msg, "outer: xxx", 10), 0);
	err_wrap(&e, "%s", big);
	errno = ENOENT;
	err_sys(&e, "%s", big);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
	free(big);
}

static void test_table(void **state)
{
	(void)state;
	for (int i = 0; i < ERR_COUNT; i++) {
		const struct err_info *info = err_info((enum err_code)i);
		assert_non_null(info->name);
		assert_int_equal(err_by_name(info->name), i);
		assert_in_range(info->exit_status, 0, 10);
		for (int j = 0; j < i; j++) {
			assert_string_not_equal(info->name, err_info((enum err_code)j)->name);
			assert_int_not_equal(info->rpc_code, err_info((enum err_code)j)->rpc_code);
		}
	}
	assert_int_equal(err_by_name("nonsense"), ERR_FAILED);
	assert_ptr_equal(err_info((enum err_code)999), err_info(ERR_FAILED));
}

static void test_list(void **state)
{
	(void)state;
	struct err_list l = {0};
	for (int i = 0; i < ERR_LIST_MAX + 7; i++) {
		err_list_add(&l, "error %d", i);
	}
	assert_int_equal(l.count, ERR_LIST_MAX);
	assert_int_equal(l.dropped, 7);
	assert_string_equal(l.msg[999], "error 999");
	err_list_finish(&l);
	assert_null(l.msg);
	err_list_finish(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_sys),
		cmocka_unit_test(test_long_messages_are_cut_not_overrun),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
