/* SPDX-License-Identifier: MIT */
/* pm2 - an app list of PM2, as a tree, to apps. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/import/map.h"
#include "client/import/where.h"
#include "common/limits.h"
#include "common/mem.h"
#include "common/suggest.h"
#include "config/names.h"

/* Looked at by import_program() and by what is below, before the rows are. */
static const char *const early[] = {
	"name",	       "script",	   "exec",
	"cmd",	       "command",	   "args",
	"interpreter", "exec_interpreter", "interpreter_args",
	"node_args",   "interpreterArgs",  "cwd",
	"env",
};

static bool is_early(const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(early); i++) {
		if (strcmp(key, early[i]) == 0) {
			return true;
		}
	}
	return false;
}

/* --- environment --- */

/* The keys that were set are added to *done. */
static void env_into(struct mapping *m, struct app_def *def, const char *prefix, const json_t *v,
		     const json_t *marked, struct buf *done)
{
	const char *name;
	json_t *each;
	json_object_foreach((json_t *)(uintptr_t)v, name, each)
	{
		import_env_set(m, def, prefix, name, each, json_object_get(marked, name), done);
	}
	/* A variable that is not set now is only in the marked one. */
	json_object_foreach((json_t *)(uintptr_t)marked, name, each)
	{
		if (!json_object_get(v, name)) {
			import_env_set(m, def, prefix, name, NULL, each, done);
		}
	}
}

static void read_env(struct mapping *m)
{
	const json_t *v = json_object_get(m->obj, "env");
	struct buf done = {0};
	if (m->whole_env) {
		import_say(m->im, m->app, "env", IMPORT_CHANGED, NULL,
			   "...process.env: the caller's environment is not copied; set what the "
			   "program needs");
	}
	if (json_is_object(v)) {
		env_into(m, m->app->def, "env", v, json_object_get(m->marked, "env"), &done);
	} else if (v) {
		bool null = json_is_null(v);
		import_say(m->im, m->app, "env", null ? IMPORT_IGNORED : IMPORT_UNSUPPORTED, NULL,
			   null ? "it is null" : "is no object of variables; left out");
	}
	if (json_is_object(v) && !json_object_size(v)) {
		import_say(m->im, m->app, "env", IMPORT_MAPPED, NULL, "there are none");
	}
	if (done.len) {
		import_say(m->im, m->app, "env", IMPORT_MAPPED, done.data, "%s", "");
	}
	buf_finish(&done);
}

/* env_production and its like. False if the key is none of them. */
static bool read_profile(struct mapping *m, const char *key, const json_t *v)
{
	if (strncmp(key, "env_", 4) != 0 || !json_is_object(v)) {
		return false;
	}
	struct app_def *p = import_profile(m->im, m->app, key + 4);
	if (!p) {
		import_say(m->im, m->app, key, IMPORT_UNSUPPORTED, NULL,
			   "no profile can be called that; left out");
		return true;
	}
	struct buf done = {0};
	char *to = xasprintf("[app:%s@%s]", m->app->def->name, key + 4);
	env_into(m, p, key, v, json_object_get(m->marked, key), &done);
	import_say(m->im, m->app, key, IMPORT_MAPPED, to, "a profile with %s; used with --env %s",
		   done.len ? done.data : "nothing", key + 4);
	buf_finish(&done);
	free(to);
	return true;
}

/* --- keys --- */

static void unknown(struct mapping *m, const char *key)
{
	struct suggest s;
	char near[160];
	const struct import_table *t = m->table;
	char *names = NULL;
	const struct import_key *wish = import_key_find(&import_pm2_wishes, key);
	suggest_init(&s, key);
	struct buf all = {0};
	for (size_t i = 0; i < t->n; i++) {
		buf_addf(&all, "%s ", t->v[i].names);
	}
	names = buf_take(&all);
	for (char *save = NULL, *w = strtok_r(names, " ", &save); w;
	     w = strtok_r(NULL, " ", &save)) {
		suggest_offer(&s, w);
	}
	suggest_text(&s, near, sizeof(near));
	import_say(m->im, m->app, key, IMPORT_IGNORED, NULL, "%s%s%s", t->ignored,
		   wish ? "; here there is " : "", wish ? wish->remark : near);
	free(names);
}

/* Nothing is said of a key that was looked at early where it has no effect. */
static void read_early(struct mapping *m, const char *key, const json_t *v)
{
	static const char *const same[] = {"script exec cmd command",
					   "interpreter exec_interpreter",
					   "interpreter_args node_args interpreterArgs"};
	const char *used;
	import_say_marked(m, key);
	if (json_is_null(v)) {
		import_say(m->im, m->app, key, IMPORT_IGNORED, NULL, "it is null");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		if (words_named(same[i], key) && import_key_value(m, same[i], &used) &&
		    strcmp(used, key) != 0) {
			import_say(m->im, m->app, key, IMPORT_UNSUPPORTED, NULL,
				   "%s is given too, and wins", used);
		}
	}
}

static void read_key(struct mapping *m, const char *key, const json_t *v)
{
	if (strcmp(key, IMPORT_SESSION_KEY) == 0) {
		import_say(m->im, m->app, "env", IMPORT_IGNORED, NULL,
			   "of the shell that started it, or as it is here anyway; not copied: %s",
			   json_string_value(v));
		return;
	}
	if (is_early(key) && strcmp(key, "env") != 0) {
		read_early(m, key, v);
	}
	if (!is_early(key) && !read_profile(m, key, v) && !import_key_apply(m, key, v)) {
		unknown(m, key);
	}
}

/* The variable increment_var counts up must be there, and a number. */
static void check_increment(struct mapping *m)
{
	const struct setting *s = def_find(m->app->def, "increment_var");
	char *key = s ? xasprintf("env.%s", s->value) : NULL;
	const struct setting *var = key ? def_find(m->app->def, key) : NULL;
	if (s && (!var || !*var->value || var->value[strspn(var->value, "0123456789")])) {
		import_say(m->im, m->app, "increment_var", IMPORT_UNSUPPORTED, NULL,
			   "%s is %s; left out", key, var ? "no number" : "not set");
		def_unset(m->app->def, "increment_var");
	}
	free(key);
}

/* A job: it ends, and is run again at its time. */
static void note_job(struct mapping *m)
{
	const struct setting *again = def_find(m->app->def, "autorestart");
	if (again && strcmp(again->value, "never") == 0 && def_find(m->app->def, "cron_restart")) {
		import_say(m->im, m->app, "cron_restart", IMPORT_MAPPED, NULL,
			   "with autorestart = never it is a job: run at its time, never two at "
			   "once");
	}
}

/* The base of a script's name, where an app has none. */
static char *name_of(const struct mapping *m)
{
	char *name = import_text(json_object_get(m->obj, "name"));
	const char *key;
	const char *script =
		json_string_value(import_key_value(m, "script exec cmd command", &key));
	if ((name && *name) || !script) {
		return name && *name ? name : (free(name), xstrdup("app"));
	}
	free(name);
	const char *slash = strrchr(script, '/');
	char *base = xstrdup(slash ? slash + 1 : script);
	base[strcspn(base, " \t")] = '\0';
	char *dot = strrchr(base, '.');
	if (dot && dot != base) {
		*dot = '\0';
	}
	return base;
}

/* What is undefined is as if it were not written. */
static void drop_undefined(struct mapping *m)
{
	const char *key;
	json_t *v;
	void *next;
	json_object_foreach_safe((json_t *)(uintptr_t)m->obj, next, key, v)
	{
		const char *odd = import_odd(v);
		if (odd && strcmp(odd, "undefined") == 0) {
			import_say(m->im, m->app, key, IMPORT_IGNORED, NULL, "it is undefined");
			json_object_del((json_t *)(uintptr_t)m->obj, key);
		}
	}
}

static struct import_app *add_app(struct mapping *m)
{
	char *name = name_of(m);
	const json_t *given = json_object_get(m->obj, "name");
	struct import_app *app = import_add(m->im, name);
	char *text = import_text(given);
	if (given && !text && !json_is_null(given)) {
		import_say(m->im, app, "name", IMPORT_UNSUPPORTED, NULL, "is no text; left out");
	} else if (text && strcmp(text, app->def->name) == 0) {
		char *to = xasprintf("[app:%s]", text);
		import_say(m->im, app, "name", IMPORT_MAPPED, to, "%s", "");
		free(to);
	} else if (text && !*text) {
		import_say(m->im, app, "name", IMPORT_IGNORED, NULL, "it is empty");
	}
	free(text);
	free(name);
	return app;
}

static void read_app(struct import *im, const struct mapping *like)
{
	struct mapping m = *like;
	const char *key;
	json_t *v;
	const char *cwd = json_string_value(json_object_get(m.obj, "cwd"));
	m.im = im;
	m.table = &import_pm2_keys;
	m.app = add_app(&m);
	m.cwd = cwd && *cwd ? import_absolute(im, im->src_dir, cwd) : xstrdup(im->src_dir);
	drop_undefined(&m);
	import_say_twice(im, m.app, "", im->where.keys);
	if (import_program(&m)) {
		read_env(&m);
		json_object_foreach((json_t *)(uintptr_t)m.obj, key, v)
		{
			read_key(&m, key, v);
		}
		check_increment(&m);
		note_job(&m);
	} else {
		import_drop(im, m.app);
	}
	free(m.cwd);
}

/* --- the list --- */

static bool is_app(const json_t *v)
{
	return json_object_get(v, "script") || json_object_get(v, "exec") ||
	       json_object_get(v, "cmd") || json_object_get(v, "command");
}

/* What stands beside `apps`. */
static void read_beside(struct import *im, const json_t *root)
{
	const char *key;
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)root, key, v)
	{
		if (strcmp(key, "apps") == 0 || strcmp(key, "pm2") == 0) {
			continue;
		}
		if (strcmp(key, "deploy") == 0) {
			import_say(im, NULL, key, IMPORT_UNSUPPORTED, NULL,
				   "deploying is not our job; let what does it end with: pmctl "
				   "apply");
		} else {
			import_say(im, NULL, key, IMPORT_IGNORED, NULL,
				   "PM2 looks at nothing outside of apps%s",
				   import_key_find(&import_pm2_keys, key)
					   ? "; for all apps it can stand in [defaults]"
					   : "");
		}
	}
}

static void read_apps(struct import *im, const json_t *apps, const json_t *marked,
		      const json_t *where, struct mapping *like)
{
	size_t i;
	const json_t *app;
	json_array_foreach(apps, i, app)
	{
		const json_t *place =
			json_is_array(where_below(where)) ? where_element(where, i) : where;
		im->where.keys = where_below(place);
		im->where.line = where_line(place);
		if (!json_is_object(app)) {
			char *key = xasprintf("apps[%zu]", i);
			import_say(im, NULL, key, IMPORT_UNSUPPORTED, NULL,
				   "is no object; left out");
			free(key);
			continue;
		}
		like->obj = app;
		like->marked = json_array_get(marked, i);
		read_app(im, like);
	}
	im->where.keys = NULL;
	im->where.line = 0;
}

/* Programs may have a handler for it only. */
static void use_signal(struct import *im)
{
	def_set(im->defaults->def, "stop_signal", "SIGINT", 0);
	words_add(&im->defaults->notes, "what PM2 sends; without this line it is SIGTERM");
	import_say(im, NULL, "PM2_KILL_SIGNAL", IMPORT_MAPPED, "stop_signal = SIGINT",
		   "in [defaults], as PM2 sends that");
}

bool import_pm2(struct import *im, const struct import_source *src, struct err *err)
{
	const json_t *root = src->root, *marked = src->marked;
	const char *list = json_object_get(root, "apps") ? "apps" : "pm2";
	json_t *in = json_object_get(root, list);
	json_t *apps = json_is_array(root)   ? json_incref((json_t *)(uintptr_t)root)
		       : json_is_array(in)   ? json_incref(in)
		       : json_is_object(in)  ? json_pack("[O]", in)
		       : in || !is_app(root) ? NULL
					     : json_pack("[O]", root);
	json_t *same = json_is_array(root) ? json_incref((json_t *)(uintptr_t)marked)
		       : json_is_array(in) ? json_incref(json_object_get(marked, list))
		       : in		   ? json_pack("[O?]", json_object_get(marked, list))
					   : json_pack("[O?]", marked);
	struct mapping like = {.im = im, .reads = src->reads, .whole_env = src->whole_env};
	bool ok = apps != NULL;
	if (!ok) {
		err_set(err, ERR_CONFIG,
			"there is no app list in it: an object with \"apps\", a list of apps, or "
			"one app with \"script\"");
	} else if (json_array_size(apps) > LIMIT_APPS) {
		ok = err_set(err, ERR_CONFIG, "%zu apps; %d is the most", json_array_size(apps),
			     LIMIT_APPS);
	} else {
		use_signal(im);
		if (in) {
			im->where.keys = where_below(src->where);
			import_say_twice(im, NULL, "", im->where.keys);
			read_beside(im, root);
		}
		read_apps(im, apps, same, in ? where_member(src->where, list) : src->where, &like);
	}
	json_decref(apps);
	json_decref(same);
	return ok;
}
