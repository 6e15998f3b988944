/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_TESTS_LOGDIR_H
#define PMCTL_TESTS_LOGDIR_H
/* logdir - for tests of log streams: a folder with x.log and what it was rotated to, and what lines
 * a logsrc finds there. */
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

#include "client/logsrc.h"
#include "common/limits.h"
#include "common/mem.h"

#define SECOND INT64_C(1000000000)

static char log_dir[] = "/tmp/pmctl-test-XXXXXX";
static const size_t log_blocks[] = {1, 2, 3, 7, 64, 65536};

/* The path of a file in our folder; valid until the fourth call from now. */
static inline const char *log_path(const char *name)
{
	static char path[4][128];
	static unsigned next;
	next = (next + 1) % ARRAY_LEN(path);
	snprintf(path[next], sizeof(path[next]), "%s/%s", log_dir, name);
	return path[next];
}

static inline void log_append(const char *name, const char *text, size_t len)
{
	int fd = open(log_path(name), O_WRONLY | O_APPEND | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
}

static inline void log_put(const char *name, const char *text)
{
	log_append(name, text, strlen(text));
}

/* The same, with a mark that it was there at this second. */
static inline void log_put_at(const char *name, const char *text, int64_t second)
{
	struct stat st;
	log_put(name, text);
	int fd = logindex_open(AT_FDCWD, log_path(name), 0600);
	assert_int_equal(stat(log_path(name), &st), 0);
	assert_true(logindex_mark(fd, (uint64_t)st.st_size, second * SECOND));
	close(fd);
}

/* x.log.2 -> x.log.3, x.log.1 -> x.log.2, x.log -> x.log.1, with their indexes. */
static inline void log_rotate(void)
{
	static const char *const names[] = {"x.log.3", "x.log.2", "x.log.1", "x.log"};
	for (size_t i = 0; i + 1 < ARRAY_LEN(names); i++) {
		char from[32], to[32];
		rename(log_path(names[i + 1]), log_path(names[i]));
		snprintf(from, sizeof(from), "%s.idx", names[i + 1]);
		snprintf(to, sizeof(to), "%s.idx", names[i]);
		rename(log_path(from), log_path(to));
	}
}

static inline void log_open(struct logsrc *s, size_t block)
{
	logsrc_init(s, "web", 0, LOG_OUT, log_path("x.log"), block);
}

/* A line as it is compared: "text|", an open one "text~", a piece "text+". */
static inline void add_line(struct buf *out, const struct logline *l)
{
	assert_true(l->len <= LIMIT_LOG_LINE);
	buf_add(out, l->data, l->len);
	buf_addc(out, l->open ? '~' : l->cut ? '+' : '|');
}

static inline void expect_forward(struct logsrc *s, bool open_too, const char *want)
{
	struct buf got = {0};
	struct logline l;
	while (logsrc_next(s, open_too, &l)) {
		add_line(&got, &l);
	}
	assert_string_equal(got.data ? got.data : "", want);
	buf_finish(&got);
}

/* Refreshed until nothing comes any more, as `logs -f` does it. */
static inline void expect_followed(struct logsrc *s, const char *want)
{
	struct buf got = {0};
	struct logline l;
	for (int i = 0; i < 10; i++) {
		logsrc_refresh(s);
		while (logsrc_next(s, false, &l)) {
			add_line(&got, &l);
		}
	}
	assert_string_equal(got.data ? got.data : "", want);
	buf_finish(&got);
}

/* The last line first, as "three|two|one|". */
static inline void expect_backward(struct logsrc *s, bool complete, const char *want)
{
	struct buf got = {0};
	struct logline l;
	size_t seg;
	uint64_t at;
	while (logsrc_prev(s, complete, &l, &seg, &at)) {
		add_line(&got, &l);
	}
	assert_string_equal(got.data ? got.data : "", want);
	buf_finish(&got);
}

static inline int log_clean(void **state)
{
	(void)state;
	static const char *const names[] = {"x.log", "x.log.1", "x.log.2", "x.log.3"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char index[32];
		snprintf(index, sizeof(index), "%s.idx", names[i]);
		unlink(log_path(names[i]));
		rmdir(log_path(names[i]));
		unlink(log_path(index));
	}
	return 0;
}

#define LOG_TEST(f) cmocka_unit_test_teardown(f, log_clean)

static inline int log_setup(void **state)
{
	(void)state;
	return mkdtemp(log_dir) ? 0 : -1;
}

/* A test that leaves something behind is found here. */
static inline int log_teardown(void **state)
{
	(void)state;
	return rmdir(log_dir);
}

#endif
