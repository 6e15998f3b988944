/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/ini.h"

#include <stdio.h>
#include <time.h>

#include "common/buf.h"
#include "common/limits.h"
#include "common/mem.h"

static bool parse(struct ini_file *f, const char *text, size_t len, struct err_list *errs)
{
	struct ini_source src = {.text = text,
				 .len = len,
				 .file = "/srv/pmctl.ini",
				 .dir = "/srv",
				 .project = "shop"};
	return ini_parse_apps(f, &src, errs);
}

static struct ini_file good(const char *text, size_t len)
{
	struct ini_file f;
	struct err_list errs = {0};
	if (!parse(&f, text, len, &errs)) {
		fail_msg("%s", errs.msg[0]);
	}
	assert_int_equal(errs.count, 0);
	return f;
}

static const char *value(const struct ini_file *f, size_t app, const char *key)
{
	const struct setting *s = def_find(f->apps[app], key);
	return s ? s->value : NULL;
}

/* Every message, one a line. */
static char *errors_of(const char *text, size_t len)
{
	struct ini_file f;
	struct err_list errs = {0};
	struct buf all = {0};
	buf_adds(&all, "");
	bool ok = parse(&f, text, len, &errs);
	assert_int_equal(ok, errs.count == 0);
	for (size_t i = 0; i < errs.count; i++) {
		buf_addf(&all, "%s\n", errs.msg[i]);
	}
	err_list_finish(&errs);
	ini_file_finish(&f);
	return buf_take(&all);
}

static void test_plain(void **state)
{
	(void)state;
	static const char text[] = "; comment\n"
				   "# comment\n"
				   "[pmctl]\n"
				   "project = store\n"
				   "include = conf.d/*.ini\n"
				   "\n"
				   "[defaults]\n"
				   "cwd = run\n"
				   "env.A = base\n"
				   "[app:web]\n"
				   "  script=app.js  \n"
				   "\tinstances = max\n"
				   "env.A = mine\n"
				   "[app:api]\n"
				   "command = /bin/api -x";
	struct ini_file f = good(text, sizeof(text) - 1);
	assert_string_equal(f.project, "store");
	assert_int_equal(f.nincludes, 1);
	assert_string_equal(f.includes[0].glob, "/srv/conf.d/*.ini");
	assert_int_equal(f.includes[0].line, 5);
	assert_int_equal(f.napps, 2);
	assert_string_equal(f.apps[0]->name, "web");
	assert_string_equal(f.apps[0]->project, "store");
	assert_string_equal(f.apps[0]->file, "/srv/pmctl.ini");
	assert_string_equal(f.apps[0]->dir, "/srv");
	assert_int_equal(f.apps[0]->line, 10);
	assert_string_equal(value(&f, 0, "script"), "app.js");
	assert_int_equal(def_find(f.apps[0], "script")->line, 11);
	assert_string_equal(value(&f, 0, "cwd"), "run");
	assert_int_equal(def_find(f.apps[0], "cwd")->line, 8);
	assert_string_equal(value(&f, 0, "env.A"), "mine");
	assert_int_equal(f.apps[0]->nset, 4);
	assert_string_equal(value(&f, 1, "env.A"), "base");
	assert_int_equal(def_find(f.apps[1], "command")->line, 15);
	ini_file_finish(&f);
	ini_file_finish(&f);
}

static void test_values_are_literal(void **state)
{
	(void)state;
	static const char *const values[] = {
		"a ; b",      "a # b", "100%", "$HOME ${X}", "%(here)s", "x=y=z", "a:b",
		"\"quoted\"", "\\n",   "=",    "[x]",	     "\xc3\xa9", "a\tb",  "'",
	};
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		char text[200];
		int n = snprintf(text, sizeof(text), "[app:a]\nscript = a\nenv.X = %s \t\n",
				 values[i]);
		struct ini_file f = good(text, (size_t)n);
		assert_string_equal(value(&f, 0, "env.X"), values[i]);
		ini_file_finish(&f);
	}
}

static void test_bom_crlf_no_newline(void **state)
{
	(void)state;
	static const char text[] = "\xEF\xBB\xBF[app:a]\r\nscript = a b\r\n\r\nenv.E =\r\nargs=";
	struct ini_file f = good(text, sizeof(text) - 1);
	assert_int_equal(f.apps[0]->line, 1);
	assert_string_equal(value(&f, 0, "script"), "a b");
	assert_string_equal(value(&f, 0, "env.E"), "");
	assert_string_equal(value(&f, 0, "args"), "");
	assert_int_equal(def_find(f.apps[0], "args")->line, 5);
	ini_file_finish(&f);
	f = good("", 0);
	assert_int_equal(f.napps, 0);
	ini_file_finish(&f);
	f = good(NULL, 0);
	ini_file_finish(&f);
	f = good("\xEF\xBB\xBF", 3);
	ini_file_finish(&f);
}

/* Exactly 64 KiB is whole, one more is refused; the lines around it keep their numbers. */
static void test_long_lines(void **state)
{
	(void)state;
	static const char head[] = "[app:a]\nscript = a\n";
	for (int more = -1; more <= 1; more++) {
		size_t want = (size_t)(LIMIT_INI_LINE + more);
		struct buf b = {0};
		buf_adds(&b, head);
		buf_adds(&b, "env.X=");
		while (b.len < sizeof(head) - 1 + want - 1) {
			buf_addc(&b, 'v');
		}
		buf_adds(&b, "w\r\nenv.Y = after\n");
		if (more <= 0) {
			struct ini_file f = good(b.data, b.len);
			assert_int_equal(strlen(value(&f, 0, "env.X")), want - 6);
			assert_int_equal(value(&f, 0, "env.X")[want - 7], 'w');
			assert_int_equal(def_find(f.apps[0], "env.Y")->line, 4);
			ini_file_finish(&f);
		} else {
			char *errs = errors_of(b.data, b.len);
			assert_string_equal(errs,
					    "/srv/pmctl.ini:3: the line is longer than 64 KiB\n");
			free(errs);
		}
		buf_finish(&b);
	}
}

static void test_long_section_name(void **state)
{
	(void)state;
	/* Equal in the 49 characters inih keeps. */
	static const char text[] =
		"[app:a2345678901234567890123456789012345678901234567890x]\nscript = a\n"
		"[app:a2345678901234567890123456789012345678901234567890y]\nscript = a\n";
	char *errs = errors_of(text, sizeof(text) - 1);
	assert_string_equal(errs,
			    "/srv/pmctl.ini:1: "
			    "[app:a2345678901234567890123456789012345678901234567890x] the name is "
			    "longer than 40 characters\n"
			    "/srv/pmctl.ini:3: "
			    "[app:a2345678901234567890123456789012345678901234567890y] the name is "
			    "longer than 40 characters\n");
	free(errs);
}

#define CASE(text, want)                                                                           \
	{                                                                                          \
		text, sizeof(text) - 1, want                                                       \
	}

static const struct {
	const char *text;
	size_t len;
	const char *want;
} bad[] = {
	CASE("[app:web]\nscript = a\ninstnaces = 2\nmemory_max = 512X\n",
	     "/srv/pmctl.ini:3: [app:web] instnaces: unknown key; did you mean \"instances\"?\n"
	     "/srv/pmctl.ini:4: [app:web] memory_max: \"512X\" is not a size; use 512M or 2G\n"),
	CASE("script = a\n",
	     "/srv/pmctl.ini:1: script: stands before the first section, such as [app:NAME]\n"),
	CASE("what\n", "/srv/pmctl.ini:1: \"what\" has no =; a line is KEY = VALUE\n"),
	CASE("[app:a]\nscript = a\nand more\n = x\n",
	     "/srv/pmctl.ini:3: [app:a] \"and more\" has no =; a line is KEY = VALUE\n"
	     "/srv/pmctl.ini:4: [app:a] there is no key before the =\n"),
	CASE("[app:a]\nscript = a\n\n[app:a]\nscript = b\n",
	     "/srv/pmctl.ini:4: [app:a] given twice, first in line 1\n"),
	CASE("[app:a]\nscript = a\nargs = 1\nscript = b\n",
	     "/srv/pmctl.ini:4: [app:a] script: given twice, first in line 2\n"),
	CASE("[pmctl]\n[defaults]\n[pmctl]\n[defaults]\n",
	     "/srv/pmctl.ini:3: [pmctl] given twice, first in line 1\n"
	     "/srv/pmctl.ini:4: [defaults] given twice, first in line 2\n"),
	CASE("[app:a]\n",
	     "/srv/pmctl.ini:1: [app:a] script: is missing; an app needs script or command\n"),
	CASE("[defalts]\nx = 1\n",
	     "/srv/pmctl.ini:1: [defalts] unknown section; did you mean \"defaults\"?\n"),
	CASE("[program:web]\n[web]\n[APP:x]\n[what is it]\n[]\n",
	     "/srv/pmctl.ini:1: [program:web] unknown section; did you mean \"app:web\"?\n"
	     "/srv/pmctl.ini:2: [web] unknown section; did you mean \"app:web\"?\n"
	     "/srv/pmctl.ini:3: [APP:x] unknown section; did you mean \"app:x\"?\n"
	     "/srv/pmctl.ini:4: [what is it] unknown section\n"
	     "/srv/pmctl.ini:5: [] unknown section\n"),
	CASE("[app:web@prod]\nx\n[defaults@prod]\n",
	     "/srv/pmctl.ini:1: [app:web@prod] there is no [app:web] it could be laid over\n"
	     "/srv/pmctl.ini:2: [app:web@prod] \"x\" has no =; a line is KEY = VALUE\n"),
	CASE("[app:web]\nscript = a\n[app:web@]\n[app:web@a b]\n[app:web@p]\nx = 1\n[app:web@p]\n",
	     "/srv/pmctl.ini:3: [app:web@] profile: the name is empty\n"
	     "/srv/pmctl.ini:4: [app:web@a b] profile: the name may have only letters, digits, "
	     "_ . and -\n"
	     "/srv/pmctl.ini:6: [app:web@p] x: unknown key\n"
	     "/srv/pmctl.ini:7: [app:web@p] given twice, first in line 5\n"),
	CASE("[app:web\nfoo\n[app:x] ; note\n[",
	     "/srv/pmctl.ini:1: the section header has no ]\n"
	     "/srv/pmctl.ini:3: there is something behind the ] of the section header\n"
	     "/srv/pmctl.ini:4: the section header has no ]\n"),
	CASE("[pmctl]\nproject = a b\ninclude =\nprojct = x\n",
	     "/srv/pmctl.ini:2: [pmctl] project: the name may have only letters, digits, _ . and "
	     "-\n"
	     "/srv/pmctl.ini:3: [pmctl] include: is empty\n"
	     "/srv/pmctl.ini:4: [pmctl] projct: unknown key; did you mean \"project\"?\n"),
	CASE("[defaults]\nmemory_max = 1\nfoo = 1\n[app:a]\nscript = a\n[app:b]\nscript = b\n",
	     "/srv/pmctl.ini:2: [defaults] memory_max: 1 is 1 bytes, and the least is 1M; did you "
	     "mean 1M?\n"
	     "/srv/pmctl.ini:3: [defaults] foo: unknown key\n"),
	CASE("[app:a]\nscript = a\nenv.X = a\0b\nenv.Y = \xff\n; \xff fine\n# \0 not\n",
	     "/srv/pmctl.ini:3: there is a NUL byte in the line\n"
	     "/srv/pmctl.ini:4: the line is not UTF-8\n"
	     "/srv/pmctl.ini:6: there is a NUL byte in the line\n"),
	CASE("[app:a\x1b[2J]\nscript = a\n", "/srv/pmctl.ini:1: [app:a\\x1b[2J] the name may have "
					     "only letters, digits, _ . and -\n"),
	CASE("[app:../../x]\nscript = a\n[app:12]\nscript = a\n",
	     "/srv/pmctl.ini:1: [app:../../x] the name may have only letters, digits, _ . and -\n"
	     "/srv/pmctl.ini:3: [app:12] the name is all digits, which would mean an id\n"),
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char *errs = errors_of(bad[i].text, bad[i].len);
		assert_string_equal(errs, bad[i].want);
		free(errs);
	}
}

/* An app that says what it runs is not told otherwise by [defaults]. */
static void test_program_overrules_defaults(void **state)
{
	(void)state;
	static const char text[] = "[defaults]\nscript = base.js\nargs = x\ninterpreter = node\n"
				   "[app:a]\ncommand = srv\n[app:b]\nargs = y\n";
	struct ini_file f = good(text, sizeof(text) - 1);
	assert_null(value(&f, 0, "script"));
	assert_null(value(&f, 0, "args"));
	assert_null(value(&f, 0, "interpreter"));
	assert_string_equal(value(&f, 1, "script"), "base.js");
	assert_string_equal(value(&f, 1, "args"), "y");
	ini_file_finish(&f);
}

static const char profiled[] = "[defaults]\nnice = 1\nnamespace = base\n"
			       "[defaults@prod]\nnamespace = prod\numask = 077\n"
			       "[app:web]\nscript = a.js\nargs = x\nnice = 2\nenv.A = 1\n"
			       "[app:web-2]\nscript = b.js\n"
			       "[app:web@prod]\ncommand = c d\nenv.A = 2\numask = 022\n"
			       "[app:web-2@test]\nscript = t.js\n";

static struct ini_file with_profile(const char *profile)
{
	struct ini_file f;
	struct err_list errs = {0};
	struct ini_source src = {.text = profiled,
				 .len = sizeof(profiled) - 1,
				 .file = "/srv/pmctl.ini",
				 .dir = "/srv",
				 .project = "shop",
				 .profile = profile};
	if (!ini_parse_apps(&f, &src, &errs)) {
		fail_msg("%s", errs.msg[0]);
	}
	return f;
}

/* defaults, their overlay, the app, its overlay: each outranks what stands before it. */
static void test_profiles(void **state)
{
	(void)state;
	struct ini_file f = with_profile(NULL);
	assert_string_equal(value(&f, 0, "script"), "a.js");
	assert_string_equal(value(&f, 0, "namespace"), "base");
	assert_string_equal(value(&f, 0, "env.A"), "1");
	assert_null(value(&f, 0, "umask"));
	assert_int_equal(f.nprofiles, 2);
	ini_file_finish(&f);
	f = with_profile("prod");
	assert_null(value(&f, 0, "script")); /* the overlay says what is run */
	assert_null(value(&f, 0, "args"));
	assert_string_equal(value(&f, 0, "command"), "c d");
	assert_string_equal(value(&f, 0, "namespace"), "prod");
	assert_string_equal(value(&f, 0, "nice"), "2");
	assert_string_equal(value(&f, 0, "env.A"), "2");
	assert_string_equal(value(&f, 0, "umask"), "022");
	assert_string_equal(value(&f, 1, "script"), "b.js");
	assert_string_equal(value(&f, 1, "umask"), "077");
	ini_file_finish(&f);
	f = with_profile("test");
	assert_string_equal(value(&f, 0, "script"), "a.js");
	assert_string_equal(value(&f, 1, "script"), "t.js");
	assert_true(ini_has_profile(&f, "test"));
	assert_false(ini_has_profile(&f, "tes"));
	ini_file_finish(&f);
}

static void test_merge(void **state)
{
	(void)state;
	struct err_list errs = {0};
	struct ini_file a = good("[app:a]\nscript = a\n[app:b]\nscript = b\n", 38);
	struct ini_file b = good("[app:c]\nscript = c\n", 19);
	assert_true(ini_merge(&a, &b, &errs));
	assert_int_equal(a.napps, 3);
	assert_string_equal(a.apps[2]->name, "c");
	assert_null(b.apps);
	struct ini_source src = {.text = "\n[app:b]\nscript = c\n",
				 .len = 20,
				 .file = "/srv/x.ini",
				 .dir = "/srv",
				 .project = "p"};
	assert_true(ini_parse_apps(&b, &src, &errs));
	assert_false(ini_merge(&a, &b, &errs));
	assert_int_equal(errs.count, 1);
	assert_string_equal(errs.msg[0],
			    "/srv/x.ini:2: [app:b] given twice, first in /srv/pmctl.ini:3");
	err_list_finish(&errs);
	ini_file_finish(&a);
	ini_file_finish(&b);
}

/* Cut anywhere, it is parsed or refused, and never read beyond its end. */
static void test_cut_at_every_byte(void **state)
{
	(void)state;
	static const char text[] = "\xEF\xBB\xBF[pmctl]\r\nproject = a\n[defaults]\nenv.A = 1\n"
				   "[app:web]\nscript = \xc3\xa9.js\nlisten = [::1]:80, unix:x\n";
	for (size_t n = 0; n < sizeof(text); n++) {
		char *copy = xmalloc(n);
		memcpy(copy, text, n);
		free(errors_of(copy, n));
		free(copy);
	}
}

static void test_many_errors_are_counted(void **state)
{
	(void)state;
	struct buf b = {0};
	struct ini_file f;
	struct err_list errs = {0};
	buf_adds(&b, "[app:a]\nscript = a\n");
	for (int i = 0; i < ERR_LIST_MAX + 5; i++) {
		buf_addf(&b, "bad%d = 1\n", i);
	}
	assert_false(parse(&f, b.data, b.len, &errs));
	assert_int_equal(errs.count, ERR_LIST_MAX);
	assert_int_equal(errs.dropped, 5);
	ini_file_finish(&f); /* what could be read */
	err_list_finish(&errs);
	buf_finish(&b);
}

/* Far from what a quadratic search would take; the real figure is a few ms. */
static void test_thousands(void **state)
{
	(void)state;
	struct buf b = {0};
	buf_adds(&b, "[defaults]\nenv.A = 1\n");
	for (int i = 0; i < 5000; i++) {
		buf_addf(&b, "[app:app-%d]\nscript = app.js\ninstances = 2\nenv.PORT = %d\n", i, i);
	}
	buf_adds(&b, "[app:big]\nscript = a\n");
	for (int i = 0; i < 20000; i++) {
		buf_addf(&b, "env.V%d = %d\n", i * 7919 % 20000, i);
	}
	clock_t start = clock();
	struct ini_file f = good(b.data, b.len);
	double spent = (double)(clock() - start) / CLOCKS_PER_SEC;
	assert_int_equal(f.napps, 5001);
	assert_int_equal(f.apps[5000]->nset, 20002);
	assert_true(spent < 2.0);
	print_message("%zu apps in %.1f ms\n", f.napps, spent * 1000);
	ini_file_finish(&f);
	buf_finish(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_values_are_literal),
		cmocka_unit_test(test_bom_crlf_no_newline),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_long_section_name),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_program_overrules_defaults),
		cmocka_unit_test(test_profiles),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_cut_at_every_byte),
		cmocka_unit_test(test_many_errors_are_counted),
		cmocka_unit_test(test_thousands),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
