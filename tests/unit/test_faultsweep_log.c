/* SPDX-License-Identifier: MIT */
/* Log files: whatever fails, no byte of a log is lost or doubled, and an index never lies. */
#include "faults.h"
#include "logwrite.h"

static struct logfile file;

/* The text of a file, NULL if there is none; valid until the eighth call from now. */
static const char *text_of(const char *name)
{
	static char text[8][64];
	static unsigned next;
	next = (next + 1) % ARRAY_LEN(text);
	ssize_t n = file_read(AT_FDCWD, in_dir(name), text[next], sizeof(text[next]));
	return n < 0 ? NULL : text[next];
}

static void clear_dir(void)
{
	DIR *d = opendir(dir);
	for (struct dirent *e; (e = readdir(d));) {
		unlinkat(dirfd(d), e->d_name, 0);
	}
	closedir(d);
}

/* --- rotation --- */

static void three_logs(void *ctx)
{
	(void)ctx;
	clear_dir();
	put("x.log", "three\n");
	put("x.log.idx", "0123456789abcdef");
	put("x.log.1", "two\n");
	put("x.log.1.idx", "0123456789abcdef");
	put("x.log.2.gz", "one");
	logfile_init(&file, in_dir("x.log"), 0, 3, false);
	assert_true(logfile_open(&file, NULL));
}

static bool rotate(void *ctx, struct err *err)
{
	(void)ctx;
	return logfile_rotate(&file, err);
}

/* In how many of the places this text is. */
static unsigned places(const char *text)
{
	static const char *const names[] = {"x.log",	  "x.log.1",	"x.log.2",   "x.log.3",
					    "x.log.1.gz", "x.log.2.gz", "x.log.3.gz"};
	unsigned n = 0;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *t = text_of(names[i]);
		n += t && strcmp(t, text) == 0;
	}
	return n;
}

static void nothing_lost(void *ctx, bool ok, const struct fault *f)
{
	static const char *const texts[] = {"one", "two\n", "three\n"};
	(void)ctx;
	assert_int_equal(file.fd, -1);
	for (int again = 0; again < 2; again++) {
		for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
			if (places(texts[i]) != 1) {
				fail_msg("%s (call %u, %d): \"%s\" is in %u places", f->call, f->n,
					 again, texts[i], places(texts[i]));
			}
		}
		if (again || ok) {
			assert_string_equal(text_of("x.log.1"), "three\n");
			assert_string_equal(text_of("x.log.3.gz"), "one");
			assert_null(text_of("x.log"));
		} else {
			assert_true(logfile_rotate(&file, NULL)); /* a moment later it goes on */
		}
	}
	logfile_finish(&file);
}

static void test_rotate(void **state)
{
	(void)state;
	assert_true(faults_sweep(&(struct sweep){three_logs, rotate, nothing_lost, NULL}) > 30);
}

/* --- opening and writing --- */

static int pipe_fds[2];

static void full_pipe(void *ctx)
{
	(void)ctx;
	clear_dir();
	put("x.log", "old\n");
	put("x.log.idx", "torn");
	logfile_init(&file, in_dir("x.log"), 0, 3, false);
}

/* As a wake-up does it: begun again until all is there. */
static bool copy(void *ctx, struct err *err)
{
	(void)ctx;
	if (!logfile_open(&file, err)) {
		return false;
	}
	logfile_mark_start(&file, 7);
	for (int tries = 0; tries < 3; tries++) {
		ssize_t n = logfile_splice(&file, pipe_fds[0], 4096);
		if (n < 0 && errno != EAGAIN) {
			return err_sys(err, "splice");
		}
	}
	logfile_mark(&file, 5);
	return logfile_write(&file, "end\n", 4) || err_sys(err, "write");
}

static void all_bytes(void *ctx, bool ok, const struct fault *f)
{
	char rest[64], whole[192];
	(void)ctx;
	(void)f;
	ssize_t n = read(pipe_fds[0], rest, sizeof(rest) - 1);
	rest[n > 0 ? n : 0] = '\0';
	char *end = strstr(text_of("x.log"), "end\n");
	assert_true(!ok || end);
	snprintf(whole, sizeof(whole), "%s%s", text_of("x.log"), rest);
	if (strncmp(whole, "old\nline one\nline two\n", 22) != 0) {
		fail_msg("%s: \"%s\"", f->call, whole);
	}
	/* What a torn record would do to all later ones. */
	assert_true(size_of("x.log.idx") % LOGINDEX_RECORD == 0 || file.idx_fd < 0);
	assert_true(!ok || file.size == size_of("x.log"));
	logfile_finish(&file);
	if (write(pipe_fds[1], "line one\nline two\n", 18) != 18) {
		fail();
	}
}

static void test_copy(void **state)
{
	(void)state;
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(write(pipe_fds[1], "line one\nline two\n", 18), 18);
	assert_true(faults_sweep(&(struct sweep){full_pipe, copy, all_bytes, NULL}) > 50);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

/* --- emptying --- */

static bool flush(void *ctx, struct err *err)
{
	(void)ctx;
	(void)err;
	logfile_flush(&file);
	return true;
}

static void goes_on(void *ctx, bool ok, const struct fault *f)
{
	(void)ctx;
	(void)ok;
	(void)f;
	assert_true(logfile_open(&file, NULL));
	assert_true(logfile_write(&file, "more\n", 5));
	const char *t = text_of("x.log");
	if (strcmp(t, "more\n") != 0 && strcmp(t, "three\nmore\n") != 0) {
		fail_msg("%s: \"%s\"", f->call, t);
	}
	assert_int_equal(file.size, strlen(t));
	logfile_finish(&file);
}

static void test_flush(void **state)
{
	(void)state;
	assert_true(faults_sweep(&(struct sweep){three_logs, flush, goes_on, NULL}) > 30);
}

/* --- the index by itself --- */

static bool index_three(void *ctx, struct err *err)
{
	(void)ctx;
	int fd = logindex_open(AT_FDCWD, in_dir("i.log"), 0600);
	if (fd < 0) {
		return err_sys(err, "open");
	}
	bool ok = logindex_start(fd, 0, 7);
	ok = logindex_mark(fd, 10, 1) && ok;
	ok = logindex_mark(fd, 20, 2) && ok;
	int saved = errno;
	close(fd);
	errno = saved;
	return ok || err_sys(err, "mark");
}

static void no_index(void *ctx)
{
	(void)ctx;
	unlink(in_dir("i.log.idx"));
}

static void whole_records(void *ctx, bool ok, const struct fault *f)
{
	struct logindex_reader r;
	int64_t t = 0;
	(void)ctx;
	(void)f;
	assert_true(ok ? size_of("i.log.idx") == 3 * LOGINDEX_RECORD
		       : size_of("i.log.idx") % LOGINDEX_RECORD == 0 || size_of("i.log.idx") == -1);
	if (logindex_reader_open(&r, AT_FDCWD, in_dir("i.log")) && logindex_time(&r, 5, &t)) {
		assert_true(t == 1 || (!ok && t == 2));
	}
	logindex_reader_finish(&r);
}

static void test_index(void **state)
{
	(void)state;
	assert_true(faults_sweep(&(struct sweep){no_index, index_three, whole_records, NULL}) > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rotate),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_flush),
		cmocka_unit_test(test_index),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
