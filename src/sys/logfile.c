/* SPDX-License-Identifier: MIT */
#include "sys/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"

#define INDEX_START ((uint64_t)1 << 63)
/* A file whose lines do not end is cut all the same once it is this far over its size. */
#define LINE_GRACE (1 << 20)

void logfile_init(struct logfile *f, const char *path, int64_t max_size, int keep, bool compress)
{
	*f = (struct logfile){.path = xstrdup(path),
			      .fd = -1,
			      .idx_fd = -1,
			      .max_size = max_size,
			      .keep = keep,
			      .compress = compress};
}

void logfile_close(struct logfile *f)
{
	if (f->fd >= 0) {
		close(f->fd);
	}
	if (f->idx_fd >= 0) {
		close(f->idx_fd);
	}
	f->fd = f->idx_fd = -1;
	f->size = f->indexed = 0;
	f->last_pid = 0;
}

void logfile_finish(struct logfile *f)
{
	if (f->path) {
		logfile_close(f);
	}
	free(f->path);
	*f = (struct logfile){.fd = -1, .idx_fd = -1};
}

static int open_checked(const char *path, uid_t owner, struct stat *st, struct err *err)
{
	int fd =
		open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640);
	if (fd < 0) {
		err_sys(err, "open log file %s", path);
		return -1;
	}
	const char *why = NULL;
	if (fstat(fd, st) != 0) {
		why = strerror(errno);
	} else if (!S_ISREG(st->st_mode)) {
		why = "it is not a regular file";
	} else if (st->st_nlink > 1) {
		why = "it has more than one name (hard link)";
	} else if (st->st_uid != geteuid() && st->st_uid != 0 && st->st_uid != owner) {
		why = "it belongs to somebody else";
	}
	if (why) {
		err_set(err, ERR_FAILED, "log file %s is refused: %s", path, why);
		close(fd);
		return -1;
	}
	return fd;
}

bool logfile_open(struct logfile *f, uid_t owner, struct err *err)
{
	struct stat st;
	char idx[PATH_MAX];
	if (f->fd >= 0) {
		return true;
	}
	f->fd = open_checked(f->path, owner, &st, err);
	if (f->fd < 0) {
		return false;
	}
	f->size = f->indexed = lseek(f->fd, 0, SEEK_END);
	snprintf(idx, sizeof(idx), "%s.idx", f->path);
	/* The log is worth more than its index: without one, times come from the file's own. */
	f->idx_fd = open_checked(idx, owner, &st, NULL);
	if (f->idx_fd >= 0 && st.st_size && (f->size == 0 || st.st_size % 16 != 0)) {
		if (ftruncate(f->idx_fd, f->size == 0 ? 0 : st.st_size - st.st_size % 16) != 0) {
			close(f->idx_fd);
			f->idx_fd = -1;
		}
	}
	if (f->idx_fd >= 0) {
		lseek(f->idx_fd, 0, SEEK_END);
	}
	return true;
}

bool logfile_is_current(const struct logfile *f)
{
	struct stat here, there;
	return f->fd >= 0 && fstat(f->fd, &here) == 0 && lstat(f->path, &there) == 0 &&
	       here.st_ino == there.st_ino && here.st_dev == there.st_dev;
}

bool logfile_follow_size(struct logfile *f)
{
	struct stat st;
	if (fstat(f->fd, &st) != 0 || st.st_size >= f->size) {
		return false;
	}
	f->size = f->indexed = lseek(f->fd, 0, SEEK_END);
	if (f->idx_fd >= 0 && ftruncate(f->idx_fd, 0) == 0) {
		lseek(f->idx_fd, 0, SEEK_SET);
	}
	f->last_pid = 0;
	return true;
}

ssize_t logfile_splice(struct logfile *f, int pipe_fd, size_t max)
{
	ssize_t n;
	do {
		n = splice(pipe_fd, NULL, f->fd, NULL, max, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
	} while (n < 0 && errno == EINTR);
	if (n > 0) {
		f->size += n;
	}
	return n;
}

bool logfile_write(struct logfile *f, const void *data, size_t len)
{
	const char *p = data;
	while (len) {
		ssize_t n = write(f->fd, p, len);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return false;
		}
		f->size += n;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static void add_record(struct logfile *f, uint64_t a, uint64_t b)
{
	uint64_t rec[2] = {a, b};
	if (f->idx_fd >= 0 && write(f->idx_fd, rec, sizeof(rec)) != (ssize_t)sizeof(rec)) {
		close(f->idx_fd); /* no room: go on without */
		f->idx_fd = -1;
	}
}

void logfile_mark(struct logfile *f, int64_t real_ns)
{
	if (f->size != f->indexed) {
		add_record(f, (uint64_t)f->size, (uint64_t)real_ns);
		f->indexed = f->size;
	}
}

void logfile_mark_start(struct logfile *f, pid_t pid)
{
	if (f->last_pid != pid) {
		add_record(f, (uint64_t)f->size | INDEX_START, (uint64_t)pid);
		f->last_pid = pid;
	}
}

bool logfile_is_full(const struct logfile *f)
{
	char last = 0;
	if (f->max_size <= 0 || f->size < f->max_size || f->fd < 0) {
		return false;
	}
	return f->size >= f->max_size + LINE_GRACE || pread(f->fd, &last, 1, f->size - 1) != 1 ||
	       last == '\n';
}

static void name_of(const struct logfile *f, int n, const char *suffix, char out[PATH_MAX])
{
	if (n == 0) {
		snprintf(out, PATH_MAX, "%s%s", f->path, suffix);
	} else {
		snprintf(out, PATH_MAX, "%s.%d%s", f->path, n, suffix);
	}
}

static const char *const suffixes[] = {"", ".idx", ".gz"};

static void remove_numbered(const struct logfile *f, int n)
{
	char path[PATH_MAX];
	for (size_t s = 0; s < ARRAY_LEN(suffixes); s++) {
		name_of(f, n, suffixes[s], path);
		unlink(path);
	}
}

void logfile_rotate(struct logfile *f)
{
	char from[PATH_MAX], to[PATH_MAX];
	logfile_close(f);
	remove_numbered(f, f->keep > 0 ? f->keep : 0);
	for (int n = f->keep - 1; n >= 0; n--) {
		for (size_t s = 0; s < ARRAY_LEN(suffixes); s++) {
			name_of(f, n, suffixes[s], from);
			name_of(f, n + 1, suffixes[s], to);
			rename(from, to);
		}
	}
}

/* Not through a link: root must not be led to empty a file of somebody else. */
static void empty_file(const char *path)
{
	struct stat st;
	int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		return; /* it is not there: empty enough */
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
	    ftruncate(fd, 0) != 0) {
		errno = 0; /* it stays as it is */
	}
	close(fd);
}

void logfile_flush(struct logfile *f)
{
	char path[PATH_MAX];
	for (int n = 1; n <= f->keep; n++) {
		remove_numbered(f, n);
	}
	if (f->fd >= 0 && logfile_is_current(f)) {
		if (ftruncate(f->fd, 0) == 0) {
			lseek(f->fd, 0, SEEK_SET);
			f->size = f->indexed = 0;
		}
		if (f->idx_fd >= 0 && ftruncate(f->idx_fd, 0) == 0) {
			lseek(f->idx_fd, 0, SEEK_SET);
		}
		f->last_pid = 0;
		return;
	}
	logfile_close(f);
	for (size_t s = 0; s < 2; s++) {
		name_of(f, 0, suffixes[s], path);
		empty_file(path);
	}
}
