/* SPDX-License-Identifier: MIT */
#include "sys/cgroup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/mem.h"
#include "sys/cgmount.h"
#include "sys/fileio.h"

#define MOUNTS                                                                                     \
	"22 1 8:1 / / rw - ext4 /dev/sda rw\n"                                                     \
	"31 30 0:28 / /sys/fs/cgroup/cpu\\040x,acct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"  \
	"33 30 0:30 /docker/abc /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"              \
	"40 30 0:37 / /sys/fs/cgroup/unified rw shared:3 master:4 - cgroup2 cgroup2 rw\n"

static void test_mounts(void **state)
{
	(void)state;
	static const struct {
		const char *cgroup, *controller, *mount, *path;
	} rows[] = {
		{"1:cpu,cpuacct:/a\n0::/u/s\n", NULL, "/sys/fs/cgroup/unified", "/u/s"},
		{"0::/\n", NULL, "/sys/fs/cgroup/unified", ""},
		{"0::/../other\n", NULL, "/sys/fs/cgroup/unified", ""},
		{"1:cpu,cpuacct:/a\n0::/u\n", "cpu", "/sys/fs/cgroup/cpu x,acct", "/a"},
		{"1:cpuset:/docker/abc/x\n", "cpuset", "/sys/fs/cgroup/cpuset", "/x"},
		{"1:cpuset:/docker/abc\n", "cpuset", "/sys/fs/cgroup/cpuset", ""},
		{"1:cpuset:/docker/abcd\n", "cpuset", "/sys/fs/cgroup/cpuset", ""},
		{"1:cpuset:/a\n", NULL, NULL, NULL},
		{"1:cpuset:/a\n", "cpu", NULL, NULL},
		{"7:memory:/a\n", "memory", NULL, NULL},
		{"garbage\n:\n::\n0:\n", NULL, NULL, NULL},
		{"", NULL, NULL, NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cgmount m = {0};
		bool found = cgmount_parse(MOUNTS, rows[i].cgroup, rows[i].controller, &m);
		assert_int_equal(found, rows[i].mount != NULL);
		if (found) {
			assert_string_equal(m.mount, rows[i].mount);
			assert_string_equal(m.path, rows[i].path);
		}
		cgmount_finish(&m);
	}
	struct cgmount m;
	assert_false(cgmount_parse("1 2\n\n40 30 0:37 / /x rw - \na b c d e f - cgroup2", "0::/\n",
				   NULL, &m));
}

static void test_switched_off(void **state)
{
	(void)state;
	struct cgroup_base b;
	struct err err = {0};
	setenv("PMCTL_FEATURES", "-pidfd_info,-cgroup,-clone3", 1);
	assert_false(cgroup_base_open(&b, "/run/x", &err));
	assert_non_null(strstr(err.msg, "PMCTL_FEATURES"));
	assert_int_equal(b.dirfd, -1);
	assert_int_equal(cgroup_create(&b, "x", &err), -1);
	cgroup_base_cleanup(&b);
	unsetenv("PMCTL_FEATURES");
}

/* The base, or the test is skipped. */
static struct cgroup_base open_base(void)
{
	struct cgroup_base b;
	struct err err = {0};
	if (!cgroup_base_open(&b, "/not/a/real/runtime/dir/of/unit/tests", &err)) {
		print_message("skipped: %s\n", err.msg);
		skip();
	}
	return b;
}

/* Processes in the leaf: a parent, and a child in a session of its own and in a nested group. */
static pid_t fill(int leaf)
{
	int p[2];
	char c = 0;
	assert_int_equal(pipe(p), 0);
	pid_t pid = fork();
	if (pid == 0) {
		alarm(20);
		file_poke(leaf, "cgroup.procs", "0");
		mkdirat(leaf, "app", 0755);
		if (fork() == 0) {
			int nested = openat(leaf, "app", O_RDONLY | O_DIRECTORY);
			alarm(20);
			setsid();
			file_poke(nested, "cgroup.procs", "0");
			if (write(p[1], "x", 1)) {
			}
		}
		for (;;) {
			pause();
		}
	}
	assert_int_equal(read(p[0], &c, 1), 1);
	close(p[0]);
	close(p[1]);
	return pid;
}

static bool count(pid_t pid, void *arg)
{
	assert_true(pid > 1);
	++*(unsigned *)arg;
	return true;
}

static unsigned count_pids(int leaf)
{
	unsigned n = 0;
	cgroup_pids(leaf, count, &n);
	return n;
}

static void wait_until_empty(int leaf)
{
	for (int i = 0; i < 1000 && cgroup_populated(leaf); i++) {
		usleep(1000);
	}
	assert_false(cgroup_populated(leaf));
}

static void check_kill(bool (*kill_leaf)(int leaf))
{
	struct cgroup_base b = open_base();
	int leaf = cgroup_create(&b, "t-1", NULL);
	assert_true(leaf >= 0);
	assert_false(cgroup_populated(leaf));
	assert_int_equal(count_pids(leaf), 0);
	pid_t pid = fill(leaf);
	assert_true(cgroup_populated(leaf));
	assert_int_equal(count_pids(leaf), 2);
	assert_int_equal(cgroup_signal(leaf, 0), 2);
	assert_true(cgroup_cpu_usec(leaf) >= 0);

	struct err err = {0};
	assert_int_equal(cgroup_create(&b, "t-1", &err), -1);
	assert_false(cgroup_remove(&b, "t-1"));
	assert_int_equal(errno, EBUSY);
	int again = cgroup_adopt(&b, pid, "t-1");
	struct stat s1, s2;
	assert_true(again >= 0 && fstat(again, &s1) == 0 && fstat(leaf, &s2) == 0);
	assert_int_equal(s1.st_ino, s2.st_ino);
	close(again);
	assert_int_equal(cgroup_adopt(&b, pid, "t"), -1);
	assert_int_equal(cgroup_adopt(&b, getpid(), "t-1"), -1);

	assert_true(kill_leaf(leaf));
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	wait_until_empty(leaf);
	assert_true(cgroup_remove(&b, "t-1"));
	assert_true(cgroup_remove(&b, "t-1"));
	assert_false(cgroup_populated(leaf));
	assert_true(kill_leaf(leaf));
	close(leaf);
	char *path = xstrdup(b.path);
	cgroup_base_cleanup(&b);
	assert_int_equal(access(path, F_OK), -1);
	free(path);
}

static void test_kill(void **state)
{
	(void)state;
	check_kill(cgroup_kill);
}

static void test_kill_frozen(void **state)
{
	(void)state;
	check_kill(cgroup_kill_frozen);
}

static void test_signal(void **state)
{
	(void)state;
	struct cgroup_base b = open_base();
	int leaf = cgroup_create(&b, "t-2", NULL);
	pid_t pid = fill(leaf);
	assert_int_equal(cgroup_signal(leaf, SIGTERM), 2);
	waitpid(pid, NULL, 0);
	wait_until_empty(leaf);
	/* An empty leaf with a group below it is made anew. */
	int next = cgroup_create(&b, "t-2", NULL);
	assert_true(next >= 0);
	assert_int_equal(faccessat(next, "app", F_OK, 0), -1);
	close(next);
	close(leaf);
	cgroup_base_cleanup(&b);
}

static void test_names(void **state)
{
	(void)state;
	struct cgroup_base b = open_base();
	static const char *const bad[] = {"",	".",   "..",  "a/b", "cgroup.procs",
					  "-x", "a b", "\xc3"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err err = {0};
		assert_int_equal(cgroup_create(&b, bad[i], &err), -1);
		assert_non_null(strstr(err.msg, "not a name"));
		assert_false(cgroup_remove(&b, bad[i]));
	}
	cgroup_base_cleanup(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mounts), cmocka_unit_test(test_switched_off),
		cmocka_unit_test(test_kill),   cmocka_unit_test(test_kill_frozen),
		cmocka_unit_test(test_signal), cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
