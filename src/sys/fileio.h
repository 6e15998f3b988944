/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_SYS_FILEIO_H
#define PMCTL_SYS_FILEIO_H
/* fileio - whole small files in one call, with short transfers and EINTR handled. For /proc, cgroup
 * files and our own; never for what may block. dirfd as in openat(2). errno tells of a failure. */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* As openat(2), close-on-exec and over EINTR. */
int file_open(int dirfd, const char *path, int flags);
/* Whether such an error of it comes from what the name is (a link, a directory, not ours), not from
 * the state of the system: only then may another file take its place. */
bool file_is_odd(int error);
/* Whether the path leads to a regular file; and whether we may run that. False where it cannot be
 * looked at. */
bool file_is_regular(const char *path);
bool file_is_program(const char *path);
/* Open close-on-exec, or create, and then with exactly this mode whatever the umask is. -1 with
 * errno. */
int file_open_or_create(int dirfd, const char *path, int flags, mode_t mode);

/* Read at most cap - 1 bytes and end them with NUL. Returns the bytes read, -1 on failure. */
ssize_t file_read(int dirfd, const char *path, char *buf, size_t cap);
/* The same from an open descriptor's offset 0, so that it can be read again and again. */
ssize_t file_pread(int fd, char *buf, size_t cap);
/* Write text to an existing file with one write(2), as cgroup files want it. */
bool file_poke(int dirfd, const char *path, const char *text);
bool file_write_all(int fd, const void *data, size_t len);
/* Fill buf from offset; false with errno 0 if the file ends before. */
bool file_pread_all(int fd, void *buf, size_t len, off_t offset);

#endif
