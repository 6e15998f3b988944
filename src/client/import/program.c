/* SPDX-License-Identifier: MIT */
/* program - what a PM2 app runs: script, args, interpreter and its arguments. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/import/map.h"
#include "client/import/shellline.h"
#include "common/mem.h"
#include "config/conf.h"
#include "config/names.h"

#define SCRIPT_NAMES	  "script exec cmd command"
#define INTERPRETER_NAMES "interpreter exec_interpreter"
#define ARGUMENTS_NAMES	  "interpreter_args node_args interpreterArgs"

struct program {
	const char *script_key, *args_key, *interpreter_key, *arguments_key;
	const char *script, *interpreter; /* interpreter NULL = by the extension */
	struct words args, arguments;
	bool no_interpreter; /* none */
};

static bool has_extension(const char *script)
{
	static const char *const known[] = {".js", ".cjs", ".mjs", ".ts",  ".py",     ".sh",
					    ".rb", ".php", ".pl",  ".tsx", ".coffee", ".ls"};
	const char *dot = strrchr(script, '.');
	for (size_t i = 0; dot && i < ARRAY_LEN(known); i++) {
		if (strcmp(dot, known[i]) == 0) {
			return true;
		}
	}
	return false;
}

static enum import_look look(const struct mapping *m, const char *path)
{
	char *full = import_absolute(m->im, m->cwd, path);
	enum import_look l = m->im->world->look(full);
	free(full);
	return l;
}

static bool read_words(struct mapping *m, const char *names, const char **key, struct words *out)
{
	const json_t *v = import_key_value(m, names, key);
	struct err err;
	bool empty = json_is_array(v) ? !json_array_size(v)
				      : json_is_string(v) && !*json_string_value(v);
	if (empty) {
		import_say(m->im, m->app, *key, IMPORT_MAPPED, NULL, "there are none");
	}
	if (v && !import_words(v, out, &err)) {
		import_say(m->im, m->app, *key, IMPORT_UNSUPPORTED, NULL, "%s; left out", err.msg);
		words_finish(out);
		return false;
	}
	return true;
}

static void put(struct mapping *m, const char *source, const char *key, const char *value,
		enum import_kind kind, const char *remark)
{
	const struct import_key row = {.kind = kind, .remark = remark};
	import_key_set(m, &row, source, key, value);
}

static void put_words(struct mapping *m, const char *source, const char *key, const struct words *w)
{
	if (w->n) {
		char *joined = words_join(w->v, w->n);
		put(m, source, key, joined, IMPORT_MAPPED, NULL);
		free(joined);
	}
}

/* What there is no place for with `command`. */
static void leave_interpreter(struct mapping *m, const struct program *p)
{
	if (p->interpreter) {
		import_say(m->im, m->app, p->interpreter_key, IMPORT_UNSUPPORTED, NULL,
			   "does not go with command; write it in front of that");
	} else if (p->no_interpreter) {
		import_say(m->im, m->app, p->interpreter_key, IMPORT_MAPPED, NULL,
			   "command runs a program itself");
	}
	if (p->arguments.n) {
		import_say(m->im, m->app, p->arguments_key, IMPORT_UNSUPPORTED, NULL,
			   "no interpreter is run; for node below another program: "
			   "env.NODE_OPTIONS");
	}
}

/* A script with blanks is a line for bash there. */
static void put_line(struct mapping *m, const struct program *p)
{
	struct buf line = {0};
	buf_adds(&line, p->script);
	for (size_t i = 0; i < p->args.n; i++) {
		buf_addc(&line, ' ');
		words_add_quoted(&line, p->args.v[i]);
	}
	if (p->args.n) {
		import_say(m->im, m->app, p->args_key, IMPORT_MAPPED, NULL, "in the command");
	}
	if (shellline_is_plain(line.data)) {
		put(m, p->script_key, "command", line.data, IMPORT_CHANGED,
		    "no shell is run between");
	} else {
		char *command = shellline_wrap("bash", line.data);
		put(m, p->script_key, "command", command, IMPORT_MAPPED, "a line for a shell");
		free(command);
	}
	buf_finish(&line);
	leave_interpreter(m, p);
}

/* A program of PATH, such as npm. */
static void put_command(struct mapping *m, const struct program *p)
{
	struct words all = {0};
	words_add(&all, p->script);
	for (size_t i = 0; i < p->args.n; i++) {
		words_add(&all, p->args.v[i]);
	}
	char *command = words_join(all.v, all.n);
	put(m, p->script_key, "command", command, IMPORT_MAPPED, "a program of PATH");
	if (p->args.n) {
		import_say(m->im, m->app, p->args_key, IMPORT_MAPPED, NULL, "in the command");
	}
	free(command);
	words_finish(&all);
	leave_interpreter(m, p);
}

static void put_interpreter(struct mapping *m, const struct program *p)
{
	const char *at = p->interpreter ? strchr(p->interpreter, '@') : NULL;
	if (p->no_interpreter) {
		put(m, p->interpreter_key, "interpreter", "none", IMPORT_MAPPED, NULL);
	} else if (at && strncmp(p->interpreter, "node@", 5) == 0) {
		import_say(m->im, m->app, p->interpreter_key, IMPORT_UNSUPPORTED, NULL,
			   "versions are not chosen by nvm here; name the path of that node: "
			   "interpreter = /home/you/.nvm/versions/node/vX/bin/node");
	} else if (p->interpreter && strchr(p->interpreter, '/')) {
		char *path = import_path(m->im, m->cwd, p->interpreter);
		char *program = xasprintf("%s%s", strchr(path, '/') ? "" : "./", path);
		put(m, p->interpreter_key, "interpreter", program, IMPORT_MAPPED, NULL);
		free(program);
		free(path);
	} else if (p->interpreter) {
		put(m, p->interpreter_key, "interpreter", p->interpreter, IMPORT_MAPPED, NULL);
	}
}

/* PM2 runs what it knows no interpreter for by node; here it is run itself, which needs a mark. */
static bool needs_node(const struct mapping *m, const struct program *p)
{
	const char *mode = json_string_value(json_object_get(m->obj, "exec_mode"));
	if (p->interpreter || p->no_interpreter || has_extension(p->script)) {
		return p->script && strstr(p->script, ".tsx") && !p->interpreter &&
		       !p->no_interpreter;
	}
	return look(m, p->script) == LOOK_FILE || p->arguments.n > 0 ||
	       (mode && strncmp(mode, "cluster", 7) == 0);
}

static void put_script(struct mapping *m, const struct program *p)
{
	char *path = import_path(m->im, m->cwd, p->script);
	put(m, p->script_key, "script", path, IMPORT_MAPPED, NULL);
	free(path);
	put_words(m, p->args_key, "args", &p->args);
	put_interpreter(m, p);
	if (needs_node(m, p)) {
		put(m, p->script_key, "interpreter", "node", IMPORT_MAPPED,
		    "as PM2 does with a file it knows no interpreter for");
	}
	if (p->no_interpreter && p->arguments.n) {
		import_say(m->im, m->app, p->arguments_key, IMPORT_IGNORED, NULL,
			   "there is no interpreter");
	} else {
		put_words(m, p->arguments_key, "interpreter_args", &p->arguments);
	}
}

bool import_runs_node(const struct mapping *m)
{
	static const char *const keys_of[] = {"script", "command", "interpreter"};
	struct app_def *d = def_new("x", "x", NULL, m->im->out_dir, 0);
	struct err_list errs = {0};
	struct app_conf c = {0};
	for (size_t i = 0; i < ARRAY_LEN(keys_of); i++) {
		const struct setting *s = def_find(m->app->def, keys_of[i]);
		if (s) {
			def_set(d, s->key, s->value, 0);
		}
	}
	bool node = conf_decode(&c, d, &errs) && conf_is_node(&c);
	conf_finish(&c);
	err_list_finish(&errs);
	def_free(d);
	return node;
}

static void put_cwd(struct mapping *m)
{
	char *dir = import_path(m->im, m->cwd, ".");
	const json_t *v = json_object_get(m->obj, "cwd");
	const char *text = json_string_value(v);
	if (v && !text && !json_is_null(v)) {
		import_say(m->im, m->app, "cwd", IMPORT_UNSUPPORTED, NULL, "is no text; left out");
	} else if (text && !*text) {
		import_say(m->im, m->app, "cwd", IMPORT_IGNORED, NULL, "it is empty");
	}
	if (strcmp(dir, ".") != 0) {
		put(m, "cwd", "cwd", dir, IMPORT_MAPPED, NULL);
	} else if (text && *text) {
		import_say(m->im, m->app, "cwd", IMPORT_MAPPED, NULL,
			   "the folder of the file, so it is here anyway");
	}
	free(dir);
}

static void read_interpreter(struct mapping *m, struct program *p)
{
	const json_t *v = import_key_value(m, INTERPRETER_NAMES, &p->interpreter_key);
	p->interpreter = json_string_value(v);
	if (v && !p->interpreter) {
		import_say(m->im, m->app, p->interpreter_key, IMPORT_UNSUPPORTED, NULL,
			   "is no text; left out");
	} else if (v && !*p->interpreter) {
		import_say(m->im, m->app, p->interpreter_key, IMPORT_IGNORED, NULL, "it is empty");
		p->interpreter = NULL;
	}
	p->no_interpreter = p->interpreter && strcmp(p->interpreter, "none") == 0;
	if (p->no_interpreter) {
		p->interpreter = NULL;
	}
}

/* The name of a script that is there, but null. */
static const char *key_of_nothing(const struct mapping *m)
{
	const char *key;
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)m->obj, key, v)
	{
		if (words_named(SCRIPT_NAMES, key)) {
			return key;
		}
	}
	return "script";
}

bool import_program(struct mapping *m)
{
	struct program p = {.script_key = "script"};
	const json_t *script = import_key_value(m, SCRIPT_NAMES, &p.script_key);
	p.script = json_string_value(script);
	p.script_key = script ? p.script_key : key_of_nothing(m);
	if (!p.script || !p.script[strspn(p.script, " \t\r\n")]) {
		import_say(m->im, m->app, p.script_key, IMPORT_UNSUPPORTED, NULL,
			   script && !p.script ? "is no text; the app is left out"
					       : "is missing; the app is left out");
		return false;
	}
	p.script += strspn(p.script, " \t\r\n");
	read_interpreter(m, &p);
	read_words(m, "args", &p.args_key, &p.args);
	read_words(m, ARGUMENTS_NAMES, &p.arguments_key, &p.arguments);
	put_cwd(m);
	bool there = look(m, p.script) != LOOK_NONE;
	if (strpbrk(p.script, " \t\n") && !there && !m->from_dump) {
		put_line(m, &p);
	} else if (there || m->from_dump || strchr(p.script, '/') || has_extension(p.script)) {
		put_script(m, &p);
	} else {
		put_command(m, &p);
	}
	m->is_node = import_runs_node(m);
	words_finish(&p.args);
	words_finish(&p.arguments);
	bool ok = def_find(m->app->def, "script") || def_find(m->app->def, "command");
	if (!ok) {
		import_say(m->im, m->app, p.script_key, IMPORT_UNSUPPORTED, NULL,
			   "there is nothing to run; the app is left out");
	}
	return ok;
}
