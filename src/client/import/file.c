/* SPDX-License-Identifier: MIT */
#include "client/import/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "sys/fileio.h"

bool importfile_refuse(const char *path, struct err *err)
{
	return err_set(err, ERR_FAILED,
		       "%s is there already, and is not overwritten without --force; nothing was "
		       "written",
		       path);
}

/* A file without a name where the file system can, so that a sudden end leaves none. *temp is its
 * name elsewhere, allocated. */
static int open_temp(const char *path, char **temp)
{
	const char *slash = strrchr(path, '/');
	char *dir =
		slash ? xstrndup(path, slash == path ? 1 : (size_t)(slash - path)) : xstrdup(".");
	int fd = open(dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	free(dir);
	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
		*temp = xasprintf("%s.%d.tmp", path, (int)getpid());
		fd = open(*temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	}
	return fd;
}

/* Give the file its name. link(2) never takes another one's place; only rename(2) does. */
static bool give_name(int fd, const char *temp, const char *path, bool force)
{
	char self[40];
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	const char *from = temp ? temp : self;
	if (!force) {
		return linkat(AT_FDCWD, from, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0;
	}
	char *name = temp ? xstrdup(temp) : xasprintf("%s.%d.tmp", path, (int)getpid());
	bool ok = temp || linkat(AT_FDCWD, from, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0;
	ok = ok && rename(name, path) == 0;
	int saved = errno;
	unlink(name);
	free(name);
	errno = saved;
	return ok;
}

bool importfile_write(const char *path, const struct buf *text, bool force, struct err *err)
{
	char *temp = NULL;
	signal(SIGXFSZ, SIG_IGN); /* a limit on the size of files is an error, not an end */
	int fd = open_temp(path, &temp);
	bool ok = fd >= 0 && file_write_all(fd, text->data, text->len) && fsync(fd) == 0 &&
		  give_name(fd, temp, path, force);
	int saved = errno;
	if (fd >= 0) {
		close(fd);
	}
	if (temp) {
		unlink(temp);
	}
	free(temp);
	errno = saved;
	if (!ok && errno == EEXIST) {
		return importfile_refuse(path, err);
	}
	return ok || err_sys(err, "write %s", path);
}
