/* SPDX-License-Identifier: MIT */
#include "app/cpuacct.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

static void see(struct cpuacct *a, pid_t pid, uint64_t start, uint64_t own, uint64_t waited)
{
	cpuacct_add(a, &(struct cpuacct_proc){pid, start, own, waited});
}

static void one(void **state)
{
	(void)state;
	struct cpuacct a = {0};
	see(&a, 10, 5, 100, 0);
	assert_int_equal(cpuacct_look(&a, 1000), 100);
	see(&a, 10, 5, 130, 0);
	assert_int_equal(cpuacct_look(&a, 1100), 130);
	see(&a, 10, 5, 120, 0); /* a kernel that corrects itself */
	assert_int_equal(cpuacct_look(&a, 1200), 130);
	assert_int_equal(cpuacct_look(&a, 1300), 130);
	cpuacct_finish(&a);
}

static void children(void **state)
{
	(void)state;
	struct cpuacct a = {0};
	see(&a, 30, 1000, 0, 0);
	see(&a, 10, 5, 100, 0);
	see(&a, 20, 900, 40, 3);
	assert_int_equal(cpuacct_look(&a, 1000), 143);
	/* 20 was waited for, having used 2 more: nothing is lost or counted twice */
	see(&a, 10, 5, 101, 45);
	see(&a, 30, 1000, 7, 0);
	assert_int_equal(cpuacct_look(&a, 1100), 143 + 1 + 2 + 7);
	/* one was born, worked and was waited for in between */
	see(&a, 10, 5, 101, 45 + 9);
	see(&a, 30, 1000, 7, 0);
	assert_int_equal(cpuacct_look(&a, 1200), 153 + 9);
	cpuacct_finish(&a);
}

/* Nobody waited for it: the sum of all would fall. */
static void lost(void **state)
{
	(void)state;
	struct cpuacct a = {0};
	see(&a, 10, 5, 100, 0);
	see(&a, 20, 900, 5000, 0);
	assert_int_equal(cpuacct_look(&a, 1000), 5100);
	see(&a, 10, 5, 110, 0);
	assert_int_equal(cpuacct_look(&a, 1100), 5110);
	see(&a, 10, 5, 120, 0);
	assert_int_equal(cpuacct_look(&a, 1200), 5120);
	see(&a, 10, 5, 130, 4); /* of another child: the debt is forgotten by now */
	assert_int_equal(cpuacct_look(&a, 1300), 5134);
	cpuacct_finish(&a);
}

/* A look between a child's end and its parent's wait: an hour of CPU in one second otherwise. */
static void late_wait(void **state)
{
	(void)state;
	struct cpuacct a = {0};
	see(&a, 10, 5, 100, 0);
	see(&a, 20, 900, 360000, 0);
	assert_int_equal(cpuacct_look(&a, 1000), 360100);
	see(&a, 10, 5, 100, 0);
	assert_int_equal(cpuacct_look(&a, 1100), 360100);
	see(&a, 10, 5, 100, 360002);
	assert_int_equal(cpuacct_look(&a, 1200), 360102);
	cpuacct_finish(&a);
}

static void same_pid(void **state)
{
	(void)state;
	struct cpuacct a = {0};
	see(&a, 10, 5, 100, 0);
	see(&a, 20, 900, 50, 0);
	assert_int_equal(cpuacct_look(&a, 1000), 150);
	see(&a, 10, 5, 100, 50);
	see(&a, 20, 1050, 8, 0); /* another process */
	assert_int_equal(cpuacct_look(&a, 1100), 158);
	cpuacct_finish(&a);
}

/* It joins the tree with a past of its own. */
static void newcomer(void **state)
{
	(void)state;
	struct cpuacct a = {0};
	see(&a, 10, 5, 100, 0);
	assert_int_equal(cpuacct_look(&a, 1000), 100);
	see(&a, 10, 5, 100, 0);
	see(&a, 50, 700, 9000, 0);
	assert_int_equal(cpuacct_look(&a, 1100), 100);
	see(&a, 10, 5, 100, 0);
	see(&a, 50, 700, 9003, 0);
	assert_int_equal(cpuacct_look(&a, 1200), 103);
	cpuacct_finish(&a);
}

/* Against a model: children that work, end, and are waited for, sometimes late or never. */
static void random_trees(void **state)
{
	(void)state;
	unsigned seed = 7;
	struct cpuacct a = {0};
	uint64_t own[8] = {0}, start[8] = {0}, parent = 0, waited = 0, last = 0;
	for (uint64_t t = 1; t < 20000; t++) {
		for (unsigned i = 0; i < 8; i++) {
			seed = seed * 1103515245u + 12345u;
			unsigned r = seed >> 16;
			if (start[i] && r % 9 == 0) {
				waited += r % 5 ? own[i] : 0;
				start[i] = own[i] = 0;
			} else if (!start[i] && r % 7 == 0) {
				start[i] = t * 100 - r % 99;
			} else if (start[i]) {
				own[i] += r % 20;
			}
			if (start[i]) {
				see(&a, 100 + (pid_t)i, start[i], own[i], 0);
			}
		}
		parent += 3;
		see(&a, 10, 1, parent, waited);
		uint64_t now = cpuacct_look(&a, t * 100);
		assert_true(now >= last + 3);
		assert_true(t == 1 || now - last <= 3 + 8 * 20);
		last = now;
	}
	cpuacct_finish(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one),		cmocka_unit_test(children),
		cmocka_unit_test(lost),		cmocka_unit_test(late_wait),
		cmocka_unit_test(same_pid),	cmocka_unit_test(newcomer),
		cmocka_unit_test(random_trees),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
