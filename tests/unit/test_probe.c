/* SPDX-License-Identifier: MIT */
#include "config/probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "common/mem.h"

static const struct {
	enum probe_kind kind;
	const char *arg, *host;
	uint16_t port;
	const char *path, *text;
} good[] = {
	{PROBE_HTTP, "http://127.0.0.1:3000/healthz", "127.0.0.1", 3000, "/healthz",
	 "GET /healthz"},
	{PROBE_HTTP, "http://localhost", "127.0.0.1", 80, "/", "GET /"},
	{PROBE_HTTP, "http://[::1]:{port}/s/{slot}?a=b#c", "::1", 4002, "/s/2?a=b", "GET /s/2?a=b"},
	{PROBE_HTTP, "http://[::1]", "::1", 80, "/", "GET /"},
	{PROBE_HTTP, "http://10.0.0.1?x", "10.0.0.1", 80, "/?x", "GET /?x"},
	{PROBE_TCP, "tcp://127.0.0.1:{port}", "127.0.0.1", 4002, NULL, "tcp 127.0.0.1:4002"},
	{PROBE_TCP, "tcp://[fe80::1]:1", "fe80::1", 1, NULL, "tcp [fe80::1]:1"},
	{PROBE_UNIX, "unix:/run/app-{slot}.sock", NULL, 0, "/run/app-2.sock",
	 "unix /run/app-2.sock"},
	{PROBE_EXEC, "exec:check 'a b' {port}", NULL, 0, NULL, "check"},
};

static void assert_text(const char *a, const char *b)
{
	if (a && b) {
		assert_string_equal(a, b);
	} else {
		assert_ptr_equal(a, b);
	}
}

static void targets(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct probe p = {.kind = good[i].kind, .arg = (char *)(uintptr_t)good[i].arg};
		struct probe_target t;
		struct err err;
		assert_true(probe_expand(&p, 4002, 2, &t, &err));
		assert_text(t.host, good[i].host);
		assert_text(t.path, good[i].path);
		assert_text(t.text, good[i].text);
		assert_int_equal(t.port, good[i].port);
		if (t.kind == PROBE_EXEC) {
			assert_int_equal(t.argv.n, 3);
			assert_string_equal(t.argv.v[1], "a b");
			assert_string_equal(t.argv.v[2], "4002");
		}
		probe_target_finish(&t);
	}
}

static const struct {
	enum probe_kind kind;
	const char *arg, *reason;
} bad[] = {
	{PROBE_HTTP, "https://127.0.0.1/", "https:// is not supported; ask with http:// or tcp://"},
	{PROBE_HTTP, "http://", "\"\" is not an address"},
	{PROBE_HTTP, "http://db/", "\"db\" is not an address"},
	{PROBE_HTTP, "http://127.0.0.1:/", "\"\" is not a port"},
	{PROBE_HTTP, "http://127.0.0.1:0/", "\"0\" is not a port"},
	{PROBE_HTTP, "http://127.0.0.1:65536/", "\"65536\" is not a port"},
	{PROBE_HTTP, "http://127.0.0.1:1x/", "\"1x\" is not a port"},
	{PROBE_HTTP, "http://[::1/", "\"[::1\" is not an address"},
	{PROBE_HTTP, "http://127.0.0.1/\x01", "a URL has no blanks"},
	{PROBE_HTTP, "http://127.0.0.1/a\r\nX: y", "a URL has no blanks"},
	{PROBE_HTTP, "http://127.0.0.1:{port}/", "{port} is not known"},
	{PROBE_TCP, "tcp://127.0.0.1", "has no port"},
	{PROBE_UNIX, "unix:relative", "unix: needs a path"},
	{PROBE_EXEC, "exec:", "exec: needs a command"},
	{PROBE_EXEC, "exec:'x", ""},
};

static void refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct probe p = {.kind = bad[i].kind, .arg = (char *)(uintptr_t)bad[i].arg};
		struct probe_target t;
		struct err err;
		assert_false(probe_expand(&p, 0, 0, &t, &err));
		assert_non_null(strstr(err.msg, bad[i].reason));
		probe_target_finish(&t);
	}
}

static void ports(void **state)
{
	(void)state;
	struct env_var env[] = {{(char[]){"PORT"}, (char[]){"4000"}},
				{(char[]){"ADMIN"}, (char[]){"65535"}}};
	struct listen_addr listen[] = {{.kind = LISTEN_UDP, .port = 1},
				       {.kind = LISTEN_TCP, .port = 5000}};
	struct app_conf c = {.env = env, .nenv = 2, .listen = listen, .nlisten = 2};
	assert_int_equal(probe_port(&c, 3), 4000);
	c.increment_var = env[0].name;
	assert_int_equal(probe_port(&c, 3), 4003);
	c.increment_var = env[1].name;
	assert_int_equal(probe_port(&c, 0), 65535);
	assert_int_equal(probe_port(&c, 1), 0);
	c.increment_var = NULL;
	c.nenv = 0;
	assert_int_equal(probe_port(&c, 3), 5000);
	struct probe_target t = {.kind = PROBE_TCP, .port = 5000};
	assert_true(probe_is_shared(&c, &t));
	t.port = 1;
	assert_false(probe_is_shared(&c, &t));
	c.nlisten = 0;
	assert_int_equal(probe_port(&c, 3), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets),
		cmocka_unit_test(refused),
		cmocka_unit_test(ports),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
