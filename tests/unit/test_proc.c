/* SPDX-License-Identifier: MIT */
#include "sys/proc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/mem.h"
#include "sys/proctab.h"

#define TAIL                                                                                       \
	" S 10 42 43 0 -1 4194560 100 200 3 4 11 22 33 44 20 0 5 0 777 1000000 250 1844 1 1 0 "    \
	"0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 256\n"

static void test_parse(void **state)
{
	(void)state;
	static const struct {
		const char *text, *comm;
	} good[] = {
		{"123 (node)" TAIL, "node"},
		{"123 (a) (b)" TAIL, "a) (b"},
		{"123 (x) R 1 1 1 (y)" TAIL, "x) R 1 1 1 (y"},
		{"123 ()" TAIL, ""},
		{"123 ( \n)" TAIL, " \n"},
		{"123 "
		 "(0123456789012345678901234567890123456789012345678901234567890123456789)" TAIL,
		 "012345678901234567890123456789012345678901234567890123456789012"},
	};
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct proc_stat st;
		assert_true(proc_parse_stat(good[i].text, strlen(good[i].text), &st));
		assert_string_equal(st.comm, good[i].comm);
		assert_int_equal(st.pid, 123);
		assert_int_equal(st.state, 'S');
		assert_int_equal(st.ppid, 10);
		assert_int_equal(st.pgrp, 42);
		assert_int_equal(st.session, 43);
		assert_int_equal(st.utime, 11);
		assert_int_equal(st.stime, 22);
		assert_int_equal(st.cutime, 33);
		assert_int_equal(st.cstime, 44);
		assert_int_equal(st.threads, 5);
		assert_int_equal(st.starttime, 777);
		assert_int_equal(st.rss_pages, 250);
		assert_int_equal(st.exit_code, 256);
	}
	static const char *const bad[] = {"",
					  "1",
					  "123 node",
					  ") (",
					  "(a)" TAIL,
					  "12x (a)" TAIL,
					  "123 (a) S 1 x",
					  "123 (a)",
					  "123 (a) ",
					  "123 (a) S"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct proc_stat st;
		assert_false(proc_parse_stat(bad[i], strlen(bad[i]), &st));
	}
	/* every truncation: from a heap copy, so that a read behind the end is seen */
	size_t len = strlen(good[2].text);
	for (size_t n = 0; n < len - 4; n++) {
		char *copy = xmalloc(n + 1);
		memcpy(copy, good[2].text, n);
		char *exact = xreallocarray(copy, n ? n : 1, 1);
		struct proc_stat st;
		assert_false(proc_parse_stat(exact, n, &st));
		free(exact);
	}
}

static void test_self(void **state)
{
	(void)state;
	struct proc_stat st;
	assert_true(proc_read_stat(getpid(), &st));
	assert_int_equal(st.pid, getpid());
	assert_int_equal(st.ppid, getppid());
	assert_int_equal(st.session, getsid(0));
	assert_true(st.rss_pages > 0 && st.threads >= 1);
	assert_true(proc_is(getpid(), st.starttime));
	assert_false(proc_is(getpid(), st.starttime + 1));
	assert_false(proc_is(0, 0));
	uint64_t now = proc_now_ticks();
	assert_true(now >= st.starttime && now - st.starttime < 600 * proc_ticks_per_second());
	char boot[PROC_BOOT_ID];
	assert_true(proc_boot_id(boot));
	assert_int_equal(strlen(boot), 36);
	int before = proc_count_fds(getpid());
	int fd = dup(0);
	assert_int_equal(proc_count_fds(getpid()), before + 1);
	close(fd);
	assert_int_equal(proc_count_fds(0x7ffffff0), -1);
}

static void test_kept_descriptor(void **state)
{
	(void)state;
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_NAME, "x) Z 1 (y");
		alarm(20);
		pause();
		_exit(0);
	}
	int fd = proc_open_stat(pid);
	struct proc_stat st;
	assert_true(proc_read_stat_fd(fd, &st));
	kill(pid, SIGKILL);
	siginfo_t si;
	waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT);
	assert_true(proc_read_stat_fd(fd, &st));
	assert_int_equal(st.state, 'Z');
	assert_int_equal(st.exit_code, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_false(proc_read_stat_fd(fd, &st));
	assert_int_equal(errno, ESRCH);
	assert_false(proc_read_stat(pid, &st));
	close(fd);
}

/* A child that waits in a shell with this environment: for a line of a pipe that nobody writes. */
static pid_t spawn_waiting(char *const *envp)
{
	int never[2];
	assert_int_equal(pipe(never), 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(never[0], STDIN_FILENO);
		execve("/bin/sh", (char *[]){"waits", "-c", "read x", "a\033[2Jb", NULL}, envp);
		_exit(127);
	}
	close(never[0]); /* the writing end stays open with us */
	char line[100];
	while (!proc_cmdline(pid, line, sizeof(line)) || strncmp(line, "waits", 5) != 0) {
		usleep(200);
	}
	return pid;
}

static void test_environ_and_cmdline(void **state)
{
	(void)state;
	char *big = xmalloc(10001);
	memset(big, 'x', 10000);
	big[10000] = '\0';
	memcpy(big, "BIG=\nPMCTL_ID=9", 15);
	pid_t pid = spawn_waiting((char *[]){"XPMCTL_ID=8", "PMCTL_IDX=7", big,
					     "EMPTY=", "PMCTL_ID=42", "LAST=end", NULL});
	char value[24] = "untouched";
	assert_false(proc_env_value(pid, "NONE", value, sizeof(value)));
	assert_false(proc_env_value(pid, "BIG", value, sizeof(value)));
	assert_string_equal(value, "untouched");
	assert_true(proc_env_value(pid, "PMCTL_ID", value, sizeof(value)));
	assert_string_equal(value, "42");
	assert_true(proc_env_value(pid, "EMPTY", value, sizeof(value)));
	assert_string_equal(value, "");
	assert_true(proc_env_value(pid, "LAST", value, sizeof(value)));
	assert_string_equal(value, "end");
	assert_true(proc_env_value(pid, "LAST", value, 4));
	assert_false(proc_env_value(pid, "LAST", value, 3));
	char line[100];
	assert_true(proc_cmdline(pid, line, sizeof(line)));
	assert_string_equal(line, "waits -c read x a?[2Jb");
	assert_true(proc_cmdline(pid, line, 8));
	assert_string_equal(line, "waits -");
	kill(pid, SIGKILL);
	siginfo_t si;
	waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT);
	assert_true(proc_cmdline(pid, line, sizeof(line)));
	assert_string_equal(line, "[sh]");
	waitpid(pid, NULL, 0);
	assert_false(proc_cmdline(pid, line, sizeof(line)));
	assert_string_equal(line, "?");
	free(big);
}

static bool find_self(pid_t pid, void *arg)
{
	*(int *)arg += pid == getpid();
	return pid != getpid();
}

static void test_children_and_table(void **state)
{
	(void)state;
	int seen = 0;
	assert_true(proc_for_each_pid(find_self, &seen));
	assert_int_equal(seen, 1);
	pid_t kid[3];
	for (int i = 0; i < 3; i++) {
		kid[i] = fork();
		if (kid[i] == 0) {
			alarm(20);
			pause();
			_exit(0);
		}
	}
	pid_t *list;
	assert_int_equal(proc_children(getpid(), &list), 3);
	assert_true(list[0] == kid[0] || list[1] == kid[0] || list[2] == kid[0]);
	free(list);
	struct proc_table t = {0};
	assert_true(proc_table_read(&t));
	size_t first;
	assert_int_equal(proc_table_children(&t, getpid(), &first), 3);
	for (size_t i = first; i < first + 3; i++) {
		assert_int_equal(t.row[t.by_parent[i]].ppid, getpid());
	}
	assert_non_null(proc_table_find(&t, kid[2]));
	assert_null(proc_table_find(&t, 0));
	size_t n = proc_table_session(&t, getsid(0), &first);
	assert_true(n >= 4);
	assert_int_equal(t.row[t.by_session[first]].session, getsid(0));
	assert_int_equal(proc_table_children(&t, kid[0], &first), 0);
	for (int i = 0; i < 3; i++) {
		kill(kid[i], SIGKILL);
		waitpid(kid[i], NULL, 0);
	}
	assert_true(proc_table_read(&t));
	assert_int_equal(proc_table_children(&t, getpid(), &first), 0);
	proc_table_finish(&t);
	proc_table_finish(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_self),
		cmocka_unit_test(test_kept_descriptor),
		cmocka_unit_test(test_environ_and_cmdline),
		cmocka_unit_test(test_children_and_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
