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
#include "sys/fileio.h"
#include "sys/logindex.h"
#include "sys/trust.h"

/* A file whose lines do not end is cut all the same once it is this far over its size. */
#define LINE_GRACE (1 << 20)

void logfile_init(struct logfile *f, const char *path, int64_t max_size, int keep, bool compress)
{
	*f = (struct logfile){.path = xstrdup(path),
			      .fd = -1,
			      .idx_fd = -1,
			      .owner = geteuid(),
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
	f->before += f->size;
	f->size = f->indexed = 0;
	f->last_pid = 0;
}

void logfile_finish(struct logfile *f)
{
	if (f->path) {
		logfile_close(f);
	}
	free(f->path);
	asuser_finish(&f->user);
	*f = (struct logfile){.fd = -1, .idx_fd = -1};
}

void logfile_set_owner(struct logfile *f, const struct asuser *user, bool chosen)
{
	asuser_finish(&f->user);
	asuser_init(&f->user, user->uid, user->gid, user->groups, user->ngroups);
	f->owner = user->uid;
	f->foreign = geteuid() == 0 && user->uid != 0;
	f->chosen = chosen;
}

bool logfile_is_users(const struct logfile *f)
{
	return f->foreign && f->chosen && !trust_path(f->path, &f->user, NULL);
}

/* Before work on the path: *taken tells whether asuser_end() is due. */
static bool begin_work(const struct logfile *f, bool *taken, struct err *err)
{
	struct err why;
	*taken = false;
	if (geteuid() != 0 || !f->chosen || trust_path(f->path, &f->user, &why)) {
		return true;
	}
	if (!f->foreign) {
		return err_set(err, ERR_PERMISSION,
			       "log file %.300s is refused: %.400s, who could lead root anywhere; "
			       "fix: another place, or set user",
			       f->path, why.msg);
	}
	*taken = asuser_begin(&f->user);
	return *taken || err_sys(err, "open log file %s as uid %u", f->path, (unsigned)f->owner);
}

static void end_work(bool taken)
{
	if (taken) {
		asuser_end();
	}
}

/* The file itself, or its index. */
static int open_checked(const struct logfile *f, bool index, bool as_user, struct stat *st,
			struct err *err)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s%s", f->path, index ? ".idx" : "");
	int fd = file_open_or_create(AT_FDCWD, path, O_RDWR | O_NOFOLLOW | O_NONBLOCK, 0640);
	if (fd < 0) {
		char who[40] = "";
		if (as_user) {
			snprintf(who, sizeof(who), " as uid %u", (unsigned)f->owner);
		}
		err_sys(err, "open log file %s%s", path, who);
		return -1;
	}
	const char *why = NULL;
	if (fstat(fd, st) != 0) {
		why = strerror(errno);
	} else if (!S_ISREG(st->st_mode)) {
		why = "it is not a regular file";
	} else if (st->st_nlink > 1) {
		why = "it has more than one name (hard link)";
	} else if (st->st_uid != geteuid() && st->st_uid != 0 && st->st_uid != f->owner) {
		why = "it belongs to somebody else";
	}
	if (why) {
		err_set(err, ERR_FAILED, "log file %s is refused: %s", path, why);
		close(fd);
		return -1;
	}
	return fd;
}

/* What became of a record. */
static void added(struct logfile *f, bool ok)
{
	if (!ok) {
		close(f->idx_fd); /* no room: go on without */
		f->idx_fd = -1;
	}
}

/* Of a file that was there, what its index says; a new one is told in its own, for readers that
 * find those between theirs and it rotated away. */
static void count_before(struct logfile *f)
{
	uint64_t rec[2];
	if (f->size == 0 && f->before > 0) {
		added(f, logindex_put_before(f->idx_fd, (uint64_t)f->before));
	} else if (f->size > 0) {
		bool told = pread(f->idx_fd, rec, sizeof(rec), 0) == (ssize_t)sizeof(rec) &&
			    rec[0] == LOGINDEX_START && (rec[1] & LOGINDEX_BEFORE);
		f->before = told ? (int64_t)(rec[1] & ~LOGINDEX_BEFORE) : 0;
	}
}

static void open_index(struct logfile *f, bool as_user)
{
	struct stat st;
	/* The log is worth more than its index: without one, times come from the file's own. */
	f->idx_fd = open_checked(f, true, as_user, &st, NULL);
	if (f->idx_fd >= 0 && st.st_size && (f->size == 0 || st.st_size % 16 != 0)) {
		if (ftruncate(f->idx_fd, f->size == 0 ? 0 : st.st_size - st.st_size % 16) != 0) {
			close(f->idx_fd);
			f->idx_fd = -1;
		}
	}
	if (f->idx_fd >= 0) {
		lseek(f->idx_fd, 0, SEEK_END);
		count_before(f);
	}
}

bool logfile_open(struct logfile *f, struct err *err)
{
	struct stat st;
	bool taken;
	if (f->fd >= 0) {
		return true;
	}
	if (!begin_work(f, &taken, err)) {
		return false;
	}
	f->fd = open_checked(f, false, taken, &st, err);
	if (f->fd >= 0) {
		f->size = f->indexed = lseek(f->fd, 0, SEEK_END);
		if (f->size < 0) {
			err_sys(err, "log file %s", f->path);
			logfile_close(f);
		} else {
			open_index(f, taken);
		}
	}
	end_work(taken);
	return f->fd >= 0;
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
	f->before = 0;
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

void logfile_cut(struct logfile *f, int64_t size)
{
	if (size < f->size && ftruncate(f->fd, size) == 0 && lseek(f->fd, size, SEEK_SET) == size) {
		f->size = size;
		f->indexed = f->indexed < size ? f->indexed : size;
	}
}

void logfile_mark(struct logfile *f, int64_t real_ns)
{
	if (f->size != f->indexed) {
		if (f->idx_fd >= 0) {
			added(f, logindex_mark(f->idx_fd, (uint64_t)f->size, real_ns));
		}
		f->indexed = f->size;
	}
}

void logfile_mark_start(struct logfile *f, pid_t pid)
{
	if (f->last_pid != pid) {
		if (f->idx_fd >= 0) {
			added(f, logindex_start(f->idx_fd, (uint64_t)f->size, pid));
		}
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

enum { PLAIN, IDX, GZ };
static const char *const suffixes[] = {[PLAIN] = "", [IDX] = ".idx", [GZ] = ".gz"};

static void remove_numbered(const struct logfile *f, int n)
{
	char path[PATH_MAX];
	for (size_t s = 0; s < ARRAY_LEN(suffixes); s++) {
		name_of(f, n, suffixes[s], path);
		unlink(path);
	}
}

static bool is_there(const struct logfile *f, int n, const char *suffix)
{
	char path[PATH_MAX];
	struct stat st;
	name_of(f, n, suffix, path);
	return lstat(path, &st) == 0 || errno != ENOENT;
}

static bool is_taken(const struct logfile *f, int n)
{
	return is_there(f, n, "") || is_there(f, n, ".gz");
}

/* An index alone would be taken for that of another file: without its log it goes. */
static bool move_up(const struct logfile *f, int n, struct err *err)
{
	char from[PATH_MAX], to[PATH_MAX];
	for (size_t s = 0; s < ARRAY_LEN(suffixes); s++) {
		name_of(f, n, suffixes[s], from);
		name_of(f, n + 1, suffixes[s], to);
		if ((n == 0 && s == GZ) || rename(from, to) == 0 || errno == ENOENT) {
			continue;
		}
		if (s != IDX) {
			return err_sys(err, "rotate: rename %s", from);
		}
		unlink(from);
		unlink(to);
	}
	return true;
}

static bool move_all_up(const struct logfile *f, struct err *err)
{
	int gap = 1;
	if (f->keep <= 0) {
		remove_numbered(f, 0);
		return true;
	}
	if (!is_there(f, 0, "")) {
		return true;
	}
	/* Up to where there is room: what could not be moved last time is in nobody's way. */
	while (gap < f->keep && is_taken(f, gap)) {
		gap++;
	}
	remove_numbered(f, gap);
	for (int n = gap - 1; n >= 0; n--) {
		if (!move_up(f, n, err)) {
			return false;
		}
	}
	return true;
}

bool logfile_rotate(struct logfile *f, struct err *err)
{
	bool taken;
	logfile_close(f);
	if (!begin_work(f, &taken, err)) {
		return false;
	}
	bool ok = move_all_up(f, err);
	end_work(taken);
	return ok;
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

/* The open file, to its very beginning. */
static bool empty_open(struct logfile *f)
{
	if (lseek(f->fd, 0, SEEK_SET) != 0 || ftruncate(f->fd, 0) != 0 ||
	    (f->idx_fd >= 0 &&
	     (lseek(f->idx_fd, 0, SEEK_SET) != 0 || ftruncate(f->idx_fd, 0) != 0))) {
		return false;
	}
	f->size = f->indexed = 0;
	f->last_pid = 0;
	return true;
}

void logfile_flush(struct logfile *f)
{
	char path[PATH_MAX];
	bool taken;
	if (!begin_work(f, &taken, NULL)) {
		return;
	}
	for (int n = 1; n <= f->keep; n++) {
		remove_numbered(f, n);
	}
	if (f->fd < 0 || !logfile_is_current(f) || !empty_open(f)) {
		logfile_close(f);
		for (size_t s = 0; s < 2; s++) {
			name_of(f, 0, suffixes[s], path);
			empty_file(path);
		}
	}
	f->before = 0; /* nobody has missed what was thrown away */
	end_work(taken);
}
