/* SPDX-License-Identifier: MIT */
/* Starting a program: it runs, or the reason is told and no process is left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faults.h"
#include "sys/spawn.h"

ssize_t __wrap_readlink(const char *path, char *out, size_t cap);

static struct spawn_child child;
static int out[2];

/* The stub lies beside the real pmctld, not beside this program. */
ssize_t __wrap_readlink(const char *path, char *text, size_t cap)
{
	assert_string_equal(path, "/proc/self/exe");
	return snprintf(text, cap, "%s", getenv("PMCTL_TEST_PMCTLD"));
}

static void wait_readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	assert_int_equal(poll(&p, 1, 20000), 1);
}

static void new_pipe(void *ctx)
{
	(void)ctx;
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
}

static bool start(void *ctx, struct err *err)
{
	char *argv[] = {(char[]){"/bin/echo"}, (char[]){"it runs"}, NULL};
	char *envp[] = {NULL};
	struct spawn_req req = {.argv = argv,
				.envp = envp,
				.cwd = "/",
				.out_fd = out[1],
				.err_fd = -1,
				.channel_fd = -1,
				.umask = 022,
				.cgroup_fd = -1,
				.as_own_child = true};
	(void)ctx;
	return spawn_start(&req, &child, err);
}

static void ran_or_not(void *ctx, bool ok, const struct fault *f)
{
	struct err err;
	char text[16] = "";
	int status, r = 0;
	(void)ctx;
	(void)f;
	close(out[1]);
	if (ok) {
		while ((r = spawn_read_report(child.report_fd, &err)) == 0) {
			wait_readable(child.report_fd);
		}
		assert_int_equal(r, 1);
		assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
		assert_int_equal(status, 0);
		close(child.pidfd);
		close(child.report_fd);
	}
	/* Also the end of what it was to write into: nobody else holds it. */
	ssize_t n = read(out[0], text, sizeof(text) - 1);
	assert_int_equal(n, ok ? 8 : 0);
	close(out[0]);
}

static void test_start(void **state)
{
	struct err err;
	(void)state;
	assert_true(spawn_init(&err));
	assert_true(faults_sweep(&(struct sweep){new_pipe, start, ran_or_not, NULL}) > 30);
}

static bool read_one(void *ctx, struct err *err)
{
	struct err why = {0};
	(void)ctx;
	int r = spawn_read_report(out[0], &why);
	if (r < 0) {
		*err = why;
	}
	return r != 0 || err_set(err, ERR_FAILED, "%s", "nothing yet");
}

static void closed_pipe(void *ctx)
{
	new_pipe(ctx);
	close(out[1]);
}

static void close_pipe(void *ctx, bool ok, const struct fault *f)
{
	(void)ctx;
	(void)ok;
	(void)f;
	close(out[0]);
}

static void test_report(void **state)
{
	(void)state;
	assert_true(faults_sweep(&(struct sweep){closed_pipe, read_one, close_pipe, NULL}) > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_report),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
