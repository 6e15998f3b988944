/* SPDX-License-Identifier: MIT */
#include "sys/hostfig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void stat_line(void **state)
{
	(void)state;
	uint64_t busy = 0, total = 0;
	assert_true(hostfig_parse_stat("cpu  10 1 20 300 5 2 3 4 9 9\ncpu0 1 2", &busy, &total));
	assert_int_equal(total, 345);
	assert_int_equal(busy, 40);
	assert_true(hostfig_parse_stat("cpu 1 2 3 4\n", &busy, &total)); /* an old kernel */
	assert_int_equal(total, 10);
	assert_int_equal(busy, 6);
	assert_false(hostfig_parse_stat("", &busy, &total));
	assert_false(hostfig_parse_stat("cpu0 1 2 3 4\n", &busy, &total));
	assert_false(hostfig_parse_stat("cpu  1 x\n", &busy, &total));
	assert_int_equal(total, 10);
}

static void memory(void **state)
{
	(void)state;
	static const char text[] =
		"MemTotal:       1000 kB\nMemFree:  1 kB\nMemAvailable:    400 kB\n";
	assert_int_equal(hostfig_parse_mem(text, "MemTotal"), 1024000);
	assert_int_equal(hostfig_parse_mem(text, "MemAvailable"), 409600);
	assert_int_equal(hostfig_parse_mem(text, "Mem"), -1);
	assert_int_equal(hostfig_parse_mem(text, "SwapTotal"), -1);
	assert_int_equal(hostfig_parse_mem("", "MemTotal"), -1);
}

static void this_machine(void **state)
{
	(void)state;
	struct hostfig h;
	hostfig_init(&h);
	hostfig_read(&h, 1000);
	assert_true(h.name[0] && h.cpus >= 1 && h.cpu_pct < 0 && h.self_cpu_pct < 0);
	assert_true(h.mem_total > 0 && h.mem_used > 0 && h.mem_used < h.mem_total);
	assert_true(h.self_mem > 0 && h.load1 >= 0);
	hostfig_read(&h, 1100); /* too soon */
	assert_true(h.self_cpu_pct < 0);
	hostfig_read(&h, 2000);
	assert_true(h.self_cpu_pct >= 0 && h.cpu_pct <= 100);
	hostfig_finish(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stat_line),
		cmocka_unit_test(memory),
		cmocka_unit_test(this_machine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
