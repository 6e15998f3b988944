/* SPDX-License-Identifier: MIT */
#include "client/logseg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"

#define TRIES 50 /* a flood may rotate each few milliseconds */

static int open_regular(const char *path, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0 && (fstat(fd, st) != 0 || !S_ISREG(st->st_mode))) {
		close(fd);
		fd = -1;
		errno = EINVAL;
	}
	return fd;
}

/* PATH, or PATH.gz where log_compress has been at work. */
static int open_file(const char *path, struct stat *st, bool *plain)
{
	int fd = open_regular(path, st);
	*plain = fd >= 0;
	if (fd < 0 && errno == ENOENT) {
		char *zipped = xasprintf("%s.gz", path);
		fd = open_regular(zipped, st);
		free(zipped);
	}
	return fd;
}

static void open_index(struct logseg *g, const char *path)
{
	struct stat st;
	if (logindex_reader_open(&g->index, AT_FDCWD, path) && fstat(g->index.fd, &st) == 0) {
		g->idx_dev = st.st_dev;
		g->idx_ino = st.st_ino;
	}
}

/* A rotation between the two opens would have left us with the index of another file. */
static bool is_there(const struct logseg *g, const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && st.st_dev == g->dev && st.st_ino == g->ino;
}

struct logseg *logseg_open(const char *path)
{
	for (int left = TRIES;; left--) {
		struct stat st;
		bool plain;
		int fd = open_file(path, &st, &plain);
		if (fd < 0) {
			return NULL;
		}
		struct logseg *g = xcalloc(1, sizeof(*g));
		g->fd = plain ? fd : -1;
		g->gz = plain ? NULL : gzread_open(fd, GZREAD_SPACING);
		g->dev = st.st_dev;
		g->ino = st.st_ino;
		open_index(g, path);
		if (!plain || is_there(g, path)) {
			return g;
		}
		if (left == 0) {
			logindex_reader_finish(&g->index); /* better none than a wrong one */
			g->idx_ino = 0;
			return g;
		}
		logseg_free(g);
	}
}

void logseg_free(struct logseg *g)
{
	if (g) {
		if (g->fd >= 0) {
			close(g->fd);
		}
		gzread_free(g->gz);
		logindex_reader_finish(&g->index);
		free(g);
	}
}

bool logseg_same(const struct logseg *a, const struct logseg *b)
{
	/* Beside a log that somebody removed its index stays, and is that of the next one then. */
	bool by_index = a->idx_ino && !a->gz != !b->gz;
	return (a->dev == b->dev && a->ino == b->ino) ||
	       (by_index && a->idx_dev == b->idx_dev && a->idx_ino == b->idx_ino);
}

uint64_t logseg_size(const struct logseg *g)
{
	struct stat st;
	if (g->gz) {
		return gzread_size(g->gz);
	}
	return fstat(g->fd, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

size_t logseg_read(const struct logseg *g, void *buf, size_t len, uint64_t at)
{
	size_t got = 0;
	if (g->gz) {
		return gzread_at(g->gz, buf, len, at);
	}
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
	if (logindex_time(&g->index, at, &ns) && ns > 0) {
		return ns;
	}
	if (fstat(g->gz ? gzread_fd(g->gz) : g->fd, &st) != 0) {
		return 0;
	}
	return (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
}

bool logseg_is_damaged(const struct logseg *g)
{
	return g->gz && gzread_is_damaged(g->gz);
}

void logseg_rest(struct logseg *g)
{
	if (g->gz) {
		gzread_rest(g->gz);
	}
}
