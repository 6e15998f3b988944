/* SPDX-License-Identifier: MIT */
#include "sys/procfd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/switches.h"

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438 /* the same number on every architecture */
#endif

uint32_t procfd_inode(int fd)
{
	struct stat st;
	return fstat(fd, &st) == 0 ? (uint32_t)st.st_ino : 0;
}

static int duplicate(int pidfd, int number, uint32_t inode)
{
	struct stat st;
	if (switches_is_off("pidfd_getfd")) {
		errno = ENOSYS;
		return -1;
	}
	int fd = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
	if (fd < 0) {
		return -1;
	}
	/* It may have put something else there since we looked. */
	if (fstat(fd, &st) != 0 || !S_ISSOCK(st.st_mode) || (uint32_t)st.st_ino != inode) {
		close(fd);
		errno = ENOENT;
		return -1;
	}
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

int procfd_take(pid_t pid, int pidfd, uint32_t inode)
{
	char path[40], want[40], link[40];
	int fd = -1, error = ENOENT;
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	snprintf(want, sizeof(want), "socket:[%lu]", (unsigned long)inode);
	DIR *dir = opendir(path);
	if (!dir) {
		return -1;
	}
	for (struct dirent *e; fd < 0 && (e = readdir(dir));) {
		ssize_t n = readlinkat(dirfd(dir), e->d_name, link, sizeof(link) - 1);
		link[n > 0 ? n : 0] = '\0';
		if (n > 0 && strcmp(link, want) == 0) {
			fd = duplicate(pidfd, atoi(e->d_name), inode);
			error = fd < 0 ? errno : error;
		} else if (n < 0 && errno == EACCES) {
			error = EACCES;
		}
	}
	closedir(dir);
	errno = error;
	return fd;
}
