/* SPDX-License-Identifier: MIT */
/* import: the app lists of PM2, supervisord and foreman as pmctl.ini, with a report. */
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/appfile.h"
#include "client/client.h"
#include "client/commands.h"
#include "client/import/file.h"
#include "client/import/map.h"
#include "client/import/node.h"
#include "client/import/read.h"
#include "client/import/report.h"
#include "client/interrupt.h"
#include "client/workdir.h"
#include "common/limits.h"
#include "common/mem.h"
#include "sys/fileio.h"

static enum import_look look(const char *path)
{
	struct stat st;
	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
		return LOOK_NONE;
	}
	return access(path, X_OK) == 0 ? LOOK_PROGRAM : LOOK_FILE;
}

static const char *variable(const char *name)
{
	return getenv(name);
}

static bool files_of(const char *pattern, struct words *out)
{
	glob_t g;
	if (glob(pattern, 0, NULL, &g) != 0) {
		return false;
	}
	for (size_t i = 0; i < g.gl_pathc; i++) {
		words_add(out, g.gl_pathv[i]);
	}
	globfree(&g);
	return true;
}

static const struct import_world world = {look, variable, files_of, appfile_text};

static char *dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return xstrndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* --- a list that is a program --- */

/* An app has one env_file. */
static void tell_no_dotenv(struct import *im)
{
	for (size_t i = 0; i < im->napps; i++) {
		if (im->apps[i]->env_text.len) {
			import_say(im, im->apps[i], "dotenv", IMPORT_UNSUPPORTED, NULL,
				   "it has an env_file of its own, so .env is not read for it");
		}
	}
}

/* Whether the file makes variables itself, as dotenv does from .env. */
static void use_dotenv(struct import *im, const json_t *wrote)
{
	char *path = import_absolute(im, im->src_dir, ".env");
	struct err err;
	if (json_array_size(wrote) && look(path) != LOOK_NONE) {
		char *ours = import_path(im, im->src_dir, ".env");
		if (import_put(im, im->defaults->def, "env_file", ours, &err)) {
			import_say(im, NULL, "dotenv", IMPORT_CHANGED, "env_file",
				   "in [defaults]: .env is read at each start, and all of it is "
				   "given to each app");
			tell_no_dotenv(im);
		}
		free(ours);
	}
	free(path);
}

/* What the file printed by itself, each line marked; with a failure only. */
static void tell_printed(const struct client *c, const struct buf *printed)
{
	enum { SHOWN_LINES = 8 };
	size_t lines = 0;
	const char *s = printed->data ? printed->data : "";
	for (; *s && lines < SHOWN_LINES; lines++) {
		size_t len = strcspn(s, "\n");
		client_note(c, "  | %.*s", (int)(len > 300 ? 300 : len), s);
		s += len + (s[len] == '\n');
	}
	if (*s) {
		client_note(c, "  | ...");
	}
}

/* Where the file did not load a second time, values of the caller look like any other. */
static void tell_unmarked(struct import *im, const json_t *o)
{
	struct buf names = {0};
	const char *name;
	json_t *v;
	json_object_foreach(json_object_get(o, "reads"), name, v)
	{
		if (names.len < 300) {
			buf_addf(&names, "%s%.100s", names.len ? " " : "", name);
		}
	}
	if (names.len && json_is_null(json_object_get(o, "marked"))) {
		import_say(im, NULL, "process.env", IMPORT_TODO, NULL,
			   "the file does not load with other values of %s: look for values that "
			   "come from there",
			   names.data);
	}
	buf_finish(&names);
}

static bool read_code(const struct client *c, struct import *im, const struct buf *text,
		      const char **hint, struct err *err)
{
	const struct import_code code = {.path = im->src_path,
					 .dir = im->src_dir,
					 .text = text->data ? text->data : "",
					 .len = text->len};
	struct buf printed = {0};
	int64_t most = c->timeout_ms >= 0 ? c->timeout_ms : LIMIT_IMPORT_MS;
	json_t *o = importnode_run(&code, most, &printed, hint, err);
	const json_t *config = json_object_get(o, "config");
	bool ok = o != NULL;
	if (!o && !strstr(err->msg, "node is needed")) {
		tell_printed(c, &printed);
	}
	if (ok && !json_is_object(config) && !json_is_array(config)) {
		ok = err_set(err, ERR_CONFIG,
			     "it exports no app list; expected is module.exports = { apps: [...] } "
			     "or export default");
	} else if (ok) {
		const struct import_source src = {
			.root = config,
			.marked = json_object_get(o, "marked"),
			.reads = json_object_get(o, "reads"),
			.whole_env = json_is_true(json_object_get(o, "spread"))};
		ok = import_pm2(im, &src, err);
		use_dotenv(im, json_object_get(o, "wrote"));
		tell_unmarked(im, o);
	}
	if (ok && printed.len) {
		import_say(im, NULL, "(output)", IMPORT_IGNORED, NULL,
			   "what the file printed while it was read");
	}
	buf_finish(&printed);
	json_decref(o);
	return ok;
}

/* --- the result --- */

static void print_report(const struct import *im)
{
	struct buf text = {0};
	importreport_text(im, &text);
	(void)!file_write_all(STDERR_FILENO, text.data, text.len);
	buf_finish(&text);
}

/* An env_file that was made of it, beside the result. *fresh: there was none before. */
static bool write_env_file(const struct import *im, const struct import_app *a, bool force,
			   bool *fresh, char **path, struct err *err)
{
	struct stat st;
	*path = xasprintf("%s/%s", im->out_dir, def_find(a->def, "env_file")->value);
	*fresh = lstat(*path, &st) != 0;
	return importfile_write(*path, &a->env_text, force, err);
}

/* The env_files, and then the result; all or none. */
static bool write_all(const struct client *c, const struct import *im, const char *output,
		      const struct buf *ini, struct err *err)
{
	bool force = args_has(&c->args, "force"), ok = true, fresh;
	struct words made = {0};
	for (size_t i = 0; ok && i < im->napps; i++) {
		char *path = NULL;
		if (im->apps[i]->env_text.len) {
			ok = write_env_file(im, im->apps[i], force, &fresh, &path, err);
		}
		if (ok && path && fresh) {
			words_add(&made, path);
		}
		free(path);
	}
	ok = ok && importfile_write(output, ini, force, err);
	for (size_t i = 0; !ok && i < made.n; i++) {
		unlink(made.v[i]);
	}
	words_finish(&made);
	return ok;
}

static int finish(struct client *c, struct import *im, enum import_format format,
		  const char *output)
{
	struct err_list problems = {0};
	struct buf ini = {0};
	struct err err;
	bool valid = import_verify(im, &problems), failed = false;
	int status = valid ? 0 : err_info(ERR_CONFIG)->exit_status;
	import_render(im, &ini, true);
	if (!c->json) {
		print_report(im);
	}
	if (!valid && !c->json) {
		appfile_report(c, &problems, output ? "nothing written" : "to be mended by hand");
	}
	if (output && valid && !write_all(c, im, output, &ini, &err)) {
		failed = true;
		status = client_fail(c, &err, NULL);
	} else if (output && valid) {
		client_note(c, "written: %s; next: pmctl check %s", output, output);
	}
	if (c->json && !failed) {
		importreport_json(im, importread_name(format), ini.data, &problems, &c->out);
	} else if (!output && !c->json) {
		buf_add(&c->out, ini.data, ini.len);
	}
	buf_finish(&ini);
	err_list_finish(&problems);
	return client_flush(c) ? status : 1;
}

/* --- the source --- */

struct source {
	char *path;	   /* absolute; NULL = standard input */
	const char *shown; /* in messages */
	char *dir;
	struct buf text;
	enum import_format format;
};

static void source_finish(struct source *s)
{
	free(s->path);
	free(s->dir);
	buf_finish(&s->text);
}

static bool source_open(struct source *s, const char *word, const char *format, struct err *err)
{
	bool piped = strcmp(word, "-") == 0;
	s->path = piped ? NULL : workdir_absolute(word, err);
	s->shown = piped ? "standard input" : word;
	s->dir = piped ? workdir_get(err) : s->path ? dir_of(s->path) : NULL;
	bool ok = s->dir && appfile_text(piped ? word : s->path, &s->text, err) &&
		  (importread_check(s->text.data ? s->text.data : "", s->text.len, err) ||
		   err_wrap(err, "%s", s->shown));
	if (ok) {
		s->format = format ? importread_named(format)
				   : importread_format(s->path, s->text.data);
	}
	return ok;
}

/* Where the result is meant to lie: its own folder, else beside the source. */
static char *out_dir_of(const struct source *s, const char *output, struct err *err)
{
	char *full = output ? workdir_absolute(output, err) : NULL;
	char *dir = full		       ? dir_of(full)
		    : output		       ? NULL
		    : s->format == FORMAT_DUMP ? workdir_get(err)
					       : xstrdup(s->dir);
	free(full);
	return dir;
}

static bool read_source(const struct client *c, struct import *im, struct source *s,
			const char **hint, struct err *err)
{
	const char *text = s->text.data ? s->text.data : "";
	bool ok = s->format == FORMAT_CODE
			  ? read_code(c, im, &s->text, hint, err)
			  : importread_text(im, &s->format, text, s->text.len, err);
	import_settle(im);
	ok = ok && (im->napps || err_set(err, ERR_CONFIG, "there is no app in it"));
	if (!ok && im->nlines && !c->json && !interrupt_pending()) {
		print_report(im);
	}
	return ok || err_wrap(err, "%s", s->shown);
}

/* "pmctl" of "conf/pmctl.ini". Caller frees. */
static char *stem_of(const char *output)
{
	const char *slash = strrchr(output, '/');
	char *stem = xstrdup(slash ? slash + 1 : output);
	char *dot = strrchr(stem, '.');
	if (dot && dot != stem) {
		*dot = '\0';
	}
	return stem;
}

static int import_source(struct client *c, struct source *s, const char *output)
{
	char *stem = output ? stem_of(output) : NULL;
	struct import im = {0};
	struct err err = {0};
	const char *hint = NULL;
	char *out_dir = out_dir_of(s, output, &err);
	bool ok = out_dir != NULL;
	if (ok) {
		import_init(&im, &world, s->shown, s->dir, out_dir);
		im.env_stem = stem;
		im.src_path = s->path ? xstrdup(s->path) : NULL;
		im.real_dir = realpath(s->dir, NULL);
		ok = read_source(c, &im, s, &hint, &err);
	}
	int status = 0;
	if (interrupt_pending()) {
		client_note(c, "interrupted; nothing was written");
		status = 128 + interrupt_pending();
	} else {
		status = ok ? finish(c, &im, s->format, output) : client_fail(c, &err, hint);
	}
	import_finish(&im);
	free(out_dir);
	free(stem);
	return status;
}

int cmd_import(struct client *c)
{
	const char *output = args_value(&c->args, "output", NULL);
	const char *format = args_value(&c->args, "format", NULL);
	struct source s = {0};
	struct stat st;
	struct err err;
	if (format && importread_named(format) == FORMAT_UNKNOWN) {
		return client_usage(c, "import: --format is one of " IMPORTREAD_NAMES);
	}
	if (args_has(&c->args, "force") && !output) {
		return client_usage(c, "import: --force goes with --output FILE");
	}
	if (output && !args_has(&c->args, "force") && lstat(output, &st) == 0) {
		importfile_refuse(output, &err);
		return client_fail(c, &err, NULL);
	}
	int status = source_open(&s, c->args.operand[0], format, &err)
			     ? import_source(c, &s, output)
			     : client_fail(c, &err, NULL);
	source_finish(&s);
	return status;
}
