/* SPDX-License-Identifier: MIT */
/* The lines of one log stream, their times and their process, in both directions. */
#include "client/logsrc.h"

#include <time.h>

#include "logdir.h"

static void an_empty_file(void **state)
{
	(void)state;
	struct logsrc s;
	log_put("x.log", "");
	log_open(&s, 64);
	expect_backward(&s, false, "");
	logsrc_start_since(&s, 0);
	expect_forward(&s, true, "");
	logsrc_start_at_end(&s, true);
	expect_forward(&s, true, "");
	assert_false(logsrc_refresh(&s));
	log_put("x.log", "one\n");
	expect_followed(&s, "one|");
	logsrc_finish(&s);
}

struct text {
	const char *s, *forward, *backward;
};

static const struct text texts[] = {
	{"a", "a~", "a~"},
	{"\n", "|", "|"},
	{"\n\n\n", "|||", "|||"},
	{"one\ntwo\nthree\n", "one|two|three|", "three|two|one|"},
	{"one\n\ntwo", "one||two~", "two~|one|"},
	{"\nx\n\n", "|x||", "|x||"},
	{"a\r\nb\r\n", "a\r|b\r|", "b\r|a\r|"},
	{"\xff\xfe\n\xe4\xb8\n\x80", "\xff\xfe|\xe4\xb8|\x80~", "\x80~\xe4\xb8|\xff\xfe|"},
	{"0123456789012345678901234567890123456789\nx\n",
	 "0123456789012345678901234567890123456789|x|",
	 "x|0123456789012345678901234567890123456789|"},
};

static void both_ways_with_every_block_size(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		unlink(log_path("x.log"));
		log_put("x.log", texts[i].s);
		for (size_t b = 0; b < ARRAY_LEN(log_blocks); b++) {
			struct logsrc s;
			log_open(&s, log_blocks[b]);
			expect_backward(&s, false, texts[i].backward);
			logsrc_start_at(&s, 0, 0);
			expect_forward(&s, true, texts[i].forward);
			logsrc_finish(&s);
		}
	}
}

/* Wherever a step back led, the way forward from there begins with the same line. */
static void a_step_back_is_a_place_to_begin(void **state)
{
	(void)state;
	log_put("x.log", "oldest\nold\nof old");
	log_rotate();
	log_put("x.log", "one\n\nthree\nfour");
	for (size_t b = 0; b < ARRAY_LEN(log_blocks); b++) {
		for (int steps = 1; steps <= 7; steps++) {
			struct logsrc s;
			struct logline l;
			size_t seg = 9;
			uint64_t at = 9;
			log_open(&s, log_blocks[b]);
			for (int i = 0; i < steps; i++) {
				assert_true(logsrc_prev(&s, false, &l, &seg, &at));
			}
			logsrc_start_at(&s, seg, at);
			static const char *const want[] = {"four~",
							   "three|four~",
							   "|three|four~",
							   "one||three|four~",
							   "of old~one||three|four~",
							   "old|of old~one||three|four~",
							   "oldest|old|of old~one||three|four~"};
			expect_forward(&s, true, want[steps - 1]);
			assert_false(logsrc_prev(&s, false, &l, &seg, &at) && steps == 7);
			logsrc_finish(&s);
		}
	}
}

/* What a file that was rotated ends with is all there will be of it. */
static void unfinished_in_an_older_file(void **state)
{
	(void)state;
	struct logsrc s;
	log_put("x.log", "old\nof old");
	log_rotate();
	log_put("x.log", "one\nbeg");
	log_open(&s, 3);
	expect_backward(&s, true, "one|of old~old|");
	logsrc_start_at(&s, 1, 0);
	expect_forward(&s, false, "old|of old~one|");
	logsrc_finish(&s);
}

static void a_nul_byte_is_a_byte(void **state)
{
	(void)state;
	struct logsrc s;
	struct logline l;
	size_t seg;
	uint64_t at;
	log_append("x.log", "a\0b\n\0\n", 6);
	log_open(&s, 2);
	assert_true(logsrc_prev(&s, false, &l, &seg, &at));
	assert_int_equal(l.len, 1);
	assert_int_equal(l.data[0], '\0');
	assert_int_equal(at, 4);
	logsrc_start_at(&s, 0, 0);
	assert_true(logsrc_next(&s, false, &l));
	assert_int_equal(l.len, 3);
	assert_memory_equal(l.data, "a\0b", 3);
	logsrc_finish(&s);
}

/* A line of n bytes between two others, with this block size. */
static void long_line(size_t n, size_t block)
{
	struct logsrc s;
	struct logline l;
	size_t seg, total = 0, pieces = 0;
	uint64_t at, last_at = n + 7;
	char *text = xmalloc(n);
	for (size_t i = 0; i < n; i++) {
		text[i] = (char)('a' + i % 23);
	}
	unlink(log_path("x.log"));
	log_put("x.log", "one\n");
	log_append("x.log", text, n);
	log_put("x.log", "\ntwo\n");
	log_open(&s, block);
	assert_true(logsrc_prev(&s, false, &l, &seg, &at));
	assert_true(l.len == 3 && memcmp(l.data, "two", 3) == 0);
	while (logsrc_prev(&s, false, &l, &seg, &at) && at >= 4) {
		assert_true(l.len > 0 && l.len <= LIMIT_LOG_LINE && at < last_at);
		assert_memory_equal(l.data, text + at - 4, l.len);
		total += l.len;
		last_at = at;
	}
	assert_int_equal(total, n);
	assert_true(l.len == 3 && memcmp(l.data, "one", 3) == 0 && at == 0);
	total = 0;
	logsrc_start_at(&s, 0, 4);
	do {
		assert_true(logsrc_next(&s, false, &l));
		assert_true(l.len <= LIMIT_LOG_LINE && !l.open);
		assert_memory_equal(l.data, text + total, l.len);
		total += l.len;
		pieces++;
	} while (l.cut);
	assert_int_equal(total, n);
	assert_int_equal(pieces, (n + LIMIT_LOG_LINE - 1) / LIMIT_LOG_LINE);
	expect_forward(&s, true, "two|");
	logsrc_finish(&s);
	free(text);
}

static void lines_around_the_longest(void **state)
{
	(void)state;
	static const size_t lengths[] = {65535, 65536, 65537, 131071, 131072, 131073, 200000};
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		long_line(lengths[i], 65536);
		long_line(lengths[i], 8192);
		long_line(lengths[i], 1000);
	}
}

static void times_and_where_to_begin(void **state)
{
	(void)state;
	static const char *const since[] = {"1|2|3|4|5~", "1|2|3|4|5~", "2|3|4|5~", "3|4|5~",
					    "3|4|5~",	  "5~",		"5~",	    ""};
	log_put_at("x.log", "1\n", 1);
	log_put_at("x.log", "2\n", 2);
	log_rotate();
	log_put_at("x.log", "3\n4\n", 4);
	log_put_at("x.log", "5", 6);
	for (size_t b = 0; b < ARRAY_LEN(log_blocks); b++) {
		for (int64_t t = 0; t < 8; t++) {
			struct logsrc s;
			log_open(&s, log_blocks[b]);
			logsrc_start_since(&s, t * SECOND);
			expect_forward(&s, true, since[t]);
			logsrc_finish(&s);
		}
		struct logsrc s;
		struct logline l;
		size_t seg;
		uint64_t at;
		static const int64_t want[] = {6, 4, 4, 2, 1};
		log_open(&s, log_blocks[b]);
		for (size_t i = 0; i < ARRAY_LEN(want); i++) {
			assert_true(logsrc_prev(&s, false, &l, &seg, &at));
			assert_int_equal(l.t_ns, want[i] * SECOND);
		}
		logsrc_start_at(&s, seg, at);
		for (size_t i = ARRAY_LEN(want); i > 0; i--) {
			assert_true(logsrc_next(&s, true, &l));
			assert_int_equal(l.t_ns, want[i - 1] * SECOND);
		}
		logsrc_finish(&s);
	}
}

/* A line that was begun before and ended after: it counts as young. */
static void since_the_middle_of_a_line(void **state)
{
	(void)state;
	log_put_at("x.log", "1\n2 be", 1);
	log_put_at("x.log", "gun\n3\n", 5);
	for (size_t b = 0; b < ARRAY_LEN(log_blocks); b++) {
		struct logsrc s;
		log_open(&s, log_blocks[b]);
		logsrc_start_since(&s, 3 * SECOND);
		expect_forward(&s, true, "2 begun|3|");
		logsrc_finish(&s);
	}
}

static void times_never_go_back(void **state)
{
	(void)state;
	struct logsrc s;
	struct logline l;
	size_t seg;
	uint64_t at;
	log_put_at("x.log", "1\n", 5);
	log_put_at("x.log", "2\n", 3); /* the clock was set */
	log_put_at("x.log", "3\n", 7);
	log_open(&s, 64);
	int64_t last = 0;
	static const int64_t forward[] = {5, 5, 7}, backward[] = {7, 3, 3};
	for (size_t i = 0; i < 3; i++) {
		assert_true(logsrc_next(&s, true, &l));
		assert_int_equal(l.t_ns, forward[i] * SECOND);
		assert_true(l.t_ns >= last);
		last = l.t_ns;
	}
	for (size_t i = 0; i < 3; i++) {
		assert_true(logsrc_prev(&s, false, &l, &seg, &at));
		assert_int_equal(l.t_ns, backward[i] * SECOND);
	}
	logsrc_finish(&s);
}

/* Without an index, or with one that ends early or is garbage, the file's own time has to do. */
static void times_without_an_index(void **state)
{
	(void)state;
	struct logsrc s;
	struct logline l;
	struct timespec when[2] = {{.tv_sec = 1000}, {.tv_sec = 1000, .tv_nsec = 5}};
	log_put_at("x.log", "1\n", 7);
	log_put("x.log", "2\n");
	assert_int_equal(utimensat(AT_FDCWD, log_path("x.log"), when, 0), 0);
	log_open(&s, 64);
	assert_true(logsrc_next(&s, true, &l));
	assert_int_equal(l.t_ns, 7 * SECOND);
	assert_true(logsrc_next(&s, true, &l));
	assert_int_equal(l.t_ns, 1000 * SECOND + 5);
	logsrc_finish(&s);
	assert_int_equal(truncate(log_path("x.log.idx"), 7), 0);
	log_open(&s, 64);
	logsrc_start_since(&s, 1000 * SECOND);
	expect_forward(&s, true, "1|2|");
	logsrc_start_since(&s, 1001 * SECOND);
	expect_forward(&s, true, "");
	logsrc_finish(&s);
}

static void who_wrote_it(void **state)
{
	(void)state;
	struct logsrc s;
	struct logline l;
	static const char text[] = "1\n2\n3\n";
	static const pid_t want[] = {0, 100, 200};
	int fd = logindex_open(AT_FDCWD, log_path("x.log"), 0600);
	log_put("x.log", text);
	assert_true(logindex_mark(fd, 2, SECOND));
	assert_true(logindex_start(fd, 2, 100));
	assert_true(logindex_start(fd, 4, 200));
	assert_true(logindex_mark(fd, 6, SECOND));
	close(fd);
	for (int with = 0; with < 2; with++) {
		log_open(&s, 64);
		s.want_pid = with;
		for (size_t i = 0; i < ARRAY_LEN(want); i++) {
			assert_true(logsrc_next(&s, true, &l));
			assert_int_equal(l.pid, with ? want[i] : 0);
		}
		logsrc_finish(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_TEST(an_empty_file),
		LOG_TEST(both_ways_with_every_block_size),
		LOG_TEST(a_step_back_is_a_place_to_begin),
		LOG_TEST(unfinished_in_an_older_file),
		LOG_TEST(a_nul_byte_is_a_byte),
		LOG_TEST(lines_around_the_longest),
		LOG_TEST(times_and_where_to_begin),
		LOG_TEST(since_the_middle_of_a_line),
		LOG_TEST(times_never_go_back),
		LOG_TEST(times_without_an_index),
		LOG_TEST(who_wrote_it),
	};
	return cmocka_run_group_tests(tests, log_setup, log_teardown);
}
