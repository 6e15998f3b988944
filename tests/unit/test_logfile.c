/* SPDX-License-Identifier: MIT */
#include "sys/logfile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"
#include "sys/fileio.h"
#include "sys/logindex.h"

static char dir[] = "/tmp/pmctl-test-XXXXXX";

/* Valid until the fourth call from now. */
static const char *in_dir(const char *name)
{
	static char path[4][128];
	static unsigned next;
	next = (next + 1) % ARRAY_LEN(path);
	snprintf(path[next], sizeof(path[next]), "%s/%s", dir, name);
	return path[next];
}

static void put(const char *name, const char *text)
{
	int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* What the file holds; NULL text = it is not there. */
static void assert_file(const char *name, const char *text)
{
	char got[200];
	ssize_t n = file_read(AT_FDCWD, in_dir(name), got, sizeof(got));
	if (!text) {
		assert_int_equal(n, -1);
		assert_int_equal(errno, ENOENT);
		return;
	}
	if (n < 0) {
		fail_msg("%s: %s", name, strerror(errno));
	}
	assert_string_equal(got, text);
}

static off_t size_of(const char *name)
{
	struct stat st;
	return stat(in_dir(name), &st) == 0 ? st.st_size : -1;
}

static void begin(struct logfile *f, int64_t max_size, int keep)
{
	struct err err = {0};
	logfile_init(f, in_dir("x.log"), max_size, keep, false);
	assert_int_equal(f->fd, -1);
	if (!logfile_open(f, geteuid(), &err)) {
		fail_msg("%s", err.msg);
	}
}

static void say(struct logfile *f, const char *text)
{
	assert_true(logfile_write(f, text, strlen(text)));
}

static void opened_at_the_end(void **state)
{
	(void)state;
	struct logfile f;
	struct stat st;
	mode_t old = umask(0);
	begin(&f, 0, 3);
	umask(old);
	assert_int_equal(fstat(f.fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_true(fcntl(f.fd, F_GETFD) & fcntl(f.idx_fd, F_GETFD) & FD_CLOEXEC);
	assert_false(fcntl(f.fd, F_GETFL) & O_APPEND); /* splice(2) refuses it */
	say(&f, "one\n");
	int fd = f.fd;
	assert_true(logfile_open(&f, geteuid(), NULL)); /* open already */
	assert_int_equal(f.fd, fd);
	logfile_close(&f);
	logfile_close(&f);
	assert_true(logfile_open(&f, geteuid(), NULL));
	assert_int_equal(f.size, 4);
	say(&f, "two\n");
	assert_int_equal(f.size, 8);
	logfile_finish(&f);
	logfile_finish(&f);
	assert_file("x.log", "one\ntwo\n");
}

static void assert_refused(uid_t owner, const char *why)
{
	struct logfile f;
	struct err err = {0};
	logfile_init(&f, in_dir("x.log"), 0, 3, false);
	assert_false(logfile_open(&f, owner, &err));
	assert_int_equal(f.fd, -1);
	assert_non_null(strstr(err.msg, f.path));
	if (!strstr(err.msg, why)) {
		fail_msg("\"%s\" lacks \"%s\"", err.msg, why);
	}
	logfile_finish(&f);
}

static void what_is_refused(void **state)
{
	(void)state;
	put("other", "precious");
	assert_int_equal(symlink("other", in_dir("x.log")), 0);
	assert_refused(0, strerror(ELOOP));
	unlink(in_dir("x.log"));
	assert_int_equal(link(in_dir("other"), in_dir("x.log")), 0);
	assert_refused(0, "more than one name");
	unlink(in_dir("x.log"));
	assert_int_equal(mkfifo(in_dir("x.log"), 0600), 0);
	assert_refused(0, "not a regular file");
	unlink(in_dir("x.log"));
	assert_int_equal(mkdir(in_dir("x.log"), 0700), 0);
	assert_refused(0, strerror(EISDIR));
	rmdir(in_dir("x.log"));
	assert_file("other", "precious");
	assert_int_equal(size_of("x.log.idx"), -1);
}

static void whose_file_it_is(void **state)
{
	(void)state;
	struct logfile f;
	put("x.log", "");
	if (geteuid() != 0 || chown(in_dir("x.log"), 12345, 12345) != 0) {
		skip();
	}
	assert_refused(0, "belongs to somebody else");
	assert_refused(54321, "belongs to somebody else");
	logfile_init(&f, in_dir("x.log"), 0, 3, false);
	assert_true(logfile_open(&f, 12345, NULL));
	logfile_finish(&f);
}

/* A log without its index is a log still. */
static void an_index_that_is_refused(void **state)
{
	(void)state;
	struct logfile f;
	put("other", "precious");
	assert_int_equal(symlink("other", in_dir("x.log.idx")), 0);
	begin(&f, 0, 3);
	assert_int_equal(f.idx_fd, -1);
	logfile_mark_start(&f, 5);
	say(&f, "one\n");
	logfile_mark(&f, 1);
	assert_false(logfile_follow_size(&f));
	logfile_finish(&f);
	assert_file("x.log", "one\n");
	assert_file("other", "precious");
}

static void marks(void **state)
{
	(void)state;
	struct logfile f;
	struct logindex_reader r;
	int64_t ns;
	pid_t pid;
	begin(&f, 0, 3);
	logfile_mark(&f, 5); /* nothing to mark */
	logfile_mark_start(&f, 100);
	logfile_mark_start(&f, 100);
	say(&f, "one\n");
	logfile_mark(&f, 10);
	logfile_mark(&f, 11); /* nothing more to mark */
	assert_int_equal(size_of("x.log.idx"), 2 * LOGINDEX_RECORD);
	say(&f, "two\n");
	logfile_mark(&f, 20);
	logfile_mark_start(&f, 200);
	say(&f, "three\n");
	logfile_mark(&f, 30);
	assert_int_equal(size_of("x.log.idx"), 5 * LOGINDEX_RECORD);
	assert_true(logindex_reader_open(&r, AT_FDCWD, f.path));
	static const struct {
		uint64_t at;
		int64_t ns;
		pid_t pid;
	} rows[] = {{0, 10, 100}, {3, 10, 100}, {4, 20, 100},
		    {7, 20, 100}, {8, 30, 200}, {13, 30, 200}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_true(logindex_time(&r, rows[i].at, &ns) && ns == rows[i].ns);
		assert_true(logindex_pid(&r, rows[i].at, &pid) && pid == rows[i].pid);
	}
	assert_false(logindex_time(&r, 14, &ns));
	logindex_reader_finish(&r);
	logfile_finish(&f);
	/* After a new start of ours the same process is noted once more, and the index goes on. */
	begin(&f, 0, 3);
	logfile_mark_start(&f, 200);
	assert_int_equal(size_of("x.log.idx"), 6 * LOGINDEX_RECORD);
	logfile_finish(&f);
}

static void what_was_left_of_an_index(void **state)
{
	(void)state;
	struct logfile f;
	/* A record that was not written to its end. */
	put("x.log", "one\n");
	put("x.log.idx", "0123456789abcdef0123");
	begin(&f, 0, 3);
	assert_int_equal(size_of("x.log.idx"), 16);
	logfile_mark_start(&f, 1);
	assert_int_equal(size_of("x.log.idx"), 32);
	logfile_finish(&f);
	/* The log was emptied or removed meanwhile: its index tells of other bytes. */
	put("x.log", "");
	begin(&f, 0, 3);
	assert_int_equal(size_of("x.log.idx"), 0);
	logfile_finish(&f);
	put("x.log.idx", "0123456789abcdef");
	unlink(in_dir("x.log"));
	begin(&f, 0, 3);
	assert_int_equal(size_of("x.log.idx"), 0);
	logfile_finish(&f);
}

static void from_a_pipe(void **state)
{
	(void)state;
	struct logfile f;
	int p[2];
	put("x.log", "before\n");
	begin(&f, 0, 3);
	assert_int_equal(pipe2(p, O_NONBLOCK), 0);
	assert_int_equal(logfile_splice(&f, p[0], 100), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(write(p[1], "0123456789", 10), 10);
	assert_int_equal(logfile_splice(&f, p[0], 4), 4);
	assert_int_equal(f.size, 11);
	say(&f, "-");
	assert_int_equal(logfile_splice(&f, p[0], 100), 6);
	assert_int_equal(f.size, 18);
	close(p[1]);
	assert_int_equal(logfile_splice(&f, p[0], 100), 0);
	close(p[0]);
	assert_int_equal(logfile_splice(&f, p[0], 100), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(f.size, 18);
	logfile_finish(&f);
	assert_file("x.log", "before\n0123-456789");
}

static void a_disk_that_is_full(void **state)
{
	(void)state;
	struct logfile f;
	struct rlimit old, tight = {.rlim_cur = 6};
	begin(&f, 0, 3);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	tight.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	errno = 0;
	bool ok = logfile_write(&f, "0123456789", 10);
	int why = errno;
	logfile_mark(&f, 1); /* the index has no room either: it is given up */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_false(ok);
	assert_int_equal(why, EFBIG);
	assert_int_equal(f.size, 6);
	assert_int_equal(f.idx_fd, -1);
	say(&f, "more");
	logfile_finish(&f);
	assert_file("x.log", "012345more");
}

static void is_it_still_ours(void **state)
{
	(void)state;
	struct logfile f;
	begin(&f, 0, 3);
	assert_true(logfile_is_current(&f));
	assert_int_equal(rename(in_dir("x.log"), in_dir("x.log.1")), 0);
	assert_false(logfile_is_current(&f));
	put("x.log", "another");
	assert_false(logfile_is_current(&f));
	unlink(in_dir("x.log"));
	/* A link to our own file does not make it ours. */
	assert_int_equal(symlink("x.log.1", in_dir("x.log")), 0);
	assert_false(logfile_is_current(&f));
	assert_int_equal(rename(in_dir("x.log.1"), in_dir("x.log")), 0);
	assert_true(logfile_is_current(&f));
	logfile_close(&f);
	assert_false(logfile_is_current(&f));
	logfile_finish(&f);
}

static void cut_by_somebody(void **state)
{
	(void)state;
	struct logfile f;
	begin(&f, 0, 3);
	say(&f, "0123456789");
	logfile_mark_start(&f, 9);
	assert_false(logfile_follow_size(&f));
	assert_int_equal(truncate(f.path, 4), 0);
	assert_true(logfile_follow_size(&f));
	assert_int_equal(f.size, 4);
	assert_int_equal(size_of("x.log.idx"), 0);
	say(&f, "x");
	assert_file("x.log", "0123x"); /* and no hole before it */
	assert_int_equal(truncate(f.path, 0), 0);
	assert_true(logfile_follow_size(&f));
	assert_false(logfile_follow_size(&f));
	say(&f, "new");
	assert_file("x.log", "new");
	logfile_mark_start(&f, 9); /* known no more: noted again */
	assert_int_equal(size_of("x.log.idx"), LOGINDEX_RECORD);
	logfile_finish(&f);
}

static void when_it_is_full(void **state)
{
	(void)state;
	struct logfile f;
	char *much = xcalloc(1, (1 << 20) + 100);
	begin(&f, 0, 3);
	say(&f, "a long line\n");
	assert_false(logfile_is_full(&f)); /* without a limit never */
	logfile_finish(&f);
	unlink(in_dir("x.log"));
	begin(&f, 10, 3);
	assert_false(logfile_is_full(&f));
	say(&f, "12345678\n");
	assert_false(logfile_is_full(&f)); /* 9 */
	say(&f, "\n");
	assert_true(logfile_is_full(&f)); /* 10 */
	say(&f, "begun");
	assert_false(logfile_is_full(&f)); /* it waits for the end of the line */
	memset(much, 'x', (1 << 20) - 6);
	say(&f, much);
	assert_int_equal(f.size, (1 << 20) + 9);
	assert_false(logfile_is_full(&f));
	say(&f, "x"); /* but not for ever */
	assert_true(logfile_is_full(&f));
	logfile_close(&f);
	assert_false(logfile_is_full(&f));
	logfile_finish(&f);
	free(much);
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
		logfile_rotate(&f);
		assert_int_equal(f.fd, -1);
		assert_file("x.log", NULL);
		assert_true(logfile_open(&f, geteuid(), NULL));
		assert_int_equal(f.size, 0);
		assert_file("x.log.1", text);
		assert_int_equal(size_of("x.log.1.idx"), LOGINDEX_RECORD);
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
	logfile_rotate(&f);
	assert_file("x.log", NULL);
	assert_file("x.log.1", NULL);
	assert_int_equal(size_of("x.log.idx"), -1);
	assert_int_equal(size_of("x.log.1.idx"), -1);
	logfile_rotate(&f); /* of nothing */
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
	assert_true(logfile_open(&f, geteuid(), NULL));
	say(&f, "ours");
	assert_int_equal(rename(in_dir("x.log"), in_dir("other")), 0);
	put("x.log", "another");
	logfile_flush(&f);
	assert_file("x.log", "");
	assert_file("other", "ours");
	assert_int_equal(f.fd, -1);
	logfile_finish(&f);
}

static int clean(void **state)
{
	(void)state;
	DIR *d = opendir(dir);
	for (struct dirent *e; d && (e = readdir(d));) {
		unlinkat(dirfd(d), e->d_name, 0);
	}
	closedir(d);
	return 0;
}

#define TEST(f) cmocka_unit_test_teardown(f, clean)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(opened_at_the_end),
					   TEST(what_is_refused),
					   TEST(whose_file_it_is),
					   TEST(an_index_that_is_refused),
					   TEST(marks),
					   TEST(what_was_left_of_an_index),
					   TEST(from_a_pipe),
					   TEST(a_disk_that_is_full),
					   TEST(is_it_still_ours),
					   TEST(cut_by_somebody),
					   TEST(when_it_is_full),
					   TEST(rotation_by_rename),
					   TEST(rotation_that_keeps_nothing),
					   TEST(emptied_while_open),
					   TEST(emptied_while_closed)};
	if (!mkdtemp(dir)) {
		return 1;
	}
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	return rmdir(dir) == 0 ? failed : 1;
}
