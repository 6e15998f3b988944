/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/crc32c.h"

/* RFC 3720, appendix B.4. */
static void test_vectors(void **state)
{
	(void)state;
	unsigned char b[32];
	assert_int_equal(crc32c("", 0), 0);
	assert_int_equal(crc32c("123456789", 9), 0xe3069283u);
	memset(b, 0, sizeof(b));
	assert_int_equal(crc32c(b, sizeof(b)), 0x8a9136aau);
	memset(b, 0xff, sizeof(b));
	assert_int_equal(crc32c(b, sizeof(b)), 0x62a8ab43u);
	for (unsigned i = 0; i < sizeof(b); i++) {
		b[i] = (unsigned char)i;
	}
	assert_int_equal(crc32c(b, sizeof(b)), 0x46dd794eu);
	b[17] ^= 1;
	assert_int_not_equal(crc32c(b, sizeof(b)), 0x46dd794eu);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_vectors)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
