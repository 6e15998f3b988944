/* SPDX-License-Identifier: MIT */
/* import: the app lists of PM2, supervisord and foreman as pmctl.ini, with a report. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/appfile.h"
#include "client/client.h"
#include "client/commands.h"
#include "client/import/map.h"
#include "client/import/node.h"
#include "client/import/read.h"
#include "client/import/report.h"
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

static bool read_code(const struct client *c, struct import *im, const char *path,
		      const char **hint, struct err *err)
{
	struct buf printed = {0};
	int64_t most = c->timeout_ms >= 0 ? c->timeout_ms : LIMIT_IMPORT_MS;
	json_t *o = importnode_run(path, most, &printed, hint, err);
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

/* A new file; never over another one. It may hold secrets. */
static bool write_file(const char *path, const struct buf *ini, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 && errno == EEXIST) {
		return err_set(err, ERR_FAILED,
			       "%s is there already, and is not overwritten; nothing was written",
			       path);
	}
	if (fd < 0) {
		return err_sys(err, "%s", path);
	}
	bool ok = file_write_all(fd, ini->data, ini->len) && fsync(fd) == 0;
	int saved = errno;
	ok &= close(fd) == 0;
	if (!ok) {
		unlink(path);
		errno = saved;
		return err_sys(err, "write %s", path);
	}
	return true;
}

static void print_report(const struct import *im)
{
	struct buf text = {0};
	importreport_text(im, &text);
	(void)!file_write_all(STDERR_FILENO, text.data, text.len);
	buf_finish(&text);
}

static int finish(struct client *c, struct import *im, enum import_format format,
		  const char *output)
{
	struct err_list problems = {0};
	struct buf ini = {0};
	struct err err;
	bool valid = import_verify(im, &problems);
	int status = valid ? 0 : err_info(ERR_CONFIG)->exit_status;
	import_render(im, &ini, true);
	if (!c->json) {
		print_report(im);
	}
	if (!valid && !c->json) {
		appfile_report(c, &problems, output ? "nothing written" : "to be mended by hand");
	}
	if (output && valid && !write_file(output, &ini, &err)) {
		status = client_fail(c, &err, NULL);
	} else if (output && valid) {
		client_note(c, "written: %s; next: pmctl check %s", output, output);
	}
	if (c->json && status != err_info(ERR_FAILED)->exit_status) {
		importreport_json(im, importread_name(format), ini.data, &problems, &c->out);
	} else if (!output && !c->json) {
		buf_add(&c->out, ini.data, ini.len);
	}
	buf_finish(&ini);
	err_list_finish(&problems);
	return client_flush(c) ? status : 1;
}

/* Where the result is meant to lie: its own folder, else beside the source. */
static char *out_dir_of(const char *path, const char *output, enum import_format format,
			struct err *err)
{
	char *full = output ? workdir_absolute(output, err) : NULL;
	char *dir = full		    ? dir_of(full)
		    : output		    ? NULL
		    : format == FORMAT_DUMP ? workdir_get(err)
					    : dir_of(path);
	free(full);
	return dir;
}

static int import_file(struct client *c, const char *path, const char *shown, const char *output)
{
	struct import im = {0};
	struct buf text = {0};
	struct err err = {0};
	const char *hint = NULL;
	bool ok = appfile_text(path, &text, &err);
	enum import_format format = importread_format(path, ok ? text.data : NULL);
	char *out_dir = ok ? out_dir_of(path, output, format, &err) : NULL;
	char *src_dir = dir_of(path);
	int status;
	if (out_dir) {
		import_init(&im, &world, shown, src_dir, out_dir);
		im.src_path = xstrdup(path);
		im.real_dir = realpath(src_dir, NULL);
		ok = format == FORMAT_CODE
			     ? read_code(c, &im, path, &hint, &err)
			     : importread_text(&im, &format, text.data ? text.data : "", text.len,
					       &err);
		import_settle(&im);
		ok = ok && (im.napps || err_set(&err, ERR_CONFIG, "there is no app in it"));
		if (!ok) {
			if (im.nlines && !c->json) {
				print_report(&im);
			}
			err_wrap(&err, "%s", shown);
		}
	}
	status = out_dir && ok ? finish(c, &im, format, output) : client_fail(c, &err, hint);
	import_finish(&im);
	buf_finish(&text);
	free(out_dir);
	free(src_dir);
	return status;
}

int cmd_import(struct client *c)
{
	const char *output = args_value(&c->args, "output", NULL);
	const char *shown = c->args.operand[0];
	struct stat st;
	struct err err;
	if (output && lstat(output, &st) == 0) {
		err_set(&err, ERR_FAILED,
			"%s is there already, and is not overwritten; nothing was written", output);
		return client_fail(c, &err, NULL);
	}
	char *path = workdir_absolute(shown, &err);
	int status = path ? import_file(c, path, shown, output) : client_fail(c, &err, NULL);
	free(path);
	return status;
}
