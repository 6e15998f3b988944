/* SPDX-License-Identifier: MIT */
#include "client/scripts.h"

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

static void warn_of(const struct client *c, const char *app, const char *path)
{
	struct stat st;
	struct err why;
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
	} else if (!trust_path(path, NULL, &why)) {
		client_note(c,
			    "warning: %s runs as root, but others can replace %s: %s; fix: chown "
			    "root and chmod go-w that one, or set user",
			    app, path, why.msg);
	}
}

void scripts_warn(const struct client *c, struct app_def *const *defs, size_t n)
{
	for (size_t i = 0; geteuid() == 0 && i < n; i++) {
		struct app_conf conf = {0};
		struct err_list errs = {0};
		if (conf_decode(&conf, defs[i], &errs) && runs_as_root(&conf)) {
			char *path = program_of(&conf);
			if (path) {
				warn_of(c, conf.name, path);
			}
			free(path);
		}
		conf_finish(&conf);
		err_list_finish(&errs);
	}
}
