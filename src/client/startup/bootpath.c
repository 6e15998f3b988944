/* SPDX-License-Identifier: MIT */
#include "client/startup/bootpath.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "client/client.h"
#include "common/mem.h"
#include "sys/trust.h"

#define USUAL "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static bool has_entry(const char *path, const char *dir, size_t len)
{
	for (const char *s = path; s && *s;) {
		size_t n = strcspn(s, ":");
		if (n == len && strncmp(s, dir, n) == 0) {
			return true;
		}
		s += n + (s[n] == ':');
	}
	return false;
}

static bool is_safe(const struct client *c, const char *dir)
{
	struct stat st;
	struct err why;
	char *inside = xasprintf("%s/x", dir); /* so that the directory itself is looked at */
	bool safe = stat(dir, &st) == 0 && trust_path(inside, NULL, &why);
	free(inside);
	if (!safe) {
		client_note(c,
			    "not in the PATH of the unit, because others than root can write "
			    "there: %s",
			    dir);
	}
	return safe;
}

char *bootpath_extra(const struct client *c, const char *path, bool for_root)
{
	struct buf extra = {0};
	for (const char *s = path; s && *s;) {
		size_t len = strcspn(s, ":");
		char *dir = xstrndup(s, len);
		struct stat st;
		bool wanted = dir[0] == '/' && len < PATH_MAX && !has_entry(USUAL, s, len) &&
			      !has_entry(extra.data, s, len) && stat(dir, &st) == 0 &&
			      S_ISDIR(st.st_mode) && strcmp(dir, "/usr/games") != 0 &&
			      strcmp(dir, "/usr/local/games") != 0;
		if (wanted && (!for_root || is_safe(c, dir))) {
			buf_addf(&extra, "%s:", dir);
		}
		free(dir);
		s += len + (s[len] == ':');
	}
	if (!extra.len) {
		buf_finish(&extra);
		return NULL;
	}
	buf_adds(&extra, USUAL);
	return buf_take(&extra);
}
