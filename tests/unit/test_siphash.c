/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/siphash.h"

/* The paper, appendix A (15 bytes), and the first, second, eighth and ninth of the vectors that its
 * authors published: key 00 01 ... 0f, message 00 01 ... */
static void test_vectors(void **state)
{
	(void)state;
	static const struct {
		size_t len;
		uint64_t want;
	} rows[] = {{0, 0x726fdb47dd0e0e31},
		    {1, 0x74f839c593dc67fd},
		    {7, 0xab0200f58b01d137},
		    {8, 0x93f5f5799a932462},
		    {15, 0xa129ca6149be45e5}};
	const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
	unsigned char b[16];
	for (unsigned i = 0; i < sizeof(b); i++) {
		b[i] = (unsigned char)i;
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(siphash(key, b, rows[i].len), rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_vectors)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
