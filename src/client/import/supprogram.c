/* SPDX-License-Identifier: MIT */
/* supprogram - a [program:NAME] or [fcgi-program:NAME] of supervisord to apps. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/import/map.h"
#include "client/import/supread.h"
#include "client/import/where.h"
#include "common/limits.h"
#include "common/mem.h"
#include "config/names.h"

#define PER_PROCESS "%(process_num)"

struct program {
	struct import *im;
	const struct sup_program *s;
	const char *name;
	const json_t *keys; /* as written */
	const char *group;  /* NULL = none */
	long numprocs, first;
	bool apart; /* each process is an app of its own */
};

static const char *text_of(const json_t *keys, const char *key)
{
	return json_string_value(json_object_get(keys, key));
}

/* --- values --- */

/* A value as it is for one process; NULL with an error. Caller frees. */
static char *expand(const struct program *p, const char *text, long number, struct err *err)
{
	const struct sup_names names = {.program = p->name,
					.group = p->group ? p->group : p->name,
					.numprocs = p->numprocs,
					.number = number};
	return supread_expand(text, &names, err);
}

static json_t *expand_keys(const struct program *p, const struct import_app *app, long number)
{
	json_t *out = json_object();
	const char *key;
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)p->keys, key, v)
	{
		struct err err;
		char *text = expand(p, json_string_value(v), number, &err);
		if (text) {
			json_object_set_new(out, key, json_string(text));
		} else {
			import_say(p->im, app, key, IMPORT_UNSUPPORTED, NULL, "%s; left out",
				   err.msg);
		}
		free(text);
	}
	return out;
}

/* A word for sh, in which marks are variables. */
static void add_shell_word(struct buf *out, const char *word)
{
	static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				   "0123456789_./:,@%+-";
	if (*word && !word[strspn(word, safe)] && !strstr(word, IMPORT_MARK)) {
		buf_addf(out, " %s", word);
		return;
	}
	buf_adds(out, " \"");
	for (const char *s = word; *s;) {
		bool whole;
		char *name = strncmp(s, IMPORT_MARK, strlen(IMPORT_MARK)) == 0
				     ? import_mark_name(s, &whole)
				     : NULL;
		if (name) {
			buf_addf(out, "${%s}", name);
			s += strlen(IMPORT_MARK) + strlen(name) + strlen(IMPORT_MARK_END);
		} else {
			buf_addf(out, "%s%c", strchr("\"\\$`", *s) ? "\\" : "", *s);
			s++;
		}
		free(name);
	}
	buf_addc(out, '"');
}

/* Variables in a command want a shell, and so does a socket that is to be standard input. */
static char *command_by_shell(struct mapping *m, const struct words *w, const char *behind)
{
	struct buf line = {0};
	buf_adds(&line, "exec");
	for (size_t i = 0; i < w->n; i++) {
		bool whole;
		char *name = import_mark_name(w->v[i], &whole);
		if (name) {
			import_say(
				m->im, m->app, "command", IMPORT_TODO, NULL,
				"%%(ENV_%s)s is the variable of a shell now: set env.%s, or name "
				"a file that has it with env_file",
				name, name);
		}
		free(name);
		add_shell_word(&line, w->v[i]);
	}
	buf_adds(&line, behind);
	char *const words[] = {(char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c", line.data};
	char *command = words_join(words, 3);
	buf_finish(&line);
	return command;
}

/* A bare $'...' is a $ and a text there, and more than that here. Caller frees. */
static char *hold_dollars(const char *text)
{
	struct buf b = {0};
	char quote = 0;
	buf_adds(&b, "");
	for (const char *s = text; *s; s++) {
		if (!quote && *s == '$' && s[1] == '\'') {
			buf_addc(&b, '\\');
		} else if (*s == '\\' && quote != '\'' && s[1]) {
			buf_addc(&b, *s++);
		} else if (*s == '"' || *s == '\'') {
			quote = !quote ? *s : quote == *s ? 0 : quote;
		}
		buf_addc(&b, *s);
	}
	return buf_take(&b);
}

static bool put_command(struct mapping *m, bool fcgi)
{
	static const struct import_key same = {.kind = IMPORT_MAPPED};
	static const struct import_key by_shell = {
		.kind = IMPORT_CHANGED, .remark = "a shell makes the socket its standard input"};
	const char *given = text_of(m->obj, "command");
	char *text = given ? hold_dollars(given) : NULL;
	struct words w = {0};
	struct err err;
	if (!text || !words_split(&w, text, &err) || !w.n) {
		import_say(m->im, m->app, "command", IMPORT_UNSUPPORTED, NULL,
			   "%s; the program is left out",
			   text && !w.n ? "is empty"
			   : text	? err.msg
					: "is missing");
		words_finish(&w);
		free(text);
		return false;
	}
	char *command = fcgi || strstr(text, IMPORT_MARK)
				? command_by_shell(m, &w, fcgi ? " <&3" : "")
			: strpbrk(text, "\r\n") ? words_join(w.v, w.n)
						: xstrdup(text);
	bool ok = import_key_set(m, fcgi ? &by_shell : &same, "command", "command", command);
	free(command);
	free(text);
	words_finish(&w);
	return ok;
}

struct env_target {
	struct mapping *m;
	struct app_def *def;
	struct buf done;
};

static void on_env(void *ctx, const char *name, const char *value)
{
	struct env_target *t = ctx;
	json_t *v = json_string(value);
	if (v) {
		/* What a mark stands for is nowhere known here. */
		import_env_set(t->m, t->def, "environment", name, v, v, &t->done);
	}
	json_decref(v);
}

static void put_environment(struct mapping *m, struct app_def *def)
{
	const char *text = text_of(m->obj, "environment");
	struct env_target t = {.m = m, .def = def};
	struct err err;
	if (text && !supread_environment(text, on_env, &t, &err)) {
		import_say(m->im, m->app, "environment", IMPORT_UNSUPPORTED, NULL,
			   "%s; the rest is left out", err.msg);
	}
	if (t.done.len) {
		import_say(m->im, m->app, "environment", IMPORT_MAPPED, t.done.data, "%s", "");
	} else if (text && !*text) {
		import_say(m->im, m->app, "environment", IMPORT_IGNORED, NULL, "it is empty");
	}
	buf_finish(&t.done);
}

/* "tcp://host:port", "unix:///path". */
static void put_socket(struct mapping *m)
{
	static const struct import_key row = {.kind = IMPORT_CHANGED,
					      .remark = "opened by pmctld; all instances share it"};
	const char *text = text_of(m->obj, "socket");
	char *value = NULL;
	if (!text) {
		import_say(m->im, m->app, "socket", IMPORT_UNSUPPORTED, NULL, "is missing");
	} else if (strncmp(text, "tcp://localhost:", 16) == 0) {
		value = xasprintf("127.0.0.1:%s", text + 16);
	} else if (strncmp(text, "tcp://", 6) == 0) {
		value = xstrdup(text + 6 + (text[6] == ':'));
	} else if (strncmp(text, "unix://", 7) == 0) {
		value = xasprintf("unix:%s", text + 7);
	} else {
		import_say(m->im, m->app, "socket", IMPORT_UNSUPPORTED, NULL,
			   "is neither tcp:// nor unix://; set listen");
	}
	if (value) {
		import_key_set(m, &row, "socket", "listen", value);
	}
	free(value);
}

static void put_directory(struct mapping *m)
{
	static const struct import_key row = {.kind = IMPORT_MAPPED};
	const char *text = text_of(m->obj, "directory");
	if (text && strstr(text, IMPORT_MARK)) {
		import_say(m->im, m->app, "directory", IMPORT_UNSUPPORTED, NULL,
			   "a variable in a path is not expanded here; set cwd");
	} else if (text && !*text) {
		import_say(m->im, m->app, "directory", IMPORT_IGNORED, NULL, "it is empty");
	} else if (text) {
		char *path = import_path(m->im, m->im->src_dir, text);
		import_key_set(m, &row, "directory", "cwd", path);
		free(path);
	}
}

static void put_instances(struct mapping *m, const struct program *p)
{
	const struct import_key row = {.kind = IMPORT_CHANGED, .remark = "slots count from 0"};
	char *n = xasprintf("%ld", p->numprocs);
	if (p->apart && p->group == NULL) {
		char *group = xasprintf("the %ld processes of it are apps", p->numprocs);
		const struct import_key apart = {.kind = IMPORT_CHANGED, .remark = group};
		import_key_set(m, &apart, "numprocs", "namespace", p->name);
		free(group);
	} else if (p->apart) {
		import_say(m->im, m->app, "numprocs", IMPORT_CHANGED, NULL,
			   "the %ld processes of it are apps", p->numprocs);
	} else if (p->numprocs > 1 && import_key_set(m, &row, "numprocs", "instances", n)) {
		/* node would become a cluster, which it was not */
		struct err err;
		if (import_runs_node(m)) {
			import_put(m->im, m->app->def, "mode", "fork", &err);
		}
	} else if (json_object_get(p->keys, "numprocs")) {
		long given = strtol(text_of(p->keys, "numprocs"), NULL, 10);
		import_say(m->im, m->app, "numprocs",
			   given == 1 ? IMPORT_MAPPED : IMPORT_UNSUPPORTED, NULL, "%s",
			   given == 1 ? "so it is here anyway"
				      : "is no number of processes; there is one");
	}
	if (json_object_get(p->keys, "numprocs_start")) {
		import_say(m->im, m->app, "numprocs_start",
			   p->apart ? IMPORT_MAPPED : IMPORT_CHANGED, NULL, "%s",
			   p->apart ? "in the numbers of the apps" : "slots count from 0");
	}
	if (p->group) {
		const struct import_key in = {.kind = IMPORT_MAPPED};
		import_key_set(m, &in, "group", "namespace", p->group);
	}
	free(n);
}

static void tell_process_name(struct mapping *m, const struct program *p)
{
	bool used = p->apart && text_of(m->obj, "process_name");
	if (json_object_get(p->keys, "process_name")) {
		import_say(m->im, m->app, "process_name", used ? IMPORT_MAPPED : IMPORT_CHANGED,
			   NULL, "%s",
			   used ? "the names of the apps"
				: "the instances of an app are NAME:0, NAME:1 and so on");
	}
}

/* --- a program --- */

static bool is_own(const struct program *p, const char *key)
{
	static const char own[] = "command directory environment numprocs numprocs_start "
				  "process_name";
	return words_named(own, key) || (p->s->fcgi && strcmp(key, "socket") == 0);
}

/* In the order of the table, for redirect_stderr looks at stdout_logfile. */
static void apply_keys(struct mapping *m, const struct program *p)
{
	const char *key;
	json_t *v;
	for (size_t i = 0; i < m->table->n; i++) {
		json_object_foreach((json_t *)(uintptr_t)m->obj, key, v)
		{
			if (!is_own(p, key) && import_key_find(m->table, key) == &m->table->v[i]) {
				import_key_apply(m, key, v);
			}
		}
	}
	json_object_foreach((json_t *)(uintptr_t)m->obj, key, v)
	{
		if (!import_key_find(m->table, key)) {
			import_say(m->im, m->app, key, IMPORT_IGNORED, NULL, "%s",
				   m->table->ignored);
		}
	}
}

static void apply_default_restart(struct mapping *m)
{
	if (!json_object_get(m->obj, "autorestart")) {
		json_t *v = json_string("unexpected");
		import_key_apply(m, "autorestart", v);
		json_decref(v);
	}
}

/* What its processes are called, where each is an app. Caller frees. */
static char *name_of(const struct program *p, long number)
{
	const char *text = text_of(p->keys, "process_name");
	struct err err;
	char *name = p->apart && text ? expand(p, text, number, &err) : NULL;
	return name ? name : xstrdup(p->name);
}

static void add_process(const struct program *p, long number)
{
	char *name = name_of(p, number);
	struct mapping m = {.im = p->im,
			    .app = import_add(p->im, name),
			    .table = &import_sup_keys,
			    .cwd = xstrdup(p->im->src_dir)};
	json_t *keys = expand_keys(p, m.app, number);
	m.obj = keys;
	import_say_twice(p->im, m.app, "", p->im->where.keys);
	if (p->s->file) {
		import_say(p->im, m.app, "[include]", IMPORT_MAPPED, NULL,
			   "this program, and the numbers of its lines, are of %s", p->s->file);
	}
	if (put_command(&m, p->s->fcgi)) {
		if (p->s->fcgi) {
			put_socket(&m);
		}
		put_directory(&m);
		put_environment(&m, m.app->def);
		tell_process_name(&m, p);
		put_instances(&m, p);
		apply_keys(&m, p);
		apply_default_restart(&m);
	} else {
		import_drop(p->im, m.app);
	}
	free(m.cwd);
	free(name);
	json_decref(keys);
}

static bool names_process(const struct program *p)
{
	const char *key;
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)p->keys, key, v)
	{
		if (strcmp(key, "process_name") != 0 && strstr(json_string_value(v), PER_PROCESS)) {
			return true;
		}
	}
	return false;
}

static long number_of(const json_t *keys, const char *key, long absent)
{
	const char *text = text_of(keys, key);
	char *end;
	long n = text ? strtol(text, &end, 10) : absent;
	return text && (end == text || *end || n < 0 || n > 99999) ? absent : n;
}

void import_sup_program(struct import *im, const struct sup_program *s)
{
	struct program p = {.im = im, .s = s, .name = s->name, .keys = s->keys, .group = s->group};
	p.numprocs = number_of(s->keys, "numprocs", 1);
	p.first = number_of(s->keys, "numprocs_start", 0);
	p.numprocs = p.numprocs < 1 ? 1 : p.numprocs;
	p.apart = p.numprocs > 1 && names_process(&p);
	if (p.numprocs > LIMIT_INSTANCES_APP) {
		char *place = xasprintf("program:%s: numprocs", p.name);
		import_say(im, NULL, place, IMPORT_CHANGED, NULL, "%ld; %d is the most here",
			   p.numprocs, LIMIT_INSTANCES_APP);
		free(place);
		p.numprocs = LIMIT_INSTANCES_APP;
	}
	for (long i = 0; i < (p.apart ? p.numprocs : 1) && im->napps < LIMIT_APPS; i++) {
		add_process(&p, p.first + i);
	}
}

void import_sup_environment(struct import *im, const json_t *keys)
{
	struct mapping m = {.im = im, .app = im->defaults, .table = &import_sup_keys, .obj = keys};
	put_environment(&m, im->defaults->def);
}
