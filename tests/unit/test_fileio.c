/* SPDX-License-Identifier: MIT */
#include "sys/fileio.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/mem.h"
#include "scratchdir.h"

static void put(const char *name, const char *data, size_t len)
{
	int fd = openat(dirfd_of, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	close(fd);
}

static void what_cannot_be_read(void **state)
{
	(void)state;
	char buf[16] = "before";
	errno = 0;
	assert_int_equal(file_read(dirfd_of, "missing", buf, sizeof(buf)), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(file_read(AT_FDCWD, dir_name, buf, sizeof(buf)), -1);
	assert_int_equal(errno, EISDIR);
	int fd = open("/dev/null", O_WRONLY);
	assert_int_equal(file_pread(fd, buf, sizeof(buf)), -1);
	assert_int_equal(errno, EBADF);
	close(fd);
}

/* Files and rooms of all sizes: never a byte more than fits, and always a NUL behind it. */
static void sizes_of_file_and_room(void **state)
{
	(void)state;
	static const size_t sizes[] = {0,    1,	   2,	 99,   2047, 2048, 2049,
				       4095, 4096, 4097, 6144, 8191, 10000};
	static const int around[] = {-2, -1, 0, 1, 2, 3000};
	static char data[10000], buf[16000];
	for (size_t i = 0; i < sizeof(data); i++) {
		data[i] = (char)('a' + i % 26);
	}
	for (size_t i = 0; i < ARRAY_LEN(sizes) * ARRAY_LEN(around); i++) {
		size_t size = sizes[i / ARRAY_LEN(around)];
		long cap = (long)size + around[i % ARRAY_LEN(around)];
		if (cap < 1) {
			continue;
		}
		size_t want = size < (size_t)cap - 1 ? size : (size_t)cap - 1;
		put("f", data, size);
		memset(buf, '#', sizeof(buf));
		assert_int_equal(file_read(dirfd_of, "f", buf, (size_t)cap), want);
		assert_memory_equal(buf, data, want);
		assert_int_equal(buf[want], '\0');
		assert_int_equal(buf[want + 1], '#');
	}
}

static void read_again_and_again(void **state)
{
	(void)state;
	char buf[16];
	put("f", "one", 3);
	int fd = openat(dirfd_of, "f", O_RDONLY);
	assert_int_equal(file_pread(fd, buf, sizeof(buf)), 3);
	assert_string_equal(buf, "one");
	put("f", "another", 7);
	assert_int_equal(file_pread(fd, buf, sizeof(buf)), 7);
	assert_string_equal(buf, "another");
	put("f", "", 0);
	assert_int_equal(file_pread(fd, buf, sizeof(buf)), 0);
	assert_string_equal(buf, "");
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
	close(fd);
}

/* A file of the kernel comes a page at a time, each a little short of one. */
static void a_long_file_of_the_kernel(void **state)
{
	(void)state;
	static char got[60000], want[60000];
	int fd = open("/proc/kallsyms", O_RDONLY);
	size_t n = 0;
	ssize_t k = 1;
	while (fd >= 0 && n < sizeof(want) - 1 && k > 0) {
		k = read(fd, want + n, sizeof(want) - 1 - n);
		n += k > 0 ? (size_t)k : 0;
	}
	if (fd >= 0) {
		close(fd);
	}
	if (n < 10000) {
		skip();
	}
	assert_int_equal(file_read(AT_FDCWD, "/proc/kallsyms", got, sizeof(got)), n);
	assert_memory_equal(got, want, n);
}

static void poke(void **state)
{
	(void)state;
	char buf[32];
	assert_false(file_poke(dirfd_of, "missing", "1"));
	assert_int_equal(errno, ENOENT);
	assert_int_equal(faccessat(dirfd_of, "missing", F_OK, 0), -1); /* it makes none */
	put("f", "old text", 8);
	assert_true(file_poke(dirfd_of, "f", "NEW"));
	assert_int_equal(file_read(dirfd_of, "f", buf, sizeof(buf)), 8);
	assert_string_equal(buf, "NEW text");
	assert_true(file_poke(dirfd_of, "f", ""));
	assert_false(file_poke(AT_FDCWD, "/dev/full", "x"));
	assert_int_equal(errno, ENOSPC);
	assert_false(file_poke(AT_FDCWD, dir_name, "x"));
	assert_int_equal(errno, EISDIR);
}

static volatile sig_atomic_t alarms;

static void on_alarm(int sig)
{
	(void)sig;
	alarms++;
}

/* Through a pipe that is full most of the time, with signals all the while. */
static void write_all_of_it(void **state)
{
	(void)state;
	enum { SIZE = 3000000 };
	int p[2];
	struct itimerval often = {.it_interval.tv_usec = 500, .it_value.tv_usec = 500};
	struct itimerval never = {0};
	struct sigaction sa = {.sa_handler = on_alarm}; /* no SA_RESTART */
	char *data = xcalloc(1, SIZE);
	for (size_t i = 0; i < SIZE; i++) {
		data[i] = (char)(i * 7 >> 3);
	}
	assert_int_equal(pipe(p), 0);
	pid_t child = fork();
	if (child == 0) {
		char piece[1000];
		size_t at = 0;
		ssize_t n;
		close(p[1]);
		while ((n = read(p[0], piece, sizeof(piece))) > 0) {
			if (memcmp(piece, data + at, (size_t)n) != 0) {
				_exit(1);
			}
			at += (size_t)n;
		}
		_exit(at == SIZE ? 0 : 2);
	}
	close(p[0]);
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	bool ok = file_write_all(p[1], data, SIZE);
	setitimer(ITIMER_REAL, &never, NULL);
	close(p[1]);
	int status = -1;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(ok);
	assert_int_equal(status, 0);
	free(data);
}

static void what_cannot_be_written(void **state)
{
	(void)state;
	static const char data[200000];
	int p[2];
	assert_true(file_write_all(-1, "", 0));
	assert_false(file_write_all(-1, "x", 1));
	assert_int_equal(errno, EBADF);
	int fd = open("/dev/full", O_WRONLY);
	assert_false(file_write_all(fd, data, sizeof(data)));
	assert_int_equal(errno, ENOSPC);
	close(fd);
	assert_int_equal(pipe2(p, O_NONBLOCK), 0);
	assert_false(file_write_all(p[1], data, sizeof(data)));
	assert_int_equal(errno, EAGAIN);
	signal(SIGPIPE, SIG_IGN);
	close(p[0]);
	assert_false(file_write_all(p[1], data, sizeof(data)));
	assert_int_equal(errno, EPIPE);
	close(p[1]);
}

static void read_from_an_offset(void **state)
{
	(void)state;
	char buf[8] = {0};
	put("f", "0123456789", 10);
	int fd = openat(dirfd_of, "f", O_RDONLY);
	assert_true(file_pread_all(fd, buf, 4, 3));
	assert_memory_equal(buf, "3456", 4);
	assert_true(file_pread_all(fd, buf, 5, 5));
	assert_true(file_pread_all(fd, buf, 0, 5000));
	errno = EIO;
	assert_false(file_pread_all(fd, buf, 5, 6));
	assert_int_equal(errno, 0);
	errno = EIO;
	assert_false(file_pread_all(fd, buf, 1, 10));
	assert_int_equal(errno, 0);
	assert_false(file_pread_all(fd, buf, 1, -1));
	assert_int_equal(errno, EINVAL);
	close(fd);
	assert_false(file_pread_all(fd, buf, 1, 0));
	assert_int_equal(errno, EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_cannot_be_read),
		cmocka_unit_test(sizes_of_file_and_room),
		cmocka_unit_test(read_again_and_again),
		cmocka_unit_test(a_long_file_of_the_kernel),
		cmocka_unit_test(poke),
		cmocka_unit_test(write_all_of_it),
		cmocka_unit_test(what_cannot_be_written),
		cmocka_unit_test(read_from_an_offset),
	};
	return cmocka_run_group_tests(tests, scratchdir_setup, scratchdir_teardown);
}
