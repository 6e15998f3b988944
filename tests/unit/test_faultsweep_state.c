/* SPDX-License-Identifier: MIT */
/* The state file and the run table: whatever fails, the old or the new one is there as a whole, and
 * what a system is short of for a moment is never taken for damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/mem.h"
#include "faults.h"
#include "sys/runtab.h"
#include "sys/statefile.h"

#define BOOT "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"

static char dir_name[40];
static int dirfd_of;

static unsigned count_files(const char *part, bool delete)
{
	DIR *dir = opendir(dir_name);
	unsigned n = 0;
	for (struct dirent *d; (d = readdir(dir));) {
		if (d->d_name[0] != '.' && strstr(d->d_name, part)) {
			n++;
			if (delete) {
				assert_int_equal(unlinkat(dirfd_of, d->d_name, 0), 0);
			}
		}
	}
	closedir(dir);
	return n;
}

static void save(const char *text)
{
	assert_true(statefile_save(dirfd_of, "state", text, strlen(text), NULL, NULL));
}

/* What is found now, without faults: the text and from where. */
static enum statefile_source find(struct buf *text)
{
	struct err warning = {0};
	enum statefile_source src;
	assert_true(statefile_load(dirfd_of, "state", text, &src, &warning));
	assert_int_equal(warning.code, ERR_NONE);
	return src;
}

static void old_state(void *ctx)
{
	(void)ctx;
	count_files("", true);
	save("older");
	save("old");
}

static bool save_new(void *ctx, struct err *err)
{
	(void)ctx;
	return statefile_save(dirfd_of, "state", "new", 3, NULL, err);
}

static bool save_soon(void *ctx, struct err *err)
{
	(void)ctx;
	int fd;
	return statefile_save(dirfd_of, "state", "new", 3, &fd, err) &&
	       statefile_sync(dirfd_of, fd, err);
}

static void old_or_new(void *ctx, bool ok, const struct fault *f)
{
	(void)ctx;
	struct buf text = {0};
	enum statefile_source src = find(&text);
	assert_int_equal(src, STATEFILE_CURRENT);
	/* On the disk or not: only the reader after a power cut would know. */
	bool open = f->call && strcmp(f->call, "fsync") == 0;
	if (strcmp(text.data, ok ? "new" : "old") != 0 && !(open && !ok)) {
		fail_msg("%s: found \"%s\"", f->call, text.data);
	}
	assert_int_equal(count_files("state.tmp", false), 0);
	assert_int_equal(count_files("corrupt", false), 0);
	save("newest"); /* nothing is in the way of the next one */
	buf_finish(&text);
}

static void test_save(void **state)
{
	(void)state;
	assert_true(faults_sweep(&(struct sweep){old_state, save_new, old_or_new, NULL}) > 60);
	assert_true(faults_sweep(&(struct sweep){old_state, save_soon, old_or_new, NULL}) > 60);
}

static bool load(void *ctx, struct err *err)
{
	enum statefile_source src = STATEFILE_NONE;
	buf_reset(ctx);
	if (!statefile_load(dirfd_of, "state", ctx, &src, err)) {
		return false;
	}
	assert_int_equal(src, STATEFILE_CURRENT);
	return true;
}

static void still_there(void *ctx, bool ok, const struct fault *f)
{
	struct buf text = {0};
	(void)f;
	assert_true(!ok || strcmp(((struct buf *)ctx)->data, "old") == 0);
	assert_int_equal(find(&text), STATEFILE_CURRENT);
	assert_string_equal(text.data, "old");
	assert_int_equal(count_files("corrupt", false), 0);
	buf_finish(&text);
}

static void test_load(void **state)
{
	(void)state;
	struct buf text = {0};
	assert_true(faults_sweep(&(struct sweep){old_state, load, still_there, &text}) > 20);
	buf_finish(&text);
}

/* --- the run table --- */

static struct runtab *table;

static void add(const char *app)
{
	struct runtab_rec *r = runtab_alloc(table, NULL);
	assert_non_null(r);
	r->id = runtab_next_id(table);
	r->pid = 77;
	snprintf(r->app, sizeof(r->app), "%s", app);
	runtab_commit(r);
}

static size_t count_records(void)
{
	size_t n = 0;
	for (size_t i = 0; i < runtab_capacity(table); i++) {
		n += runtab_get(table, i) != NULL;
	}
	return n;
}

static void open_plain(enum runtab_fresh want)
{
	enum runtab_fresh fresh;
	table = runtab_open(dirfd_of, "run", BOOT, &fresh, NULL);
	assert_non_null(table);
	assert_int_equal(fresh, want);
}

static void old_table(void *ctx)
{
	(void)ctx;
	count_files("", true);
	open_plain(RUNTAB_NEW);
	add("web");
	runtab_close(table);
	table = NULL;
}

static void no_table(void *ctx)
{
	(void)ctx;
	count_files("", true);
}

static bool open_table(void *ctx, struct err *err)
{
	enum runtab_fresh fresh;
	table = runtab_open(dirfd_of, "run", BOOT, &fresh, err);
	if (table) {
		assert_int_equal(fresh, *(enum runtab_fresh *)ctx);
	}
	return table != NULL;
}

static void has_its_record(void *ctx, bool ok, const struct fault *f)
{
	(void)ctx;
	(void)f;
	if (!ok) {
		open_plain(RUNTAB_KEPT); /* a moment later it is found */
	}
	assert_int_equal(count_records(), 1);
	runtab_close(table);
	assert_int_equal(count_files("old", false), 0);
}

static void is_new(void *ctx, bool ok, const struct fault *f)
{
	(void)ctx;
	(void)f;
	if (!ok) {
		open_plain(RUNTAB_NEW);
	}
	add("web");
	assert_int_equal(count_records(), 1);
	runtab_close(table);
	assert_int_equal(count_files("tmp", false), 0);
}

static void test_open_table(void **state)
{
	(void)state;
	enum runtab_fresh kept = RUNTAB_KEPT, new = RUNTAB_NEW;
	assert_true(faults_sweep(&(struct sweep){old_table, open_table, has_its_record, &kept}) >
		    20);
	assert_true(faults_sweep(&(struct sweep){no_table, open_table, is_new, &new}) > 30);
}

static void full_table(void *ctx)
{
	(void)ctx;
	count_files("", true);
	open_plain(RUNTAB_NEW);
	for (size_t n = runtab_capacity(table); n > 0; n--) {
		add("web");
	}
}

static bool grow(void *ctx, struct err *err)
{
	struct runtab_rec *r = runtab_alloc(table, err);
	(void)ctx;
	if (r) {
		runtab_commit(r);
	}
	return r != NULL;
}

static void one_more(void *ctx, bool ok, const struct fault *f)
{
	(void)ctx;
	(void)f;
	assert_int_equal(count_records(), ok ? 65 : 64);
	add("another");
	runtab_close(table);
}

static void test_grow_table(void **state)
{
	(void)state;
	assert_true(faults_sweep(&(struct sweep){full_table, grow, one_more, NULL}) > 6);
}

static int set_up(void **state)
{
	(void)state;
	/* In memory: there are thousands of saves, and a disk takes its time for each. */
	snprintf(dir_name, sizeof(dir_name), "%s/pmctl-test-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(dir_name));
	dirfd_of = open(dir_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dirfd_of < 0;
}

static int tear_down(void **state)
{
	(void)state;
	count_files("", true);
	close(dirfd_of);
	return rmdir(dir_name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_save),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_open_table),
		cmocka_unit_test(test_grow_table),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
