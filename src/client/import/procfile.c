/* SPDX-License-Identifier: MIT */
/* procfile - a Procfile to apps. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "client/import/map.h"
#include "client/import/shellline.h"
#include "common/limits.h"
#include "common/mem.h"
#include "config/names.h"

#define FIRST_PORT 5000 /* what foreman gives */
#define PORT_STEP  100

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

static bool names_port(const char *line)
{
	return strstr(line, "$PORT") || strstr(line, "${PORT");
}

/* foreman gives each line a PORT; here it has the value that is set, or none. */
static void tell_port(struct import *im, struct import_app *app, const char *line, size_t index)
{
	unsigned port = FIRST_PORT + PORT_STEP * (unsigned)index;
	if (names_port(line) && !def_find(app->def, "env.PORT")) {
		char *note = xasprintf("env.PORT = %u", port);
		import_say(im, app, "PORT", IMPORT_TODO, NULL,
			   "foreman sets it to %u; set env.PORT here or in a file named with "
			   "env_file",
			   port);
		words_add(&app->notes, note);
		free(note);
	}
}

static bool put_command(struct import *im, struct import_app *app, const char *line, size_t index)
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
		tell_port(im, app, rest, index);
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

static void read_line(struct import *im, const char *line, unsigned number, size_t *index,
		      struct import_app **release)
{
	size_t name = 0;
	while (isalnum((unsigned char)line[name]) || line[name] == '_' || line[name] == '-') {
		name++;
	}
	const char *command = line + name + 1;
	char shown[SHOWN_MAX];
	if (!name || line[name] != ':' || !command[strspn(command, " \t")]) {
		char *key = xasprintf("line %u", number);
		import_say(im, NULL, key, IMPORT_IGNORED, NULL, "\"%s\" is no NAME: COMMAND",
			   names_shown(line, shown));
		free(key);
		return;
	}
	char *text = xstrndup(line, name);
	struct import_app *app = import_add(im, text);
	if (!put_command(im, app, command + strspn(command, " \t"), (*index)++)) {
		import_drop(im, app);
	} else if (strcmp(text, "release") == 0) {
		*release = app;
	}
	free(text);
}

/* foreman reads it by itself. */
static void use_env_file(struct import *im)
{
	char *path = import_absolute(im, im->src_dir, ".env");
	if (im->napps && im->world->look(path) != LOOK_NONE) {
		char *ours = import_path(im, im->src_dir, ".env");
		def_set(im->defaults->def, "env_file", ours, 0);
		import_say(im, NULL, ".env", IMPORT_MAPPED, "env_file", "read at each start");
		free(ours);
	}
	free(path);
}

bool import_procfile(struct import *im, const char *text, struct err *err)
{
	struct import_app *release = NULL;
	unsigned number = 0;
	size_t index = 0;
	text += strncmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
	for (const char *s = text; *s && im->napps < LIMIT_APPS; s += *s == '\n') {
		size_t len = strcspn(s, "\n");
		char *line = xstrndup(s, len);
		size_t n = strlen(line);
		while (n && isspace((unsigned char)line[n - 1])) {
			line[--n] = '\0';
		}
		const char *from = line + strspn(line, " \t");
		number++;
		if (*from && *from != '#') {
			read_line(im, from, number, &index, &release);
		}
		free(line);
		s += len;
	}
	if (release) {
		make_release(im, release);
	}
	import_say(im, NULL, "(all)", IMPORT_CHANGED, NULL,
		   "what ends is started again by itself; foreman ends all of them then");
	use_env_file(im);
	return im->napps || err_set(err, ERR_CONFIG, "there is no line NAME: COMMAND in it");
}
