/* SPDX-License-Identifier: MIT */
#include "sys/fdpass.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/mem.h"

static int pair[2];

static int make_pair(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
}

static int close_pair(void **state)
{
	(void)state;
	close(pair[0]);
	close(pair[1]);
	return 0;
}

static int open_count(void)
{
	int n = 0;
	for (int fd = 0; fd < 256; fd++) {
		n += fcntl(fd, F_GETFD) >= 0;
	}
	return n;
}

static bool same_file(int a, int b)
{
	struct stat x, y;
	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_ino == y.st_ino &&
	       x.st_dev == y.st_dev;
}

static void bytes_alone(void **state)
{
	(void)state;
	char buf[16];
	int fd = 5;
	assert_int_equal(fdpass_send(pair[0], "hello", 5, -1), 5);
	assert_int_equal(fdpass_recv(pair[1], buf, sizeof(buf), &fd, 0), 5);
	assert_memory_equal(buf, "hello", 5);
	assert_int_equal(fd, -1);
}

static void bytes_and_a_descriptor(void **state)
{
	(void)state;
	char buf[16];
	int p[2], fd = -7;
	assert_int_equal(pipe(p), 0); /* not close-on-exec */
	int before = open_count();
	assert_int_equal(fdpass_send(pair[0], "x", 1, p[1]), 1);
	assert_int_equal(fdpass_recv(pair[1], buf, sizeof(buf), &fd, 0), 1);
	assert_true(fd >= 0 && fd != p[1] && same_file(fd, p[1]));
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(open_count(), before + 1);
	close(p[1]);
	assert_int_equal(write(fd, "y", 1), 1);
	assert_int_equal(read(p[0], buf, 1), 1);
	close(fd);
	close(p[0]);
}

/* Bytes of two messages may be read as one, but not over a descriptor. */
static void each_with_its_own(void **state)
{
	(void)state;
	char buf[16];
	int fd, p[2];
	assert_int_equal(pipe(p), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(fdpass_send(pair[0], i ? "second" : "first", i ? 6 : 5, p[i]),
				 i ? 6 : 5);
	}
	for (int i = 0; i < 2; i++) {
		assert_int_equal(fdpass_recv(pair[1], buf, sizeof(buf), &fd, 0), i ? 6 : 5);
		assert_true(same_file(fd, p[i]) && fcntl(fd, F_GETFL) == fcntl(p[i], F_GETFL));
		close(fd);
		close(p[i]);
	}
}

static void send_many(int n)
{
	union {
		char buf[CMSG_SPACE(sizeof(int) * 64)];
		struct cmsghdr align;
	} control = {0};
	char byte = 'm';
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf};
	msg.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)n);
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)n);
	for (int i = 0; i < n; i++) {
		memcpy(CMSG_DATA(c) + (size_t)i * sizeof(int), i ? &pair[0] : &pair[1],
		       sizeof(int));
	}
	assert_int_equal(sendmsg(pair[0], &msg, 0), 1);
}

/* Of more than one the first is kept; the rest must not stay open in our table. */
static void too_many(void **state)
{
	(void)state;
	static const int counts[] = {1, 2, 15, 16, 17, 40};
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		char buf[4];
		int fd;
		int before = open_count();
		send_many(counts[i]);
		assert_int_equal(fdpass_recv(pair[1], buf, sizeof(buf), &fd, 0), 1);
		assert_true(fd >= 0 && same_file(fd, pair[1]));
		assert_int_equal(open_count(), before + 1);
		close(fd);
	}
}

/* Credentials come in front of the descriptor. */
static void beside_credentials(void **state)
{
	(void)state;
	int on = 1, fd;
	char buf[4];
	assert_int_equal(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
	int before = open_count();
	assert_int_equal(fdpass_send(pair[0], "c", 1, pair[0]), 1);
	assert_int_equal(fdpass_recv(pair[1], buf, sizeof(buf), &fd, 0), 1);
	assert_true(fd >= 0 && same_file(fd, pair[0]));
	close(fd);
	assert_int_equal(fdpass_send(pair[0], "d", 1, -1), 1);
	assert_int_equal(fdpass_recv(pair[1], buf, sizeof(buf), &fd, 0), 1);
	assert_int_equal(fd, -1);
	assert_int_equal(open_count(), before);
}

/* A packet that is longer than our room: cut, but its descriptor is not lost. */
static void a_packet_too_long(void **state)
{
	(void)state;
	int p[2], fd;
	char buf[4];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, p), 0);
	assert_int_equal(fdpass_send(p[0], "longer", 6, p[0]), 6);
	assert_int_equal(fdpass_recv(p[1], buf, sizeof(buf), &fd, 0), 4);
	assert_memory_equal(buf, "long", 4);
	assert_true(fd >= 0);
	close(fd);
	close(p[0]);
	assert_int_equal(fdpass_recv(p[1], buf, sizeof(buf), &fd, 0), 0);
	close(p[1]);
}

static void nothing_there(void **state)
{
	(void)state;
	char buf[4];
	int fd = 3;
	assert_int_equal(fdpass_recv(pair[1], buf, sizeof(buf), &fd, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(fd, -1);
	shutdown(pair[0], SHUT_WR);
	fd = 3;
	assert_int_equal(fdpass_recv(pair[1], buf, sizeof(buf), &fd, 0), 0);
	assert_int_equal(fd, -1);
	fd = 3;
	assert_int_equal(fdpass_recv(-1, buf, sizeof(buf), &fd, 0), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(fd, -1);
}

static void what_cannot_be_sent(void **state)
{
	(void)state;
	char buf[4];
	int fd;
	signal(SIGPIPE, SIG_DFL);
	assert_int_equal(fdpass_send(pair[0], "x", 1, 999), -1); /* no such descriptor */
	assert_int_equal(errno, EBADF);
	assert_int_equal(fdpass_recv(pair[1], buf, sizeof(buf), &fd, MSG_DONTWAIT), -1);
	close(pair[1]);
	assert_int_equal(fdpass_send(pair[0], "x", 1, -1), -1); /* and we are still alive */
	assert_int_equal(errno, EPIPE);
	pair[1] = -1;
}

static volatile sig_atomic_t alarms;

static void on_alarm(int sig)
{
	(void)sig;
	if (++alarms == 3) {
		send(pair[0], "late", 4, 0);
	}
}

static void signals_do_not_end_the_wait(void **state)
{
	(void)state;
	char buf[16];
	int fd;
	struct itimerval often = {.it_interval.tv_usec = 2000, .it_value.tv_usec = 2000};
	struct itimerval never = {0};
	struct sigaction sa = {.sa_handler = on_alarm};
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	ssize_t n = fdpass_recv(pair[1], buf, sizeof(buf), &fd, 0);
	setitimer(ITIMER_REAL, &never, NULL);
	assert_int_equal(n, 4);
	assert_memory_equal(buf, "late", 4);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_pair, close_pair)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bytes_alone),
		TEST(bytes_and_a_descriptor),
		TEST(each_with_its_own),
		TEST(too_many),
		TEST(beside_credentials),
		TEST(a_packet_too_long),
		TEST(nothing_there),
		TEST(what_cannot_be_sent),
		TEST(signals_do_not_end_the_wait),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
