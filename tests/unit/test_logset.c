/* SPDX-License-Identifier: MIT */
/* Many log files as one stream, with real files and their indexes. */
#include "client/logset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"
#include "sys/logindex.h"

static char dir[] = "/tmp/pmctl-test-XXXXXX";

/* Append a text to a log; it was there at this second. */
static void put(const char *name, const char *text, int64_t seconds)
{
	char *path = xasprintf("%s/%s", dir, name);
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);
	int index = logindex_open(AT_FDCWD, path, 0600);
	assert_true(fd >= 0 && index >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_true(logindex_mark(index, (uint64_t)lseek(fd, 0, SEEK_END), seconds * 1000000000));
	close(fd);
	close(index);
	free(path);
}

static void rotate(const char *name)
{
	char *from = xasprintf("%s/%s", dir, name);
	char *to = xasprintf("%s.1", from);
	char *index = xasprintf("%s.idx", from);
	char *index_to = xasprintf("%s.1.idx", from);
	rename(from, to);
	rename(index, index_to);
	free(from);
	free(to);
	free(index);
	free(index_to);
}

static void add(struct logset *s, const char *name, int slot)
{
	char *path = xasprintf("%s/%s", dir, name);
	logset_add(s, "web", slot, LOG_OUT, path);
	free(path);
}

/* What comes now, as "0:one 1:two". */
static void expect(struct logset *s, const char *want)
{
	const struct logset_entry *e;
	struct buf got = {0};
	while ((e = logset_next(s))) {
		buf_addf(&got, "%s%d:%.*s%s", got.len ? " " : "", e->src.slot, (int)e->next.len,
			 e->next.data, e->next.open ? "~" : "");
	}
	assert_string_equal(got.data ? got.data : "", want);
	buf_finish(&got);
}

static void two_files(void)
{
	put("a", "one\n", 1);
	put("b", "two\n", 2);
	put("a", "three\nfour\n", 3);
	put("b", "five\n", 4);
}

static void merged_by_time(void **state)
{
	(void)state;
	struct logset s;
	two_files();
	logset_init(&s);
	add(&s, "a", 0);
	add(&s, "b", 1);
	add(&s, "missing", 2);
	logset_start_since(&s, 0);
	expect(&s, "0:one 1:two 0:three 0:four 1:five");
	logset_finish(&s);
}

static void the_last_n_over_all(void **state)
{
	(void)state;
	static const char *const want[] = {"",
					   "1:five",
					   "0:four 1:five",
					   "0:three 0:four 1:five",
					   "1:two 0:three 0:four 1:five",
					   "0:one 1:two 0:three 0:four 1:five",
					   "0:one 1:two 0:three 0:four 1:five"};
	two_files();
	for (uint64_t n = 0; n < ARRAY_LEN(want); n++) {
		struct logset s;
		logset_init(&s);
		add(&s, "a", 0);
		add(&s, "b", 1);
		logset_start_last(&s, n, 0);
		expect(&s, want[n]);
		logset_finish(&s);
	}
}

static void since_and_grep(void **state)
{
	(void)state;
	struct logset s;
	struct logmatch m;
	struct err err;
	two_files();
	logset_init(&s);
	add(&s, "a", 0);
	add(&s, "b", 1);
	logset_start_since(&s, 3000000000);
	expect(&s, "0:three 0:four 1:five");
	logset_finish(&s);
	assert_true(logmatch_init(&m, "o", 0, &err));
	logset_init(&s);
	s.match = &m;
	add(&s, "a", 0);
	add(&s, "b", 1);
	logset_start_last(&s, 2, 0);
	expect(&s, "1:two 0:four");
	logset_finish(&s);
	logmatch_finish(&m);
}

static void over_a_rotation(void **state)
{
	(void)state;
	struct logset s;
	put("a", "old\n", 1);
	rotate("a");
	put("a", "new\n", 2);
	logset_init(&s);
	s.complete = true;
	add(&s, "a", 0);
	logset_start_last(&s, 10, 0);
	expect(&s, "0:old 0:new");
	put("a", "more\nbeg", 3);
	logset_refresh(&s);
	expect(&s, "0:more");
	put("a", "un\n", 4);
	rotate("a");
	put("a", "after\n", 5);
	logset_refresh(&s);
	expect(&s, "0:begun");
	logset_refresh(&s);
	expect(&s, "0:after");
	logset_finish(&s);
}

static void rotated_in_a_line(void **state)
{
	(void)state;
	struct logset s;
	put("a", "one\nbeg", 1);
	logset_init(&s);
	s.complete = true;
	add(&s, "a", 0);
	logset_start_last(&s, 10, 0);
	expect(&s, "0:one");
	rotate("a");
	put("a", "two\n", 2);
	logset_refresh(&s);
	expect(&s, "0:beg~");
	logset_refresh(&s);
	expect(&s, "0:two");
	logset_refresh(&s);
	expect(&s, "");
	logset_finish(&s);
}

static void a_file_that_is_emptied(void **state)
{
	(void)state;
	struct logset s;
	char *path = xasprintf("%s/a", dir);
	put("a", "one\ntwo\n", 1);
	logset_init(&s);
	s.complete = true;
	add(&s, "a", 0);
	logset_start_last(&s, 10, 0);
	expect(&s, "0:one 0:two");
	assert_int_equal(truncate(path, 0), 0);
	logset_refresh(&s);
	expect(&s, "");
	put("a", "x\n", 2);
	logset_refresh(&s);
	expect(&s, "0:x");
	logset_finish(&s);
	free(path);
}

static void without_newline_at_the_end(void **state)
{
	(void)state;
	struct logset s;
	put("a", "one\nhalf", 1);
	logset_init(&s);
	add(&s, "a", 0);
	logset_start_last(&s, 2, 0);
	expect(&s, "0:one 0:half~");
	logset_finish(&s);
	logset_init(&s);
	s.complete = true; /* following: wait for its end */
	add(&s, "a", 0);
	logset_start_last(&s, 2, 0);
	expect(&s, "0:one");
	put("a", " whole\n", 2);
	logset_refresh(&s);
	expect(&s, "0:half whole");
	logset_finish(&s);
}

/* A line far longer than a block, both ways: in pieces, and nothing of it is lost. */
static void a_very_long_line(void **state)
{
	(void)state;
	struct logset s;
	const struct logset_entry *e;
	size_t total = 0, n = 300000;
	char *text = xmalloc(n + 2);
	memset(text, 'x', n);
	memcpy(text + n, "\n", 2);
	put("a", text, 1);
	logset_init(&s);
	s.block_size = 8192;
	add(&s, "a", 0);
	logset_start_last(&s, 100, 0);
	while ((e = logset_next(&s))) {
		total += e->next.len;
	}
	assert_int_equal(total, n);
	logset_finish(&s);
	free(text);
}

static void a_shared_file_is_one_stream(void **state)
{
	(void)state;
	struct logset s;
	put("a", "one\n", 1);
	logset_init(&s);
	add(&s, "a", 0);
	add(&s, "a", 1);
	logset_start_since(&s, 0);
	assert_int_equal(s.n, 1);
	expect(&s, "-1:one");
	assert_true(logset_has(&s, "web", 7));
	assert_int_equal(logset_name_width(&s), 3);
	logset_finish(&s);
}

struct sample {
	int64_t t;
	int slot;
	char text[12];
};

static int by_time_and_slot(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;
	return x->t != y->t	    ? (x->t < y->t ? -1 : 1)
	       : x->slot != y->slot ? x->slot - y->slot
				    : strcmp(x->text, y->text);
}

/* Two files with many equal times, merged as a plain sort merges them, and the last n of them are
 * the end of that. */
static void equal_times(void **state)
{
	(void)state;
	struct sample all[60];
	uint32_t seed = 7;
	int64_t t[2] = {1, 1};
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		seed = seed * 1664525 + 1013904223;
		int slot = (int)(seed >> 16 & 1);
		t[slot] += seed >> 20 & 1;
		all[i].t = t[slot];
		all[i].slot = slot;
		snprintf(all[i].text, sizeof(all[i].text), "%02zu", i);
		char line[16];
		snprintf(line, sizeof(line), "%s\n", all[i].text);
		put(slot ? "b" : "a", line, all[i].t);
	}
	qsort(all, ARRAY_LEN(all), sizeof(all[0]), by_time_and_slot);
	for (size_t n = 1; n <= ARRAY_LEN(all); n++) {
		struct logset s;
		struct buf want = {0};
		for (size_t i = ARRAY_LEN(all) - n; i < ARRAY_LEN(all); i++) {
			buf_addf(&want, "%s%d:%s", want.len ? " " : "", all[i].slot, all[i].text);
		}
		logset_init(&s);
		add(&s, "a", 0);
		add(&s, "b", 1);
		logset_start_last(&s, n, 0);
		expect(&s, want.data);
		buf_finish(&want);
		logset_finish(&s);
	}
}

static void nothing_to_read(void **state)
{
	(void)state;
	struct logset s;
	logset_init(&s);
	logset_start_last(&s, 5, 0);
	expect(&s, "");
	logset_refresh(&s);
	assert_int_equal(logset_name_width(&s), 0);
	assert_false(logset_has(&s, "web", 0));
	logset_finish(&s);
	logset_finish(&s);
}

/* A stream that appears while others are followed. */
static void one_more_while_following(void **state)
{
	(void)state;
	struct logset s;
	put("a", "one\n", 1);
	logset_init(&s);
	s.complete = true;
	add(&s, "a", 0);
	add(&s, "b", 1); /* not there yet */
	logset_start_last(&s, 10, 0);
	expect(&s, "0:one");
	put("b", "two\n", 2);
	put("a", "three\n", 3);
	logset_refresh(&s);
	expect(&s, "1:two 0:three");
	put("b", "four\n", 4);
	logset_refresh(&s);
	expect(&s, "1:four");
	logset_finish(&s);
}

static void not_older_than(void **state)
{
	(void)state;
	struct logset s;
	two_files();
	logset_init(&s);
	add(&s, "a", 0);
	add(&s, "b", 1);
	logset_start_last(&s, 10, 3000000000);
	expect(&s, "0:three 0:four 1:five");
	logset_finish(&s);
	logset_init(&s);
	add(&s, "a", 0);
	logset_start_last(&s, 10, 9000000000); /* all are older: only what comes from now on */
	expect(&s, "");
	put("a", "six\n", 9);
	logset_refresh(&s);
	expect(&s, "0:six");
	logset_finish(&s);
}

static void names_and_hues(void **state)
{
	(void)state;
	static const struct {
		const char *app, *file;
		int slot;
		unsigned hue;
	} rows[] = {
		{"web", "1", 0, 0}, {"api", "2", 0, 1}, {"web", "3", 10, 0}, {"job", "4", -1, 2}};
	struct logset s;
	logset_init(&s);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		logset_add(&s, rows[i].app, rows[i].slot, LOG_OUT, rows[i].file);
		assert_int_equal(s.v[i]->hue, rows[i].hue);
	}
	assert_int_equal(logset_name_width(&s), strlen("web:10"));
	assert_true(logset_has(&s, "web", 10) && logset_has(&s, "job", 7));
	assert_false(logset_has(&s, "web", 1) || logset_has(&s, "we", 0));
	/* Both streams of an app in one file. */
	logset_add(&s, "api", 0, LOG_ERR, "2");
	assert_int_equal(s.n, ARRAY_LEN(rows));
	assert_int_equal(s.v[1]->src.stream, LOG_BOTH);
	assert_int_equal(s.v[1]->src.slot, 0);
	logset_finish(&s);
}

static int clean(void **state)
{
	(void)state;
	static const char *const names[] = {"a", "a.idx", "a.1", "a.1.idx", "b", "b.idx"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char *path = xasprintf("%s/%s", dir, names[i]);
		unlink(path);
		free(path);
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(merged_by_time, clean),
		cmocka_unit_test_teardown(the_last_n_over_all, clean),
		cmocka_unit_test_teardown(since_and_grep, clean),
		cmocka_unit_test_teardown(over_a_rotation, clean),
		cmocka_unit_test_teardown(rotated_in_a_line, clean),
		cmocka_unit_test_teardown(a_file_that_is_emptied, clean),
		cmocka_unit_test_teardown(without_newline_at_the_end, clean),
		cmocka_unit_test_teardown(a_very_long_line, clean),
		cmocka_unit_test_teardown(a_shared_file_is_one_stream, clean),
		cmocka_unit_test_teardown(equal_times, clean),
		cmocka_unit_test_teardown(nothing_to_read, clean),
		cmocka_unit_test_teardown(one_more_while_following, clean),
		cmocka_unit_test_teardown(not_older_than, clean),
		cmocka_unit_test_teardown(names_and_hues, clean),
	};
	if (!mkdtemp(dir)) {
		return 1;
	}
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return failed;
}
