/* SPDX-License-Identifier: MIT */
#include "sys/tree.h"

#include <setjmp.h>
#include <stdarg.h>
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
#include "sys/proc.h"

/* The test is the keeper: parent and subreaper of all. */

static struct proc_table tab;

static void reap_all(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0) {
	}
}

/* Start fn as the main process of an instance: in a session of its own, as the stub does. */
static pid_t start(void (*fn)(int), int fd, struct tree *t, const char *id)
{
	pid_t pid = fork();
	if (pid == 0) {
		setsid();
		fn(fd);
		_exit(0);
	}
	struct proc_stat st;
	do {
		assert_true(proc_read_stat(pid, &st));
	} while (st.session != pid);
	tree_init(t, pid, st.starttime, id, getpid());
	return pid;
}

/* A new snapshot, scanned; waits until `want` live or the deadline is over. */
static size_t scan_until(struct tree *t, size_t want)
{
	size_t alive = 0;
	for (int i = 0; i < 400; i++) {
		proc_table_read(&tab);
		alive = tree_scan(t, &tab);
		if (alive == want) {
			break;
		}
		usleep(2000);
		reap_all();
	}
	return alive;
}

static bool has_member(const struct tree *t, pid_t pid)
{
	for (size_t i = 0; i < t->members; i++) {
		if (tab.row[t->member[i]].pid == pid) {
			return true;
		}
	}
	return false;
}

/* Bounded, so that a failed test leaves nothing behind for long. */
static void sleep_long(void)
{
	alarm(20);
	for (;;) {
		pause();
	}
}

static void fork_sleeper(void)
{
	if (fork() == 0) {
		sleep_long();
	}
}

static void plain(int fd)
{
	(void)fd;
	fork_sleeper();
	if (fork() == 0) {
		fork_sleeper();
		sleep_long();
	}
	sleep_long();
}

static void test_plain_tree(void **state)
{
	(void)state;
	struct tree t;
	pid_t decoy = fork();
	if (decoy == 0) {
		sleep_long();
	}
	pid_t pid = start(plain, -1, &t, "1");
	assert_int_equal(scan_until(&t, 4), 4);
	assert_int_equal(tab.row[t.member[0]].pid, pid);
	assert_false(has_member(&t, decoy));
	struct tree_sum sum;
	tree_sum(&t, &tab, &sum);
	assert_int_equal(sum.nproc, 4);
	assert_int_equal(sum.threads, 4);
	assert_true(sum.rss_bytes > 4 * 4096);
	assert_false(tree_is_gone(&t));
	assert_true(tree_kill(&t, &tab, 500));
	reap_all();
	assert_int_equal(kill(decoy, 0), 0);
	kill(decoy, SIGKILL);
	waitpid(decoy, NULL, 0);
	tree_finish(&t);
	tree_finish(&t);
}

/* Waits to be seen, then double-forks into a new session and ends. */
static void daemonize(int fd)
{
	char c;
	if (fork() == 0) {
		setsid();
		if (fork() == 0) {
			sleep_long();
		}
		if (read(fd, &c, 1)) {
		}
		_exit(0);
	}
	if (read(fd, &c, 1)) {
	}
}

static void test_session_seen_before(void **state)
{
	(void)state;
	struct tree t;
	int p[2];
	assert_int_equal(pipe(p), 0);
	pid_t pid = start(daemonize, p[0], &t, "2");
	assert_int_equal(scan_until(&t, 3), 3);
	for (int i = 0; i < 400 && t.sessions < 2; i++) {
		scan_until(&t, 3);
	}
	assert_int_equal(t.sessions, 2);
	assert_int_equal(write(p[1], "xx", 2), 2);
	/* The main process and the one between; the daemon comes to us and stays. */
	assert_true(waitpid(-1, NULL, 0) > 0);
	assert_true(waitpid(-1, NULL, 0) > 0);
	assert_int_equal(kill(pid, 0), -1);
	/* Only the daemon is left: no parent of the instance, but its session is known. */
	assert_int_equal(scan_until(&t, 1), 1);
	assert_int_equal(t.members, 1);
	assert_int_equal(tab.row[t.member[0]].ppid, getpid());
	assert_int_equal(tree_signal(&t, &tab, 0, TREE_MAIN), 0);
	assert_int_equal(tree_signal(&t, &tab, 0, TREE_ALL), 1);
	assert_true(tree_kill(&t, &tab, 500));
	reap_all();
	close(p[0]);
	close(p[1]);
	tree_finish(&t);
}

/* Orphans that were never seen below the main process: only the environment tells. */
static pid_t spawn_orphan(const char *id)
{
	int p[2];
	assert_int_equal(pipe(p), 0);
	pid_t mid = fork();
	if (mid == 0) {
		pid_t pid = fork();
		if (pid == 0) {
			char var[40];
			snprintf(var, sizeof(var), "PMCTL_ID=%s", id);
			setsid();
			execve("/bin/sleep", (char *[]){"sleep", "20", NULL},
			       (char *[]){var, NULL});
			_exit(127);
		}
		assert_int_equal(write(p[1], &pid, sizeof(pid)), sizeof(pid));
		_exit(0);
	}
	pid_t pid;
	assert_int_equal(read(p[0], &pid, sizeof(pid)), sizeof(pid));
	waitpid(mid, NULL, 0);
	char value[24];
	for (int i = 0; i < 1000 && !proc_env_value(pid, "PMCTL_ID", value, sizeof(value)); i++) {
		usleep(500);
	}
	close(p[0]);
	close(p[1]);
	return pid;
}

static void only_sleep(int fd)
{
	(void)fd;
	sleep_long();
}

static void test_orphans_by_environment(void **state)
{
	(void)state;
	struct tree t;
	start(only_sleep, -1, &t, "31");
	pid_t ours = spawn_orphan("31");
	pid_t other = spawn_orphan("32");
	pid_t longer = spawn_orphan("310");
	assert_int_equal(scan_until(&t, 2), 2);
	assert_true(has_member(&t, ours));
	assert_false(has_member(&t, other));
	assert_false(has_member(&t, longer));
	/* Older than the instance: not its orphan, whatever it says. */
	uint64_t began = t.starttime;
	t.starttime += 1000000;
	t.sessions = 0;
	assert_int_equal(tree_scan(&t, &tab), 0);
	t.starttime = began;
	assert_true(tree_kill(&t, &tab, 500));
	assert_int_equal(kill(other, 0), 0);
	assert_int_equal(kill(longer, 0), 0);
	kill(other, SIGKILL);
	kill(longer, SIGKILL);
	waitpid(other, NULL, 0);
	waitpid(longer, NULL, 0);
	reap_all();
	tree_finish(&t);
}

/* A session number that went round: the namesake must not be taken for ours. */
static void test_session_number_reused(void **state)
{
	(void)state;
	struct tree t, stranger;
	pid_t pid = start(only_sleep, -1, &t, "4");
	pid_t other = start(only_sleep, -1, &stranger, "5");
	assert_int_equal(scan_until(&t, 1), 1);
	t.sessions = 0;
	/* As if `other` was the number of an earlier session, long empty. */
	struct tree_session old = {.sid = other, .witness = 1, .witness_start = 99, .seen = 1};
	t.session[0] = old;
	t.sessions = 1;
	assert_int_equal(scan_until(&t, 1), 1);
	assert_false(has_member(&t, other));
	assert_int_equal(t.sessions, 1); /* its own one again, the old one is forgotten */
	assert_int_equal(t.session[0].sid, pid);
	/* Seen just now, so trusted; but its member carries another id. */
	pid_t marked = spawn_orphan("6");
	proc_table_read(&tab);
	t.session[0] = (struct tree_session){marked, marked,
					     proc_table_find(&tab, marked)->starttime, tab.ticks};
	tree_scan(&t, &tab);
	assert_false(has_member(&t, marked));
	/* A main pid of another start time is somebody else. */
	t.sessions = 0;
	t.starttime++;
	assert_int_equal(tree_scan(&t, &tab), 0);
	assert_false(tree_signal_pid(pid, t.starttime, SIGKILL));
	assert_true(tree_signal_pid(pid, t.starttime - 1, 0));
	kill(marked, SIGKILL);
	waitpid(marked, NULL, 0);
	t.starttime--;
	assert_true(tree_kill(&t, &tab, 500));
	assert_true(tree_kill(&stranger, &tab, 500));
	reap_all();
	tree_finish(&t);
	tree_finish(&stranger);
}

/* Forks and ends all the time, so a walk hardly ever meets it. */
static void hop(int fd)
{
	(void)fd;
	for (int i = 0; i < 20000; i++) {
		if (fork()) {
			_exit(0);
		}
		usleep(500);
	}
}

/* The keeper of a hopper must reap, or the pids run out. */
static void test_hopper(void **state)
{
	(void)state;
	struct tree t;
	signal(SIGCHLD, SIG_IGN);
	pid_t pid = fork();
	if (pid == 0) {
		setsid();
		hop(-1);
	}
	usleep(20000);
	tree_init(&t, pid, 1, "", getpid());
	t.session = xcalloc(1, sizeof(*t.session));
	t.session[0] = (struct tree_session){pid, pid, 1, proc_now_ticks()};
	t.sessions = t.session_cap = 1;
	assert_true(tree_kill(&t, &tab, 1000));
	assert_int_equal(kill(-pid, 0), -1);
	assert_int_equal(errno, ESRCH);
	signal(SIGCHLD, SIG_DFL);
	tree_finish(&t);
}

static void ignore_term(int fd)
{
	(void)fd;
	if (fork() == 0) {
		setpgid(0, 0);
		sleep_long();
	}
	fork_sleeper();
	sleep_long();
}

static void test_modes(void **state)
{
	(void)state;
	struct tree t;
	pid_t pid = start(ignore_term, -1, &t, "7");
	assert_int_equal(scan_until(&t, 3), 3);
	/* The child that leaves the group may not have done so yet. */
	for (int i = 0; i < 400 && tree_signal(&t, &tab, 0, TREE_GROUP) != 2; i++) {
		usleep(1000);
		proc_table_read(&tab);
	}
	assert_int_equal(tree_signal(&t, &tab, 0, TREE_GROUP), 2);
	assert_int_equal(tree_signal(&t, &tab, 0, TREE_ALL), 3);
	assert_int_equal(tree_signal(&t, &tab, SIGTERM, TREE_MAIN), 1);
	siginfo_t si;
	assert_int_equal(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT), 0);
	/* A zombie is a member, so its children are found, but does not live. */
	proc_table_read(&tab);
	assert_int_equal(tree_scan(&t, &tab), 2);
	assert_int_equal(t.members, 3);
	unsigned quiet = t.quiet;
	tree_scan(&t, &tab);
	assert_int_equal(t.quiet, quiet);
	assert_true(tree_kill(&t, &tab, 500));
	reap_all();
	tree_finish(&t);
}

static void test_two_empty_scans(void **state)
{
	(void)state;
	struct tree t;
	tree_init(&t, 0x7ffffff0, 5, "8", 0);
	proc_table_read(&tab);
	assert_int_equal(tree_scan(&t, &tab), 0);
	assert_false(tree_is_gone(&t));
	/* The same snapshot again is no second look. */
	assert_int_equal(tree_scan(&t, &tab), 0);
	assert_false(tree_is_gone(&t));
	proc_table_read(&tab);
	assert_int_equal(tree_scan(&t, &tab), 0);
	assert_true(tree_is_gone(&t));
	tree_finish(&t);
}

static int teardown(void **state)
{
	(void)state;
	proc_table_finish(&tab);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_tree),
		cmocka_unit_test(test_session_seen_before),
		cmocka_unit_test(test_orphans_by_environment),
		cmocka_unit_test(test_session_number_reused),
		cmocka_unit_test(test_hopper),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_two_empty_scans),
	};
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	return cmocka_run_group_tests(tests, NULL, teardown);
}
