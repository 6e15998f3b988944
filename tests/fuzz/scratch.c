/* SPDX-License-Identifier: MIT */
#include "scratch.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARK "=== "

static char dir[64];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_all(void)
{
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void must(int r, const char *what)
{
	if (r < 0) {
		perror(what);
		abort();
	}
}

const char *scratch_dir(void)
{
	if (!dir[0]) {
		const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
		snprintf(dir, sizeof(dir), "%s/pmctl-fuzz-%d", base, (int)getpid());
		must(mkdir(dir, 0700), dir);
		atexit(remove_all);
	}
	return dir;
}

const char *scratch_path(const char *name)
{
	static char path[8][160];
	static unsigned next;
	next = (next + 1) % 8;
	snprintf(path[next], sizeof(path[next]), "%s/%s", scratch_dir(), name);
	return path[next];
}

void scratch_write(const char *name, const void *data, size_t len)
{
	int fd = open(scratch_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	must(fd, name);
	must(len && write(fd, data, len) != (ssize_t)len ? -1 : 0, name);
	close(fd);
}

void scratch_fresh(const char *name)
{
	const char *path = scratch_path(name);
	nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	must(mkdir(path, 0700), path);
}

void scratch_sections(const void *data, size_t len,
		      void (*fn)(void *ctx, const char *name, const char *text, size_t len),
		      void *ctx)
{
	const char *at = data, *end = at + len;
	char name[32] = "";
	while (at < end) {
		const char *next = at;
		while (next < end && (size_t)(end - next) >= strlen(MARK) &&
		       memcmp(next, MARK, strlen(MARK)) != 0) {
			const char *nl = memchr(next, '\n', (size_t)(end - next));
			next = nl ? nl + 1 : end;
		}
		next = (size_t)(end - next) < strlen(MARK) ? end : next;
		if (next > at || name[0]) {
			fn(ctx, name, at, (size_t)(next - at));
		}
		if (next == end) {
			return;
		}
		at = next + strlen(MARK);
		const char *nl = memchr(at, '\n', (size_t)(end - at));
		snprintf(name, sizeof(name), "%.*s", (int)((nl ? nl : end) - at), at);
		at = nl ? nl + 1 : end;
	}
}
