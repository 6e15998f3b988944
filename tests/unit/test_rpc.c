/* SPDX-License-Identifier: MIT */
#include "proto/rpc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/mem.h"
#include "proto/params.h"

static void test_requests(void **state)
{
	static const struct {
		const char *line;
		enum rpc_code code;
		const char *text; /* the method, or a part of the message */
		bool has_id;
	} rows[] = {
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"list\",\"params\":{}}", RPC_OK, "list",
		 true},
		{"{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"ping\"}", RPC_OK, "ping", true},
		{"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", RPC_OK, "ping", true},
		{"{\"jsonrpc\":\"2.0\",\"method\":\"ping\"}\r", RPC_OK, "ping", false},
		{"", RPC_PARSE_ERROR, "not JSON", false},
		{"\x01\xff\xfe", RPC_PARSE_ERROR, "not JSON", false},
		{"{\"jsonrpc\":\"2.0\"", RPC_PARSE_ERROR, "not JSON", false},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"x\"}", RPC_PARSE_ERROR,
		 "duplicate", false},
		{"{\"jsonrpc\":\"2.0\",\"id\":99999999999999999999,\"method\":\"x\"}",
		 RPC_PARSE_ERROR, "big integer", false},
		{"{} {}", RPC_PARSE_ERROR, "not JSON", false},
		{"{}", RPC_BAD_REQUEST, "2.0", false},
		{"[]", RPC_BAD_REQUEST, "batches", false},
		{"{\"jsonrpc\":\"1.0\",\"id\":7,\"method\":\"x\"}", RPC_BAD_REQUEST, "2.0", true},
		{"{\"jsonrpc\":\"2.0\",\"id\":7}", RPC_BAD_REQUEST, "method", true},
		{"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":5}", RPC_BAD_REQUEST, "method", true},
		{"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"x\",\"params\":[1]}", RPC_BAD_REQUEST,
		 "params must be an object", true},
		{"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"x\",\"extra\":1}", RPC_BAD_REQUEST,
		 "extra", true},
		{"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"x\"}", RPC_BAD_REQUEST, "id must",
		 false},
		{"{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"x\"}", RPC_BAD_REQUEST, "id must",
		 false},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\\u0000b\"}", RPC_PARSE_ERROR,
		 "not JSON", false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rpc_request req;
		struct err err = {0};
		enum rpc_code code =
			rpc_parse_request(rows[i].line, strlen(rows[i].line), &req, &err);
		assert_int_equal(code, rows[i].code);
		assert_int_equal(req.id != NULL, rows[i].has_id);
		if (code == RPC_OK) {
			assert_string_equal(req.method, rows[i].text);
			assert_true(json_is_object(req.params));
		} else {
			assert_non_null(strstr(err.msg, rows[i].text));
		}
		rpc_request_finish(&req);
	}
}

static void test_deep_nesting(void **state)
{
	size_t n = 500000;
	char *line = malloc(n);
	struct rpc_request req;
	struct err err;
	(void)state;
	memset(line, '[', n);
	assert_int_equal(rpc_parse_request(line, n, &req, &err), RPC_PARSE_ERROR);
	assert_non_null(strstr(err.msg, "nested"));
	rpc_request_finish(&req);
	/* Brackets in a string do not count. */
	static const char head[] = "{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"params\":{\"a\":\"\\\"";
	memcpy(line, head, sizeof(head) - 1);
	memcpy(line + n - 3, "\"}}", 3);
	assert_int_equal(rpc_parse_request(line, n, &req, &err), RPC_OK);
	rpc_request_finish(&req);
	free(line);
}

static void test_writers_and_reader(void **state)
{
	struct buf b = {0};
	struct rpc_reply r;
	struct err err = {0};
	json_t *id = json_string("x\"1");
	(void)state;

	rpc_write_result_begin(&b, id);
	buf_adds(&b, "{\"a\":1}");
	rpc_write_result_end(&b);
	assert_string_equal(b.data,
			    "{\"jsonrpc\":\"2.0\",\"id\":\"x\\\"1\",\"result\":{\"a\":1}}\n");
	json_decref(id);

	buf_reset(&b);
	id = json_integer(5);
	rpc_write_result_begin(&b, id);
	buf_adds(&b, "{\"a\":1}");
	rpc_write_result_end(&b);
	assert_true(rpc_parse_reply(b.data, b.len, &r, &err));
	assert_int_equal(r.kind, RPC_RESULT);
	assert_int_equal(r.id, 5);
	assert_int_equal(json_integer_value(json_object_get(r.result, "a")), 1);
	rpc_reply_finish(&r);

	buf_reset(&b);
	err_set(&err, ERR_NO_TARGET, "no app \"wbe\"");
	rpc_write_error(&b, id, &err, "apps: web");
	assert_string_equal(b.data, "{\"jsonrpc\":\"2.0\",\"id\":5,\"error\":{\"code\":-32004,"
				    "\"message\":\"no app \\\"wbe\\\"\",\"data\":{\"code\":"
				    "\"no_such_target\",\"exit\":4,\"hint\":\"apps: web\"}}}\n");
	assert_true(rpc_parse_reply(b.data, b.len, &r, &err));
	assert_int_equal(r.kind, RPC_ERROR);
	assert_int_equal(r.error.code, ERR_NO_TARGET);
	assert_int_equal(r.rpc_code, -32004);
	assert_string_equal(r.error.msg, "no app \"wbe\"");
	assert_string_equal(r.hint, "apps: web");
	rpc_reply_finish(&r);

	buf_reset(&b);
	rpc_write_error_code(&b, NULL, RPC_PARSE_ERROR, &err, NULL);
	assert_true(rpc_parse_reply(b.data, b.len, &r, &err));
	assert_int_equal(r.id, -1);
	assert_int_equal(r.rpc_code, -32700);
	assert_null(r.hint);
	rpc_reply_finish(&r);

	buf_reset(&b);
	rpc_write_notification(&b, "event", NULL);
	assert_true(rpc_parse_reply(b.data, b.len, &r, &err));
	assert_int_equal(r.kind, RPC_NOTIFICATION);
	assert_string_equal(r.method, "event");
	rpc_reply_finish(&r);

	buf_reset(&b);
	json_t *params = json_pack("{s:[s]}", "sel", "web");
	rpc_write_request(&b, 12, "stop", params);
	assert_string_equal(b.data, "{\"jsonrpc\":\"2.0\",\"id\":12,\"method\":\"stop\",\"params\":"
				    "{\"sel\":[\"web\"]}}\n");
	json_decref(params);
	json_decref(id);
	buf_finish(&b);
}

static void test_bad_replies(void **state)
{
	static const char *const rows[] = {
		"",
		"[]",
		"{\"jsonrpc\":\"2.0\"}",
		"{\"jsonrpc\":\"2.0\",\"id\":1}",
		"{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"result\":1}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":5}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":\"1\",\"message\":\"x\"}}",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rpc_reply r;
		struct err err = {0};
		assert_false(rpc_parse_reply(rows[i], strlen(rows[i]), &r, &err));
		assert_int_equal(err.code, ERR_NO_DAEMON);
		rpc_reply_finish(&r);
	}
}

static const struct rpc_param table[] = {
	{.name = "sel", .type = RPC_STRS, .required = true},
	{.name = "n", .type = RPC_INT, .max = 1000},
	{.name = "pid", .type = RPC_INT, .min = 1, .max = 10},
	{.name = "after", .type = RPC_INT},
	{.name = "wait", .type = RPC_BOOL},
	{.name = "name", .type = RPC_STR},
	{.name = "apps", .type = RPC_DEFS},
	{.name = "message", .type = RPC_ANY},
};

static void test_params(void **state)
{
	static const struct {
		const char *json;
		const char *error; /* NULL = fine */
	} rows[] = {
		{"{\"sel\":[]}", NULL},
		{"{\"sel\":[\"a\",\"b\"],\"n\":1000,\"wait\":false,\"name\":\"x\",\"apps\":[{}],"
		 "\"message\":[null],\"after\":9223372036854775807}",
		 NULL},
		{"{\"sel\":[],\"message\":null}", NULL},
		{"{}", "\"sel\" is missing"},
		{"{\"sel\":\"a\"}", "\"sel\" must be an array of strings"},
		{"{\"sel\":[1]}", "\"sel\" must be an array of strings"},
		{"{\"sel\":[],\"n\":1001}", "\"n\" must be from 0 to 1000"},
		{"{\"sel\":[],\"n\":-1}", "\"n\" must be from 0 to 1000"},
		{"{\"sel\":[],\"n\":1.0}", "\"n\" must be an integer"},
		{"{\"sel\":[],\"n\":true}", "\"n\" must be an integer"},
		{"{\"sel\":[],\"pid\":0}", "\"pid\" must be from 1 to 10"},
		{"{\"sel\":[],\"after\":-1}", "\"after\" must be at least 0"},
		{"{\"sel\":[],\"wait\":1}", "\"wait\" must be true or false"},
		{"{\"sel\":[],\"name\":null}", "\"name\" must be a string"},
		{"{\"sel\":[],\"apps\":[1]}", "\"apps\" must be an array of objects"},
		{"{\"sel\":[],\"sell\":[]}", "unknown parameter \"sell\"; known: sel, n,"},
		{"{\"sel\":[],\"\\u001b[2J\":1}", "unknown parameter \"\\x1b"},
		{"[]", "params must be an object"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = {0};
		json_t *params = json_loads(rows[i].json, 0, NULL);
		assert_non_null(params);
		bool ok = rpc_params_check(params, table, ARRAY_LEN(table), &err);
		if (rows[i].error) {
			assert_false(ok);
			assert_int_equal(err.code, ERR_USAGE);
			if (!strstr(err.msg, rows[i].error)) {
				fail_msg("%s: %s", rows[i].json, err.msg);
			}
		} else {
			assert_true(ok);
		}
		json_decref(params);
	}
	struct err err = {0};
	json_t *many = json_array();
	for (int i = 0; i < 1001; i++) {
		json_array_append_new(many, json_string("a"));
	}
	json_t *params = json_pack("{so}", "sel", many);
	assert_false(rpc_params_check(params, table, ARRAY_LEN(table), &err));
	assert_int_equal(err.code, ERR_LIMIT);
	json_decref(params);
	assert_false(rpc_params_check(NULL, table, 1, &err));
	assert_true(rpc_params_check(NULL, NULL, 0, &err));
}

static void test_getters(void **state)
{
	json_t *p = json_loads("{\"s\":\"x\",\"i\":7,\"b\":true}", 0, NULL);
	(void)state;
	assert_string_equal(rpc_param_str(p, "s"), "x");
	assert_null(rpc_param_str(p, "t"));
	assert_int_equal(rpc_param_int(p, "i", 1), 7);
	assert_int_equal(rpc_param_int(p, "j", 1), 1);
	assert_true(rpc_param_bool(p, "b", false));
	assert_true(rpc_param_bool(p, "c", true));
	json_decref(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_deep_nesting),
		cmocka_unit_test(test_writers_and_reader),
		cmocka_unit_test(test_bad_replies),
		cmocka_unit_test(test_params),
		cmocka_unit_test(test_getters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
