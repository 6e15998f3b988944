/* SPDX-License-Identifier: MIT */
/* init: a commented app list for the project in the current directory. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/appfile.h"
#include "client/client.h"
#include "client/commands.h"
#include "client/initfind.h"
#include "client/workdir.h"
#include "config/ini.h"
#include "sys/fileio.h"

static void add_line(struct buf *out, const char *key, const char *value)
{
	if (value) {
		buf_addf(out, "%s = %s\n", key, value);
	}
}

static void add_program(struct buf *out, const struct project *p)
{
	if (!p->script && !p->command) {
		buf_adds(out, "; Nothing was found here that could be run. Fill this in and take "
			      "the ; away:\n");
		buf_addf(out, "; [app:%s]\n; script = server.js\n", p->name);
		buf_adds(out, "; or a whole command line, without a shell:\n"
			      "; command = ./server --port 3000\n");
		return;
	}
	buf_addf(out, "; Found by %s.\n[app:%s]\n", p->why, p->name);
	if (p->note) {
		buf_addf(out, "; %s\n", p->note);
	}
	add_line(out, "script", p->script);
	add_line(out, "command", p->command);
	add_line(out, "interpreter", p->interpreter);
	add_line(out, "args", p->args);
	add_line(out, "interpreter_args", p->node_args);
	if (p->listen) {
		buf_adds(out, "; The daemon opens the port and keeps it open; the program gets it "
			      "as descriptor 3.\n");
	}
	add_line(out, "listen", p->listen);
	add_line(out, "ready", p->ready);
	for (size_t i = 0; i < p->env.n; i++) {
		const char *v = p->env.v[i];
		int len = (int)strcspn(v, "=");
		buf_addf(out, "env.%.*s = %s\n", len, v, v + len + 1);
	}
}

/* What most apps want sooner or later, as comments: nobody is surprised by a setting. */
static void add_suggestions(struct buf *out, const struct project *p)
{
	buf_addc(out, '\n');
	if (p->kind == PROJECT_NODE) {
		buf_adds(out, "; As many as CPUs; they share the ports they listen on.\n"
			      "; instances = max\n; env.NODE_ENV = production\n");
	} else {
		buf_adds(out, "; instances = 2\n");
	}
	buf_addf(out,
		 "; NAME=VALUE lines, read again at each start and never stored: the place for "
		 "secrets.\n; env_file = .env%s\n",
		 p->env_file ? "   (there is one; if the program reads it by itself, leave this)"
			     : "");
	if (p->listen) {
		buf_addf(out, "; health = http://%s/\n", p->listen);
	} else {
		buf_adds(out, "; Answers while it is well; one that does not is replaced.\n"
			      "; health = http://127.0.0.1:3000/healthz\n");
	}
	buf_adds(out, "; Replaced without a gap above this.\n; memory_max = 512M\n"
		      "; How long requests under way may take at a stop or reload.\n"
		      "; stop_timeout = 30s\n"
		      "; log_max_size = 50M\n");
	if (geteuid() == 0) {
		buf_adds(out, "; Not as root:\n; user = www-data\n");
	}
}

static void compose(struct buf *out, const struct project *p)
{
	buf_adds(out,
		 "; What pmctl runs here. pmctl check looks for mistakes, pmctl start starts what "
		 "does not run.\n"
		 "; Every key with its default: man pmctl.ini. Values are literal, paths are "
		 "relative to this file, and a\n"
		 "; comment is a line of its own.\n\n");
	add_program(out, p);
	add_suggestions(out, p);
}

/* As pmctl check would see it. False: a value was found that no file can have. */
static bool is_valid(const struct buf *text, const char *path, const char *dir)
{
	struct ini_file f = {0};
	struct err_list errs = {0};
	struct ini_source src = {
		.text = text->data, .len = text->len, .file = path, .dir = dir, .project = "init"};
	bool ok = ini_parse_apps(&f, &src, &errs);
	ini_file_finish(&f);
	err_list_finish(&errs);
	return ok;
}

/* Never over anything that is there, be it a link to nowhere. */
static bool write_new(const char *path, const struct buf *text, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0 && errno == EEXIST) {
		return err_set(err, ERR_FAILED,
			       "%s is there already, and left as it is; nothing was done", path);
	}
	if (fd < 0) {
		return err_sys(err, "create %s", path);
	}
	bool ok = file_write_all(fd, text->data, text->len);
	ok = close(fd) == 0 && ok;
	if (!ok) {
		err_sys(err, "write %s", path);
		unlink(path);
	}
	return ok;
}

static void say_next(const struct client *c, const struct project *p, const char *path)
{
	if (p->foreign) {
		client_note(c, "there is %s as well; to take over what it says: pmctl import %s",
			    p->foreign, p->foreign);
	}
	if (p->script || p->command) {
		client_note(c, "next: look at it, then pmctl start%s%s",
			    strcmp(path, APPFILE_DEFAULT) ? " " : "",
			    strcmp(path, APPFILE_DEFAULT) ? path : "");
	} else {
		client_note(c, "nothing was found that could be run: fill in script or command");
	}
}

int cmd_init(struct client *c)
{
	const char *path = c->config ? c->config : APPFILE_DEFAULT;
	struct project p = {0};
	struct buf text = {0};
	struct err err;
	char *dir = workdir_get(&err);
	if (!dir) {
		return client_fail(c, &err, NULL);
	}
	project_find(&p, dir);
	compose(&text, &p);
	if (!is_valid(&text, path, dir)) {
		project_forget(&p);
		buf_reset(&text);
		compose(&text, &p);
	}
	bool ok = strcmp(path, "-") == 0 ? true : write_new(path, &text, &err);
	if (ok && strcmp(path, "-") == 0) {
		buf_add(&c->out, text.data, text.len);
	} else if (ok && c->json) {
		json_t *o = json_pack("{s:i,s:s,s:s?,s:s?}", "v", 1, "file", path, "app",
				      p.why ? p.name : NULL, "found_by", p.why);
		client_print_json(c, o);
		json_decref(o);
	} else if (ok) {
		client_add_text(&c->out, path);
		buf_addf(&c->out, " written: %s%s%s\n", p.why ? "app " : "no app yet",
			 p.why ? p.name : "", p.env_file ? "; see env_file in it" : "");
	}
	int status = !ok ? client_fail(c, &err, NULL) : client_flush(c) ? 0 : 1;
	if (ok && !c->json && strcmp(path, "-") != 0) {
		say_next(c, &p, path);
	}
	buf_finish(&text);
	project_finish(&p);
	free(dir);
	return status;
}
