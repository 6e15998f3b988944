/* SPDX-License-Identifier: MIT */
#include "sys/logindex.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"
#include "scratchdir.h"

static off_t index_size(void)
{
	struct stat st;
	assert_int_equal(fstatat(dirfd_of, "log.idx", &st, 0), 0);
	return st.st_size;
}

static void assert_time(struct logindex_reader *r, uint64_t offset, int64_t want)
{
	int64_t ns = -1;
	assert_int_equal(logindex_time(r, offset, &ns), want >= 0);
	assert_int_equal(ns, want);
}

static void assert_pid(struct logindex_reader *r, uint64_t offset, pid_t want)
{
	pid_t pid = -1;
	assert_int_equal(logindex_pid(r, offset, &pid), want > 0);
	assert_int_equal(pid, want);
}

static void test_write_and_read(void **state)
{
	(void)state;
	int fd = logindex_open(dirfd_of, "log", 0640);
	assert_true(fd >= 0);
	assert_true(logindex_start(fd, 0, 100));
	assert_true(logindex_mark(fd, 50, 1000));
	assert_true(logindex_mark(fd, 80, 2000));
	assert_true(logindex_start(fd, 80, 200));
	assert_true(logindex_mark(fd, 90, 3000));
	assert_int_equal(index_size(), 5 * LOGINDEX_RECORD);

	struct logindex_reader r;
	assert_true(logindex_reader_open(&r, dirfd_of, "log"));
	assert_time(&r, 0, 1000);
	assert_time(&r, 49, 1000);
	assert_time(&r, 50, 2000);
	assert_time(&r, 79, 2000);
	assert_time(&r, 80, 3000);
	assert_time(&r, 89, 3000);
	assert_time(&r, 90, -1);
	assert_pid(&r, 0, 100);
	assert_pid(&r, 79, 100);
	assert_pid(&r, 80, 200);
	assert_pid(&r, 5, 100);
	assert_pid(&r, 1000000, 200);
	/* It grows while it is read. */
	assert_true(logindex_mark(fd, 120, 4000));
	assert_time(&r, 90, 4000);
	assert_true(logindex_start(fd, 120, 300));
	assert_pid(&r, 119, 200);
	assert_pid(&r, 120, 300);
	logindex_reader_finish(&r);
	logindex_reader_finish(&r);
	assert_time(&r, 0, -1);
	assert_pid(&r, 0, -1);
	close(fd);
}

static void test_torn_end(void **state)
{
	(void)state;
	int fd = logindex_open(dirfd_of, "log", 0640);
	off_t size = index_size();
	assert_int_equal(write(fd, "torn!", 5), 5);
	close(fd);
	struct logindex_reader r;
	assert_true(logindex_reader_open(&r, dirfd_of, "log"));
	assert_pid(&r, 0, 100);
	assert_time(&r, 119, 4000);
	logindex_reader_finish(&r);
	fd = logindex_open(dirfd_of, "log", 0640);
	assert_int_equal(index_size(), size);

	/* A disk that fills up in the middle of a record. */
	struct rlimit old, tight = {.rlim_cur = (rlim_t)size + 5};
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	tight.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	assert_false(logindex_mark(fd, 130, 5000));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(index_size(), size);
	assert_true(logindex_mark(fd, 130, 5000));
	assert_int_equal(index_size(), size + LOGINDEX_RECORD);
	close(fd);
}

/* Against a plain search, over several blocks and with starts far apart. */
static void test_large(void **state)
{
	(void)state;
	enum { N = 3000 };
	int fd = logindex_open(dirfd_of, "big", 0640);
	for (int i = 0; i < N; i++) {
		if (i % 1000 == 0) {
			assert_true(logindex_start(fd, (uint64_t)i * 10, i / 1000 + 1));
		}
		assert_true(logindex_mark(fd, (uint64_t)i * 10 + 10, i));
	}
	close(fd);
	struct logindex_reader r;
	assert_true(logindex_reader_open(&r, dirfd_of, "big"));
	for (int i = 0; i < N * 10; i += 7) {
		assert_time(&r, (uint64_t)i, i / 10);
		assert_pid(&r, (uint64_t)i, i / 10000 + 1);
	}
	for (int i = N * 10 - 1; i >= 0; i -= 501) {
		assert_pid(&r, (uint64_t)i, i / 10000 + 1);
		assert_time(&r, (uint64_t)i, i / 10);
	}
	logindex_reader_finish(&r);
}

static void test_garbage(void **state)
{
	(void)state;
	struct logindex_reader r;
	assert_false(logindex_reader_open(&r, dirfd_of, "none"));
	assert_time(&r, 0, -1);
	logindex_reader_finish(&r);
	assert_int_equal(symlinkat("log.idx", dirfd_of, "link.idx"), 0);
	assert_false(logindex_reader_open(&r, dirfd_of, "link"));
	assert_int_equal(logindex_open(dirfd_of, "link", 0640), -1);
	assert_int_equal(mkfifoat(dirfd_of, "fifo.idx", 0600), 0);
	assert_false(logindex_reader_open(&r, dirfd_of, "fifo"));
	assert_int_equal(logindex_open(dirfd_of, "fifo", 0640), -1);

	int fd = openat(dirfd_of, "bad.idx", O_WRONLY | O_CREAT, 0600);
	uint32_t seed = 1;
	unsigned char junk[4096];
	for (size_t i = 0; i < sizeof(junk); i++) {
		seed = seed * 1664525 + 1013904223;
		junk[i] = (unsigned char)(seed >> 24);
	}
	for (int i = 0; i < 4; i++) {
		assert_int_equal(write(fd, junk, sizeof(junk)), sizeof(junk));
	}
	assert_true(logindex_reader_open(&r, dirfd_of, "bad"));
	for (unsigned bit = 0; bit < 64; bit++) {
		int64_t ns;
		pid_t pid;
		logindex_time(&r, UINT64_C(1) << bit, &ns);
		logindex_pid(&r, UINT64_C(1) << bit, &pid);
	}
	/* Cut while it is open, as rotation may do. */
	assert_int_equal(ftruncate(fd, 16), 0);
	int64_t ns;
	logindex_time(&r, 5, &ns);
	close(fd);
	logindex_reader_finish(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write_and_read),
		cmocka_unit_test(test_torn_end),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_garbage),
	};
	return cmocka_run_group_tests(tests, scratchdir_setup, scratchdir_teardown);
}
