/* SPDX-License-Identifier: MIT */
#include "sys/reuseport.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/sock.h"

#define N      4
#define ROUNDS 200

static uint16_t open_group(int fd[N])
{
	struct sock_req req = {
		.kind = SOCK_KIND_TCP, .host = "127.0.0.1", .flags = SOCK_REUSEPORT_LATER};
	struct sock_addr a;
	struct err err;
	int error;
	for (int i = 0; i < N; i++) {
		fd[i] = sock_listen(&req, &err, &error);
		assert_true(fd[i] >= 0);
		assert_true(sock_address(fd[i], &a));
		assert_string_equal(a.host, "127.0.0.1");
		req.port = a.port;
		req.flags = SOCK_REUSEPORT;
	}
	return req.port;
}

/* How many of ROUNDS connections each one got. */
static void count(const int fd[N], uint16_t port, int got[N])
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(port)};
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	memset(got, 0, N * sizeof(int));
	for (int k = 0; k < ROUNDS; k++) {
		int c = socket(AF_INET, SOCK_STREAM, 0);
		assert_int_equal(connect(c, (struct sockaddr *)&sa, sizeof(sa)), 0);
		for (int i = 0; i < N; i++) {
			int a = accept(fd[i], NULL, NULL);
			if (a >= 0) {
				got[i]++;
				close(a);
			}
		}
		close(c);
	}
	assert_int_equal(got[0] + got[1] + got[2] + got[3], ROUNDS);
}

/* Every subset that leaves one in. */
static void each_subset(void **state)
{
	(void)state;
	int fd[N], got[N];
	uint16_t port = open_group(fd);
	for (unsigned mask = 1; mask < (1u << N) - 1; mask++) {
		bool out[N];
		for (unsigned i = 0; i < N; i++) {
			out[i] = mask >> i & 1;
		}
		assert_true(reuseport_leave_out(fd[mask % N], out, N));
		count(fd, port, got);
		for (int i = 0; i < N; i++) {
			assert_int_equal(got[i] == 0, out[i]);
		}
	}
	reuseport_spread(fd[0]);
	count(fd, port, got);
	for (int i = 0; i < N; i++) {
		assert_true(got[i] > 0);
		close(fd[i]);
	}
}

/* The last one moves to the place of one that is closed. */
static void places(void **state)
{
	(void)state;
	int fd[N], got[N];
	uint16_t port = open_group(fd);
	close(fd[0]);
	fd[0] = fd[N - 1];
	fd[N - 1] = -1; /* accept fails */
	assert_true(reuseport_leave_out(fd[1], (bool[]){true, false, false}, 3));
	count(fd, port, got);
	assert_int_equal(got[0], 0);
	assert_true(got[1] > 0 && got[2] > 0);
	for (int i = 0; i < N - 1; i++) {
		close(fd[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_subset),
		cmocka_unit_test(places),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
