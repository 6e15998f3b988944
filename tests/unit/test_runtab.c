/* SPDX-License-Identifier: MIT */
#include "sys/runtab.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/mem.h"
#include "scratchdir.h"

#define BOOT_A "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"
#define BOOT_B "bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb"

static struct runtab *open_table(const char *boot, enum runtab_fresh want)
{
	enum runtab_fresh fresh;
	struct err err = {0};
	struct runtab *t = runtab_open(dirfd_of, "run", boot, &fresh, &err);
	if (!t) {
		fail_msg("%s", err.msg);
	}
	assert_int_equal(fresh, want);
	return t;
}

static struct runtab_rec *add(struct runtab *t, const char *app, int slot)
{
	struct runtab_rec *r = runtab_alloc(t, NULL);
	assert_non_null(r);
	r->id = runtab_next_id(t);
	snprintf(r->app, sizeof(r->app), "%s", app);
	r->slot = slot;
	runtab_commit(r);
	return r;
}

static size_t count(const struct runtab *t)
{
	size_t n = 0;
	for (size_t i = 0; i < runtab_capacity(t); i++) {
		n += runtab_get(t, i) != NULL;
	}
	return n;
}

static void test_survives(void **state)
{
	(void)state;
	struct runtab *t = open_table(BOOT_A, RUNTAB_NEW);
	struct stat st;
	assert_int_equal(fstatat(dirfd_of, "run", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(count(t), 0);
	/* A process that is killed in the middle of its work, with one record half written. */
	pid_t pid = fork();
	if (pid == 0) {
		struct runtab_rec *r = add(t, "web", 3);
		r->pid = 77;
		for (int i = 0; i < 20; i++) {
			runtab_note_restart(r, i);
		}
		struct runtab_rec *gone = add(t, "gone", 0);
		struct runtab_rec *half = runtab_alloc(t, NULL);
		strcpy(half->app, "half");
		runtab_free(gone);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	runtab_close(t);
	t = open_table(BOOT_A, RUNTAB_KEPT);
	assert_int_equal(count(t), 1);
	struct runtab_rec *r = runtab_get(t, 0);
	assert_non_null(r);
	assert_string_equal(r->app, "web");
	assert_int_equal(r->slot, 3);
	assert_int_equal(r->pid, 77);
	assert_int_equal(r->window_count, RUNTAB_RESTARTS);
	assert_int_equal(r->window[r->window_next], 4); /* the oldest one kept */
	assert_int_equal(runtab_next_id(t), 3);
	/* The reserved record and the free one are used again, zeroed. */
	struct runtab_rec *again = runtab_alloc(t, NULL);
	assert_int_equal(again->app[0], 0);
	runtab_close(t);
	runtab_close(NULL);
}

static void test_other_boot(void **state)
{
	(void)state;
	struct runtab *t = open_table(BOOT_B, RUNTAB_OTHER_BOOT);
	assert_int_equal(count(t), 0);
	assert_int_equal(runtab_next_id(t), 1);
	assert_int_equal(faccessat(dirfd_of, "run.old", F_OK, 0), -1); /* was not damaged */
	runtab_close(t);
}

static void test_grows_to_the_limit(void **state)
{
	(void)state;
	struct runtab *t = open_table(BOOT_B, RUNTAB_KEPT);
	struct runtab_rec *first = NULL;
	for (int i = 0; i < LIMIT_INSTANCES; i++) {
		struct runtab_rec *r = add(t, "many", i);
		first = first ? first : r;
	}
	assert_ptr_equal(runtab_get(t, 0), first);
	assert_int_equal(count(t), LIMIT_INSTANCES);
	struct err err = {0};
	assert_null(runtab_alloc(t, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	runtab_free(runtab_get(t, 2000));
	assert_int_equal(count(t), LIMIT_INSTANCES - 1);
	assert_non_null(runtab_alloc(t, &err));
	runtab_close(t);
	t = open_table(BOOT_B, RUNTAB_KEPT);
	assert_int_equal(count(t), LIMIT_INSTANCES - 1);
	runtab_close(t);
}

static void test_no_room(void **state)
{
	(void)state;
	struct rlimit old, tight;
	enum runtab_fresh fresh;
	struct err err = {0};
	unlinkat(dirfd_of, "run", 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	tight = (struct rlimit){.rlim_cur = 5000, .rlim_max = old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	assert_null(runtab_open(dirfd_of, "run", BOOT_B, &fresh, &err));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_non_null(strstr(err.msg, "make room"));
	assert_int_equal(faccessat(dirfd_of, "run", F_OK, 0), -1);
	assert_int_equal(faccessat(dirfd_of, "run.tmp", F_OK, 0), -1);
	runtab_close(open_table(BOOT_B, RUNTAB_NEW));
	/* But a reboot with a full disk must not keep everything down. */
	struct runtab *t = open_table(BOOT_B, RUNTAB_KEPT);
	add(t, "web", 0);
	runtab_close(t);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	t = open_table(BOOT_A, RUNTAB_OTHER_BOOT);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(count(t), 0);
	assert_int_equal(runtab_next_id(t), 1);
	runtab_close(t);
	runtab_close(open_table(BOOT_A, RUNTAB_KEPT));
}

/* Change bytes of the file of a table with one record, and open it. */
static void check_damage(off_t at, const void *bytes, size_t len, enum runtab_fresh want)
{
	unlinkat(dirfd_of, "run", 0);
	struct runtab *t = open_table(BOOT_A, RUNTAB_NEW);
	add(t, "web", 0);
	runtab_close(t);
	int fd = openat(dirfd_of, "run", O_WRONLY);
	assert_int_equal(pwrite(fd, bytes, len, at), (ssize_t)len);
	close(fd);
	t = open_table(BOOT_A, want);
	assert_int_equal(count(t), 0);
	runtab_close(t);
}

static void test_damaged(void **state)
{
	(void)state;
	check_damage(0, "\xff", 1, RUNTAB_DAMAGED);
	check_damage(8, "\xff", 1, RUNTAB_DAMAGED);  /* version */
	check_damage(12, "\xff", 1, RUNTAB_DAMAGED); /* record size */
	check_damage(16, "z", 1, RUNTAB_OTHER_BOOT);
	const off_t rec = 4096;
	check_damage(rec + (off_t)offsetof(struct runtab_rec, in_use), "\x01", 1, RUNTAB_MENDED);
	check_damage(rec + (off_t)offsetof(struct runtab_rec, slot), "\xff\xff\xff\xff", 4,
		     RUNTAB_MENDED);
	check_damage(rec + (off_t)offsetof(struct runtab_rec, app), "../x", 4, RUNTAB_MENDED);
	char full[sizeof(((struct runtab_rec *)0)->app)];
	memset(full, 'a', sizeof(full));
	check_damage(rec + (off_t)offsetof(struct runtab_rec, app), full, sizeof(full),
		     RUNTAB_MENDED);
	/* cut anywhere in the header */
	for (off_t n = 0; n < 200; n++) {
		char path[100];
		snprintf(path, sizeof(path), "%s/run", dir_name);
		assert_int_equal(truncate(path, n), 0);
		runtab_close(open_table(BOOT_A, RUNTAB_DAMAGED));
	}
}

static void test_strange_files(void **state)
{
	(void)state;
	unlinkat(dirfd_of, "run", 0);
	assert_int_equal(symlinkat("target", dirfd_of, "run"), 0);
	runtab_close(open_table(BOOT_A, RUNTAB_DAMAGED));
	assert_int_equal(faccessat(dirfd_of, "target", F_OK, 0), -1);
	unlinkat(dirfd_of, "run", 0);
	assert_int_equal(mkfifoat(dirfd_of, "run", 0600), 0);
	runtab_close(open_table(BOOT_A, RUNTAB_DAMAGED));
	unlinkat(dirfd_of, "run", 0);
	assert_int_equal(mkdirat(dirfd_of, "run", 0700), 0);
	runtab_close(open_table(BOOT_A, RUNTAB_DAMAGED));
	assert_int_equal(fchmodat(dirfd_of, "run", 0644, 0), 0);
	runtab_close(open_table(BOOT_A, RUNTAB_DAMAGED));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_survives),
		cmocka_unit_test(test_other_boot),
		cmocka_unit_test(test_grows_to_the_limit),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_strange_files),
	};
	return cmocka_run_group_tests(tests, scratchdir_setup, scratchdir_teardown);
}
