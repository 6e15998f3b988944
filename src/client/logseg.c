/* SPDX-License-Identifier: MIT */
#include "client/logseg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"

struct logseg *logseg_open(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		return NULL;
	}
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
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
