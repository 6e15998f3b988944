/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_TESTS_SCRATCHDIR_H
#define PMCTL_TESTS_SCRATCHDIR_H
/* scratchdir - for tests of files: a folder of their own, gone with all in it after the group. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static char dir_name[] = "/tmp/pmctl-test-XXXXXX";
static int dirfd_of; /* the same */

static inline int scratchdir_setup(void **state)
{
	(void)state;
	if (!mkdtemp(dir_name)) {
		return -1;
	}
	dirfd_of = open(dir_name, O_RDONLY | O_DIRECTORY);
	return 0;
}

/* Files, and folders that are empty. */
static inline int scratchdir_teardown(void **state)
{
	const struct dirent *e;
	DIR *dir = fdopendir(openat(dirfd_of, ".", O_RDONLY | O_DIRECTORY));
	(void)state;
	while (dir && (e = readdir(dir))) {
		if (e->d_name[0] != '.' && unlinkat(dirfd_of, e->d_name, 0) != 0) {
			unlinkat(dirfd_of, e->d_name, AT_REMOVEDIR);
		}
	}
	if (dir) {
		closedir(dir);
	}
	close(dirfd_of);
	return rmdir(dir_name);
}

#endif
