/* SPDX-License-Identifier: MIT */
#include "sys/logfile.h"

#include <signal.h>
#include <sys/resource.h>

#include "logwrite.h"

static void opened_at_the_end(void **state)
{
	(void)state;
	struct logfile f;
	struct stat st;
	mode_t old = umask(077); /* as in the daemon */
	begin(&f, 0, 3);
	umask(old);
	assert_int_equal(fstat(f.fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_true(fcntl(f.fd, F_GETFD) & fcntl(f.idx_fd, F_GETFD) & FD_CLOEXEC);
	assert_false(fcntl(f.fd, F_GETFL) & O_APPEND); /* splice(2) refuses it */
	say(&f, "one\n");
	int fd = f.fd;
	assert_true(logfile_open(&f, NULL)); /* open already */
	assert_int_equal(f.fd, fd);
	logfile_close(&f);
	logfile_close(&f);
	assert_true(logfile_open(&f, NULL));
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
	logfile_set_owner(&f, &(struct asuser){.uid = owner}, false);
	assert_false(logfile_open(&f, &err));
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
	logfile_set_owner(&f, &(struct asuser){.uid = 12345}, false);
	assert_true(logfile_open(&f, NULL));
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(opened_at_the_end),
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
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
