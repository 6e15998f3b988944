/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_TESTS_LOGWRITE_H
#define PMCTL_TESTS_LOGWRITE_H
/* logwrite - for tests of a log file being written: a folder with x.log and what is beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"
#include "sys/fileio.h"
#include "sys/logfile.h"
#include "sys/logindex.h"

static char dir[] = "/tmp/pmctl-test-XXXXXX";

/* Valid until the fourth call from now. */
static inline const char *in_dir(const char *name)
{
	static char path[4][128];
	static unsigned next;
	next = (next + 1) % ARRAY_LEN(path);
	snprintf(path[next], sizeof(path[next]), "%s/%s", dir, name);
	return path[next];
}

static inline void put(const char *name, const char *text)
{
	int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* What the file holds; NULL text = it is not there. */
static inline void assert_file(const char *name, const char *text)
{
	char got[200];
	ssize_t n = file_read(AT_FDCWD, in_dir(name), got, sizeof(got));
	if (!text) {
		assert_int_equal(n, -1);
		assert_int_equal(errno, ENOENT);
		return;
	}
	if (n < 0) {
		fail_msg("%s: %s", name, strerror(errno));
	}
	assert_string_equal(got, text);
}

static inline off_t size_of(const char *name)
{
	struct stat st;
	return stat(in_dir(name), &st) == 0 ? st.st_size : -1;
}

static inline void begin(struct logfile *f, int64_t max_size, int keep)
{
	struct err err = {0};
	logfile_init(f, in_dir("x.log"), max_size, keep, false);
	assert_int_equal(f->fd, -1);
	if (!logfile_open(f, &err)) {
		fail_msg("%s", err.msg);
	}
}

static inline void say(struct logfile *f, const char *text)
{
	assert_true(logfile_write(f, text, strlen(text)));
}

static inline int clean(void **state)
{
	(void)state;
	DIR *d = opendir(dir);
	for (struct dirent *e; d && (e = readdir(d));) {
		unlinkat(dirfd(d), e->d_name, 0);
	}
	closedir(d);
	return 0;
}

static inline int setup(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static inline int teardown(void **state)
{
	(void)state;
	return rmdir(dir);
}

#define TEST(f) cmocka_unit_test_teardown(f, clean)

#endif
