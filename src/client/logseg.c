/* SPDX-License-Identifier: MIT */
#include "client/logseg.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/mem.h"

extern char **environ;

static int open_regular(const char *path, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0 && (fstat(fd, st) != 0 || !S_ISREG(st->st_mode))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* What gzip(1) makes of this descriptor, in memory; takes it over. -1 if it makes nothing. */
static int unzip(int zipped)
{
	posix_spawn_file_actions_t fa;
	char *argv[] = {(char[]){"gzip"}, (char[]){"-dc"}, NULL};
	pid_t pid;
	int status = 1;
	int plain = memfd_create("log", MFD_CLOEXEC);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, zipped, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&fa, plain, STDOUT_FILENO);
	if (plain >= 0 && posix_spawnp(&pid, argv[0], &fa, NULL, argv, environ) == 0) {
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
		}
	}
	posix_spawn_file_actions_destroy(&fa);
	close(zipped);
	if (plain >= 0 && status != 0) {
		close(plain);
		plain = -1;
	}
	return plain;
}

/* PATH, or PATH.gz where log_compress has been at work. */
static int open_file(const char *path, struct stat *st)
{
	int fd = open_regular(path, st);
	if (fd < 0 && errno == ENOENT) {
		char *zipped = xasprintf("%s.gz", path);
		fd = open_regular(zipped, st);
		free(zipped);
		fd = fd < 0 ? -1 : unzip(fd);
	}
	return fd;
}

struct logseg *logseg_open(const char *path)
{
	struct stat st;
	int fd = open_file(path, &st);
	if (fd < 0) {
		return NULL;
	}
	struct logseg *g = xcalloc(1, sizeof(*g));
	g->fd = fd;
	g->dev = st.st_dev;
	g->ino = st.st_ino;
	logindex_reader_open(&g->index, AT_FDCWD, path);
	return g;
}

void logseg_free(struct logseg *g)
{
	if (g) {
		close(g->fd);
		logindex_reader_finish(&g->index);
		free(g);
	}
}

bool logseg_same(const struct logseg *a, const struct logseg *b)
{
	return a->dev == b->dev && a->ino == b->ino;
}

uint64_t logseg_size(const struct logseg *g)
{
	struct stat st;
	return fstat(g->fd, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

size_t logseg_read(const struct logseg *g, void *buf, size_t len, uint64_t at)
{
	size_t got = 0;
	while (got < len) {
		ssize_t n = pread(g->fd, (char *)buf + got, len - got, (off_t)(at + got));
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			break;
		}
		got += (size_t)n;
	}
	return got;
}

int64_t logseg_time(struct logseg *g, uint64_t at)
{
	int64_t ns;
	struct stat st;
	if (logindex_time(&g->index, at, &ns)) {
		return ns;
	}
	if (fstat(g->fd, &st) != 0) {
		return 0;
	}
	return (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
}
