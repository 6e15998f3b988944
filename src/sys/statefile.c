/* SPDX-License-Identifier: MIT */
#include "sys/statefile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/crc32c.h"
#include "common/mem.h"
#include "sys/fileio.h"

#define MAGIC	   "pmctl-state"
#define VERSION	   1
#define HEADER_LEN (sizeof(MAGIC) - 1 + 2 + 1 + 10 + 1 + 8 + 1)

/* Fixed width, so that a header is right if and only if it is equal to the one made anew. */
static void make_header(char out[HEADER_LEN + 1], const void *data, size_t len)
{
	snprintf(out, HEADER_LEN + 1, MAGIC " %u %010" PRIu32 " %08" PRIx32 "\n", VERSION,
		 (uint32_t)len, crc32c(data, len));
}

static int make_tmp(int dirfd, const char *tmp, const void *data, size_t len, struct err *err)
{
	char header[HEADER_LEN + 1];
	make_header(header, data, len);
	/* Left by a supervisor that died; O_EXCL then makes sure that the new one is ours alone. */
	unlinkat(dirfd, tmp, 0);
	int fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		err_sys(err, "create %s", tmp);
		return -1;
	}
	if (!file_write_all(fd, header, HEADER_LEN) || !file_write_all(fd, data, len)) {
		err_sys(err, "write %s", tmp);
		close(fd);
		unlinkat(dirfd, tmp, 0);
		return -1;
	}
	return fd;
}

/* NAME stays where it is while it gets its second name, if the file system can do that. */
static void keep_previous(int dirfd, const char *name)
{
	char *prev = xasprintf("%s.prev", name);
	char *link = xasprintf("%s.prev.tmp", name);
	unlinkat(dirfd, link, 0);
	if (linkat(dirfd, name, dirfd, link, 0) == 0) {
		if (renameat(dirfd, link, dirfd, prev) != 0) {
			unlinkat(dirfd, link, 0);
		}
		/* rename(2) does nothing where both names are one file already. */
		unlinkat(dirfd, link, 0);
	} else if (errno != ENOENT) {
		renameat(dirfd, name, dirfd, prev);
	}
	free(prev);
	free(link);
}

static bool has_previous(int dirfd, const char *name)
{
	char *prev = xasprintf("%s.prev", name);
	bool has = faccessat(dirfd, prev, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	free(prev);
	return has;
}

static bool save(int dirfd, const char *name, const void *data, size_t len, bool keep, int *fd_sync,
		 struct err *err)
{
	if (len > STATEFILE_MAX) {
		return err_set(err, ERR_LIMIT, "%s: %zu bytes are more than a state may have", name,
			       len);
	}
	char *tmp = xasprintf("%s.tmp", name);
	int fd = make_tmp(dirfd, tmp, data, len, err);
	bool ok = fd >= 0;
	if (ok && !fd_sync && fsync(fd) != 0) {
		ok = err_sys(err, "write %s to disk", tmp);
	}
	if (ok) {
		if (keep || !has_previous(dirfd, name)) {
			keep_previous(dirfd, name);
		}
		if (renameat(dirfd, tmp, dirfd, name) != 0) {
			ok = err_sys(err, "rename %s to %s", tmp, name);
		}
	}
	if (fd >= 0 && !ok) {
		close(fd);
		unlinkat(dirfd, tmp, 0);
	}
	free(tmp);
	if (!ok) {
		return false;
	}
	if (!fd_sync) {
		return statefile_sync(dirfd, fd, err);
	}
	*fd_sync = fd;
	return true;
}

bool statefile_save(int dirfd, const char *name, const void *data, size_t len, int *fd_sync,
		    struct err *err)
{
	return save(dirfd, name, data, len, true, fd_sync, err);
}

bool statefile_save_over(int dirfd, const char *name, const void *data, size_t len, int *fd_sync,
			 struct err *err)
{
	return save(dirfd, name, data, len, false, fd_sync, err);
}

bool statefile_sync(int dirfd, int fd, struct err *err)
{
	bool ok = fsync(fd) == 0 || err_sys(err, "write state to disk");
	close(fd);
	/* Some file systems cannot sync a directory; there it is not needed either. */
	if (ok && fsync(dirfd) != 0 && errno != EINVAL && errno != EBADF) {
		ok = err_sys(err, "write state directory to disk");
	}
	return ok;
}

enum load { LOAD_OK, LOAD_MISSING, LOAD_BAD, LOAD_UNKNOWN };

static enum load read_payload(int fd, off_t size, struct buf *out, struct err *why)
{
	char header[HEADER_LEN], expect[HEADER_LEN + 1];
	size_t len = (size_t)size - HEADER_LEN;
	char *data = xmalloc(len + 1);
	if (!file_pread_all(fd, header, HEADER_LEN, 0) ||
	    !file_pread_all(fd, data, len, (off_t)HEADER_LEN)) {
		int saved = errno;
		free(data);
		err_sys(why, "read");
		return saved == 0 ? LOAD_BAD : LOAD_UNKNOWN;
	}
	make_header(expect, data, len);
	if (memcmp(header, expect, HEADER_LEN) != 0) {
		free(data);
		bool magic = memcmp(header, MAGIC " ", sizeof(MAGIC)) == 0;
		bool version = magic && memcmp(header, expect, sizeof(MAGIC) + 2) == 0;
		err_set(why, ERR_FAILED, "%s",
			version ? "checksum or length do not match"
			: magic ? "of another version"
				: "not a state file");
		return LOAD_BAD;
	}
	buf_reset(out);
	buf_add(out, data, len);
	free(data);
	return LOAD_OK;
}

static enum load load_one(int dirfd, const char *name, struct buf *out, struct err *why)
{
	int fd = file_open(dirfd, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0) {
		int saved = errno;
		err_sys(why, "open");
		return saved == ENOENT	    ? LOAD_MISSING
		       : file_is_odd(saved) ? LOAD_BAD
					    : LOAD_UNKNOWN;
	}
	struct stat st;
	enum load got = LOAD_BAD;
	if (fstat(fd, &st) != 0) {
		err_sys(why, "stat");
		got = LOAD_UNKNOWN;
	} else if (!S_ISREG(st.st_mode)) {
		err_set(why, ERR_FAILED, "not a regular file");
	} else if (st.st_uid != geteuid()) {
		err_set(why, ERR_FAILED, "belongs to uid %u", st.st_uid);
	} else if (st.st_size < (off_t)HEADER_LEN) {
		err_set(why, ERR_FAILED, "too short");
	} else if (st.st_size > (off_t)(STATEFILE_MAX + HEADER_LEN)) {
		err_set(why, ERR_FAILED, "too large");
	} else {
		got = read_payload(fd, st.st_size, out, why);
	}
	close(fd);
	return got;
}

/* TIME is when the file was last written: when things went wrong, and no clock is needed. */
static bool move_aside(int dirfd, const char *name, char **aside)
{
	struct stat st;
	struct tm tm;
	char when[32] = "0";
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && gmtime_r(&st.st_mtime, &tm)) {
		strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm);
	}
	for (int i = 0; i < 1000; i++) {
		*aside = i ? xasprintf("%s.corrupt-%s.%d", name, when, i)
			   : xasprintf("%s.corrupt-%s", name, when);
		if (renameat2(dirfd, name, dirfd, *aside, RENAME_NOREPLACE) == 0 ||
		    (errno == EINVAL && renameat(dirfd, name, dirfd, *aside) == 0)) {
			return true;
		}
		free(*aside);
		*aside = NULL;
		if (errno != EEXIST) {
			break;
		}
	}
	return false;
}

/* Load one name and move it aside if it is bad. The warnings of both names are put together. */
static enum load try_name(int dirfd, const char *name, struct buf *out, struct err *warning)
{
	struct err why = {0};
	enum load got = load_one(dirfd, name, out, &why);
	if (got == LOAD_UNKNOWN) {
		*warning = why;
		err_wrap(warning, "%s", name);
	} else if (got == LOAD_BAD) {
		char *aside = NULL;
		bool moved = move_aside(dirfd, name, &aside);
		struct err before = *warning;
		err_set(warning, ERR_FAILED, "%.400s%s%s: %.200s; %s%s",
			before.code ? before.msg : "", before.code ? "; " : "", name, why.msg,
			moved ? "kept as " : "it could not be moved aside", moved ? aside : "");
		free(aside);
	}
	return got;
}

bool statefile_load(int dirfd, const char *name, struct buf *out, enum statefile_source *src,
		    struct err *warning)
{
	struct err note = {0};
	enum statefile_source from = STATEFILE_CURRENT;
	enum load got = try_name(dirfd, name, out, &note);
	if (got == LOAD_MISSING || got == LOAD_BAD) {
		char *prev = xasprintf("%s.prev", name);
		from = STATEFILE_PREV;
		got = try_name(dirfd, prev, out, &note);
		free(prev);
	}
	if (warning) {
		*warning = note;
	}
	if (got == LOAD_UNKNOWN) {
		return false;
	}
	*src = got == LOAD_OK ? from : STATEFILE_NONE;
	return true;
}

bool statefile_peek(int dirfd, const char *name, struct buf *out, struct err *err)
{
	buf_reset(out);
	enum load got = load_one(dirfd, name, out, err);
	return got == LOAD_OK || got == LOAD_MISSING || err_wrap(err, "%s", name);
}
