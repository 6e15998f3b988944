/* SPDX-License-Identifier: MIT */
/* A log file that is rotated and emptied. */
#include "sys/logfile.h"

#include "logwrite.h"

/* How many bytes the stream had before this file. */
static int64_t before_of(const char *name)
{
	struct logindex_reader r;
	uint64_t bytes;
	assert_true(logindex_reader_open(&r, AT_FDCWD, in_dir(name)));
	bool known = logindex_before(&r, &bytes);
	logindex_reader_finish(&r);
	return known ? (int64_t)bytes : -1;
}

/* It counts on over an end of the writer, and not over an emptying. */
static void what_was_before_is_told(void **state)
{
	(void)state;
	struct logfile f;
	begin(&f, 0, 2);
	say(&f, "123\n");
	assert_int_equal(before_of("x.log"), -1);
	assert_true(logfile_rotate(&f, NULL));
	assert_true(logfile_open(&f, NULL));
	say(&f, "4\n");
	logfile_mark_start(&f, 9);
	logfile_finish(&f);
	begin(&f, 0, 2);
	assert_int_equal(before_of("x.log"), 4);
	assert_true(logfile_rotate(&f, NULL));
	assert_true(logfile_open(&f, NULL));
	assert_int_equal(before_of("x.log"), 6);
	say(&f, "5\n");
	logfile_flush(&f);
	say(&f, "12345\n");
	logfile_mark(&f, 1);
	assert_int_equal(before_of("x.log"), 0);
	assert_true(logfile_rotate(&f, NULL));
	assert_true(logfile_open(&f, NULL));
	assert_int_equal(before_of("x.log"), 6);
	logfile_finish(&f);
}

static void rotation_by_rename(void **state)
{
	(void)state;
	struct logfile f;
	begin(&f, 0, 2);
	for (int i = 1; i <= 4; i++) {
		char text[8];
		snprintf(text, sizeof(text), "%d\n", i);
		say(&f, text);
		logfile_mark(&f, i);
		if (i == 3) {
			put("x.log.1.gz", "packed"); /* in place of x.log.1 */
			unlink(in_dir("x.log.1"));
		}
		assert_true(logfile_rotate(&f, NULL));
		assert_int_equal(f.fd, -1);
		assert_file("x.log", NULL);
		assert_true(logfile_open(&f, NULL));
		assert_int_equal(f.size, 0);
		assert_file("x.log.1", text);
		assert_int_equal(size_of("x.log.1.idx"), (i == 1 ? 1 : 2) * LOGINDEX_RECORD);
		assert_int_equal(before_of("x.log.1"), 2 * (i - 1));
		assert_file("x.log.2", i == 2 ? "1\n" : i == 4 ? "3\n" : NULL);
		assert_file("x.log.2.gz", i == 3 ? "packed" : NULL);
		assert_file("x.log.1.gz", NULL);
		assert_file("x.log.3", NULL);
	}
	logfile_finish(&f);
}

static void rotation_that_keeps_nothing(void **state)
{
	(void)state;
	struct logfile f;
	begin(&f, 0, 0);
	say(&f, "gone\n");
	logfile_mark(&f, 1);
	assert_true(logfile_rotate(&f, NULL));
	assert_file("x.log", NULL);
	assert_file("x.log.1", NULL);
	assert_int_equal(size_of("x.log.idx"), -1);
	assert_int_equal(size_of("x.log.1.idx"), -1);
	assert_true(logfile_rotate(&f, NULL)); /* of nothing */
	logfile_finish(&f);
}

static void rotation_of_nothing_costs_nothing(void **state)
{
	(void)state;
	struct logfile f;
	begin(&f, 0, 1);
	say(&f, "kept\n");
	put("x.log.gz", "somebody's");
	for (int i = 0; i < 3; i++) {
		assert_true(logfile_rotate(&f, NULL));
		assert_file("x.log.1", "kept\n");
		assert_file("x.log.gz", "somebody's");
	}
	logfile_finish(&f);
}

/* Of an earlier rotation that failed in the middle, or somebody has removed one. */
static void rotation_up_to_a_gap(void **state)
{
	(void)state;
	struct logfile f;
	begin(&f, 0, 3);
	say(&f, "new\n");
	put("x.log.2", "old");
	put("x.log.3", "older");
	assert_true(logfile_rotate(&f, NULL));
	assert_file("x.log.1", "new\n");
	assert_file("x.log.2", "old");
	assert_file("x.log.3", "older");
	logfile_finish(&f);
}

static void emptied_while_open(void **state)
{
	(void)state;
	struct logfile f;
	begin(&f, 0, 2);
	say(&f, "one\n");
	logfile_mark_start(&f, 9);
	logfile_mark(&f, 1);
	put("x.log.1", "old");
	put("x.log.1.idx", "old");
	put("x.log.2.gz", "older");
	put("x.log.3", "not ours");
	logfile_flush(&f);
	assert_file("x.log", "");
	assert_int_equal(size_of("x.log.idx"), 0);
	assert_file("x.log.1", NULL);
	assert_int_equal(size_of("x.log.1.idx") + size_of("x.log.2.gz"), -2); /* neither */
	assert_file("x.log.3", "not ours");
	say(&f, "two\n");
	logfile_mark_start(&f, 9);
	logfile_mark(&f, 2);
	assert_int_equal(f.size, 4);
	assert_file("x.log", "two\n");
	assert_int_equal(size_of("x.log.idx"), 2 * LOGINDEX_RECORD);
	logfile_finish(&f);
}

static void emptied_while_closed(void **state)
{
	(void)state;
	struct logfile f;
	logfile_init(&f, in_dir("x.log"), 0, 1, false);
	logfile_flush(&f); /* there is nothing */
	assert_file("x.log", NULL);
	put("x.log", "text");
	put("x.log.idx", "0123456789abcdef");
	put("x.log.1", "old");
	logfile_flush(&f);
	assert_file("x.log", "");
	assert_file("x.log.idx", "");
	assert_file("x.log.1", NULL);
	/* Another file took its place: that one is emptied, and opened next. */
	assert_true(logfile_open(&f, NULL));
	say(&f, "ours");
	assert_int_equal(rename(in_dir("x.log"), in_dir("other")), 0);
	put("x.log", "another");
	logfile_flush(&f);
	assert_file("x.log", "");
	assert_file("other", "ours");
	assert_int_equal(f.fd, -1);
	logfile_finish(&f);
}

/* Whoever owns the folder must not make us empty another file. */
static void not_emptied_through_a_link(void **state)
{
	(void)state;
	static const char *const names[] = {"x.log", "x.log.idx"};
	put("other", "precious");
	for (size_t i = 0; i < ARRAY_LEN(names) * 4; i++) {
		struct logfile f;
		const char *path = in_dir(names[i / 4]);
		begin(&f, 0, 1);
		if (i & 1) {
			logfile_close(&f);
		}
		unlink(path);
		assert_int_equal(i & 2 ? link(in_dir("other"), path) : symlink("other", path), 0);
		logfile_flush(&f);
		assert_file("other", "precious");
		unlink(path);
		logfile_finish(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rotation_by_rename),	   TEST(what_was_before_is_told),
		TEST(rotation_that_keeps_nothing), TEST(rotation_of_nothing_costs_nothing),
		TEST(rotation_up_to_a_gap),	   TEST(emptied_while_open),
		TEST(emptied_while_closed),	   TEST(not_emptied_through_a_link),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
