/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/envfile.h"

#include "common/limits.h"
#include "common/mem.h"

struct row {
	const char *text;
	size_t len;
	const char *name, *value; /* of the last variable; name NULL = the error */
	size_t n;
};
#define GOOD(text, n, name, value)                                                                 \
	{                                                                                          \
		text, sizeof(text) - 1, name, value, n                                             \
	}
#define BAD(text, why)                                                                             \
	{                                                                                          \
		text, sizeof(text) - 1, NULL, why, 0                                               \
	}

static const struct row rows[] = {
	GOOD("A=1", 1, "A", "1"),
	GOOD("# c\n\n  \t\n  # d\r\nA=1\r\n", 1, "A", "1"),
	GOOD("\xEF\xBB\xBF"
	     "A=1\nB=2",
	     2, "B", "2"),
	GOOD("export A=1\nexport\t_b2 = x y \n", 2, "_b2", "x y"),
	GOOD("export=1\n", 1, "export", "1"),
	GOOD("exportA=1\n", 1, "exportA", "1"),
	GOOD("A=\n", 1, "A", ""),
	GOOD("A=   \n", 1, "A", ""),
	GOOD("A=x # comment\n", 1, "A", "x"),
	GOOD("A=x#y\n", 1, "A", "x#y"),
	GOOD("A=#\n", 1, "A", ""),
	GOOD("A=a=b;$c%d\\n\n", 1, "A", "a=b;$c%d\\n"),
	GOOD("A='a \\n $x # \"y\"' # c\n", 1, "A", "a \\n $x # \"y\""),
	GOOD("A=\"a\\n\\t\\\"\\\\\\$\\q # x\"\n", 1, "A", "a\n\t\"\\$\\q # x"),
	GOOD("A=\"one\ntwo\"\nB=3\n", 2, "B", "3"),
	GOOD("A=\"one\r\ntwo\"", 1, "A", "one\r\ntwo"),
	GOOD("A=''\n", 1, "A", ""),
	GOOD("A=it's\n", 1, "A", "it's"),
	GOOD("A=1\nA=2\n", 2, "A", "2"),
	BAD("A=1\nB\n", "line 2: there is no = behind the name"),
	BAD("A=1\n\n=x\n",
	    "line 3: a line is NAME=VALUE, and a name has only letters, digits and _"),
	BAD("1A=x\n", "line 1: a line is NAME=VALUE, and a name has only letters, digits and _"),
	BAD("A-B=x\n", "line 1: a line is NAME=VALUE, and a name has only letters, digits and _"),
	BAD("A='x\ny\n", "line 1: the quote is not closed"),
	BAD("A=\"x\\\"", "line 1: the quote is not closed"),
	BAD("A=\"x\\", "line 1: the quote is not closed"),
	BAD("A='x'y\n", "line 1: there is something behind the closing quote"),
	BAD("A=\"1\n2\n3\"\nB\n", "line 4: there is no = behind the name"),
	BAD("A=1\n#\0\n", "line 2: there is a NUL byte"),
	BAD("export \n", "line 1: there is no name"),
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		struct env_file f = {0};
		struct err e = {0};
		/* A copy of its exact size: the sanitizer sees a step too far. */
		char *text = xmalloc(r->len);
		memcpy(text, r->text, r->len);
		bool ok = envfile_parse(&f, text, r->len, &e);
		free(text);
		if (ok != (r->name != NULL)) {
			fail_msg("row %zu: %s", i, e.msg);
		}
		if (ok) {
			assert_int_equal(f.n, r->n);
			assert_string_equal(f.v[f.n - 1].name, r->name);
			assert_string_equal(f.v[f.n - 1].value, r->value);
		} else {
			assert_string_equal(e.msg, r->value);
			assert_null(f.v);
		}
		envfile_finish(&f);
	}
}

static void test_limit(void **state)
{
	(void)state;
	struct env_file f = {0};
	struct err e = {0};
	char *text = xmalloc(LIMIT_ENV_FILE + 1);
	memset(text, '\n', LIMIT_ENV_FILE + 1);
	assert_true(envfile_parse(&f, text, LIMIT_ENV_FILE, &e));
	assert_false(envfile_parse(&f, text, LIMIT_ENV_FILE + 1, &e));
	assert_string_equal(e.msg, "larger than 1024 KiB");
	assert_true(envfile_parse(&f, NULL, 0, NULL));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
