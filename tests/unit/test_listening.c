/* SPDX-License-Identifier: MIT */
#include "sys/listening.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/mem.h"

static char dir[] = "/tmp/pmctl-test-XXXXXX";

/* Bound to loopback at any port. */
static int bound(int family, int type)
{
	struct sockaddr_in four = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(family, type | SOCK_CLOEXEC, 0);
	const void *sa = family == AF_INET ? (void *)&four : (void *)&six;
	socklen_t len = family == AF_INET ? sizeof(four) : sizeof(six);
	if (fd >= 0 && bind(fd, sa, len) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int bound_unix(const char *name, int type)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/%s", dir, name);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

static void what_does_not_count(void **state)
{
	(void)state;
	int p[2];
	assert_false(listening_has(getpid()));
	int tcp = bound(AF_INET, SOCK_STREAM); /* bound, not listening */
	int udp = bound(AF_INET, SOCK_DGRAM);
	int dgram = bound_unix("dgram", SOCK_DGRAM);
	int path = bound_unix("bound", SOCK_STREAM);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
	assert_true(tcp >= 0 && udp >= 0);
	assert_false(listening_has(getpid()));
	int all[] = {tcp, udp, dgram, path, p[0], p[1]};
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		close(all[i]);
	}
}

/* Each kind alone: seen from listen() on, and no more once it is closed. */
static void assert_counts(int fd)
{
	assert_true(fd >= 0);
	assert_false(listening_has(getpid()));
	assert_int_equal(listen(fd, 1), 0);
	assert_true(listening_has(getpid()));
	close(fd);
	assert_false(listening_has(getpid()));
}

static void what_counts(void **state)
{
	(void)state;
	assert_counts(bound(AF_INET, SOCK_STREAM));
	assert_counts(bound_unix("stream", SOCK_STREAM));
	assert_counts(bound_unix("a b\nc", SOCK_STREAM)); /* breaks the line in /proc/net/unix */
	assert_counts(bound_unix("packets", SOCK_SEQPACKET));
	int six = bound(AF_INET6, SOCK_STREAM);
	if (six >= 0) {
		assert_counts(six);
	}
}

/* A client of somebody's listening socket, and what accept() gave, are none. */
static void connections_do_not_count(void **state)
{
	(void)state;
	struct sockaddr_in sa;
	socklen_t len = sizeof(sa);
	int l = bound(AF_INET, SOCK_STREAM);
	assert_int_equal(listen(l, 1), 0);
	assert_int_equal(getsockname(l, (struct sockaddr *)&sa, &len), 0);
	int c = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(c, (struct sockaddr *)&sa, len), 0);
	int a = accept(l, NULL, NULL);
	assert_true(a >= 0);
	assert_true(listening_has(getpid()));
	close(l);
	assert_false(listening_has(getpid()));
	close(a);
	close(c);
}

/* Of another process: what it was started with counts, what only we have does not. */
static void of_another_process(void **state)
{
	(void)state;
	for (int inherits = 0; inherits < 2; inherits++) {
		int talk[2];
		char byte = 'r';
		int l = bound(AF_INET, SOCK_STREAM);
		assert_int_equal(listen(l, 1), 0);
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, talk), 0);
		pid_t child = fork();
		if (child == 0) {
			if (!inherits) {
				close(l);
			}
			close(talk[1]);
			bool said = write(talk[0], &byte, 1) == 1;
			_exit(!said || read(talk[0], &byte, 1) != 0); /* until we close our end */
		}
		close(talk[0]);
		assert_int_equal(read(talk[1], &byte, 1), 1);
		bool has = listening_has(child);
		close(l);
		bool without_us = listening_has(child);
		close(talk[1]);
		int status = -1;
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
		assert_int_equal(has, inherits);
		assert_int_equal(without_us, inherits);
		assert_false(listening_has(child)); /* gone */
	}
}

static void no_process(void **state)
{
	(void)state;
	assert_false(listening_has(0));
	assert_false(listening_has(-1));
	assert_false(listening_has(0x7fffffff));
}

static int setup(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	static const char *const names[] = {"dgram", "bound", "stream", "a b\nc", "packets"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char *path = xasprintf("%s/%s", dir, names[i]);
		unlink(path);
		free(path);
	}
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_does_not_count),
		cmocka_unit_test(what_counts),
		cmocka_unit_test(connections_do_not_count),
		cmocka_unit_test(of_another_process),
		cmocka_unit_test(no_process),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
