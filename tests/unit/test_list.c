/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/list.h"

struct item {
	int n;
	struct list node;
};

static int sum(struct list *head)
{
	struct item *i;
	struct item *next;
	int digits = 0;
	list_for_each(i, next, head, node)
	{
		digits = digits * 10 + i->n;
	}
	return digits;
}

static void test_order_and_removal(void **state)
{
	(void)state;
	struct list head;
	struct item items[5];
	struct item *i;
	struct item *next;
	list_init(&head);
	assert_true(list_empty(&head));
	assert_int_equal(sum(&head), 0);
	for (int k = 0; k < 5; k++) {
		items[k].n = k + 1;
		list_add(&head, &items[k].node);
	}
	assert_int_equal(sum(&head), 12345);
	list_remove(&items[2].node);
	list_remove(&items[2].node);
	assert_int_equal(sum(&head), 1245);
	list_for_each(i, next, &head, node)
	{
		list_remove(&i->node);
	}
	assert_true(list_empty(&head));
	list_add(&head, &items[4].node);
	assert_int_equal(sum(&head), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_order_and_removal)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
