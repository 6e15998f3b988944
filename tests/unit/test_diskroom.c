/* SPDX-License-Identifier: MIT */
/* What is little room on a disk of any size, and the words for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "common/near.h"
#include "sys/diskroom.h"

#define M (INT64_C(1024) * 1024)
#define G (1024 * M)

static enum diskroom_is judge(int64_t left, int64_t all, int64_t files_left, int64_t files)
{
	struct diskroom r = {.left = left, .all = all, .files_left = files_left, .files = files};
	return diskroom_judge(&r, DISKROOM_ENOUGH);
}

static void bytes(void **state)
{
	(void)state;
	assert_int_equal(judge(300 * M, 10 * G, 0, 0), DISKROOM_ENOUGH);
	assert_int_equal(judge(200 * M, 10 * G, 0, 0), DISKROOM_LITTLE);
	assert_int_equal(judge(15 * M, 10 * G, 0, 0), DISKROOM_NONE);
	assert_int_equal(judge(19 * G, 1000 * G, 0, 0), DISKROOM_LITTLE);
	/* a small one of its own is not short of room for that */
	assert_int_equal(judge(60 * M, 64 * M, 0, 0), DISKROOM_ENOUGH);
	assert_int_equal(judge(6 * M, 64 * M, 0, 0), DISKROOM_LITTLE);
	assert_int_equal(judge(1 * M, 64 * M, 0, 0), DISKROOM_NONE);
	assert_int_equal(judge(0, 256 * 1024, 0, 0), DISKROOM_NONE);
	assert_int_equal(judge(0, 0, 0, 0), DISKROOM_ENOUGH); /* /proc does not say */
}

static void files(void **state)
{
	(void)state;
	assert_int_equal(judge(9 * G, 10 * G, 999, 100000), DISKROOM_LITTLE);
	assert_int_equal(judge(9 * G, 10 * G, 9, 100000), DISKROOM_NONE);
	assert_int_equal(judge(9 * G, 10 * G, 15, 20), DISKROOM_ENOUGH);
	assert_int_equal(judge(9 * G, 10 * G, 1, 20), DISKROOM_NONE);
}

/* At the limit it is not told again and again. */
static void stays(void **state)
{
	struct diskroom r = {.left = 260 * M, .all = 10 * G};
	(void)state;
	assert_int_equal(diskroom_judge(&r, DISKROOM_ENOUGH), DISKROOM_ENOUGH);
	assert_int_equal(diskroom_judge(&r, DISKROOM_LITTLE), DISKROOM_LITTLE);
	r.left = 321 * M;
	assert_int_equal(diskroom_judge(&r, DISKROOM_LITTLE), DISKROOM_ENOUGH);
	assert_true(near_limit(91, 100, false) && near_limit(85, 100, true));
	assert_false(near_limit(85, 100, false) || near_limit(80, 100, true));
	assert_false(near_limit(5, 0, true) || near_limit(-1, 100, true));
}

static void words(void **state)
{
	struct diskroom r = {.left = 3 * M, .all = 10 * G, .files = 1000, .files_left = 500};
	char text[200];
	(void)state;
	r.is = diskroom_judge(&r, DISKROOM_ENOUGH);
	diskroom_text(&r, "/x", text, sizeof(text));
	assert_string_equal(text, "3.0M left for /x");
	r.left = 5 * G;
	r.files_left = 7;
	r.is = diskroom_judge(&r, DISKROOM_ENOUGH);
	diskroom_text(&r, "/x", text, sizeof(text));
	assert_string_equal(text, "room for 7 files left for /x");
	r.is = DISKROOM_READ_ONLY;
	diskroom_text(&r, "/x", text, sizeof(text));
	assert_string_equal(text, "/x is on a read-only file system");
	diskroom_fix(&r, "/x", text, sizeof(text));
	assert_non_null(strstr(text, "writable"));
}

static void a_directory(void **state)
{
	struct diskroom r = {0}, parent = {0};
	(void)state;
	assert_true(diskroom_read("/tmp", &parent) && parent.all > 0);
	assert_true(diskroom_read("/tmp/pmctl-not-there/neither", &r));
	assert_true(r.dev == parent.dev);
	assert_false(diskroom_read("/dev/null/x", &r));
	assert_int_equal(errno, ENOTDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes), cmocka_unit_test(files),	cmocka_unit_test(stays),
		cmocka_unit_test(words), cmocka_unit_test(a_directory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
