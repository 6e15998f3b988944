/* SPDX-License-Identifier: MIT */
/* supervisord - supervisord.conf to apps. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/import/map.h"
#include "client/import/supread.h"
#include "common/limits.h"
#include "common/mem.h"
#include "config/names.h"

#define PER_PROCESS "%(process_num)"

struct program {
	struct import *im;
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

static json_t *expand_keys(const struct program *p, long number)
{
	const struct sup_names names = {.program = p->name,
					.group = p->group ? p->group : p->name,
					.here = p->im->src_dir,
					.numprocs = p->numprocs,
					.number = number};
	json_t *out = json_object();
	const char *key;
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)p->keys, key, v)
	{
		struct err err;
		char *text = supread_expand(json_string_value(v), &names, &err);
		if (text) {
			json_object_set_new(out, key, json_string(text));
		} else {
			char *place = xasprintf("program:%s: %s", p->name, key);
			import_say(p->im, NULL, place, IMPORT_UNSUPPORTED, NULL, "%s; left out",
				   err.msg);
			free(place);
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

/* Variables in a command want a shell. */
static char *command_with_marks(struct mapping *m, const struct words *w)
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
	char *const words[] = {(char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c", line.data};
	char *command = words_join(words, 3);
	buf_finish(&line);
	return command;
}

static bool put_command(struct mapping *m)
{
	static const struct import_key row = {.kind = IMPORT_MAPPED};
	const char *text = text_of(m->obj, "command");
	struct words w = {0};
	struct err err;
	if (!text || !words_split(&w, text, &err) || !w.n) {
		import_say(m->im, m->app, "command", IMPORT_UNSUPPORTED, NULL,
			   "%s; the program is left out",
			   text && !w.n ? "is empty"
			   : text	? err.msg
					: "is missing");
		words_finish(&w);
		return false;
	}
	char *command = strstr(text, IMPORT_MARK) ? command_with_marks(m, &w)
			: strpbrk(text, "\r\n")	  ? words_join(w.v, w.n)
						  : xstrdup(text);
	bool ok = import_key_set(m, &row, "command", "command", command);
	free(command);
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
	}
	buf_finish(&t.done);
}

static void put_directory(struct mapping *m)
{
	static const struct import_key row = {.kind = IMPORT_MAPPED};
	const char *text = text_of(m->obj, "directory");
	if (text && strstr(text, IMPORT_MARK)) {
		import_say(m->im, m->app, "directory", IMPORT_UNSUPPORTED, NULL,
			   "a variable in a path is not expanded here; set cwd");
	} else if (text && *text) {
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
	} else if (!p->apart && p->numprocs > 1 &&
		   import_key_set(m, &row, "numprocs", "instances", n)) {
		/* node would become a cluster, which it was not */
		struct err err;
		if (import_runs_node(m)) {
			import_put(m->im, m->app->def, "mode", "fork", &err);
		}
	}
	if (p->group) {
		const struct import_key in = {.kind = IMPORT_MAPPED};
		import_key_set(m, &in, "group", "namespace", p->group);
	}
	free(n);
}

/* --- a program --- */

static bool is_own(const char *key)
{
	static const char *const own[] = {"command",  "directory",	"environment",
					  "numprocs", "numprocs_start", "process_name"};
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		if (strcmp(own[i], key) == 0) {
			return true;
		}
	}
	return false;
}

/* In the order of the table, for redirect_stderr looks at stdout_logfile. */
static void apply_keys(struct mapping *m)
{
	const char *key;
	json_t *v;
	for (size_t i = 0; i < m->table->n; i++) {
		json_object_foreach((json_t *)(uintptr_t)m->obj, key, v)
		{
			if (!is_own(key) && import_key_find(m->table, key) == &m->table->v[i]) {
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

static void add_process(const struct program *p, long number)
{
	json_t *keys = expand_keys(p, number);
	const char *process = text_of(keys, "process_name");
	const char *name = p->apart && process && strcmp(process, p->name) != 0 ? process : p->name;
	struct mapping m = {.im = p->im,
			    .app = import_add(p->im, name),
			    .table = &import_sup_keys,
			    .obj = keys,
			    .cwd = xstrdup(p->im->src_dir)};
	if (put_command(&m)) {
		put_directory(&m);
		put_environment(&m, m.app->def);
		put_instances(&m, p);
		apply_keys(&m);
		apply_default_restart(&m);
	} else {
		import_drop(p->im, m.app);
	}
	free(m.cwd);
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

static void read_program(struct import *im, const char *name, const json_t *keys, const char *group)
{
	struct program p = {.im = im, .name = name, .keys = keys, .group = group};
	p.numprocs = number_of(keys, "numprocs", 1);
	p.first = number_of(keys, "numprocs_start", 0);
	p.numprocs = p.numprocs < 1 ? 1 : p.numprocs;
	p.apart = p.numprocs > 1 && names_process(&p);
	if (p.numprocs > LIMIT_INSTANCES_APP) {
		char *place = xasprintf("program:%s: numprocs", name);
		import_say(im, NULL, place, IMPORT_CHANGED, NULL, "%ld; %d is the most here",
			   p.numprocs, LIMIT_INSTANCES_APP);
		free(place);
		p.numprocs = LIMIT_INSTANCES_APP;
	}
	for (long i = 0; i < (p.apart ? p.numprocs : 1) && im->napps < LIMIT_APPS; i++) {
		add_process(&p, p.first + i);
	}
}

/* --- the file --- */

/* Those sections that are groups. */
static json_t *find_groups(const json_t *sections)
{
	json_t *groups = json_array();
	size_t i;
	json_t *s;
	json_array_foreach(sections, i, s)
	{
		if (strncmp(text_of(s, "name"), "group:", 6) == 0) {
			json_array_append(groups, s);
		}
	}
	return groups;
}

/* The group that names this program; NULL = none. */
static const char *group_of(const json_t *groups, const char *program)
{
	size_t i;
	const json_t *s;
	json_array_foreach(groups, i, s)
	{
		const char *name = text_of(s, "name");
		const char *list = text_of(json_object_get(s, "keys"), "programs");
		for (const char *w = list;
		     w && strncmp(name, "group:", 6) == 0 && *(w += strspn(w, ", \t\r\n"));) {
			size_t len = strcspn(w, ", \t\r\n");
			if (len == strlen(program) && strncmp(w, program, len) == 0) {
				return name + 6;
			}
			w += len;
		}
	}
	return NULL;
}

static void read_other(struct import *im, const char *name)
{
	const struct import_table *t = &import_sup_sections;
	const struct import_key *row = NULL;
	char *key = xasprintf("[%s]", name);
	for (size_t i = 0; i < t->n && !row; i++) {
		/* A name that ends in a colon is a family. */
		size_t len = strlen(t->v[i].names);
		bool family = t->v[i].names[len - 1] == ':';
		row = strncmp(name, t->v[i].names, len + !family) == 0 ? &t->v[i] : NULL;
	}
	import_say(im, NULL, key, row ? row->kind : IMPORT_IGNORED, NULL, "%s",
		   row ? row->remark : t->ignored);
	free(key);
}

/* [supervisord]: its environment is that of all programs; the rest is of the daemon itself. */
static void read_daemon(struct import *im, const json_t *keys)
{
	struct mapping m = {.im = im, .app = im->defaults, .table = &import_sup_keys, .obj = keys};
	const char *key;
	json_t *v;
	if (json_object_get(keys, "environment")) {
		put_environment(&m, im->defaults->def);
	}
	json_object_foreach((json_t *)(uintptr_t)keys, key, v)
	{
		if (strcmp(key, "environment") != 0) {
			char *place = xasprintf("[supervisord] %s", key);
			import_say(im, NULL, place, IMPORT_IGNORED, NULL,
				   "of the daemon itself; see pmctld(8)");
			free(place);
		}
	}
}

/* Only apps of the list can be waited for. */
static void check_after(struct import *im, struct import_app *a)
{
	const struct setting *s = def_find(a->def, "after");
	struct words w = {0}, kept = {0};
	struct err err;
	if (!s || !words_split(&w, s->value, &err)) {
		return;
	}
	for (size_t i = 0; i < w.n; i++) {
		bool found = false;
		for (size_t k = 0; k < im->napps && !found; k++) {
			found = im->apps[k] != a && strcmp(im->apps[k]->def->name, w.v[i]) == 0;
		}
		if (found) {
			words_add(&kept, w.v[i]);
		} else {
			import_say(im, a, "dependent_startup_wait_for", IMPORT_UNSUPPORTED, NULL,
				   "%.60s is no program of the file; left out", w.v[i]);
		}
	}
	def_unset(a->def, "after");
	if (kept.n) {
		char *text = words_join(kept.v, kept.n);
		def_set(a->def, "after", text, 0);
		free(text);
	}
	words_finish(&w);
	words_finish(&kept);
}

bool import_supervisord(struct import *im, const char *text, struct err *err)
{
	json_t *sections = supread(text, err);
	json_t *groups = find_groups(sections);
	size_t i, programs = 0;
	const json_t *s;
	import_say(im, NULL, "[program:...]", IMPORT_CHANGED, NULL,
		   "a stop ends the whole process tree, and max_restarts (10 in 5m) limits all "
		   "restarts, also of what was up");
	json_array_foreach(sections, i, s)
	{
		const char *name = text_of(s, "name");
		const json_t *keys = json_object_get(s, "keys");
		if (strncmp(name, "program:", 8) == 0) {
			read_program(im, name + 8, keys, group_of(groups, name + 8));
			programs++;
		} else if (strcmp(name, "supervisord") == 0) {
			read_daemon(im, keys);
		} else {
			read_other(im, name);
		}
	}
	for (i = 0; i < im->napps; i++) {
		check_after(im, im->apps[i]);
	}
	bool ok = sections != NULL;
	json_decref(groups);
	json_decref(sections);
	if (ok && !programs) {
		return err_set(err, ERR_CONFIG, "there is no [program:NAME] in it");
	}
	return ok;
}
