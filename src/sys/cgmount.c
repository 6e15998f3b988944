/* SPDX-License-Identifier: MIT */
#include "sys/cgmount.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sys/fileio.h"

#define MOUNTINFO_MAX (1024 * 1024)
#define CGROUP_MAX    (64 * 1024)

/* Whether the comma list of len bytes holds the word. */
static bool list_has(const char *list, size_t len, const char *word)
{
	size_t n = strlen(word);
	for (const char *p = list, *end = list + len; p < end;) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		size_t item = (size_t)((comma ? comma : end) - p);
		if (item == n && memcmp(p, word, n) == 0) {
			return true;
		}
		p += item + 1;
	}
	return false;
}

/* Blanks and the like are written \040 in mountinfo. */
static char *unescape(const char *s, size_t len)
{
	char *out = xmalloc(len + 1);
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '\\' && i + 3 < len && strspn(s + i + 1, "01234567") >= 3) {
			out[n++] = (char)((s[i + 1] - '0') << 6 | (s[i + 2] - '0') << 3 |
					  (s[i + 3] - '0'));
			i += 3;
		} else {
			out[n++] = s[i];
		}
	}
	out[n] = '\0';
	return out;
}

/* ID PARENT MAJ:MIN ROOT MOUNTPOINT OPTIONS [TAGS...] - TYPE SOURCE SUPER_OPTIONS */
static bool parse_mount(const char *line, size_t len, const char *controller, char **root,
			char **mount)
{
	const char *word[5];
	size_t wlen[5];
	const char *p = line, *end = line + len;
	for (int i = 0; i < 5; i++) {
		word[i] = p;
		const char *blank = memchr(p, ' ', (size_t)(end - p));
		if (!blank) {
			return false;
		}
		wlen[i] = (size_t)(blank - p);
		p = blank + 1;
	}
	const char *dash = memmem(p, (size_t)(end - p), " - ", 3);
	if (!dash) {
		return false;
	}
	const char *type = dash + 3;
	size_t rest = (size_t)(end - type);
	const char *want = controller ? "cgroup " : "cgroup2 ";
	if (rest < strlen(want) || memcmp(type, want, strlen(want)) != 0) {
		return false;
	}
	if (controller) {
		const char *options = memrchr(type, ' ', rest);
		if (!list_has(options + 1, (size_t)(end - options - 1), controller)) {
			return false;
		}
	}
	*root = unescape(word[3], wlen[3]);
	*mount = unescape(word[4], wlen[4]);
	return true;
}

/* The path of "0::PATH" or of "N:cpu,cpuacct:PATH". */
static bool find_path(const char *text, const char *controller, const char **path, size_t *len)
{
	for (const char *line = text; *line;) {
		size_t n = strcspn(line, "\n");
		const char *c1 = memchr(line, ':', n);
		const char *c2 = c1 ? memchr(c1 + 1, ':', n - (size_t)(c1 + 1 - line)) : NULL;
		if (c2 && (controller ? list_has(c1 + 1, (size_t)(c2 - c1 - 1), controller)
				      : c1 == line + 1 && line[0] == '0' && c2 == c1 + 1)) {
			*path = c2 + 1;
			*len = n - (size_t)(c2 + 1 - line);
			return true;
		}
		line += n + (line[n] == '\n');
	}
	return false;
}

/* The part of path below the root of the mount; a group outside of it cannot be seen, take the
 * root. */
static char *below_root(const char *path, size_t len, const char *root)
{
	size_t skip = strcmp(root, "/") == 0 ? 0 : strlen(root);
	if (len < skip || memcmp(path, root, skip) != 0 ||
	    (skip && len > skip && path[skip] != '/') || memmem(path, len, "/..", 3)) {
		return xstrdup("");
	}
	path += skip;
	len -= skip;
	return xstrndup(path, len == 1 ? 0 : len);
}

bool cgmount_parse(const char *mountinfo, const char *cgroup, const char *controller,
		   struct cgmount *out)
{
	const char *path;
	size_t len;
	if (!find_path(cgroup, controller, &path, &len)) {
		return false;
	}
	for (const char *line = mountinfo; *line;) {
		size_t n = strcspn(line, "\n");
		char *root;
		char *mount;
		if (parse_mount(line, n, controller, &root, &mount)) {
			*out = (struct cgmount){.mount = mount,
						.path = below_root(path, len, root)};
			free(root);
			return true;
		}
		line += n + (line[n] == '\n');
	}
	return false;
}

bool cgmount_find(const char *controller, struct cgmount *out)
{
	char *mounts = xmalloc(MOUNTINFO_MAX);
	char *groups = xmalloc(CGROUP_MAX);
	bool found = file_read(AT_FDCWD, "/proc/self/mountinfo", mounts, MOUNTINFO_MAX) > 0 &&
		     file_read(AT_FDCWD, "/proc/self/cgroup", groups, CGROUP_MAX) > 0 &&
		     cgmount_parse(mounts, groups, controller, out);
	free(mounts);
	free(groups);
	return found;
}

void cgmount_finish(struct cgmount *m)
{
	free(m->mount);
	free(m->path);
	*m = (struct cgmount){0};
}

bool cgmount_path_of(pid_t pid, char *out, size_t cap)
{
	char file[40];
	snprintf(file, sizeof(file), "/proc/%d/cgroup", (int)pid);
	char text[8192];
	const char *path;
	size_t len;
	if (file_read(AT_FDCWD, file, text, sizeof(text)) <= 0 ||
	    !find_path(text, NULL, &path, &len) || len >= cap) {
		return false;
	}
	memcpy(out, path, len);
	out[len] = '\0';
	return true;
}
