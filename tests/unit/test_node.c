/* SPDX-License-Identifier: MIT */
#include "proto/node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "common/mem.h"

#define LEN(s) (s), strlen(s)

static void test_internal(void **state)
{
	static const struct {
		const char *line;
		bool internal;
	} rows[] = {
		{"{\"cmd\":\"NODE_CLUSTER\"}", true},
		{"{\"cmd\":\"NODE_X", true},
		{"{\"cmd\":\"NODE_\"}", false},
		{"{\"cmd\":\"NODE_", false},
		{"{\"cmd\":\"NODE\"}", false},
		{"{\"act\":1,\"cmd\":\"NODE_CLUSTER\"}", false},
		{"\"ready\"", false},
		{"", false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(node_is_internal(LEN(rows[i].line)), rows[i].internal);
	}
}

#define C "{\"cmd\":\"NODE_CLUSTER\","

static void test_types(void **state)
{
	static const struct {
		const char *line;
		enum node_type type;
		bool ok;
	} rows[] = {
		{C "\"act\":\"online\",\"seq\":0}", NODE_ONLINE, true},
		{C "\"act\":\"listening\",\"port\":80}", NODE_LISTENING, true},
		{C "\"act\":\"close\",\"key\":\"k\"}", NODE_CLOSE, true},
		{C "\"act\":\"exitedAfterDisconnect\",\"seq\":4}", NODE_INTENDED, true},
		{C "\"act\":\"suicide\"}", NODE_OTHER, true},
		{C "\"ack\":3,\"accepted\":true,\"seq\":5}", NODE_REPLY, true},
		{C "\"seq\":5}", NODE_OTHER, true},
		{"{\"cmd\":\"NODE_HANDLE_ACK\"}", NODE_HANDLE_ACK, true},
		{"{\"cmd\":\"NODE_HANDLE_NACK\"}", NODE_HANDLE_NACK, true},
		{"{\"cmd\":\"NODE_NEW_THING\",\"x\":[{}]}", NODE_OTHER, true},
		{"{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Socket\",\"msg\":{\"a\":\"\\ud800\"}}",
		 NODE_HANDLE, true},
		/* The sender of a handle waits for our answer even if we cannot read it. */
		{"{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Socket\",\"msg\":{\"a\":}", NODE_HANDLE,
		 false},
		{C "\"act\":\"online\"", NODE_OTHER, false},
		{C "\"act\":\"online\"}}", NODE_ONLINE, false},
		{C "\"act\":\"online\",}", NODE_ONLINE, false},
		{C "\"act\":\"online\",,\"a\":1}", NODE_ONLINE, false},
		{C "\"act\":\"on\\qline\"}", NODE_OTHER, false},
		{C "\"a\":01}", NODE_OTHER, false},
		{C "\"a\":1.}", NODE_OTHER, false},
		{C "\"a\":nul}", NODE_OTHER, false},
		{C "\"a\":\"\\u12g4\"}", NODE_OTHER, false},
		{C "\"a\":[1,]}", NODE_OTHER, false},
		{C "\"a\":{\"b\"}}", NODE_OTHER, false},
		{C "\"a\":-}", NODE_OTHER, false},
		{"{\"cmd\":\"NODE_", NODE_OTHER, false},
		{C "\"a\":-1.5e+10, \"b\" : [ ] , \"c\":{ } }", NODE_OTHER, true},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct node_msg m;
		bool ok = node_parse(&m, LEN(rows[i].line));
		if (ok != rows[i].ok || m.type != rows[i].type) {
			fail_msg("%s: ok %d type %d", rows[i].line, ok, m.type);
		}
		node_msg_finish(&m);
	}
}

static void test_query_fields(void **state)
{
	static const char line[] =
		C "\"act\":\"queryServer\",\"index\":2,\"data\":{\"ticketKeys\":\"0a\","
		  "\"x\":[1.50,\"\\ud800\",{}]},\"address\":\"::1\",\"port\":3000,"
		  "\"addressType\":6,\"fd\":7,\"flags\":3,\"backlog\":128,"
		  "\"readableAll\":true,\"writableAll\":false,\"seq\":9}";
	struct node_msg m;
	struct buf key = {0};
	(void)state;
	assert_true(node_parse(&m, LEN(line)));
	assert_int_equal(m.type, NODE_QUERY);
	assert_string_equal(m.address.data, "::1");
	assert_int_equal(m.address_type, NODE_ADDR_TCP6);
	assert_int_equal(m.port, 3000);
	assert_int_equal(m.fd, 7);
	assert_int_equal(m.flags, 3);
	assert_int_equal(m.backlog, 128);
	assert_true(m.readable_all);
	assert_false(m.writable_all);
	assert_int_equal(m.index, 2);
	assert_int_equal(m.seq, 9);
	assert_true(span_is(m.data, "{\"ticketKeys\":\"0a\",\"x\":[1.50,\"\\ud800\",{}]}"));
	node_make_key(&m, &key);
	assert_string_equal(key.data, "::1:3000:6:7");
	node_msg_finish(&m);
	buf_finish(&key);
}

static void test_keys(void **state)
{
	static const struct {
		const char *rest, *key;
	} rows[] = {
		{"\"address\":null,\"port\":3000,\"addressType\":4,\"index\":1", "null:3000:4:-1"},
		{"\"address\":null,\"port\":0,\"addressType\":4,\"index\":1", "null:0:4:-1:1"},
		{"\"address\":\"/run/\\u00e9.sock\",\"port\":-1,\"addressType\":-1",
		 "/run/\xc3\xa9.sock:-1:-1:-1"},
		{"\"address\":null,\"port\":null,\"addressType\":null,\"fd\":3", "null:-1:null:3"},
		{"\"address\":\"0.0.0.0\",\"port\":53,\"addressType\":\"udp4\",\"fd\":-1",
		 "0.0.0.0:53:udp4:-1"},
		{"\"address\":\"x\",\"port\":1,\"addressType\":\"sctp\"", "x:1:bad:-1"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf line = {0};
		struct buf key = {0};
		struct node_msg m;
		buf_addf(&line, C "\"act\":\"queryServer\",%s}", rows[i].rest);
		assert_true(node_parse(&m, line.data, line.len));
		assert_true(span_is(m.data, "null"));
		node_make_key(&m, &key);
		assert_string_equal(key.data, rows[i].key);
		node_msg_finish(&m);
		buf_finish(&key);
		buf_finish(&line);
	}
}

static void test_text_of_strings(void **state)
{
	static const struct {
		const char *json, *text;
	} rows[] = {
		{"\"\"", ""},
		{"\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "a\"\\/\b\f\n\r\t"},
		{"\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"",
		 "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
		{"\"\\ud800x\\udc00\\ud800\\ud800\"",
		 "\xEF\xBF\xBDx\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b = {0};
		struct span s = {LEN(rows[i].json)};
		assert_true(span_text(s, &b));
		assert_string_equal(b.data, rows[i].text);
		buf_finish(&b);
	}
}

static void test_writers(void **state)
{
	struct node_reply r = {
		.key = "/a\"b\n:-1:-1:-1", .ack = 1, .seq = 7, .data = {"{\"t\":\"\\ud800\"}", 14}};
	struct buf b = {0};
	(void)state;
	node_write_shared(&b, &r, NODE_TCP);
	assert_string_equal(
		b.data, "{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Native\",\"socketType\":1,"
			"\"nativeKind\":\"tcp\",\"msg\":{\"cmd\":\"NODE_CLUSTER\",\"errno\":0,"
			"\"key\":\"/a\\\"b\\n:-1:-1:-1\",\"ack\":1,\"data\":{\"t\":\"\\ud800\"},"
			"\"seq\":7}}\n");
	r.data = (struct span){"null", 4};
	r.key = "k";
	buf_reset(&b);
	node_write_error(&b, &r, -98);
	assert_string_equal(b.data,
			    "{\"cmd\":\"NODE_CLUSTER\",\"errno\":-98,\"key\":\"k\",\"ack\":1,"
			    "\"data\":null,\"seq\":7}\n");
	buf_reset(&b);
	node_write_round_robin(&b, &r, "::", true, 80);
	assert_string_equal(b.data,
			    "{\"cmd\":\"NODE_CLUSTER\",\"errno\":null,\"key\":\"k\",\"ack\":1,"
			    "\"data\":null,\"seq\":7,\"sockname\":{\"address\":\"::\","
			    "\"family\":\"IPv6\",\"port\":80}}\n");
	buf_reset(&b);
	node_write_ack(&b, 3, 4);
	node_write_disconnect(&b, 5);
	node_write_handle_ack(&b);
	assert_string_equal(b.data, "{\"cmd\":\"NODE_CLUSTER\",\"ack\":3,\"seq\":4}\n"
				    "{\"cmd\":\"NODE_CLUSTER\",\"act\":\"disconnect\",\"seq\":5}\n"
				    "{\"cmd\":\"NODE_HANDLE_ACK\"}\n");
	buf_reset(&b);
	node_write_shared(&b, &r, NODE_UDP);
	assert_non_null(strstr(b.data, "\"dgram.Native\""));
	buf_reset(&b);
	node_write_newconn(&b, "k", 9);
	json_t *v = json_loadb(b.data, b.len, 0, NULL);
	assert_non_null(v);
	assert_string_equal(json_string_value(json_object_get(json_object_get(v, "msg"), "act")),
			    "newconn");
	json_decref(v);
	buf_finish(&b);
}

static void test_application_messages(void **state)
{
	static const struct {
		const char *json;
		bool ok;
	} rows[] = {
		{"\"ready\"", true},
		{"5", true},
		{"null", true},
		{"{\"a\":[\"\\ud800\"]}", true},
		{"", false},
		{"\n", false},
		{"1,\"b\":2", false},
		{"{", false},
		{"{}\n{}", false},
		{"{}}", false},
		{"1\n", false},
		{"{\"cmd\":\"NODE_CLUSTER\"}", false},
		{" {\"cmd\":\"x\"} ", true},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (node_message_ok(LEN(rows[i].json)) != rows[i].ok) {
			fail_msg("%s", rows[i].json);
		}
	}
	assert_true(node_is_text(LEN("\"ready\""), "ready"));
	assert_false(node_is_text(LEN("\"ready"), "ready"));
	assert_false(node_is_text(LEN("ready"), "ready"));
	assert_false(node_is_text("", 0, ""));
}

static void test_deep(void **state)
{
	struct buf b = {0};
	struct node_msg m;
	(void)state;
	buf_adds(&b, "{\"cmd\":\"NODE_HANDLE\",\"msg\":");
	for (int i = 0; i < 100000; i++) {
		buf_addc(&b, '[');
	}
	assert_false(node_parse(&m, b.data, b.len));
	assert_int_equal(m.type, NODE_HANDLE);
	node_msg_finish(&m);
	buf_finish(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_internal),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_query_fields),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_text_of_strings),
		cmocka_unit_test(test_writers),
		cmocka_unit_test(test_application_messages),
		cmocka_unit_test(test_deep),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
