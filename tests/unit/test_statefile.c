/* SPDX-License-Identifier: MIT */
#include "sys/statefile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"

static int dirfd_of; /* the test's directory */

static void write_raw(const char *name, const void *data, size_t len)
{
	int fd = openat(dirfd_of, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	close(fd);
}

static size_t read_raw(const char *name, char *buf, size_t cap)
{
	int fd = openat(dirfd_of, name, O_RDONLY);
	assert_true(fd >= 0);
	ssize_t n = read(fd, buf, cap);
	close(fd);
	return (size_t)n;
}

/* Files whose name has this in it; all of them with "". */
static unsigned count_files(const char *part, bool delete)
{
	DIR *dir = fdopendir(openat(dirfd_of, ".", O_RDONLY | O_DIRECTORY));
	unsigned n = 0;
	for (struct dirent *d; (d = readdir(dir));) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0 ||
		    !strstr(d->d_name, part)) {
			continue;
		}
		n++;
		if (delete &&unlinkat(dirfd_of, d->d_name, 0) != 0) {
			unlinkat(dirfd_of, d->d_name, AT_REMOVEDIR);
		}
	}
	closedir(dir);
	return n;
}

static void save(const char *text)
{
	int fd = -1;
	assert_true(statefile_save(dirfd_of, "state", text, strlen(text), &fd, NULL));
	close(fd); /* no test needs the disk */
}

/* Load and compare; NULL = nothing was there. Returns whether there was a warning. */
static bool load(const char *want, enum statefile_source from)
{
	struct buf out = {0};
	struct err warning = {0};
	enum statefile_source src;
	assert_true(statefile_load(dirfd_of, "state", &out, &src, &warning));
	assert_int_equal(src, from);
	if (want) {
		assert_int_equal(out.len, strlen(want));
		assert_memory_equal(out.data, want, out.len);
	} else {
		assert_int_equal(out.len, 0);
	}
	buf_finish(&out);
	return warning.code != ERR_NONE;
}

static void test_save_and_load(void **state)
{
	(void)state;
	assert_false(load(NULL, STATEFILE_NONE));
	assert_true(statefile_save(dirfd_of, "state", "one", 3, NULL, NULL));
	assert_false(load("one", STATEFILE_CURRENT));
	save("two");
	int fd = -1;
	assert_true(statefile_save(dirfd_of, "state", "three", 5, &fd, NULL));
	assert_true(statefile_sync(dirfd_of, fd, NULL));
	assert_false(load("three", STATEFILE_CURRENT));
	struct stat st;
	assert_int_equal(fstatat(dirfd_of, "state", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(count_files("", false), 2);
	assert_int_equal(unlinkat(dirfd_of, "state", 0), 0);
	assert_false(load("two", STATEFILE_PREV));
	save("");
	assert_false(load("", STATEFILE_CURRENT));
}

static void test_left_over_tmp(void **state)
{
	(void)state;
	save("one");
	write_raw("state.tmp", "half", 4);
	assert_int_equal(symlinkat("elsewhere", dirfd_of, "state.prev.tmp"), 0);
	save("two");
	assert_false(load("two", STATEFILE_CURRENT));
	assert_int_equal(count_files("tmp", false), 0);
	assert_int_equal(faccessat(dirfd_of, "elsewhere", F_OK, 0), -1);
	/* A directory in the way: refused, and the old file is as it was. */
	assert_int_equal(mkdirat(dirfd_of, "state.tmp", 0700), 0);
	struct err err = {0};
	assert_false(statefile_save(dirfd_of, "state", "x", 1, NULL, &err));
	assert_non_null(strstr(err.msg, "state.tmp"));
	assert_false(load("two", STATEFILE_CURRENT));
}

static void test_every_truncation(void **state)
{
	(void)state;
	save("previous");
	save("the newest payload");
	char good[200];
	size_t len = read_raw("state", good, sizeof(good));
	for (size_t n = 0; n < len; n++) {
		write_raw("state", good, n);
		assert_true(load("previous", STATEFILE_PREV));
	}
	assert_int_equal(count_files("corrupt", false), len);
	good[len] = 'x';
	write_raw("state", good, len + 1);
	assert_true(load("previous", STATEFILE_PREV));
	write_raw("state", good, len);
	assert_false(load("the newest payload", STATEFILE_CURRENT));
}

static void test_every_byte_flipped(void **state)
{
	(void)state;
	save("previous");
	save("{\"apps\":1}");
	char good[200];
	size_t len = read_raw("state", good, sizeof(good));
	for (size_t i = 0; i < len * 8; i++) {
		char bad[200];
		memcpy(bad, good, len);
		bad[i / 8] = (char)(bad[i / 8] ^ 1 << i % 8);
		write_raw("state", bad, len);
		assert_true(load("previous", STATEFILE_PREV));
		count_files("corrupt", true);
	}
}

static void make_fifo(void)
{
	assert_int_equal(mkfifoat(dirfd_of, "state", 0600), 0);
}

static void make_dir(void)
{
	assert_int_equal(mkdirat(dirfd_of, "state", 0700), 0);
}

static void make_symlink(void)
{
	assert_int_equal(symlinkat("state.prev", dirfd_of, "state"), 0);
}

static void make_zeros(void)
{
	int fd = openat(dirfd_of, "state", O_WRONLY | O_CREAT, 0600);
	assert_int_equal(ftruncate(fd, 100 * 1024 * 1024), 0);
	close(fd);
}

static void make_other_version(void)
{
	write_raw("state", "pmctl-state 2 0000000001 00000000\nx", 35);
}

static void make_foreign(void)
{
	write_raw("state", "x", 1);
	if (geteuid() == 0) {
		assert_int_equal(fchownat(dirfd_of, "state", 12345, -1, 0), 0);
	}
}

static void test_strange_files(void **state)
{
	(void)state;
	static const struct {
		void (*make)(void);
		const char *why;
	} rows[] = {
		{make_fifo, "not a regular file"}, {make_dir, "not a regular file"},
		{make_symlink, "symbolic links"},  {make_zeros, "too large"},
		{make_other_version, "version"},   {make_foreign, ""},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf out = {0};
		struct err warning = {0};
		enum statefile_source src;
		save("previous");
		save("newest");
		assert_int_equal(unlinkat(dirfd_of, "state", 0), 0);
		rows[i].make();
		assert_true(statefile_load(dirfd_of, "state", &out, &src, &warning));
		assert_int_equal(src, STATEFILE_PREV);
		assert_string_equal(out.data, "previous");
		assert_non_null(strstr(warning.msg, rows[i].why));
		assert_non_null(strstr(warning.msg, "kept as state.corrupt-"));
		assert_int_equal(count_files("corrupt", true), 1);
		buf_finish(&out);
	}
}

static void test_both_bad(void **state)
{
	(void)state;
	write_raw("state", "a", 1);
	write_raw("state.prev", "b", 1);
	assert_true(load(NULL, STATEFILE_NONE));
	assert_int_equal(count_files("corrupt", false), 2);
	/* The next start is clean, and nothing was deleted. */
	assert_false(load(NULL, STATEFILE_NONE));
	assert_int_equal(count_files("corrupt", false), 2);
}

static void test_unknown_is_not_empty(void **state)
{
	(void)state;
	struct buf out = {0};
	struct err warning = {0};
	enum statefile_source src;
	assert_false(statefile_load(9999, "state", &out, &src, &warning));
	assert_non_null(strstr(warning.msg, "state"));
	buf_finish(&out);
}

static char dir_name[] = "/tmp/pmctl-test-XXXXXX";

static int setup_group(void **state)
{
	(void)state;
	if (!mkdtemp(dir_name)) {
		return -1;
	}
	dirfd_of = open(dir_name, O_RDONLY | O_DIRECTORY);
	return 0;
}

static int teardown_group(void **state)
{
	(void)state;
	close(dirfd_of);
	return rmdir(dir_name);
}

static int clean(void **state)
{
	(void)state;
	count_files("", true);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_save_and_load, clean),
		cmocka_unit_test_teardown(test_left_over_tmp, clean),
		cmocka_unit_test_teardown(test_every_truncation, clean),
		cmocka_unit_test_teardown(test_every_byte_flipped, clean),
		cmocka_unit_test_teardown(test_strange_files, clean),
		cmocka_unit_test_teardown(test_both_bad, clean),
		cmocka_unit_test_teardown(test_unknown_is_not_empty, clean),
	};
	return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
