/* SPDX-License-Identifier: MIT */
/* A log stream that is rotated, removed, cut and written to while it is read: each line comes once.
 */
#include "client/logsrc.h"

#include "logdir.h"

static void no_file_then_one(void **state)
{
	(void)state;
	struct logsrc s;
	log_open(&s, 64);
	expect_forward(&s, true, "");
	expect_backward(&s, false, "");
	logsrc_start_at_end(&s, true);
	logsrc_start_since(&s, 0);
	assert_false(logsrc_refresh(&s));
	log_put("x.log", "one\ntwo\n");
	expect_followed(&s, "one|two|");
	logsrc_finish(&s);
	logsrc_finish(&s);
}

/* A folder, a named pipe and a link to nowhere are no log. */
static void what_is_no_file(void **state)
{
	(void)state;
	struct logsrc s;
	assert_int_equal(mkdir(log_path("x.log"), 0700), 0);
	log_open(&s, 64);
	expect_forward(&s, true, "");
	assert_false(logsrc_refresh(&s));
	assert_int_equal(rmdir(log_path("x.log")), 0);
	assert_int_equal(mkfifo(log_path("x.log"), 0600), 0);
	assert_false(logsrc_refresh(&s));
	expect_forward(&s, true, "");
	logsrc_finish(&s);
}

static void an_unfinished_line(void **state)
{
	(void)state;
	struct logsrc s;
	log_put("x.log", "one\nha");
	log_open(&s, 3);
	expect_backward(&s, true, "one|");
	logsrc_start_at_end(&s, true); /* the begun one is read as a whole */
	expect_forward(&s, false, "");
	log_put("x.log", "lf");
	expect_followed(&s, "");
	log_put("x.log", "\ntwo\n");
	expect_followed(&s, "half|two|");
	logsrc_start_at_end(&s, false);
	expect_forward(&s, true, "");
	logsrc_finish(&s);
	/* The only line of the file. */
	assert_int_equal(truncate(log_path("x.log"), 2), 0);
	log_open(&s, 1);
	expect_backward(&s, true, "");
	logsrc_start_at_end(&s, true);
	log_put("x.log", "\n");
	expect_followed(&s, "on|");
	logsrc_finish(&s);
}

/* Emptied, and longer than before when we look again. */
static void emptied_and_grown(void **state)
{
	(void)state;
	struct logsrc s;
	log_put_at("x.log", "one\n", 1);
	log_open(&s, 64);
	expect_followed(&s, "one|");
	log_put_at("x.log", "two\n", 2);
	expect_followed(&s, "two|");
	assert_int_equal(truncate(log_path("x.log"), 0), 0);
	assert_int_equal(truncate(log_path("x.log.idx"), 0), 0);
	log_put_at("x.log", "three\nfour\nfive\n", 3);
	expect_followed(&s, "three|four|five|");
	log_put_at("x.log", "six\n", 4);
	expect_followed(&s, "six|");
	logsrc_finish(&s);
}

/* The older ones were read long ago, or not: they are no news. */
static void removed_beside_older_ones(void **state)
{
	(void)state;
	struct logsrc s;
	log_put_at("x.log", "very old\n", 1);
	log_rotate();
	log_put_at("x.log", "old\n", 2);
	log_rotate();
	log_put_at("x.log", "one\n", 3);
	log_open(&s, 64);
	expect_followed(&s, "one|");
	unlink(log_path("x.log"));
	unlink(log_path("x.log.idx"));
	expect_followed(&s, "");
	assert_int_equal(logsrc_behind(&s), 0);
	log_put_at("x.log", "two\n", 4);
	expect_followed(&s, "two|");
	assert_int_equal(rename(log_path("x.log"), log_path("x.log.3")), 0);
	assert_int_equal(truncate(log_path("x.log.idx"), 0), 0); /* as the next writer does it */
	log_put_at("x.log", "three\n", 5);
	expect_followed(&s, "three|");
	logsrc_finish(&s);
}

static void rotated_while_it_is_read(void **state)
{
	(void)state;
	for (size_t b = 0; b < ARRAY_LEN(log_blocks); b++) {
		struct logsrc s;
		struct logline l;
		log_put("x.log", "1\n2\n3\n");
		log_open(&s, log_blocks[b]);
		assert_true(logsrc_next(&s, false, &l));
		assert_memory_equal(l.data, "1", 1);
		log_put("x.log", "4\n");
		log_rotate();
		log_put("x.log", "5\n");
		expect_forward(&s, false, "2|3|4|");
		expect_followed(&s, "5|");
		/* Twice before we look again. */
		log_put("x.log", "6\n");
		log_rotate();
		log_put("x.log", "7\n8\n");
		log_rotate();
		log_put("x.log", "9\n");
		expect_followed(&s, "6|7|8|9|");
		log_rotate(); /* and nothing is written yet */
		expect_followed(&s, "");
		log_put("x.log", "10\n");
		expect_followed(&s, "10|");
		logsrc_finish(&s);
		log_rotate();
		log_rotate();
		log_rotate();
		log_rotate();
		unlink(log_path("x.log.3"));
	}
}

/* A rotation in the middle of a line: it ends there, and the next file follows. */
static void rotated_in_a_line(void **state)
{
	(void)state;
	struct logsrc s;
	log_put("x.log", "one\nbeg");
	log_open(&s, 64);
	expect_forward(&s, false, "one|");
	log_rotate();
	expect_followed(&s, ""); /* the new file is not there yet */
	log_put("x.log", "two\n");
	expect_followed(&s, "beg~two|");
	log_put("x.log", "thr");
	expect_followed(&s, "");
	log_put("x.log", "ee\n");
	expect_followed(&s, "three|");
	logsrc_finish(&s);
}

static void rotated_while_we_search_backward(void **state)
{
	(void)state;
	struct logsrc s;
	struct logline l;
	size_t seg;
	uint64_t at;
	log_put("x.log", "1\n2\n");
	log_rotate();
	log_put("x.log", "3\n4\n");
	log_rotate();
	log_put("x.log", "5\n6\n");
	log_open(&s, 64);
	assert_true(logsrc_prev(&s, false, &l, &seg, &at));
	log_rotate();
	log_put("x.log", "7\n");
	expect_backward(&s, false, "5|4|3|2|1|");
	logsrc_start_at(&s, 2, 2);
	expect_forward(&s, false, "2|3|4|5|6|");
	expect_followed(&s, "7|");
	logsrc_finish(&s);
}

static void removed_and_made_anew(void **state)
{
	(void)state;
	struct logsrc s;
	log_put("x.log", "1\n");
	log_open(&s, 64);
	expect_forward(&s, false, "1|");
	assert_int_equal(unlink(log_path("x.log")), 0);
	expect_followed(&s, "");
	log_put("x.log", "2\n");
	expect_followed(&s, "2|");
	/* A folder in its place is not read, and does not end it. */
	assert_int_equal(unlink(log_path("x.log")), 0);
	assert_int_equal(mkdir(log_path("x.log"), 0700), 0);
	expect_followed(&s, "");
	assert_int_equal(rmdir(log_path("x.log")), 0);
	log_put("x.log", "3\n");
	expect_followed(&s, "3|");
	logsrc_finish(&s);
}

static void cut_while_it_is_read(void **state)
{
	(void)state;
	struct logsrc s;
	log_put("x.log", "one\ntwo\nthr");
	log_open(&s, 64);
	expect_forward(&s, false, "one|two|");
	assert_int_equal(truncate(log_path("x.log"), 0), 0);
	expect_followed(&s, "");
	log_put("x.log", "a\nb\n");
	expect_followed(&s, "a|b|");
	/* Cut and written again, shorter than before, between two looks. */
	assert_int_equal(truncate(log_path("x.log"), 0), 0);
	log_put("x.log", "c\n");
	expect_followed(&s, "c|");
	logsrc_finish(&s);
}

/* Cut while we go backward: it ends, and with lines that are there. */
static void cut_while_we_search_backward(void **state)
{
	(void)state;
	static const off_t sizes[] = {0, 1, 5, 11};
	for (size_t i = 0; i < ARRAY_LEN(sizes) * ARRAY_LEN(log_blocks); i++) {
		struct logsrc s;
		struct logline l;
		size_t seg, n = 0;
		uint64_t at;
		unlink(log_path("x.log"));
		log_put("x.log", "one\ntwo\nthree\nfour\nfive\n");
		log_open(&s, log_blocks[i % ARRAY_LEN(log_blocks)]);
		assert_true(logsrc_prev(&s, false, &l, &seg, &at));
		assert_true(logsrc_prev(&s, false, &l, &seg, &at));
		assert_int_equal(truncate(log_path("x.log"), sizes[i / ARRAY_LEN(log_blocks)]), 0);
		while (logsrc_prev(&s, false, &l, &seg, &at)) {
			assert_true(l.len <= 5);
			assert_true(++n < 10);
		}
		logsrc_finish(&s);
	}
}

/* The file and its older ones came while nobody looked: all of it is new. */
static void many_files_at_once(void **state)
{
	(void)state;
	struct logsrc s;
	log_open(&s, 64);
	log_put_at("x.log", "1\n", 1);
	log_rotate();
	log_put_at("x.log", "2\n", 2);
	log_rotate();
	log_put_at("x.log", "3\n", 3);
	expect_followed(&s, "1|2|3|");
	logsrc_finish(&s);
}

/* In the midst of a rotation a number is missing. */
static void a_number_that_is_missing(void **state)
{
	(void)state;
	struct logsrc s;
	log_put_at("x.log", "1\n", 1);
	log_rotate();
	log_rotate();
	log_open(&s, 64);
	expect_backward(&s, false, "");
	logsrc_finish(&s);
	log_put_at("x.log", "2\n", 2);
	log_open(&s, 64);
	expect_backward(&s, false, "2|1|");
	logsrc_finish(&s);
	assert_int_equal(rename(log_path("x.log"), log_path("x.log.1")), 0);
	log_open(&s, 64);
	expect_backward(&s, false, "2|1|");
	logsrc_finish(&s);
}

/* gzip makes another file of it, but its index stays. */
static void compressed_while_it_is_read(void **state)
{
	(void)state;
	struct logsrc s;
	char command[300];
	log_put_at("x.log", "1\n", 1);
	log_rotate();
	log_put_at("x.log", "2\n", 2);
	log_open(&s, 64);
	expect_forward(&s, false, "2|");
	log_rotate();
	log_put_at("x.log", "3\n", 3);
	snprintf(command, sizeof(command), "gzip -f %s", log_path("x.log.1"));
	if (system(command) != 0) {
		skip();
	}
	expect_followed(&s, "3|");
	assert_false(s.files.gap);
	logsrc_finish(&s);
	unlink(log_path("x.log.1.gz"));
}

static void too_far_behind(void **state)
{
	(void)state;
	struct logsrc s;
	struct logline l;
	static char line[1000];
	uint64_t shown = 0;
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\n';
	log_put("x.log", "first\n");
	log_open(&s, 64);
	assert_int_equal(logsrc_behind(&s), 6);
	for (int file = 0; file < 3; file++) {
		for (int i = 0; i < 50; i++) {
			log_append("x.log", line, sizeof(line));
		}
		if (file < 2) {
			log_rotate();
		}
		assert_int_equal(logsrc_behind(&s), 6 + (file + 1) * 50 * sizeof(line));
	}
	/* Files that are gone by now are held. */
	unlink(log_path("x.log.2"));
	logsrc_skip(&s);
	while (logsrc_next(&s, false, &l)) {
		shown += l.len + 1;
	}
	assert_int_equal(shown, 65 * sizeof(line)); /* 64 KiB, from the beginning of a line on */
	assert_int_equal(s.skipped, 6 + 150 * sizeof(line) - shown);
	assert_int_equal(logsrc_behind(&s), 0);
	logsrc_skip(&s);
	log_put("x.log", "last\n");
	expect_followed(&s, "last|");
	assert_int_equal(s.skipped, 6 + 150 * sizeof(line) - shown);
	logsrc_finish(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_TEST(no_file_then_one),
		LOG_TEST(what_is_no_file),
		LOG_TEST(an_unfinished_line),
		LOG_TEST(emptied_and_grown),
		LOG_TEST(removed_beside_older_ones),
		LOG_TEST(rotated_while_it_is_read),
		LOG_TEST(rotated_in_a_line),
		LOG_TEST(rotated_while_we_search_backward),
		LOG_TEST(removed_and_made_anew),
		LOG_TEST(cut_while_it_is_read),
		LOG_TEST(cut_while_we_search_backward),
		LOG_TEST(many_files_at_once),
		LOG_TEST(a_number_that_is_missing),
		LOG_TEST(compressed_while_it_is_read),
		LOG_TEST(too_far_behind),
	};
	return cmocka_run_group_tests(tests, log_setup, log_teardown);
}
