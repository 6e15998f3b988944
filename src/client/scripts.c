/* SPDX-License-Identifier: MIT */
#include "client/scripts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/client.h"
#include "common/mem.h"
#include "config/conf.h"
#include "sys/trust.h"

static bool runs_as_root(const struct app_conf *c)
{
	return !c->user || strcmp(c->user, "root") == 0 || strcmp(c->user, "0") == 0;
}

/* The file that is run, absolute; allocated. NULL: it is searched in PATH, or there is none. */
static char *program_of(const struct app_conf *c)
{
	const char *word = c->command.n ? c->command.v[0] : NULL;
	if (c->script) {
		return xstrdup(c->script);
	}
	if (!word || !strchr(word, '/')) {
		return NULL;
	}
	word += strncmp(word, "./", 2) == 0 ? 2 : 0;
	return word[0] == '/' ? xstrdup(word) : xasprintf("%s/%s", c->cwd, word);
}

/* On the directory of the last program: those of a list lie together. */
struct verdict {
	char *dir;
	bool trusted;
	struct err why;
};

static bool is_trusted(struct verdict *v, const char *path)
{
	size_t len = (size_t)(strrchr(path, '/') - path);
	if (!v->dir || strncmp(v->dir, path, len) != 0 || v->dir[len]) {
		free(v->dir);
		v->dir = xstrndup(path, len);
		v->trusted = trust_path(path, NULL, &v->why);
	}
	return v->trusted;
}

static void warn_of(const struct client *c, const char *app, const char *path, struct verdict *v)
{
	struct stat st;
	if (stat(path, &st) != 0) {
		return; /* its start will say so */
	}
	if (st.st_uid != 0) {
		client_note(
			c,
			"warning: %s runs as root, but %s belongs to uid %u, who can change it; "
			"fix: chown root %s, or set user",
			app, path, (unsigned)st.st_uid, path);
	} else if (st.st_mode & 022) {
		client_note(c,
			    "warning: %s runs as root, but %s is writable by others (mode %04o); "
			    "fix: chmod go-w %s",
			    app, path, st.st_mode & 07777, path);
	} else if (!is_trusted(v, path)) {
		client_note(c,
			    "warning: %s runs as root, but others can replace %s: %s; fix: chown "
			    "root and chmod go-w that one, or set user",
			    app, path, v->why.msg);
	}
}

static void warn_of_program(const struct client *c, const struct app_conf *conf, struct verdict *v)
{
	char *path = runs_as_root(conf) ? program_of(conf) : NULL;
	if (path) {
		warn_of(c, conf->name, path, v);
	}
	free(path);
}

/* It may come to be there, and it is not secret that it is not. */
static void warn_of_env_file(const struct client *c, const struct app_conf *conf)
{
	struct stat st;
	const char *path = conf->env_file;
	const char *why = NULL;
	if (!path) {
		return;
	}
	if (stat(path, &st) != 0 || access(path, R_OK) != 0) {
		why = strerror(errno);
	} else if (S_ISDIR(st.st_mode)) {
		why = strerror(EISDIR);
	}
	if (why) {
		client_note(c, "warning: %s: env_file %s: %s; it is read at each start", conf->name,
			    path, why);
	}
}

/* Whether it names a file at all: to decode all of a long list takes its time. */
static bool names_a_file(const struct app_def *def, bool root)
{
	const struct setting *command = def_find(def, "command");
	return def_find(def, "env_file") ||
	       (root && (def_find(def, "script") || (command && strchr(command->value, '/'))));
}

void scripts_warn(const struct client *c, struct app_def *const *defs, size_t n)
{
	bool root = geteuid() == 0;
	struct verdict verdict = {0};
	for (size_t i = 0; i < n; i++) {
		struct app_conf conf = {0};
		struct err_list errs = {0};
		if (!names_a_file(defs[i], root)) {
			continue;
		}
		if (conf_decode(&conf, defs[i], &errs)) {
			if (root) {
				warn_of_program(c, &conf, &verdict);
			}
			warn_of_env_file(c, &conf);
		}
		conf_finish(&conf);
		err_list_finish(&errs);
	}
	free(verdict.dir);
}
