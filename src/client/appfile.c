/* SPDX-License-Identifier: MIT */
#include "client/appfile.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/client.h"
#include "client/workdir.h"
#include "common/limits.h"
#include "common/mem.h"
#include "common/suggest.h"
#include "config/order.h"

#define MAX_INCLUDES 1000

/* What root starts is decided by root only. */
static bool check_owner(const struct stat *st, const char *path, struct err *err)
{
	if (geteuid() != 0) {
		return true;
	}
	if (st->st_uid != 0) {
		return err_set(err, ERR_PERMISSION,
			       "%s belongs to uid %u; as root only files of root are used; fix: "
			       "chown root %s",
			       path, st->st_uid, path);
	}
	if (st->st_mode & 022 && !(S_ISDIR(st->st_mode) && st->st_mode & S_ISVTX)) {
		return err_set(err, ERR_PERMISSION,
			       "%s is writable by others (mode %04o), which root must not trust; "
			       "fix: chmod "
			       "go-w %s",
			       path, st->st_mode & 07777, path);
	}
	return true;
}

static bool check_dir(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash && slash != path ? xstrndup(path, (size_t)(slash - path)) : xstrdup("/");
	struct stat st;
	bool ok = geteuid() != 0 || stat(dir, &st) != 0 || check_owner(&st, dir, err);
	free(dir);
	return ok;
}

static int open_file(const char *path, struct err *err)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		err_sys(err, "%s", path);
		if (err->code == ERR_SYSTEM) {
			err->code = ERR_CONFIG;
		}
		return -1;
	}
	bool ok = fstat(fd, &st) == 0;
	if (!ok) {
		err_sys(err, "%s", path);
	} else if (!S_ISREG(st.st_mode)) {
		ok = err_set(err, ERR_CONFIG, "%s is %s, not a file%s", path,
			     S_ISDIR(st.st_mode)    ? "a directory"
			     : S_ISFIFO(st.st_mode) ? "a pipe"
						    : "a device",
			     S_ISFIFO(st.st_mode) ? "; a pipe can be given as standard input: -c -"
						  : "");
	} else {
		ok = check_owner(&st, path, err) && check_dir(path, err);
	}
	if (!ok) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool read_all(int fd, const char *path, struct buf *out, struct err *err)
{
	for (;;) {
		buf_reserve(out, 65536);
		ssize_t n = read(fd, out->data + out->len, 65536);
		if (n == 0) {
			return true;
		}
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return err_sys(err, "read %s", path);
		}
		out->len += (size_t)n;
		out->data[out->len] = '\0';
		if (out->len > LIMIT_INI_FILE) {
			return err_set(err, ERR_CONFIG, "%s is larger than %d MiB", path,
				       LIMIT_INI_FILE / (1024 * 1024));
		}
	}
}

bool appfile_text(const char *path, struct buf *text, struct err *err)
{
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open_file(path, err);
	if (fd < 0) {
		return false;
	}
	bool ok = read_all(fd, path, text, err);
	if (fd != STDIN_FILENO) {
		close(fd);
	}
	return ok;
}

/* One file without those it includes. project NULL = the folder's name. If it could not be read
 * *err says why; if it could, but there are errors in it, err->msg is empty and *out has the rest.
 */
static bool read_one(const char *path, const char *project, const char *profile,
		     struct ini_file *out, struct err_list *errs, struct err *err)
{
	struct buf text = {0};
	bool is_stdin = strcmp(path, "-") == 0;
	char *file = is_stdin ? xstrdup("-") : workdir_absolute(path, err);
	char *dir = NULL;
	if (file) {
		char *slash = strrchr(file, '/');
		dir = is_stdin ? workdir_get(err)
			       : xstrndup(file, slash == file ? 1 : (size_t)(slash - file));
	}
	bool ok = file && dir && appfile_text(path, &text, err);
	if (ok) {
		char *own = project ? xstrdup(project) : workdir_project(dir);
		struct ini_source src = {.text = text.data ? text.data : "",
					 .len = text.len,
					 .file = file,
					 .dir = dir,
					 .project = own,
					 .profile = profile};
		ok = ini_parse_apps(out, &src, errs);
		if (!ok) {
			err_set(err, ERR_CONFIG, "%s", "");
		}
		free(own);
	}
	free(file);
	free(dir);
	buf_finish(&text);
	return ok;
}

/* A file that cannot be read is an error among the others; *all_read is false then. */
static bool add_included(struct ini_file *into, const struct ini_include *by, const char *path,
			 const char *profile, struct err_list *errs, bool *all_read)
{
	struct ini_file more = {0};
	struct err err;
	bool ok = read_one(path, into->project, profile, &more, errs, &err);
	if (!ok && err.msg[0]) {
		err_list_add(errs, "%s:%u: [pmctl] include: %s", into->file, by->line, err.msg);
		*all_read = false;
		return false;
	}
	if (more.nincludes) {
		err_list_add(errs, "%s:%u: [pmctl] include: an included file includes no others",
			     path, more.includes[0].line);
		ok = false;
	}
	for (size_t i = 0; i < more.napps; i++) {
		more.apps[i]->list = strcmp(into->file, "-") == 0 ? NULL : xstrdup(into->file);
	}
	return ini_merge(into, &more, errs) && ok;
}

static bool is_same_file(const char *a, const char *b)
{
	struct stat x, y;
	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* All files of one pattern. The list itself among them is passed over: "*.ini" means the others. */
static bool add_pattern(struct ini_file *f, const struct ini_include *by, const char *profile,
			struct err_list *errs, bool *all_read)
{
	glob_t g;
	bool ok = true, by_name = !strpbrk(by->glob, "*?[");
	if (glob(by->glob, 0, NULL, &g) != 0) {
		/* A folder for later is fine; a file by name is not. */
		if (by_name) {
			err_list_add(errs, "%s:%u: [pmctl] include: %s: No such file or directory",
				     f->file, by->line, by->glob);
			*all_read = false;
		}
		return !by_name;
	}
	if (g.gl_pathc > MAX_INCLUDES) {
		err_list_add(errs, "%s:%u: [pmctl] include: %zu files; %d are the most", f->file,
			     by->line, (size_t)g.gl_pathc, MAX_INCLUDES);
		ok = *all_read = false;
	}
	for (size_t k = 0; k < g.gl_pathc && k < MAX_INCLUDES; k++) {
		if (!is_same_file(f->file, g.gl_pathv[k])) {
			ok &= add_included(f, by, g.gl_pathv[k], profile, errs, all_read);
		} else if (by_name) {
			err_list_add(errs, "%s:%u: [pmctl] include: the file includes itself",
				     f->file, by->line);
			ok = false;
		}
	}
	globfree(&g);
	return ok;
}

static bool add_includes(struct ini_file *f, const char *profile, struct err_list *errs,
			 bool *all_read)
{
	bool ok = true;
	size_t n = f->nincludes;
	for (size_t i = 0; i < n; i++) {
		ok &= add_pattern(f, &f->includes[i], profile, errs, all_read);
	}
	return ok;
}

/* One that no section is of is a slip of the pen, not the base alone. */
static bool check_profile(const struct ini_file *f, const char *path, const char *profile,
			  struct err_list *errs)
{
	struct suggest s;
	char near[160];
	struct buf all = {0};
	if (!profile || ini_has_profile(f, profile)) {
		return true;
	}
	suggest_init(&s, profile);
	for (size_t i = 0; i < f->nprofiles; i++) {
		suggest_offer(&s, f->profiles[i]);
		buf_addf(&all, "%s%s", i ? ", " : "", f->profiles[i]);
	}
	suggest_text(&s, near, sizeof(near));
	err_list_add(errs, "%s: no section is of the profile \"%.60s\"%s (there %s: %s)", path,
		     profile, near, f->nprofiles == 1 ? "is one" : "are",
		     f->nprofiles ? all.data : "none");
	buf_finish(&all);
	return false;
}

bool appfile_read(const char *path, const char *profile, struct ini_file *out,
		  struct err_list *errs, struct err *err)
{
	bool all_read = true;
	profile = profile && *profile ? profile : NULL;
	bool ok = read_one(path, NULL, profile, out, errs, err);
	if (!ok && err->msg[0]) {
		return false;
	}
	ok &= add_includes(out, profile, errs, &all_read);
	ok &= !all_read || check_profile(out, path, profile, errs);
	/* Names are only known to be wrong once all are known. */
	ok &= !all_read || order_check(out->apps, out->napps, NULL, 0, errs);
	if (!ok) {
		ini_file_finish(out);
		return err_set(err, ERR_CONFIG, "%s", "");
	}
	/* What came through a pipe has no file that could be named or read again. */
	for (size_t i = 0; strcmp(path, "-") == 0 && i < out->napps; i++) {
		free(out->apps[i]->file);
		out->apps[i]->file = NULL;
	}
	return true;
}

static const char *shorten(const char *msg, const char *cwd)
{
	size_t len = strlen(cwd);
	return strncmp(msg, cwd, len) == 0 && msg[len] == '/' ? msg + len + 1 : msg;
}

static void report_json(const struct client *c, const struct err_list *errs, const char *outcome)
{
	struct buf all = {0};
	struct err err;
	err_set(&err, ERR_CONFIG, "%zu error%s, %s", errs->count + errs->dropped,
		errs->count + errs->dropped == 1 ? "" : "s", outcome);
	for (size_t i = 0; i < errs->count; i++) {
		buf_addf(&all, "%s%s", i ? "\n" : "", errs->msg[i]);
	}
	client_fail(c, &err, all.data);
	buf_finish(&all);
}

void appfile_report(const struct client *c, struct err_list *errs, const char *outcome)
{
	char *cwd = workdir_get(NULL);
	if (c->json) {
		report_json(c, errs, outcome);
	} else {
		for (size_t i = 0; i < errs->count; i++) {
			client_note(c, "%s", shorten(errs->msg[i], cwd ? cwd : "/"));
		}
		size_t n = errs->count + errs->dropped;
		client_note(c, "%zu error%s, %s", n, n == 1 ? "" : "s", outcome);
	}
	free(cwd);
}

/* The app list of another program that lies here; NULL = none. */
static const char *foreign_list(void)
{
	static const char *const names[] = {"ecosystem.config.js",
					    "ecosystem.config.cjs",
					    "ecosystem.config.mjs",
					    "ecosystem.config.ts",
					    "ecosystem.json",
					    "process.json",
					    "pm2.config.js",
					    "pm2.config.cjs",
					    "ecosystem.config.yml",
					    "supervisord.conf",
					    "Procfile"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (access(names[i], R_OK) == 0) {
			return names[i];
		}
	}
	return NULL;
}

/* What to do where there is no pmctl.ini. Caller frees. */
static char *none_hint(void)
{
	const char *foreign = foreign_list();
	return foreign ? xasprintf("make it of %s: pmctl import %s -o " APPFILE_DEFAULT, foreign,
				   foreign)
		       : xstrdup("write one (man pmctl.ini), or name one: pmctl start FILE.ini");
}

int appfile_load(const struct client *c, const char *path, const char *profile,
		 struct ini_file *out)
{
	struct err_list errs = {0};
	struct err err;
	int status = 0;
	if (!appfile_read(path, profile, out, &errs, &err)) {
		if (errs.count) {
			appfile_report(c, &errs, "nothing applied");
			status = err_info(ERR_CONFIG)->exit_status;
		} else {
			struct stat st;
			bool none = !c->config && strcmp(path, APPFILE_DEFAULT) == 0 &&
				    lstat(path, &st) != 0;
			char *hint = none ? none_hint() : NULL;
			status = client_fail(c, &err, hint);
			free(hint);
		}
	}
	err_list_finish(&errs);
	return status;
}
