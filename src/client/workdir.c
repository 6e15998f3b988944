/* SPDX-License-Identifier: MIT */
#include "client/workdir.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"
#include "config/names.h"

static bool has_dots(const char *path)
{
	for (const char *s = path; *s;) {
		size_t n = strcspn(s, "/");
		if (n == 2 && s[0] == '.' && s[1] == '.') {
			return true;
		}
		s += n + (s[n] == '/');
	}
	return false;
}

char *workdir_get(struct err *err)
{
	const char *pwd = getenv("PWD");
	struct stat a, b;
	if (pwd && pwd[0] == '/' && !has_dots(pwd) && stat(pwd, &a) == 0 && stat(".", &b) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino) {
		return xstrdup(pwd);
	}
	char *dir = getcwd(NULL, 0);
	if (!dir) {
		err_sys(err, "current directory");
	}
	return dir;
}

/* The directory of path resolved, its last part kept. */
static char *resolve_dir(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = xstrndup(path, (size_t)(slash - path));
	char *real = realpath(dir[0] ? dir : "/", NULL);
	char *whole =
		real ? xasprintf("%s%s", strcmp(real, "/") == 0 ? "" : real, slash) : xstrdup(path);
	free(real);
	free(dir);
	return whole;
}

char *workdir_absolute(const char *path, struct err *err)
{
	char *whole;
	if (path[0] == '/') {
		whole = xstrdup(path);
	} else {
		char *dir = workdir_get(err);
		if (!dir) {
			return NULL;
		}
		while (path[0] == '.' && path[1] == '/') {
			path += 2 + strspn(path + 2, "/");
		}
		whole = xasprintf("%s/%s", strcmp(dir, "/") == 0 ? "" : dir, path);
		free(dir);
	}
	if (has_dots(whole)) {
		char *resolved = resolve_dir(whole);
		free(whole);
		whole = resolved;
	}
	return whole;
}

char *workdir_project(const char *dir)
{
	const char *slash = strrchr(dir, '/');
	char *name = xstrdup(slash ? slash + 1 : dir);
	for (char *s = name; *s; s++) {
		if (!isalnum((unsigned char)*s) && !strchr("_.-", *s)) {
			*s = '-';
		}
	}
	if (names_check_group(name, NULL)) {
		return name;
	}
	free(name);
	return xstrdup("default");
}
