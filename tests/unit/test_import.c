/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/import/json.h"
#include "client/import/map.h"
#include "client/import/read.h"
#include "client/import/report.h"
#include "client/import/shellline.h"
#include "common/mem.h"
#include "config/keys.h"

/* A world with one script and one program. */
static enum import_look look(const char *path)
{
	return strcmp(path, "/srv/app/bin/www") == 0	? LOOK_FILE
	       : strcmp(path, "/srv/app/bin/tool") == 0 ? LOOK_PROGRAM
							: LOOK_NONE;
}

static const char *variable(const char *name)
{
	return strcmp(name, "HOME") == 0 ? "/home/u" : NULL;
}

static const struct import_world world = {.look = look, .env = variable};

/* The result of a text; NULL with err. Caller frees. */
static char *import_as(enum import_format format, const char *text, struct import *im,
		       struct err *err)
{
	struct buf ini = {0};
	struct err_list problems = {0};
	import_init(im, &world, "list", "/srv/app", "/srv/app");
	if (!importread_text(im, &format, text, strlen(text), err)) {
		return NULL;
	}
	import_settle(im);
	assert_true(import_verify(im, &problems));
	import_render(im, &ini, true);
	return buf_take(&ini);
}

static const struct import_line *find_line(const struct import *im, const char *key)
{
	for (size_t i = 0; i < im->nlines; i++) {
		if (strcmp(im->lines[i].key, key) == 0) {
			return &im->lines[i];
		}
	}
	return NULL;
}

/* One key of an app of PM2: the line it becomes, or what kind of line the report has. */
static void test_values(void **state)
{
	(void)state;
	static const struct {
		const char *json, *key, *ini; /* ini NULL = nothing is set */
		enum import_kind kind;
	} v[] = {
		{"\"instances\":\"2\"", "instances", "instances = 2", IMPORT_MAPPED},
		{"\"instances\":0", "instances", "instances = max", IMPORT_MAPPED},
		{"\"instances\":\"max\"", "instances", "instances = max", IMPORT_MAPPED},
		{"\"instances\":-2", "instances", "instances = max-2", IMPORT_MAPPED},
		{"\"instances\":\"many\"", "instances", NULL, IMPORT_UNSUPPORTED},
		{"\"instances\":5000", "instances", NULL, IMPORT_UNSUPPORTED},
		{"\"exec_mode\":\"fork_mode\"", "exec_mode", "mode = fork", IMPORT_MAPPED},
		{"\"exec_mode\":\"what\"", "exec_mode", NULL, IMPORT_UNSUPPORTED},
		{"\"max_memory_restart\":\"300M\"", "max_memory_restart", "memory_max = 300M",
		 IMPORT_CHANGED},
		{"\"max_memory_restart\":\"1GB\"", "max_memory_restart", "memory_max = 1G",
		 IMPORT_CHANGED},
		{"\"max_memory_restart\":1048576", "max_memory_restart", "memory_max = 1M",
		 IMPORT_CHANGED},
		{"\"max_memory_restart\":300", "max_memory_restart", NULL, IMPORT_UNSUPPORTED},
		{"\"kill_timeout\":1600", "kill_timeout", "stop_timeout = 1600ms", IMPORT_CHANGED},
		{"\"kill_timeout\":\"5s\"", "kill_timeout", "stop_timeout = 5s", IMPORT_CHANGED},
		{"\"kill_timeout\":\"soon\"", "kill_timeout", NULL, IMPORT_UNSUPPORTED},
		{"\"min_uptime\":60000", "min_uptime", "min_uptime = 1m", IMPORT_CHANGED},
		{"\"wait_ready\":true", "wait_ready", "ready = message", IMPORT_CHANGED},
		{"\"wait_ready\":\"false\"", "wait_ready", NULL, IMPORT_MAPPED},
		{"\"autorestart\":false", "autorestart", "autorestart = never", IMPORT_MAPPED},
		{"\"autorestart\":\"true\"", "autorestart", NULL, IMPORT_MAPPED},
		{"\"cron_restart\":\"0 3 * * *\"", "cron_restart", "cron_restart = 0 3 * * *",
		 IMPORT_CHANGED},
		{"\"cron_restart\":\"0 0 3 * * *\"", "cron_restart", "cron_restart = 0 3 * * *",
		 IMPORT_CHANGED},
		{"\"cron_restart\":\"*/5 0 3 * * *\"", "cron_restart", NULL, IMPORT_UNSUPPORTED},
		{"\"cron_restart\":\"rubbish\"", "cron_restart", NULL, IMPORT_UNSUPPORTED},
		{"\"cron_restart\":0", "cron_restart", NULL, IMPORT_MAPPED},
		{"\"stop_exit_codes\":[0,1]", "stop_exit_codes", "stop_exit_codes = 0,1",
		 IMPORT_CHANGED},
		{"\"namespace\":\"default\"", "namespace", NULL, IMPORT_MAPPED},
		{"\"namespace\":\"a b\"", "namespace", NULL, IMPORT_UNSUPPORTED},
		{"\"out_file\":\"./x.log\"", "out_file", "log_out = x.log", IMPORT_CHANGED},
		{"\"out_file\":\"/dev/null\"", "out_file", "log_out = none", IMPORT_CHANGED},
		{"\"error_file\":\"~/e.log\"", "error_file", "log_err = /home/u/e.log",
		 IMPORT_CHANGED},
		{"\"watch\":[\"src\",\"a/*.js\"]", "ignore_watch", "watch = src a", IMPORT_CHANGED},
		{"\"treekill\":false", "treekill", "kill_mode = process", IMPORT_MAPPED},
		{"\"port\":3000", "port", "env.PORT = 3000", IMPORT_MAPPED},
		{"\"env_file\":\".env\"", "env_file", NULL, IMPORT_IGNORED},
		{"\"max_restarts\":null", "max_restarts", NULL, IMPORT_IGNORED},
		{"\"increment_var\":\"PORT\"", "increment_var", NULL, IMPORT_MAPPED},
	};
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct import im;
		struct err err = {0};
		char *json = xasprintf("{\"name\":\"a\",\"script\":\"a.js\",%s}", v[i].json);
		char *ini = import_as(FORMAT_JSON, json, &im, &err);
		assert_non_null(ini);
		const struct import_line *l = find_line(&im, v[i].key);
		char *line = v[i].ini ? xasprintf("\n%s\n", v[i].ini) : NULL;
		if (line && !strstr(ini, line)) {
			fail_msg("%s: no %s in %s", v[i].json, v[i].ini, ini);
		}
		if (l && l->kind != v[i].kind) {
			fail_msg("%s: %s (%s)", v[i].json, import_kind_name(l->kind), l->text);
		}
		assert_true(line || import_count(&im, IMPORT_MAPPED) + im.nlines > 0);
		free(line);
		free(ini);
		free(json);
		import_finish(&im);
	}
}

static void expect(enum import_format format, const char *text, const char *result)
{
	struct import im;
	struct err err = {0};
	char *ini = import_as(format, text, &im, &err);
	if (!ini) {
		fail_msg("%s", err.msg);
	}
	const char *app = strstr(ini, "\n[app:");
	assert_non_null(app);
	assert_string_equal(app + 1, result);
	free(ini);
	import_finish(&im);
}

static void test_programs(void **state)
{
	(void)state;
	expect(FORMAT_JSON, "{\"script\":\"./bin/www\"}",
	       "[app:www]\nscript = bin/www\ninterpreter = node\n");
	expect(FORMAT_JSON, "{\"script\":\"bin/tool\",\"args\":[\"a b\"]}",
	       "[app:tool]\nscript = bin/tool\nargs = 'a b'\n");
	expect(FORMAT_JSON, "{\"script\":\"npm\",\"args\":\"start\"}",
	       "[app:npm]\ncommand = npm start\n");
	expect(FORMAT_JSON, "{\"name\":\"x\",\"script\":\"a && b\"}",
	       "[app:x]\ncommand = bash -c 'a && b'\n");
	expect(FORMAT_JSON, "{\"script\":\"s.js\",\"cwd\":\"./p/../q\"}",
	       "[app:s]\nscript = q/s.js\ncwd = q\n");
	expect(FORMAT_JSON, "[{\"name\":\"n\",\"script\":\"/opt/x.py\",\"cwd\":\"/srv/app\"}]",
	       "[app:n]\nscript = /opt/x.py\n");
}

static void test_procfile(void **state)
{
	(void)state;
	expect(FORMAT_PROCFILE, "a: A=1 B='x y' run --z\n",
	       "[app:a]\ncommand = run --z\nenv.A = 1\nenv.B = x y\nenv.PORT = 5000\n");
	expect(FORMAT_PROCFILE, "a: A=$B run\nb: x | y\n",
	       "[app:a]\ncommand = sh -c 'A=$B exec run'\nenv.PORT = 5000\n\n"
	       "[app:b]\ncommand = sh -c 'x | y'\nenv.PORT = 5100\n");
	expect(FORMAT_PROCFILE, "a: cd x && ./y\n",
	       "[app:a]\ncommand = sh -c 'cd x && ./y'\nenv.PORT = 5000\n");
}

static void test_supervisord(void **state)
{
	(void)state;
	expect(FORMAT_SUPERVISORD,
	       "[program:a]\ncommand=x %%s %(process_num)02d ; no\nnumprocs=2\nnumprocs_start=7\n"
	       "process_name=%(program_name)s-%(process_num)d\nautorestart=false\n",
	       "[app:a-7]\ncommand = x %s 07\nnamespace = a\nautorestart = never\n\n"
	       "[app:a-8]\ncommand = x %s 08\nnamespace = a\nautorestart = never\n");
	expect(FORMAT_SUPERVISORD,
	       "[program:a]\ncommand=x $'a\\n' '$' \"$'\" \\$'b'\nautorestart=true\n",
	       "[app:a]\ncommand = x \\$'a\\n' '$' \"$'\" \\$'b'\nautorestart = always\n");
	expect(FORMAT_SUPERVISORD,
	       "[program:a]\ncommand=x\n  y\nautorestart=unexpected\nexitcodes=1\n",
	       "[app:a]\ncommand = x y\nautorestart = always\nstop_exit_codes = 1\n");
}

static void test_shell_lines(void **state)
{
	(void)state;
	static const struct {
		const char *line;
		bool plain;
		const char *wrapped;
	} v[] = {
		{"a b 'c d'", true, "sh -c 'exec a b '\\''c d'\\'''"},
		{"a \"$X\"", false, NULL},
		{"A=1 a", false, "sh -c 'A=1 exec a'"},
		{"a;b", false, "sh -c 'a;b'"},
		{"a '$X;b'", true, NULL},
		{"exec a", true, "sh -c 'exec a'"},
		{"a ${X:-y}", false, "sh -c 'exec a ${X:-y}'"},
		{"(a)", false, "sh -c '(a)'"},
		{"", false, NULL},
		{"a 'b", false, NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		char *w = shellline_wrap("sh", v[i].line);
		struct words words = {0}, same = {0};
		struct err err;
		assert_int_equal(shellline_is_plain(v[i].line), v[i].plain);
		assert_true(words_split(&words, w, &err));
		assert_int_equal(words.n, 3);
		if (v[i].wrapped && words_split(&same, v[i].wrapped, &err)) {
			assert_string_equal(words.v[2], same.v[2]);
		}
		words_finish(&words);
		words_finish(&same);
		free(w);
	}
}

static void test_json_is_lenient(void **state)
{
	(void)state;
	static const char *const good[] = {"{\"a\": 1, // x\n}", "/* a */ [1, 2, ]",
					   "{\"a\": \"// no /* comment\"}", "\xEF\xBB\xBF{}",
					   "{\"a\": \"\\\",]\",}"};
	struct err err;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		json_t *v = importjson_read(good[i], strlen(good[i]), NULL, &err);
		assert_non_null(v);
		json_decref(v);
	}
	assert_null(importjson_read("{\n \"a\" 1}", 9, NULL, &err));
	assert_non_null(strstr(err.msg, "line 2, column"));
	assert_null(importjson_read("{}\0", 3, NULL, &err));
	assert_null(importjson_read("", 0, NULL, &err));
}

static void test_yaml(void **state)
{
	(void)state;
	static const char text[] = "a: &x {n: 010, y: yes, t: true, f: 1.5, z: ~, s: '1'}\n"
				   "b: {<<: *x, y: no}\n";
	struct err err;
	json_t *v = importyaml_read(text, strlen(text), NULL, &err);
	json_t *b = json_object_get(v, "b");
	assert_string_equal(json_string_value(json_object_get(b, "n")), "010");
	assert_string_equal(json_string_value(json_object_get(b, "y")), "no");
	assert_true(json_is_true(json_object_get(b, "t")));
	assert_true(json_is_real(json_object_get(b, "f")));
	assert_true(json_is_null(json_object_get(b, "z")));
	assert_true(json_is_string(json_object_get(b, "s")));
	json_decref(v);
	assert_null(importyaml_read("a: [", 4, NULL, &err));
	assert_null(importyaml_read("", 0, NULL, &err));
	assert_null(importyaml_read("&a [*a]", 7, NULL, &err));
}

/* What a row calls ours is a key, and a key that is set has a converter. */
static void test_tables(void **state)
{
	(void)state;
	const struct import_table *const tables[] = {&import_pm2_keys, &import_sup_keys};
	for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
		for (size_t i = 0; i < tables[t]->n; i++) {
			const struct import_key *k = &tables[t]->v[i];
			if (k->convert && !keys_find(k->ours)) {
				fail_msg("%s: %s is no key", k->names, k->ours);
			}
			if (!k->ours && !k->remark) {
				fail_msg("%s: nothing is said of it", k->names);
			}
			assert_ptr_equal(import_key_find(tables[t], k->names) != NULL,
					 !strchr(k->names, ' '));
		}
	}
}

/* The line of report of a key, by its own name or that of a member below it. */
static const struct import_line *said_of(const struct import *im, const char *key)
{
	size_t len = strlen(key);
	for (size_t i = 0; i < im->nlines; i++) {
		const char *k = im->lines[i].key;
		if (strncmp(k, key, len) == 0 && (!k[len] || k[len] == '.')) {
			return &im->lines[i];
		}
	}
	return NULL;
}

static void check_key(enum import_format format, const char *text, const char *key, unsigned line)
{
	struct import im;
	struct err err = {0};
	char *ini = import_as(format, text, &im, &err);
	if (!ini && !im.nlines) {
		fail_msg("%s\n%s", err.msg, text);
	}
	const struct import_line *l = said_of(&im, key);
	if (!l || (!*l->text && !l->to)) {
		fail_msg("%s: nothing is said of %s", text, key);
	}
	if (l->line != line) {
		fail_msg("%s: %s is said to be in line %u", text, key, l->line);
	}
	free(ini);
	import_finish(&im);
}

/* A key with values of every type, right and wrong, in JSON and YAML. */
static void check_pm2_key(const char *key)
{
	static const char *const values[] = {
		"null",		 "true",      "false",	 "\"\"",
		"\"text\"",	 "\"0\"",     "0",	 "-1",
		"5000",		 "1.5",	      "[]",	 "[1]",
		"[\"a b\"]",	 "[null]",    "{}",	 "{\"A\": 1}",
		"\"300M\"",	 "\"a/b\"",   "\"a b\"", "\"*\"",
		"\"0 3 * * *\"", "[[\"a\"]]",
	};
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		bool script = words_named("script exec cmd command", key);
		char *json = xasprintf("{\"apps\": [{%s\n\n\"%s\": %s\n}]}",
				       script ? "" : "\"script\": \"x.js\",", key, values[i]);
		char *yaml = xasprintf("apps:\n  - %s\n    %s: %s\n",
				       script ? "x: 1" : "script: x.js", key, values[i]);
		check_key(FORMAT_JSON, json, key, 3);
		check_key(FORMAT_YAML, yaml, key, 3);
		free(json);
		free(yaml);
	}
}

static void for_each_name(const struct import_table *t, void (*fn)(const char *name))
{
	for (size_t i = 0; i < t->n; i++) {
		char *names = xstrdup(t->v[i].names);
		for (char *save, *w = strtok_r(names, " ", &save); w;
		     w = strtok_r(NULL, " ", &save)) {
			fn(w);
		}
		free(names);
	}
}

/* Keys of PM2 7.0.4's own table (lib/API/schema.json) with their aliases, and those of its
 * documents and command line. */
static const char *const pm2_knows[] = {
	"script",
	"exec",
	"cmd",
	"command",
	"name",
	"name_prefix",
	"filter_env",
	"namespace",
	"install_url",
	"cwd",
	"args",
	"exec_interpreter",
	"interpreter",
	"node_args",
	"interpreterArgs",
	"interpreter_args",
	"out_file",
	"out",
	"output",
	"out_log",
	"error_file",
	"error",
	"err",
	"err_file",
	"err_log",
	"log_file",
	"log",
	"disable_logs",
	"log_type",
	"log_date_format",
	"time",
	"env",
	"max_memory_restart",
	"pid_file",
	"pid",
	"restart_delay",
	"exp_backoff_restart_delay",
	"source_map_support",
	"disable_source_map_support",
	"wait_ready",
	"instances",
	"kill_timeout",
	"shutdown_with_message",
	"listen_timeout",
	"cron_restart",
	"cron",
	"merge_logs",
	"combine_logs",
	"vizion",
	"autorestart",
	"autostart",
	"watch_delay",
	"watch",
	"ignore_watch",
	"watch_options",
	"min_uptime",
	"max_restarts",
	"stop_exit_codes",
	"execute_command",
	"exec_mode",
	"force",
	"append_env_to_name",
	"post_update",
	"trace",
	"disable_trace",
	"v8",
	"event_loop_inspector",
	"deep_monitoring",
	"increment_var",
	"instance_var",
	"pmx",
	"automation",
	"treekill",
	"port",
	"username",
	"uid",
	"user",
	"gid",
	"windowsHide",
	"kill_retry_time",
	"write",
	"io",
	"autoinstall",
	"static",
	"serve",
	"id",
};

static void test_every_key_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pm2_knows); i++) {
		if (!import_key_find(&import_pm2_keys, pm2_knows[i])) {
			fail_msg("%s is not in the table", pm2_knows[i]);
		}
	}
	for_each_name(&import_pm2_keys, check_pm2_key);
	for_each_name(&import_pm2_wishes, check_pm2_key);
	check_pm2_key("env_production");
	check_pm2_key("no_such_key");
}

static void check_sup_key(const char *key)
{
	static const char *const values[] = {"",     "true", "text",	   "0",
					     "12",   "a=b",  "%(here)s/x", "%(ENV_X)s",
					     "10MB", "AUTO", "%(nosuch)s"};
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		char *text = xasprintf("[program:a]\n%s\n%s=%s\n",
				       strcmp(key, "command") == 0 ? "x=1" : "command=x", key,
				       values[i]);
		check_key(FORMAT_SUPERVISORD, text, key, 3);
		free(text);
	}
}

static void test_every_key_of_supervisord(void **state)
{
	(void)state;
	for_each_name(&import_sup_keys, check_sup_key);
	check_sup_key("no_such_key");
}

static void test_names(void **state)
{
	(void)state;
	static const char text[] = "[{\"name\":\"a\",\"script\":\"x\"},{\"name\":\"a\",\"script\":"
				   "\"x\"},{\"name\":\"a-2\",\"script\":\"x\"},{\"name\":\"7\","
				   "\"script\":\"x\"},{\"name\":\"..\",\"script\":\"x\"}]";
	static const char *const names[] = {"a", "a-2", "a-2-2", "app-7", "app"};
	struct import im;
	struct err err;
	char *ini = import_as(FORMAT_JSON, text, &im, &err);
	assert_int_equal(im.napps, ARRAY_LEN(names));
	for (size_t i = 0; i < im.napps; i++) {
		assert_string_equal(im.apps[i]->def->name, names[i]);
	}
	free(ini);
	import_finish(&im);
}

static void test_marks(void **state)
{
	(void)state;
	bool whole;
	char *name = import_mark_name(IMPORT_MARK "A_" IMPORT_MARK_END, &whole);
	assert_string_equal(name, "A_");
	assert_true(whole);
	free(name);
	name = import_mark_name("x" IMPORT_MARK "B" IMPORT_MARK_END "y", &whole);
	assert_string_equal(name, "B");
	assert_false(whole);
	free(name);
	assert_null(import_mark_name("x", &whole));
	assert_null(import_mark_name(IMPORT_MARK, &whole));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_programs),
		cmocka_unit_test(test_procfile),
		cmocka_unit_test(test_supervisord),
		cmocka_unit_test(test_shell_lines),
		cmocka_unit_test(test_json_is_lenient),
		cmocka_unit_test(test_yaml),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_every_key_is_told),
		cmocka_unit_test(test_every_key_of_supervisord),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
