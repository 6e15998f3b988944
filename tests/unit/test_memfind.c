/* SPDX-License-Identifier: MIT */
/* A few bytes in many: as the simplest search there is says. */
#include "common/memfind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *simple(const char *needle, size_t n, const char *data, size_t len, bool fold)
{
	for (size_t at = 0; at + n <= len; at++) {
		size_t i = 0;
		while (i < n && (fold ? tolower((unsigned char)data[at + i])
				      : (unsigned char)data[at + i]) == (unsigned char)needle[i]) {
			i++;
		}
		if (i == n) {
			return data + at;
		}
	}
	return NULL;
}

static void check(const char *needle, size_t n, const char *data, size_t len, bool fold)
{
	struct memfind f;
	memfind_init(&f, needle, n, fold);
	assert_ptr_equal(memfind(&f, data, len), simple(needle, n, data, len, fold));
}

/* In memory of exactly that size, so that a sanitizer sees a byte read too far. */
static void everywhere(void **state)
{
	(void)state;
	for (size_t len = 0; len < 300; len += len < 140 ? 1 : 37) {
		for (size_t at = 0; at + 3 <= len; at++) {
			char *data = malloc(len);
			memset(data, '.', len);
			memcpy(data + at, "Ab3", 3);
			check("Ab3", 3, data, len, false);
			check("ab3", 3, data, len, true);
			check("ab3", 3, data, len, false);
			check("b", 1, data, len, false);
			check(".", 1, data, len, false);
			free(data);
		}
	}
}

static void of_two_letters(void **state)
{
	(void)state;
	unsigned seed = 7;
	char data[500], needle[8];
	for (int turn = 0; turn < 4000; turn++) {
		static const char letters[] = "aB@\xc0";
		size_t kinds = 2 + (size_t)rand_r(&seed) % 3, n = 1 + (size_t)rand_r(&seed) % 7;
		size_t len = (size_t)rand_r(&seed) % sizeof(data);
		for (size_t i = 0; i < len; i++) {
			data[i] = letters[(size_t)rand_r(&seed) % kinds];
		}
		bool fold = turn % 2;
		for (size_t i = 0; i < n; i++) {
			needle[i] = letters[(size_t)rand_r(&seed) % kinds];
			needle[i] = (char)(fold ? tolower((unsigned char)needle[i]) : needle[i]);
		}
		check(needle, n, data, len, fold);
	}
}

static void letters_only_have_a_case(void **state)
{
	(void)state;
	check("@[`{", 4, "`{`{@[`{", 8, true);
	check("a\0b", 3, "xxA\0Bxx", 7, true);
	check("a", 1, "", 0, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everywhere),
		cmocka_unit_test(of_two_letters),
		cmocka_unit_test(letters_only_have_a_case),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
