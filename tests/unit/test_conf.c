/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/conf.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "common/limits.h"
#include "common/mem.h"

/* An ad hoc definition from "key", "value", ..., NULL. */
static struct app_def *define(const char *const *kv)
{
	struct app_def *d = def_new("web", "shop", NULL, "/srv/shop", 0);
	for (; kv[0]; kv += 2) {
		def_set(d, kv[0], kv[1], 0);
	}
	return d;
}

static struct app_conf decode(const char *const *kv)
{
	struct app_def *d = define(kv);
	struct app_conf c;
	struct err_list errs = {0};
	if (!conf_decode(&c, d, &errs)) {
		fail_msg("%s", errs.msg[0]);
	}
	assert_int_equal(errs.count, 0);
	def_free(d);
	return c;
}
#define DECODE(...) decode((const char *const[]){__VA_ARGS__, NULL, NULL})

static void test_defaults(void **state)
{
	(void)state;
	struct app_conf c = DECODE("script", "app.js");
	assert_string_equal(c.name, "web");
	assert_string_equal(c.project, "shop");
	assert_string_equal(c.script, "/srv/shop/app.js");
	assert_string_equal(c.cwd, "/srv/shop");
	assert_string_equal(c.instance_var, "NODE_APP_INSTANCE");
	assert_int_equal(c.instances.n, 1);
	assert_false(c.instances.given);
	assert_int_equal(c.mode, MODE_FORK);
	assert_int_equal(c.balance, BALANCE_SHARED);
	assert_true(c.graceful && c.autostart);
	assert_int_equal(c.autorestart, RESTART_ALWAYS);
	assert_int_equal(c.restart_delay_ms, 100);
	assert_int_equal(c.restart_delay_max_ms, 15000);
	assert_int_equal(c.max_restarts, 10);
	assert_int_equal(c.restart_window_ms, 300000);
	assert_int_equal(c.min_uptime_ms, 1000);
	assert_int_equal(c.memory_max, 0);
	assert_int_equal(c.stop_signal, SIGTERM);
	assert_int_equal(c.stop_timeout_ms, 10000);
	assert_int_equal(c.kill_mode, KILL_TREE);
	assert_int_equal(c.ready.kind, PROBE_AUTO);
	assert_int_equal(c.ready_timeout_ms, 30000);
	assert_int_equal(c.health.kind, PROBE_NONE);
	assert_null(c.log_out);
	assert_int_equal(c.log_format, LOG_RAW);
	assert_int_equal(c.log_max_size, 10 << 20);
	assert_int_equal(c.log_keep, 5);
	assert_false(c.log_compress);
	assert_int_equal(c.umask, -1);
	assert_false(c.nice_given);
	assert_int_equal(c.watch_ignore.n, 2);
	conf_finish(&c);
	conf_finish(&c);
}

static void test_values(void **state)
{
	(void)state;
	struct app_conf c = DECODE(
		"script", "./bin/app", "args", "a 'b c'", "interpreter", "venv/bin/python",
		"interpreter_args", "-u", "cwd", "current", "env.A", "", "env.PORT", "3000",
		"env_file", ".env", "instances", "max-1", "increment_var", "PORT", "namespace",
		"ns", "autostart", "OFF", "autorestart", "no", "stop_exit_codes", "0, 64 64,65",
		"restart_delay", "20s", "max_restarts", "0", "memory_max", "1.5G", "stop_signal",
		"RTMIN+2", "stop_timeout", "0", "kill_mode", "process", "ready", "notify",
		"log_out", "none", "log_err", "logs/e.log", "log_format", "json", "log_max_size",
		"0", "log_compress", "gzip", "user", "www-data", "group", "33", "umask", "027",
		"nice", "-5", "limit.nofile", "1024:64K", "limit.core", "unlimited", "cpu_affinity",
		"0-3, 5");
	assert_string_equal(c.script, "/srv/shop/bin/app");
	assert_int_equal(c.args.n, 2);
	assert_string_equal(c.args.v[1], "b c");
	assert_string_equal(c.interpreter, "/srv/shop/venv/bin/python");
	assert_string_equal(c.cwd, "/srv/shop/current");
	assert_int_equal(c.nenv, 2);
	assert_string_equal(c.env[0].name, "A");
	assert_string_equal(c.env[0].value, "");
	assert_string_equal(c.env_file, "/srv/shop/.env");
	assert_int_equal(c.instances.kind, COUNT_MAX_LESS);
	assert_true(c.instances.given);
	assert_string_equal(c.increment_var, "PORT");
	assert_false(c.autostart);
	assert_int_equal(c.autorestart, RESTART_NEVER);
	assert_int_equal(c.nstop_exit_codes, 3);
	assert_int_equal(c.stop_exit_codes[2], 65);
	assert_int_equal(c.restart_delay_max_ms, 20000); /* never below restart_delay */
	assert_int_equal(c.max_restarts, 0);
	assert_int_equal(c.memory_max, 1610612736);
	assert_int_equal(c.stop_signal, SIGRTMIN + 2);
	assert_int_equal(c.stop_timeout_ms, 0);
	assert_int_equal(c.kill_mode, KILL_PROCESS);
	assert_int_equal(c.ready.kind, PROBE_NOTIFY);
	assert_string_equal(c.log_out, "");
	assert_string_equal(c.log_err, "/srv/shop/logs/e.log");
	assert_int_equal(c.log_format, LOG_JSON);
	assert_int_equal(c.log_max_size, 0);
	assert_true(c.log_compress);
	assert_string_equal(c.user, "www-data");
	assert_string_equal(c.group, "33");
	assert_int_equal(c.umask, 027);
	assert_int_equal(c.nice, -5);
	assert_int_equal(c.nlimits, 2);
	assert_int_equal(c.limits[0].resource, RLIMIT_CORE);
	assert_true(c.limits[0].soft == UINT64_MAX && c.limits[0].hard == UINT64_MAX);
	assert_true(c.limits[1].soft == 1024 && c.limits[1].hard == 65536);
	assert_string_equal(c.cpu_list, "0-3,5");
	conf_finish(&c);
}

static void test_listen(void **state)
{
	(void)state;
	struct app_conf c = DECODE("command", "srv", "listen",
				   "8080, 127.0.0.1:81,[::1]:82 , unix:run/s.sock,udp:53, "
				   "udp:localhost:54, *:83, tcp:84");
	static const struct {
		enum listen_kind kind;
		const char *host, *path, *text;
		int port;
	} want[] = {
		{LISTEN_TCP, NULL, NULL, "8080", 8080},
		{LISTEN_TCP, "127.0.0.1", NULL, "127.0.0.1:81", 81},
		{LISTEN_TCP, "::1", NULL, "[::1]:82", 82},
		{LISTEN_UNIX, NULL, "/srv/shop/run/s.sock", "unix:run/s.sock", 0},
		{LISTEN_UDP, NULL, NULL, "udp:53", 53},
		{LISTEN_UDP, "localhost", NULL, "udp:localhost:54", 54},
		{LISTEN_TCP, NULL, NULL, "*:83", 83},
		{LISTEN_TCP, NULL, NULL, "tcp:84", 84},
	};
	assert_int_equal(c.nlisten, ARRAY_LEN(want));
	for (size_t i = 0; i < c.nlisten; i++) {
		assert_int_equal(c.listen[i].kind, want[i].kind);
		assert_int_equal(c.listen[i].port, want[i].port);
		assert_string_equal(c.listen[i].text, want[i].text);
		assert_string_equal(c.listen[i].host ? c.listen[i].host : "-",
				    want[i].host ? want[i].host : "-");
		assert_string_equal(c.listen[i].path ? c.listen[i].path : "-",
				    want[i].path ? want[i].path : "-");
	}
	conf_finish(&c);
}

static void test_program(void **state)
{
	(void)state;
	static const struct {
		const char *script, *interpreter, *command;
		const char *argv; /* joined */
		bool node;
	} rows[] = {
		{"app.js", NULL, NULL, "node /srv/shop/app.js", true},
		{"app.cjs", NULL, NULL, "node /srv/shop/app.cjs", true},
		{"app.mjs", NULL, NULL, "node /srv/shop/app.mjs", true},
		{"app.ts", NULL, NULL, "node /srv/shop/app.ts", true},
		{"a.py", NULL, NULL, "python3 /srv/shop/a.py", false},
		{"a.sh", NULL, NULL, "bash /srv/shop/a.sh", false},
		{"a.rb", NULL, NULL, "ruby /srv/shop/a.rb", false},
		{"a.php", NULL, NULL, "php /srv/shop/a.php", false},
		{"a.pl", NULL, NULL, "perl /srv/shop/a.pl", false},
		{"a.out", NULL, NULL, "/srv/shop/a.out", false},
		{"/bin/true", NULL, NULL, "/bin/true", false},
		{"x.js/run", NULL, NULL, "/srv/shop/x.js/run", false},
		{".js", NULL, NULL, "/srv/shop/.js", false},
		{"app.js", "none", NULL, "/srv/shop/app.js", false},
		{"app.js", "deno", NULL, "deno /srv/shop/app.js", true},
		{"app", "/opt/n/bin/node", NULL, "/opt/n/bin/node /srv/shop/app", true},
		{"app", "nodejs", NULL, "nodejs /srv/shop/app", true},
		{NULL, NULL, "node --trace app.js", "node --trace app.js", true},
		{NULL, NULL, "/usr/bin/node app.js", "/usr/bin/node app.js", true},
		{NULL, NULL, "npm start", "npm start", false},
		{NULL, NULL, "deno run app.js", "deno run app.js", true},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *kv[8] = {0};
		size_t n = 0;
		const char *const cells[] = {"script",	    rows[i].script,
					     "interpreter", rows[i].interpreter,
					     "command",	    rows[i].command};
		for (size_t k = 0; k < ARRAY_LEN(cells); k += 2) {
			if (cells[k + 1]) {
				kv[n++] = cells[k];
				kv[n++] = cells[k + 1];
			}
		}
		struct app_conf c = decode(kv);
		struct words argv = {0};
		conf_argv(&c, NULL, &argv);
		char *text = words_join(argv.v, argv.n);
		assert_string_equal(text, rows[i].argv);
		assert_int_equal(conf_is_node(&c), rows[i].node);
		free(text);
		words_finish(&argv);
		conf_finish(&c);
	}
}

static void test_mode(void **state)
{
	(void)state;
	struct app_conf c = DECODE("script", "app.js", "instances", "1");
	assert_int_equal(c.mode, MODE_CLUSTER);
	conf_finish(&c);
	c = DECODE("script", "app.py", "instances", "4");
	assert_int_equal(c.mode, MODE_FORK);
	conf_finish(&c);
	c = DECODE("script", "app.js", "instances", "4", "mode", "fork");
	assert_int_equal(c.mode, MODE_FORK);
	conf_finish(&c);
	c = DECODE("script", "app.js", "mode", "cluster");
	assert_int_equal(c.mode, MODE_CLUSTER);
	conf_finish(&c);
}

static void test_instances(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int cpus, want;
	} rows[] = {
		{"4", 1, 4},	 {"1000", 1, 1000},
		{"max", 8, 8},	 {"max", 5000, LIMIT_INSTANCES_APP},
		{"max-1", 8, 7}, {"max-9", 8, 1},
		{"50%", 8, 4},	 {"50%", 3, 1},
		{"50%", 1, 1},	 {"100%", 8, 8},
		{"200%", 8, 16}, {"1%", 8, 1},
		{"max-0", 8, 8},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct app_conf c = DECODE("script", "app.js", "instances", rows[i].text);
		assert_int_equal(conf_instances(&c, rows[i].cpus), rows[i].want);
		conf_finish(&c);
	}
}

/* One bad key each, beside a good program. */
static const struct {
	const char *key, *value, *reason;
} bad[] = {
	{"instances", "0", "0 is out of range; 1 to 1000"},
	{"instances", "1001", "1001 is out of range; 1 to 1000"},
	{"instances", "99999999999999999999", "99999999999999999999 is out of range; 1 to 1000"},
	{"instances", "1e3", "\"1e3\" is not a number of instances; use 4, max, max-1 or 50%"},
	{"instances", "-1", "\"-1\" is not a number of instances; use 4, max, max-1 or 50%"},
	{"instances", "0%", "\"0%\" is not a number of instances; use 4, max, max-1 or 50%"},
	{"instances", "max-", "\"max-\" is not a number of instances; use 4, max, max-1 or 50%"},
	{"instances", "", "is empty"},
	{"mode", "clustr",
	 "\"clustr\" is not one of auto, fork, cluster; did you mean \"cluster\"?"},
	{"balance", "x", "\"x\" is not one of shared, reuseport, round-robin"},
	{"autostart", "maybe", "\"maybe\" is not yes or no"},
	{"autorestart", "sometimes", "\"sometimes\" is not one of always, on-failure, never"},
	{"stop_exit_codes", "1,256", "\"256\" is not an exit code from 0 to 255"},
	{"stop_exit_codes", "-1", "\"-1\" is not an exit code from 0 to 255"},
	{"stop_exit_codes", ",", "has no exit code in it"},
	{"restart_delay", "10x", "\"10x\" is not a duration; use 500ms, 10s, 5m or 1h"},
	{"restart_delay", "-1s", "\"-1s\" is not a duration; use 500ms, 10s, 5m or 1h"},
	{"restart_delay", "2d", "2d is out of range; 0 to 1d"},
	{"restart_delay_max", "50ms", "is below restart_delay"},
	{"restart_window", "0", "0 is out of range; 1s to 30d"},
	{"max_restarts", "1.5", "\"1.5\" is not a whole number"},
	{"max_restarts", "2147483648", "2147483648 is out of range; 0 to 1000000"},
	{"memory_max", "512X", "\"512X\" is not a size; use 512M or 2G"},
	{"memory_max", "100", "100 is 100 bytes, and the least is 1M; did you mean 100M?"},
	{"memory_max", "1000000", "1000000 is too small; the least is 1M"},
	{"memory_max", "100K", "100K is too small; the least is 1M"},
	{"memory_max", "", "is empty"},
	{"stop_signal", "SIGWNICH", "\"SIGWNICH\" is not a signal; did you mean \"SIGWINCH\"?"},
	{"stop_timeout", "2h", "2h is out of range; 0 to 1h"},
	{"kill_mode", "all", "\"all\" is not one of tree, group, process"},
	{"ready", "notfy",
	 "\"notfy\" is not one of auto, spawn, listening, message, notify, http://..., "
	 "tcp://HOST:PORT, unix:PATH, exec:COMMAND; did you mean \"notify\"?"},
	{"cron_restart", "0 25 * * *", "hour: \"25\" is not a number from 0 to 23"},
	{"leak_window", "5s", "5s is out of range; 10s to 7d"},
	{"listen", "0", "\"0\" is not a port from 1 to 65535"},
	{"listen", "65536", "\"65536\" is not a port from 1 to 65535"},
	{"listen", "80,,81", "there is nothing between two commas"},
	{"listen", "80, 81, *:80", "\"*:80\" is given twice"},
	{"listen", "LocalHost:80,localhost:80", "\"localhost:80\" is given twice"},
	{"listen", "unix:a,unix:./a", "\"unix:./a\" is given twice"},
	{"listen", "::1:80", "an IPv6 address is written [ADDRESS]:PORT"},
	{"listen", "[::1]", "an IPv6 address is written [ADDRESS]:PORT"},
	{"listen", "[::g]:80", "\"::g\" is not an IPv6 address"},
	{"listen", "1.2.3:80", "\"1.2.3\" is not a host name or address"},
	{"listen", "a b:80", "\"a b\" is not a host name or address"},
	{"listen", ":80", "\"\" is not a host name or address"},
	{"listen", "host:", "\"\" is not a port from 1 to 65535"},
	{"listen", "unix:", "unix: needs a path"},
	{"env.1A", "x", "\"1A\" is not a variable name; letters, digits and _ only"},
	{"env.", "x", "the variable has no name"},
	{"env.A-B", "x", "\"A-B\" is not a variable name; letters, digits and _ only"},
	{"env.PMCTL_ID", "x", "is set by pmctl itself"},
	{"env.LISTEN_FDS", "x", "is set by pmctl itself"},
	{"env.NODE_CHANNEL_FD", "x", "is set by pmctl itself"},
	{"env.NOTIFY_SOCKET", "x", "is set by pmctl itself"},
	{"env.NODE_APP_INSTANCE", "1", "is set by pmctl to the slot number (instance_var)"},
	{"instance_var", "PMCTL_SLOT", "PMCTL_SLOT is set by pmctl itself"},
	{"increment_var", "PORT", "env.PORT is not set"},
	{"namespace", "a b", "the name may have only letters, digits, _ . and -"},
	{"log_out", "logs/", "must be a file, not a folder"},
	{"log_format", "xml", "\"xml\" is not one of raw, time, json"},
	{"log_max_size", "-1", "\"-1\" is not a size; use 512M or 2G"},
	{"log_keep", "1001", "1001 is out of range; 0 to 1000"},
	{"log_compress", "zip", "\"zip\" is not one of no, gzip; did you mean \"gzip\"?"},
	{"user", "a:b", "\"a:b\" is not a name or number"},
	{"umask", "8", "\"8\" is not an octal mask; use 022 or 077"},
	{"umask", "1777", "\"1777\" is not an octal mask; use 022 or 077"},
	{"nice", "20", "\"20\" is not a number from -20 to 19"},
	{"nice", "--1", "\"--1\" is not a number from -20 to 19"},
	{"limit.nofiles", "1", "\"nofiles\" is not a limit of setrlimit; did you mean \"nofile\"?"},
	{"limit.nofile", "2:1", "the soft limit is above the hard one"},
	{"limit.nofile", "x", "\"x\" is not a limit; use 1024, 1024:4096 (soft:hard) or unlimited"},
	{"limit.nofile",
	 "1:", "\"1:\" is not a limit; use 1024, 1024:4096 (soft:hard) or unlimited"},
	{"cpu_affinity", "3-1", "\"3-1\" is not a list of CPUs; use auto or 0-3,5"},
	{"cpu_affinity", "0,", "\"0,\" is not a list of CPUs; use auto or 0-3,5"},
	{"cpu_affinity", "0-1-2", "\"0-1-2\" is not a list of CPUs; use auto or 0-3,5"},
	{"cpu_affinity", "99999999999999999999",
	 "\"99999999999999999999\" is not a list of CPUs; use auto or 0-3,5"},
	{"args", "'open", "a ' quote is not closed"},
	{"instnaces", "1", "unknown key; did you mean \"instances\"?"},
	{"x\x1b[2J", "1", "unknown key"},
};

static void test_bad_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const char *const kv[] = {"script", "app.js", bad[i].key, bad[i].value, NULL};
		struct app_def *d = define(kv);
		struct app_conf c;
		struct err_list errs = {0};
		assert_false(conf_decode(&c, d, &errs));
		assert_null(c.script);
		char *want =
			xasprintf("app web: %s: %s",
				  bad[i].key[0] == 'x' ? "x\\x1b[2J" : bad[i].key, bad[i].reason);
		assert_string_equal(errs.msg[0], want);
		assert_int_equal(errs.count, 1);
		free(want);
		err_list_finish(&errs);
		def_free(d);
	}
}

/* What is wrong only together. */
static void test_bad_together(void **state)
{
	(void)state;
	static const struct {
		const char *kv[10];
		const char *want;
	} rows[] = {
		{{"args", "x"}, "script: is missing; an app needs script or command"},
		{{"script", "a", "command", "b"},
		 "command: script is given too; an app has one of them"},
		{{"command", "b", "args", "x"},
		 "args: does not go with command; write the arguments into it"},
		{{"command", "b", "interpreter", "x"},
		 "interpreter: does not go with command; write it into the command"},
		{{"command", "''"}, "command: names no program"},
		{{"command", " "}, "command: names no program"},
		{{"script", "a.py", "mode", "cluster"},
		 "mode: cluster needs a node program; others share a port with listen"},
		{{"script", "a.py", "ready", "message"},
		 "ready: message needs a node program; others can use notify"},
		{{"script", "a", "interpreter_args", "-u"},
		 "interpreter_args: the script is run itself, without an interpreter"},
		{{"script", "a", "env.PORT", "x", "increment_var", "PORT"},
		 "env.PORT: is not a number, so increment_var cannot count it up"},
		{{"script", "a", "instance_var", "SLOT", "env.SLOT", "1"},
		 "env.SLOT: is set by pmctl to the slot number (instance_var)"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct app_def *d = define(rows[i].kv);
		struct app_conf c;
		struct err_list errs = {0};
		assert_false(conf_decode(&c, d, &errs));
		char *want = xasprintf("app web: %s", rows[i].want);
		assert_string_equal(errs.msg[0], want);
		assert_int_equal(errs.count, 1);
		free(want);
		err_list_finish(&errs);
		def_free(d);
	}
}

static void test_names(void **state)
{
	(void)state;
	static const struct {
		const char *name, *want; /* NULL = good */
	} rows[] = {
		{"web", NULL},
		{"0web_a.b-C", NULL},
		{"1234567890123456789012345678901234567890a", "longer than 40"},
		{"", "is empty"},
		{"12", "all digits"},
		{".x", "start with ."},
		{"-x", "start with -"},
		{"all", "means every app"},
		{"a/../b", "only letters"},
		{"a b", "only letters"},
		{"\xc3\xa9", "only letters"},
		{"a\x1b[2Jb", "app a\\x1b[2Jb: the name may have only letters"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct app_def *d = def_new(rows[i].name, "p", NULL, "/", 0);
		def_set(d, "script", "x", 0);
		struct app_conf c;
		struct err_list errs = {0};
		assert_int_equal(conf_decode(&c, d, &errs), rows[i].want == NULL);
		if (rows[i].want) {
			assert_int_equal(errs.count, 1);
			assert_non_null(strstr(errs.msg[0], rows[i].want));
		}
		err_list_finish(&errs);
		conf_finish(&c);
		def_free(d);
	}
}

/* A huge value is shown short; a 300 character name too. */
static void test_long_values_are_shown_short(void **state)
{
	(void)state;
	char *big = xmalloc(60001);
	memset(big, 'x', 60000);
	big[60000] = '\0';
	struct app_def *d = def_new(big, "p", NULL, "relative", 0);
	struct app_conf c;
	struct err_list errs = {0};
	def_set(d, "script", big, 0);
	def_set(d, big, big, 0);
	def_set(d, "memory_max", big, 0);
	assert_false(conf_decode(&c, d, &errs));
	assert_int_equal(errs.count, 5);
	for (size_t i = 0; i < errs.count; i++) {
		assert_true(strlen(errs.msg[i]) < 500);
	}
	err_list_finish(&errs);
	def_free(d);
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_listen),
		cmocka_unit_test(test_program),
		cmocka_unit_test(test_mode),
		cmocka_unit_test(test_instances),
		cmocka_unit_test(test_bad_values),
		cmocka_unit_test(test_bad_together),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_long_values_are_shown_short),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
