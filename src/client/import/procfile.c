/* SPDX-License-Identifier: MIT */
/* procfile - a Procfile to apps. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "client/import/json.h"
#include "client/import/map.h"
#include "client/import/shellline.h"
#include "common/limits.h"
#include "common/mem.h"
#include "config/envfile.h"
#include "config/names.h"
#include "config/types.h"

#define FIRST_PORT 5000 /* what foreman gives */
#define PORT_STEP  100

/* What foreman takes from .foreman and .env. */
struct foreman {
	unsigned port;
	json_t *options; /* .foreman; NULL = there is none */
};

struct target {
	struct import *im;
	struct import_app *app;
	struct buf done;
};

static void on_env(void *ctx, char *name, char *value)
{
	struct target *t = ctx;
	char *key = xasprintf("env.%s", name);
	struct err err;
	if (import_put(t->im, t->app->def, key, value, &err)) {
		buf_addf(&t->done, "%s%s", t->done.len ? ", " : "", key);
	} else {
		import_say(t->im, t->app, key, IMPORT_UNSUPPORTED, NULL, "%s; left out", err.msg);
	}
	free(key);
}

/* How many of a process run: "all=1,web=2" of .foreman. 1 where it says nothing. */
static long count_of(const struct foreman *f, const char *name)
{
	const char *text = json_string_value(json_object_get(f->options, "formation"));
	long n = 1;
	text = text ? text : json_string_value(json_object_get(f->options, "concurrency"));
	for (const char *s = text ? text : ""; *(s += strspn(s, ", "));) {
		size_t len = strcspn(s, "=,");
		bool all = len == 3 && strncmp(s, "all", 3) == 0;
		bool own = len == strlen(name) && strncmp(s, name, len) == 0;
		if (s[len] == '=' && (all || own)) {
			n = strtol(s + len + 1, NULL, 10);
		}
		s += strcspn(s, ",");
	}
	return n;
}

/* foreman gives each process a PORT, and each instance one more than the one before. */
static void put_instances(struct import *im, struct import_app *app, const struct foreman *f,
			  const char *name, size_t index)
{
	char *port = xasprintf("%u", f->port + PORT_STEP * (unsigned)index);
	char *count = xasprintf("%ld", count_of(f, name));
	bool several = strcmp(count, "1") != 0;
	struct err err;
	if (!def_find(app->def, "env.PORT") && import_put(im, app->def, "env.PORT", port, &err)) {
		char *to = xasprintf("env.PORT = %s", port);
		import_say(im, app, "PORT", IMPORT_MAPPED, to, "as foreman gives it");
		free(to);
	}
	if (strcmp(count, "0") == 0) {
		import_put(im, app->def, "autostart", "no", &err);
		import_say(im, app, "formation", IMPORT_MAPPED, "autostart = no",
			   "none of it in .foreman");
	} else if (several && import_put(im, app->def, "instances", count, &err)) {
		char *to = xasprintf("instances = %s", count);
		import_say(im, app, "formation", IMPORT_MAPPED, to, "in .foreman");
		import_put(im, app->def, "increment_var", "PORT", &err);
		import_put(im, app->def, "mode", "fork", &err);
		free(to);
	} else if (several) {
		import_say(im, app, "formation", IMPORT_UNSUPPORTED, NULL,
			   "%s in .foreman: %s; left out", count, err.msg);
	}
	free(port);
	free(count);
}

static bool put_command(struct import *im, struct import_app *app, const char *line)
{
	struct target t = {.im = im, .app = app};
	const char *rest = line;
	char shown[SHOWN_MAX];
	struct err err;
	shellline_take_env(&rest, on_env, &t);
	if (t.done.len) {
		import_say(im, app, "command", IMPORT_MAPPED, t.done.data,
			   "was in front of the command");
	}
	bool plain = shellline_is_plain(rest);
	char *command = plain ? xstrdup(rest) : shellline_wrap("sh", rest);
	bool ok = import_put(im, app->def, "command", command, &err);
	if (ok) {
		char *to = xasprintf("command = %s", names_shown(command, shown));
		import_say(im, app, "command", plain ? IMPORT_MAPPED : IMPORT_CHANGED, to, "%s",
			   plain ? "" : "by a shell, as it has more than words in it");
		free(to);
	} else {
		import_say(im, app, "command", IMPORT_UNSUPPORTED, NULL, "%s; left out", err.msg);
	}
	free(command);
	buf_finish(&t.done);
	return ok;
}

/* `release` is run once before the others, and not again when it has ended. */
static void make_release(struct import *im, struct import_app *release)
{
	def_set(release->def, "autorestart", "never", 0);
	import_say(im, release, "release", IMPORT_CHANGED, "autorestart = never",
		   "a job that the others come after; it is run whenever the list is started");
	for (size_t i = 0; i < im->napps; i++) {
		if (im->apps[i] != release) {
			def_set(im->apps[i]->def, "after", release->def->name, 0);
		}
	}
}

static void read_line(struct import *im, const struct foreman *f, const char *line, size_t *index,
		      struct import_app **release)
{
	size_t name = 0;
	while (isalnum((unsigned char)line[name]) || line[name] == '_' || line[name] == '-') {
		name++;
	}
	const char *command = line + name + 1;
	char shown[SHOWN_MAX];
	if (!name || line[name] != ':' || !command[strspn(command, " \t")]) {
		char *key = xasprintf("line %u", im->where.line);
		import_say(im, NULL, key, IMPORT_IGNORED, NULL, "\"%s\" is no NAME: COMMAND",
			   names_shown(line, shown));
		free(key);
		return;
	}
	char *text = xstrndup(line, name);
	struct import_app *app = import_add(im, text);
	if (!put_command(im, app, command + strspn(command, " \t"))) {
		import_drop(im, app);
	} else {
		put_instances(im, app, f, text, *index);
		*release = strcmp(text, "release") == 0 ? app : *release;
	}
	++*index;
	free(text);
}

/* foreman reads it by itself. */
static void use_env_file(struct import *im, const struct foreman *f)
{
	const char *name = json_string_value(json_object_get(f->options, "env"));
	char *path = import_absolute(im, im->src_dir, name ? name : ".env");
	if (im->napps && im->world->look(path) != LOOK_NONE) {
		char *ours = import_path(im, im->src_dir, path);
		def_set(im->defaults->def, "env_file", ours, 0);
		import_say(im, NULL, name ? "env" : ".env", IMPORT_MAPPED, "env_file",
			   "read at each start");
		free(ours);
	} else if (name) {
		import_say(im, NULL, "env", IMPORT_UNSUPPORTED, NULL,
			   "of .foreman: there is no file %.100s", name);
	}
	free(path);
}

/* A file beside the Procfile. False if there is none, or it cannot be read. */
static bool read_beside(const struct import *im, const char *name, struct buf *out)
{
	char *path = import_absolute(im, im->src_dir, name);
	struct err err;
	bool ok = im->world->text && im->world->look(path) != LOOK_NONE &&
		  im->world->text(path, out, &err) && out->len > 0;
	free(path);
	return ok;
}

/* The number a text is; 0 = it is none that can be a port. */
static unsigned port_of(const char *text)
{
	long long n = 0;
	return text && types_read_number(text, 65535, &n) ? (unsigned)n : 0;
}

static void read_options(struct import *im, struct foreman *f)
{
	static const char known[] = "port formation concurrency env procfile";
	struct buf text = {0};
	struct err err;
	const char *key;
	json_t *v;
	if (!read_beside(im, ".foreman", &text)) {
		buf_finish(&text);
		return;
	}
	f->options = importyaml_read(text.data, text.len, NULL, &err);
	if (!json_is_object(f->options)) {
		import_say(im, NULL, ".foreman", IMPORT_UNSUPPORTED, NULL, "is not read: %s",
			   f->options ? "it is no list of options" : err.msg);
	}
	json_object_foreach(f->options, key, v)
	{
		if (!words_named(known, key)) {
			char *place = xasprintf(".foreman %s", key);
			import_say(im, NULL, place, IMPORT_UNSUPPORTED, NULL,
				   "how foreman starts and ends them; here each app has settings");
			free(place);
		}
	}
	char *port = import_text(json_object_get(f->options, "port"));
	f->port = port_of(port);
	free(port);
	buf_finish(&text);
}

/* PORT of .env is the first one. */
static void find_port(struct import *im, struct foreman *f)
{
	struct env_file vars = {0};
	struct buf text = {0};
	struct err err;
	if (!f->port && read_beside(im, ".env", &text) &&
	    envfile_parse(&vars, text.data, text.len, &err)) {
		for (size_t i = 0; i < vars.n; i++) {
			if (strcmp(vars.v[i].name, "PORT") == 0) {
				f->port = port_of(vars.v[i].value);
			}
		}
	}
	f->port = f->port ? f->port : FIRST_PORT;
	envfile_finish(&vars);
	buf_finish(&text);
}

bool import_procfile(struct import *im, const char *text, struct err *err)
{
	struct foreman f = {0};
	struct import_app *release = NULL;
	size_t index = 0;
	read_options(im, &f);
	find_port(im, &f);
	text += strncmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
	for (const char *s = text; *s && im->napps < LIMIT_APPS; s += *s == '\n') {
		size_t len = strcspn(s, "\n");
		char *line = xstrndup(s, len);
		size_t n = strlen(line);
		while (n && isspace((unsigned char)line[n - 1])) {
			line[--n] = '\0';
		}
		const char *from = line + strspn(line, " \t");
		im->where.line++;
		if (*from && *from != '#') {
			read_line(im, &f, from, &index, &release);
		}
		free(line);
		s += len;
	}
	im->where.line = 0;
	if (release) {
		make_release(im, release);
	}
	import_say(im, NULL, "(all)", IMPORT_CHANGED, NULL,
		   "what ends is started again by itself; foreman ends all of them then");
	use_env_file(im, &f);
	json_decref(f.options);
	return im->napps || err_set(err, ERR_CONFIG, "there is no line NAME: COMMAND in it");
}
