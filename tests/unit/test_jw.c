/* SPDX-License-Identifier: MIT */
#include "proto/jw.h"

#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

static void test_nested(void **state)
{
	struct buf b = {0};
	struct jw w;
	(void)state;
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kint(&w, "v", 1);
	jw_key(&w, "apps");
	jw_arr(&w);
	jw_obj(&w);
	jw_kstr(&w, "name", "we\"b\n");
	jw_kstr(&w, "ns", NULL);
	jw_kreal1(&w, "cpu", 3.14);
	jw_kbool(&w, "ready", true);
	jw_end(&w);
	jw_arr(&w);
	jw_end(&w);
	jw_null(&w);
	jw_raw(&w, "[1]", 3);
	jw_end(&w);
	jw_knull(&w, "z");
	jw_key(&w, "o");
	jw_obj(&w);
	jw_end(&w);
	jw_end(&w);
	assert_string_equal(b.data,
			    "{\"v\":1,\"apps\":[{\"name\":\"we\\\"b\\n\",\"ns\":null,\"cpu\":3.1,"
			    "\"ready\":true},[],null,[1]],\"z\":null,\"o\":{}}");
	assert_int_equal(w.depth, 0);
	buf_finish(&b);
}

static void test_numbers(void **state)
{
	static const struct {
		double v;
		const char *text;
	} reals[] = {
		{0, "0.0"},	    {-0.04, "0.0"},  {-0.05, "-0.1"},		{99.95, "100.0"},
		{12.34, "12.3"},    {-7.25, "-7.3"}, {1e12, "1000000000000.0"}, {NAN, "null"},
		{INFINITY, "null"}, {1e300, "null"},
	};
	static const struct {
		int64_t v;
		const char *text;
	} ints[] = {
		{0, "0"},
		{-1, "-1"},
		{INT64_MAX, "9223372036854775807"},
		{INT64_MIN, "-9223372036854775808"},
	};
	(void)state;
	setlocale(LC_ALL, "de_DE.UTF-8");
	for (size_t i = 0; i < sizeof(reals) / sizeof(reals[0]); i++) {
		struct buf b = {0};
		struct jw w;
		jw_init(&w, &b);
		jw_real1(&w, reals[i].v);
		assert_string_equal(b.data, reals[i].text);
		buf_finish(&b);
	}
	for (size_t i = 0; i < sizeof(ints) / sizeof(ints[0]); i++) {
		struct buf b = {0};
		struct jw w;
		jw_init(&w, &b);
		jw_int(&w, ints[i].v);
		assert_string_equal(b.data, ints[i].text);
		buf_finish(&b);
	}
	static const struct {
		double v;
		const char *text;
	} fine[] = {{0, "0.00"},     {0.126, "0.13"},	{-0.001, "0.00"},
		    {-1.5, "-1.50"}, {12.999, "13.00"}, {NAN, "null"}};
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
		struct buf out = {0};
		struct jw jw;
		jw_init(&jw, &out);
		jw_real2(&jw, fine[i].v);
		assert_string_equal(out.data, fine[i].text);
		buf_finish(&out);
	}
	struct buf b = {0};
	struct jw w;
	jw_init(&w, &b);
	jw_uint(&w, UINT64_MAX);
	assert_string_equal(b.data, "18446744073709551615");
	buf_finish(&b);
}

/* Every byte a name could hold gives JSON that a strict reader takes. */
static void test_any_bytes(void **state)
{
	char bytes[256];
	struct buf b = {0};
	struct jw w;
	(void)state;
	for (int i = 0; i < 256; i++) {
		bytes[i] = (char)(i ? i : 1);
	}
	jw_init(&w, &b);
	jw_arr(&w);
	jw_strn(&w, bytes, sizeof(bytes));
	jw_end(&w);
	json_t *v = json_loadb(b.data, b.len, 0, NULL);
	assert_non_null(v);
	json_decref(v);
	buf_finish(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_any_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
