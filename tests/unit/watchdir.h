/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_TESTS_WATCHDIR_H
#define PMCTL_TESTS_WATCHDIR_H
/* watchdir - for tests of watchtree: a folder, a tree that watches it, and what it says of changes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/mem.h"
#include "sys/watchtree.h"

#define MANY ((size_t)1000)

static char top[] = "/tmp/pmctl-test-XXXXXX";
static struct watchtree *tree;
static struct watchtree_pool pool;

/* A path below our folder; valid until the fourth call from now. */
static inline const char *at(const char *name)
{
	static char path[4][256];
	static unsigned next;
	next = (next + 1) % ARRAY_LEN(path);
	snprintf(path[next], sizeof(path[next]), "%s/%s", top, name);
	return path[next];
}

static inline void put(const char *name, const char *text)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static inline void make_dir(const char *name)
{
	assert_int_equal(mkdir(at(name), 0700), 0);
}

static inline void touch(const char *name)
{
	assert_int_equal(utimensat(AT_FDCWD, at(name), NULL, 0), 0);
	/* Opened for writing and closed, as touch(1) does it. */
	close(open(at(name), O_WRONLY | O_APPEND));
}

static inline void work(void)
{
	struct pollfd p = {.fd = watchtree_fd(tree), .events = POLLIN};
	while (watchtree_step(tree) || poll(&p, 1, 0) > 0) {
		watchtree_read(tree);
	}
}

/* Now it is quiet: how many have changed, and what does it say of the first? */
static inline size_t examine(char *first, size_t cap)
{
	work();
	watchtree_examine(tree);
	work();
	watchtree_noticed(tree);
	return watchtree_changes(tree, first, cap);
}

static inline void expect(size_t n, const char *text)
{
	char first[300];
	size_t got = examine(first, sizeof(first));
	if (got != n || strcmp(first, text) != 0) {
		fail_msg("%zu \"%s\", expected %zu \"%s\"", got, first, n, text);
	}
}

static inline bool own_log(void *ctx, const char *path)
{
	return strcmp(path + strlen(path) - 4, ctx) == 0;
}

struct with {
	const char *base, *paths, *ignore, *skip;
	int64_t now;
};

static inline void begin_with(struct with w)
{
	struct err err;
	struct watchtree_conf c = {.base = w.base ? w.base : top,
				   .pool = &pool,
				   .is_own = own_log,
				   .ctx = (void *)(uintptr_t) ".own",
				   .now_real_ns = w.now ? w.now : INT64_MAX};
	assert_true(words_split(&c.paths, w.paths ? w.paths : "", &err));
	assert_true(words_split(&c.ignore, w.ignore ? w.ignore : "", &err));
	assert_true(words_split(&c.skip, w.skip ? w.skip : "", &err));
	if (!pool.dirs && !pool.files) {
		pool = (struct watchtree_pool){MANY, MANY};
	}
	tree = watchtree_new(&c, &err);
	assert_non_null(tree);
	assert_true(fcntl(watchtree_fd(tree), F_GETFD) & FD_CLOEXEC);
	words_finish(&c.paths);
	words_finish(&c.ignore);
	words_finish(&c.skip);
	work();
	if (!w.now) {
		assert_false(watchtree_noticed(tree));
		expect(0, "");
	}
}

static inline void begin(void)
{
	begin_with((struct with){0});
}

static inline void expect_problem(const char *part)
{
	char text[300];
	assert_true(watchtree_problem(tree, text, sizeof(text)));
	if (!strstr(text, part)) {
		fail_msg("\"%s\" lacks \"%s\"", text, part);
	}
	assert_false(watchtree_problem(tree, text, sizeof(text)));
}

static inline int drop(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	return f->level ? remove(path) : 0;
}

static inline int clean(void **state)
{
	(void)state;
	watchtree_free(tree);
	tree = NULL;
	pool = (struct watchtree_pool){0, 0};
	return nftw(top, drop, 16, FTW_DEPTH | FTW_PHYS);
}

static inline int setup(void **state)
{
	(void)state;
	return mkdtemp(top) ? 0 : -1;
}

static inline int teardown(void **state)
{
	(void)state;
	return rmdir(top);
}

#define TEST(f) cmocka_unit_test_teardown(f, clean)

#endif
