/* SPDX-License-Identifier: MIT */
#include "proto/defjson.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/limits.h"
#include "common/mem.h"

static void test_there_and_back(void **state)
{
	struct err err = {0};
	struct app_def *d = def_new("web", "shop", NULL, "/srv/shop", 0);
	(void)state;
	def_set(d, "script", "app.js", 12);
	def_set(d, "env.GREETING", "h\xc3\xa9llo \"x\" \t;#", 13);
	def_set(d, "args", "", 0);
	json_t *v = defjson_write(d, &err);
	assert_non_null(v);
	char *text = json_dumps(v, JSON_COMPACT);
	assert_string_equal(text, "{\"name\":\"web\",\"project\":\"shop\",\"file\":null,"
				  "\"dir\":\"/srv/shop\",\"line\":0,\"set\":[[\"args\",\"\",0],"
				  "[\"env.GREETING\",\"h\xc3\xa9llo \\\"x\\\" \\t;#\",13],"
				  "[\"script\",\"app.js\",12]]}");
	free(text);
	struct app_def *back = defjson_read(v, &err);
	assert_non_null(back);
	assert_string_equal(back->name, "web");
	assert_string_equal(back->project, "shop");
	assert_string_equal(back->dir, "/srv/shop");
	assert_null(back->file);
	assert_int_equal(back->nset, 3);
	assert_string_equal(def_find(back, "env.GREETING")->value, "h\xc3\xa9llo \"x\" \t;#");
	assert_int_equal(def_find(back, "script")->line, 12);
	json_decref(v);
	def_free(back);

	free(d->file);
	d->file = xstrdup("/srv/shop/pmctl.ini");
	v = defjson_write(d, &err);
	back = defjson_read(v, &err);
	assert_string_equal(back->file, "/srv/shop/pmctl.ini");
	json_decref(v);
	def_free(back);
	def_free(d);
}

static void test_not_utf8(void **state)
{
	struct err err = {0};
	struct app_def *d = def_new("web", "shop", NULL, "/srv", 0);
	(void)state;
	def_set(d, "env.X", "\xff", 1);
	assert_null(defjson_write(d, &err));
	assert_string_equal(err.msg, "app web: env.X: not valid UTF-8");
	def_free(d);
}

#define HEAD "\"name\":\"a\",\"project\":\"p\",\"dir\":\"/d\","

static void test_refused(void **state)
{
	static const struct {
		const char *json, *error;
	} rows[] = {
		{"[]", "must be an object"},
		{"{}", "\"name\" must be"},
		{"{\"name\":\"\",\"project\":\"p\",\"dir\":\"/d\",\"set\":[]}", "\"name\" must be"},
		{"{\"name\":\"a\",\"dir\":\"/d\",\"set\":[]}", "\"project\" must be"},
		{"{\"name\":\"a\",\"project\":\"p\",\"dir\":5,\"set\":[]}", "\"dir\" must be"},
		{"{\"name\":\"a\",\"project\":\"p\",\"dir\":\"d\",\"set\":[]}", "absolute"},
		{"{" HEAD "\"file\":\"x.ini\",\"set\":[]}", "absolute"},
		{"{" HEAD "\"file\":7,\"set\":[]}", "\"file\" must be"},
		{"{" HEAD "\"line\":-1,\"set\":[]}", "\"line\" must be"},
		{"{" HEAD "\"line\":99999999999,\"set\":[]}", "\"line\" must be"},
		{"{" HEAD "\"more\":1,\"set\":[]}", "no member \"more\""},
		{"{" HEAD "\"line\":1}", "\"set\" must be an array"},
		{"{" HEAD "\"set\":{}}", "\"set\" must be an array"},
		{"{" HEAD "\"set\":[[\"k\",\"v\"]]}", "[key, value, line]"},
		{"{" HEAD "\"set\":[[\"k\",\"v\",1,2]]}", "[key, value, line]"},
		{"{" HEAD "\"set\":[[\"k\",5,1]]}", "[key, value, line]"},
		{"{" HEAD "\"set\":[{\"0\":1}]}", "[key, value, line]"},
		{"{" HEAD "\"set\":[[\"\",\"v\",1]]}", "is empty"},
		{"{" HEAD "\"set\":[[\"k\",\"v\",1],[\"k\",\"w\",2]]}", "k: given twice"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = {0};
		json_t *v = json_loads(rows[i].json, 0, NULL);
		assert_non_null(v);
		assert_null(defjson_read(v, &err));
		assert_int_equal(err.code, ERR_USAGE);
		if (!strstr(err.msg, rows[i].error)) {
			fail_msg("%s: %s", rows[i].json, err.msg);
		}
		json_decref(v);
	}
}

static void test_bounds(void **state)
{
	struct err err = {0};
	char *big = xmalloc(LIMIT_INI_LINE + 2);
	(void)state;
	memset(big, 'x', LIMIT_INI_LINE + 1);
	big[LIMIT_INI_LINE + 1] = '\0';
	json_t *v = json_pack("{ss,ss,ss,s[[ssi]]}", "name", "a", "project", "p", "dir", "/d",
			      "set", "k", big, 1);
	assert_null(defjson_read(v, &err));
	json_decref(v);
	big[LIMIT_NAME + 1] = '\0';
	v = json_pack("{ss,ss,ss,s[]}", "name", big, "project", "p", "dir", "/d", "set");
	assert_null(defjson_read(v, &err));
	json_decref(v);
	free(big);

	json_t *set = json_array();
	for (int i = 0; i < 4097; i++) {
		char key[20];
		snprintf(key, sizeof(key), "env.K%d", i);
		json_array_append_new(set, json_pack("[ssi]", key, "v", 1));
	}
	v = json_pack("{ss,ss,ss,so}", "name", "a", "project", "p", "dir", "/d", "set", set);
	assert_null(defjson_read(v, &err));
	json_decref(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_not_utf8),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
