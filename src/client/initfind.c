/* SPDX-License-Identifier: MIT */
#include "client/initfind.h"

#include <ctype.h>
#include <fcntl.h>
#include <glob.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/client.h"
#include "client/workdir.h"
#include "common/mem.h"
#include "config/names.h"
#include "sys/fileio.h"

/* NULL if there is none, or it is not a small text. The caller frees. */
static char *read_text(const char *path)
{
	char *text = file_is_regular(path) ? xmalloc(INITFIND_SIZE) : NULL;
	ssize_t n = text ? file_read(AT_FDCWD, path, text, INITFIND_SIZE) : -1;
	if (n < 0 || n >= INITFIND_SIZE - 1 || strlen(text) != (size_t)n) {
		free(text);
		return NULL;
	}
	return text;
}

static bool text_has(const char *path, const char *what)
{
	char *text = read_text(path);
	bool has = text && strstr(text, what);
	free(text);
	return has;
}

/* One value of an INI file, with nothing that would be read as more or less than it says. */
static bool is_plain(const char *s)
{
	if (!*s || strlen(s) > 1000 || isspace((unsigned char)*s) || s[strlen(s) - 1] == ' ') {
		return false;
	}
	for (; *s; s++) {
		if ((unsigned char)*s < ' ' || *s == 0x7f) {
			return false;
		}
	}
	return true;
}

/* --- Node --- */

/* VAR=value in front of a command. */
static bool take_variable(struct project *p, const char *word)
{
	const char *eq = strchr(word, '=');
	char *name = eq ? xstrndup(word, (size_t)(eq - word)) : NULL;
	bool ok = name && names_check_env(name, NULL) && !names_is_reserved_env(name);
	if (ok) {
		words_add(&p->env, word);
	}
	free(name);
	return ok;
}

/* node [OPTIONS] FILE [ARGS]. An option with a separate value is not known as such: then FILE is
 * not there, and the caller takes the whole command. */
static bool take_node(struct project *p, const struct words *w, size_t at)
{
	size_t first = at;
	while (at < w->n && w->v[at][0] == '-') {
		at++;
	}
	if (at == w->n || !file_is_regular(w->v[at])) {
		return false;
	}
	p->script = xstrdup(w->v[at]);
	p->node_args = at > first ? words_join(w->v + first, at - first) : NULL;
	p->args = at + 1 < w->n ? words_join(w->v + at + 1, w->n - at - 1) : NULL;
	return true;
}

static void take_npm(struct project *p, const char *note)
{
	p->command = xstrdup("npm start");
	p->note = xstrdup(note);
}

/* scripts.start, without npm and a shell around it where that can be done. */
static void take_start(struct project *p, const char *start)
{
	struct words w = {0};
	struct err ignored;
	size_t at = 0;
	p->why = xstrdup("scripts.start of package.json");
	if (!is_plain(start) || strpbrk(start, "&|;<>$`()*?~#") ||
	    !words_split(&w, start, &ignored) || !w.n) {
		take_npm(p, "npm and a shell stand between pmctl and the program; better is the "
			    "command they end in.");
		words_finish(&w);
		return;
	}
	if (strcmp(w.v[0], "cross-env") == 0) {
		at++;
	}
	while (at < w.n && strchr(w.v[at], '=') && take_variable(p, w.v[at])) {
		at++;
	}
	if (at < w.n && strcmp(w.v[at], "node") == 0 && take_node(p, &w, at + 1)) {
		words_finish(&w);
		return;
	}
	char *tool = xasprintf("node_modules/.bin/%s", at < w.n ? w.v[at] : "");
	if (at == w.n) {
		take_npm(p, "scripts.start has no program in it.");
	} else if (access(tool, X_OK) == 0 || !strchr(w.v[at], '/')) {
		bool local = access(tool, X_OK) == 0;
		char *rest = words_join(w.v + at + 1, w.n - at - 1);
		char *first = words_join((char *[]){local ? tool : w.v[at]}, 1);
		p->command = xasprintf("%s%s%s", first, *rest ? " " : "", rest);
		free(first);
		free(rest);
	} else {
		p->command = words_join(w.v + at, w.n - at);
	}
	free(tool);
	words_finish(&w);
}

static char *app_name(const char *wanted, const char *dir)
{
	const char *slash = wanted ? strrchr(wanted, '/') : NULL; /* @scope/name */
	char *path = xasprintf("/%s", slash ? slash + 1 : wanted ? wanted : strrchr(dir, '/') + 1);
	char *name = workdir_project(path);
	free(path);
	if (!names_check_app(name, NULL)) {
		free(name);
		name = xstrdup("app");
	}
	return name;
}

static bool take_package(struct project *p, const char *dir)
{
	char *text = read_text("package.json");
	json_t *o = text ? json_loads(text, 0, NULL) : NULL;
	const char *start = member_text(json_object_get(o, "scripts"), "start", NULL);
	const char *main_file = member_text(o, "main", NULL);
	bool found = true;
	if (start) {
		take_start(p, start);
	} else if (main_file && is_plain(main_file) && file_is_regular(main_file)) {
		p->script = xstrdup(main_file);
		p->why = xstrdup("main of package.json");
	} else {
		found = false;
	}
	if (o) {
		free(p->name);
		p->name = app_name(member_text(o, "name", NULL), dir);
	}
	json_decref(o);
	free(text);
	return found;
}

static bool take_first(struct project *p, const char *const *names)
{
	for (; *names; names++) {
		if (file_is_regular(*names)) {
			p->script = xstrdup(*names);
			p->why = xstrdup(*names);
			return true;
		}
	}
	return false;
}

static bool find_node(struct project *p, const char *dir)
{
	static const char *const names[] = {
		"server.js",	"app.js",	 "index.js",	   "main.js",	   "server.mjs",
		"app.mjs",	"index.mjs",	 "server.cjs",	   "app.cjs",	   "index.cjs",
		"src/index.js", "dist/index.js", "dist/server.js", "dist/main.js", NULL};
	p->kind = PROJECT_NODE;
	return take_package(p, dir) || take_first(p, names);
}

/* --- Python --- */

/* Of the project's own environment, where it has one. The caller frees. */
static char *python_tool(const char *name)
{
	static const char *const dirs[] = {".venv/bin", "venv/bin", "env/bin"};
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		char *path = xasprintf("%s/%s", dirs[i], name);
		if (access(path, X_OK) == 0) {
			return path;
		}
		free(path);
	}
	return xstrdup(name);
}

static void serve_wsgi(struct project *p, const char *module)
{
	char *tool = python_tool("gunicorn");
	p->command = xasprintf("%s %s", tool, module);
	p->listen = "127.0.0.1:8000";
	p->ready = "notify";
	free(tool);
}

static void serve_asgi(struct project *p, const char *module)
{
	char *tool = python_tool("uvicorn");
	p->command = xasprintf("%s --fd 3 %s", tool, module);
	p->listen = "127.0.0.1:8000";
	free(tool);
}

/* manage.py: the folder beside it with a wsgi.py. */
static bool find_django(struct project *p)
{
	glob_t g;
	bool found = false;
	if (file_is_regular("manage.py") && glob("*/wsgi.py", 0, NULL, &g) == 0) {
		char *module = xstrndup(g.gl_pathv[0], strcspn(g.gl_pathv[0], "/"));
		char *whole = xasprintf("%s.wsgi", module);
		found = g.gl_pathc == 1 && names_check_env(module, NULL);
		if (found) {
			serve_wsgi(p, whole);
			p->why = xasprintf("manage.py and %s", g.gl_pathv[0]);
		}
		free(whole);
		free(module);
		globfree(&g);
	}
	return found;
}

static bool find_module(struct project *p, const char *module)
{
	char *path = xasprintf("%s.py", module);
	char *app = xasprintf("%s:app", module);
	bool found = true;
	if (strcmp(module, "wsgi") == 0 && file_is_regular(path)) {
		serve_wsgi(p, text_has(path, "application") ? "wsgi:application" : app);
	} else if (strcmp(module, "asgi") == 0 && file_is_regular(path)) {
		serve_asgi(p, text_has(path, "application") ? "asgi:application" : app);
	} else if (text_has(path, "FastAPI(") || text_has(path, "Starlette(")) {
		serve_asgi(p, app);
	} else if (text_has(path, "Flask(")) {
		serve_wsgi(p, app);
	} else if (file_is_regular(path)) {
		p->script = xstrdup(path);
		p->interpreter = python_tool("python");
		if (!strchr(p->interpreter, '/')) { /* none of its own */
			free(p->interpreter);
			p->interpreter = NULL;
		}
	} else {
		found = false;
	}
	p->why = found ? xstrdup(path) : NULL;
	free(app);
	free(path);
	return found;
}

static bool find_python(struct project *p)
{
	static const char *const modules[] = {"wsgi", "asgi", "app", "main", "server", "run"};
	p->kind = PROJECT_PYTHON;
	bool found = find_django(p);
	for (size_t i = 0; !found && i < ARRAY_LEN(modules); i++) {
		found = find_module(p, modules[i]);
	}
	return found;
}

/* --- others --- */

static bool find_ruby(struct project *p)
{
	p->kind = PROJECT_RUBY;
	if (!file_is_regular("config.ru")) {
		return false;
	}
	p->command =
		xstrdup(file_is_regular("Gemfile") ? "bundle exec puma --bind tcp://127.0.0.1:9292"
						   : "puma --bind tcp://127.0.0.1:9292");
	p->listen = "127.0.0.1:9292";
	p->why = xstrdup("config.ru");
	return true;
}

static bool find_shell(struct project *p)
{
	static const char *const names[] = {"start.sh", "run.sh", "server.sh", NULL};
	p->kind = PROJECT_SHELL;
	return take_first(p, names);
}

static const char *find_foreign(void)
{
	static const char *const names[] = {"ecosystem.config.js",  "ecosystem.config.cjs",
					    "ecosystem.config.mjs", "ecosystem.json",
					    "process.json",	    "pm2.config.js",
					    "supervisord.conf",	    "Procfile"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (file_is_regular(names[i])) {
			return names[i];
		}
	}
	return NULL;
}

void project_find(struct project *p, const char *dir)
{
	*p = (struct project){.name = app_name(NULL, dir)};
	p->env_file = file_is_regular(".env");
	p->foreign = find_foreign();
	if (!find_node(p, dir) && !find_python(p) && !find_ruby(p) && !find_shell(p)) {
		p->kind = PROJECT_UNKNOWN;
	}
}

void project_forget(struct project *p)
{
	struct project empty = {.name = p->name, .env_file = p->env_file, .foreign = p->foreign};
	p->name = NULL;
	project_finish(p);
	*p = empty;
}

void project_finish(struct project *p)
{
	free(p->name);
	free(p->why);
	free(p->script);
	free(p->command);
	free(p->args);
	free(p->interpreter);
	free(p->node_args);
	free(p->note);
	words_finish(&p->env);
	*p = (struct project){0};
}
