/* SPDX-License-Identifier: MIT */
#include "sys/fileio.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int file_open(int dirfd, const char *path, int flags)
{
	int fd;
	do {
		fd = openat(dirfd, path, flags | O_CLOEXEC | O_NOCTTY);
	} while (fd < 0 && errno == EINTR);
	return fd;
}

bool file_is_odd(int error)
{
	return error == ELOOP || error == EISDIR || error == ENXIO || error == ENODEV ||
	       error == ENOTDIR || error == EACCES;
}

bool file_is_regular(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool file_is_program(const char *path)
{
	return file_is_regular(path) && access(path, X_OK) == 0;
}

int file_open_or_create(int dirfd, const char *path, int flags, mode_t mode)
{
	for (int i = 0; i < 8; i++) {
		int fd = file_open(dirfd, path, flags);
		if (fd >= 0 || errno != ENOENT) {
			return fd;
		}
		fd = openat(dirfd, path, flags | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, mode);
		if (fd >= 0) {
			fchmod(fd, mode);
		}
		if (fd >= 0 || errno != EEXIST) {
			return fd;
		}
	}
	return -1; /* somebody makes and removes it all the time */
}

/* Files of the kernel come in pieces only where a whole page is full: after less there is no more.
 */
#define SHORT 2048

ssize_t file_pread(int fd, char *buf, size_t cap)
{
	size_t len = 0;
	while (len + 1 < cap) {
		ssize_t n = pread(fd, buf + len, cap - 1 - len, (off_t)len);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return -1;
		}
		len += (size_t)n;
		if ((size_t)n < SHORT) {
			break;
		}
	}
	buf[len] = '\0';
	return (ssize_t)len;
}

ssize_t file_read(int dirfd, const char *path, char *buf, size_t cap)
{
	int fd = file_open(dirfd, path, O_RDONLY);
	if (fd < 0) {
		return -1;
	}
	ssize_t n = file_pread(fd, buf, cap);
	int saved = errno;
	close(fd);
	errno = saved;
	return n;
}

bool file_poke(int dirfd, const char *path, const char *text)
{
	int fd = file_open(dirfd, path, O_WRONLY);
	if (fd < 0) {
		return false;
	}
	size_t len = strlen(text);
	ssize_t n;
	do {
		n = write(fd, text, len);
	} while (n < 0 && errno == EINTR);
	int saved = errno;
	close(fd);
	errno = saved;
	return n == (ssize_t)len;
}

bool file_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;
	while (len > 0) {
		ssize_t n = write(fd, p, len);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			if (n == 0) {
				errno = EIO;
			}
			return false;
		}
		p += n;
		len -= (size_t)n;
	}
	return true;
}

bool file_pread_all(int fd, void *buf, size_t len, off_t offset)
{
	char *p = buf;
	while (len > 0) {
		ssize_t n = pread(fd, p, len, offset);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			if (n == 0) {
				errno = 0;
			}
			return false;
		}
		p += n;
		offset += n;
		len -= (size_t)n;
	}
	return true;
}
