/* SPDX-License-Identifier: MIT */
/* Listening sockets and connections to ourselves: one is there and works, or none is left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/mem.h"
#include "faults.h"
#include "sys/sock.h"

static char dir_name[] = "/tmp/pmctl-test-XXXXXX";
static char path[64];
static int fd_of, pair[2];

/* A socket file of one that has died is in the way. */
static void stale(void *ctx)
{
	const struct sock_req *req = ctx;
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	if (req->kind != SOCK_KIND_UNIX) {
		return;
	}
	unlink(path);
	strcpy(sa.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	close(fd);
}

static bool listen_on(void *ctx, struct err *err)
{
	int error = 0;
	fd_of = sock_listen(ctx, err, &error);
	assert_true(fd_of >= 0 || error != 0);
	return fd_of >= 0;
}

static void works(void *ctx, bool ok, const struct fault *f)
{
	struct err err;
	int error;
	(void)f;
	/* Nothing of the failure is in the way of the next try. */
	fd_of = ok ? fd_of : sock_listen(ctx, &err, &error);
	assert_true(fd_of >= 0);
	assert_true(sock_is_listener(fd_of));
	assert_true(fcntl(fd_of, F_GETFD) & FD_CLOEXEC);
	close(fd_of);
}

static void test_listen(void **state)
{
	(void)state;
	static struct sock_req reqs[] = {
		{.kind = SOCK_KIND_TCP},
		{.kind = SOCK_KIND_TCP, .host = "127.0.0.1", .flags = SOCK_REUSEPORT},
		{.kind = SOCK_KIND_TCP, .host = "127.0.0.1", .flags = SOCK_REUSEPORT_LATER},
		{.kind = SOCK_KIND_UDP, .host = "127.0.0.1"},
		{.kind = SOCK_KIND_UNIX, .path = path, .flags = SOCK_WRITABLE_ALL},
	};
	for (size_t i = 0; i < ARRAY_LEN(reqs); i++) {
		assert_true(faults_sweep(&(struct sweep){stale, listen_on, works, &reqs[i]}) > 15);
	}
}

static bool connect_both(void *ctx, struct err *err)
{
	(void)ctx;
	return sock_tcp_pair(pair) || err_sys(err, "pair");
}

static void both_ends(void *ctx, bool ok, const struct fault *f)
{
	char c = 0;
	(void)ctx;
	(void)f;
	if (ok) {
		assert_int_equal(write(pair[0], "x", 1), 1);
		fcntl(pair[1], F_SETFL, 0);
		assert_int_equal(read(pair[1], &c, 1), 1);
		assert_int_equal(c, 'x');
		close(pair[0]);
		close(pair[1]);
	}
}

static void test_pair(void **state)
{
	(void)state;
	assert_true(faults_sweep(&(struct sweep){NULL, connect_both, both_ends, NULL}) > 50);
}

static int set_up(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir_name));
	snprintf(path, sizeof(path), "%s/s", dir_name);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir_name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_listen),
		cmocka_unit_test(test_pair),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
