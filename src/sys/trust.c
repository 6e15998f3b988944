/* SPDX-License-Identifier: MIT */
#include "sys/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"
#include "sys/asuser.h"
#include "sys/fileio.h"

#define LINKS	 40    /* as the kernel's own limit */
#define OVERFLOW 65534 /* who a uid looks like that a user namespace does not know */

/* In a user namespace the machine's root may have no number: then nobody in here can be it. */
static bool is_unmapped(uid_t uid)
{
	static int unmapped = -1;
	char map[4096];
	if (unmapped < 0) {
		unmapped = file_read(AT_FDCWD, "/proc/self/uid_map", map, sizeof(map)) > 0;
		for (char *line = map; unmapped && line[0];) {
			char *end;
			unsigned long from = strtoul(line, &end, 10);
			strtoul(end, &end, 10);
			unsigned long count = strtoul(end, &end, 10);
			unmapped = OVERFLOW < from || OVERFLOW - from >= count;
			line = end + (*end == '\n');
		}
	}
	return uid == OVERFLOW && unmapped;
}

static bool is_member(const struct asuser *user, gid_t gid)
{
	for (size_t i = 0; user && i < user->ngroups; i++) {
		if (user->groups[i] == gid) {
			return true;
		}
	}
	return user && user->gid == gid;
}

static bool check_dir(const char *dir, const struct stat *st, const struct asuser *user,
		      struct err *err)
{
	bool sticky = st->st_mode & S_ISVTX;
	if (st->st_uid != 0 && st->st_uid != geteuid() && !is_unmapped(st->st_uid)) {
		return err_set(err, ERR_PERMISSION, "directory %.300s belongs to uid %u", dir,
			       (unsigned)st->st_uid);
	}
	if (!sticky && st->st_mode & 002) {
		return err_set(err, ERR_PERMISSION,
			       "directory %.300s is writable by others (mode %04o)", dir,
			       st->st_mode & 07777);
	}
	if (!sticky && st->st_mode & 020 && is_member(user, st->st_gid)) {
		return err_set(err, ERR_PERMISSION,
			       "directory %.300s is writable by group %u (mode %04o)", dir,
			       (unsigned)st->st_gid, st->st_mode & 07777);
	}
	return true;
}

/* In front of `rest`, what the link in directory `dir` leads to. Allocated; NULL = it is gone. */
static char *follow_link(const char *link, size_t dir_len, const char *rest)
{
	char target[PATH_MAX];
	ssize_t n = readlink(link, target, sizeof(target) - 1);
	if (n <= 0) {
		return NULL;
	}
	target[n] = '\0';
	return target[0] == '/' ? xasprintf("%s%s", target, rest)
				: xasprintf("%.*s/%s%s", (int)dir_len, link, target, rest);
}

/* One walk from the root down, until the end or a link; then *next is the path to go on with. */
static bool walk(char *path, char **next, const struct asuser *user, struct err *err)
{
	struct stat st;
	if (stat("/", &st) == 0 && !check_dir("/", &st, user, err)) {
		return false;
	}
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		if (slash[-1] == '/') {
			continue;
		}
		*slash = '\0';
		if (lstat(path, &st) != 0) {
			return true; /* there is nothing below it either */
		}
		const char *last = strrchr(path, '/');
		if (S_ISLNK(st.st_mode)) {
			size_t dir_len = (size_t)(last - path);
			*slash = '/';
			char *link = xstrndup(path, (size_t)(slash - path));
			*next = follow_link(link, dir_len, slash);
			free(link);
			return true;
		}
		if (!check_dir(path, &st, user, err)) {
			return false;
		}
		*slash = '/';
	}
	return true;
}

bool trust_path(const char *path, const struct asuser *user, struct err *err)
{
	char *at = xstrdup(path);
	bool ok = at[0] == '/';
	for (int links = 0; ok && at; links++) {
		char *next = NULL;
		ok = walk(at, &next, user, err);
		free(at);
		at = next;
		if (ok && at && links == LINKS) {
			ok = err_set(err, ERR_PERMISSION, "%.300s: %s", path, strerror(ELOOP));
		}
	}
	free(at);
	return ok;
}
