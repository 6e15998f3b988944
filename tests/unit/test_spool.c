/* SPDX-License-Identifier: MIT */
/* What an app wrote, on its way through us: whoever is killed in between loses and doubles nothing.
 */
#include "sys/spool.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "logwrite.h"

static void pour(int pipe_fd, const char *text)
{
	assert_int_equal(write(pipe_fd, text, strlen(text)), strlen(text));
}

static void expect_waiting(const struct spool *s, const char *text)
{
	struct buf got = {0};
	assert_true(spool_read(s, &got));
	assert_string_equal(got.data ? got.data : "", text);
	buf_finish(&got);
}

static void put_out(struct spool *s, size_t taken, struct logfile *f, const char *text)
{
	struct buf b = {0};
	int64_t lost = 9;
	buf_adds(&b, text);
	assert_true(spool_write(s, taken, f, &b, &lost));
	assert_int_equal(lost, 0);
	buf_finish(&b);
}

static void through(void **state)
{
	(void)state;
	struct spool s;
	struct logfile f;
	int p[2];
	assert_int_equal(pipe2(p, O_NONBLOCK), 0);
	begin(&f, 0, 5);
	assert_true(spool_open(&s));
	assert_int_equal(spool_fill(&s, p[0], 100), -1);
	assert_int_equal(errno, EAGAIN);
	pour(p[1], "one\ntw");
	assert_int_equal(spool_fill(&s, p[0], 100), 6);
	expect_waiting(&s, "one\ntw");
	put_out(&s, 4, &f, "1: one\n");
	expect_waiting(&s, "tw");
	pour(p[1], "o\n");
	assert_int_equal(spool_fill(&s, p[0], 100), 2);
	/* Somebody else goes on with it. */
	struct spool other;
	assert_true(spool_adopt(&other, dup(s.fd)));
	spool_settle(&other, &f);
	expect_waiting(&other, "two\n");
	put_out(&other, 4, &f, "2: two\n");
	expect_waiting(&other, "");
	spool_finish(&other);
	expect_waiting(&s, "");
	close(p[1]);
	assert_int_equal(spool_fill(&s, p[0], 100), 0);
	assert_file("x.log", "1: one\n2: two\n");
	spool_finish(&s);
	spool_finish(&s);
	logfile_finish(&f);
	close(p[0]);
}

static void none_of_ours(void **state)
{
	(void)state;
	struct spool s;
	int fd = memfd_create("x", MFD_CLOEXEC);
	assert_false(spool_adopt(&s, fd));
	fd = memfd_create("x", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fd, 10000), 0);
	assert_false(spool_adopt(&s, fd));
	assert_int_equal(s.fd, -1);
}

/* It does not grow, even if it is never empty. */
static void for_ever(void **state)
{
	(void)state;
	struct spool s;
	struct logfile f;
	struct stat st;
	int p[2];
	assert_int_equal(pipe2(p, O_NONBLOCK), 0);
	begin(&f, 0, 5);
	assert_true(spool_open(&s));
	static char text[1001];
	memset(text, 'x', 1000);
	pour(p[1], "begun");
	for (int i = 0; i < 5000; i++) {
		pour(p[1], text);
		assert_int_equal(spool_fill(&s, p[0], 4096), i ? 1000 : 1005);
		put_out(&s, 1000, &f, "x\n");
	}
	assert_int_equal(fstat(s.fd, &st), 0);
	assert_true(st.st_blocks * 512 < 600000);
	spool_finish(&s);
	logfile_finish(&f);
	close(p[0]);
	close(p[1]);
}

#define LAST 20000

/* Copies numbered lines until it is killed or has all, with the spool as the one before left it. */
static void copy(int spool_fd, int pipe_fd)
{
	struct spool s;
	struct logfile f;
	begin(&f, 0, 5);
	if (!spool_adopt(&s, spool_fd)) {
		_exit(1);
	}
	spool_settle(&s, &f);
	for (;;) {
		struct buf text = {0}, to = {0};
		int64_t lost;
		ssize_t n = spool_fill(&s, pipe_fd, 50);
		if (!spool_read(&s, &text)) {
			_exit(1);
		}
		const char *nl = text.len ? memrchr(text.data, '\n', text.len) : NULL;
		size_t taken = nl ? (size_t)(nl - text.data) + 1 : 0;
		for (size_t at = 0; at < taken;) {
			size_t len = (size_t)((char *)memchr(text.data + at, '\n', taken) -
					      (text.data + at));
			buf_addf(&to, "<%.*s>\n", (int)len, text.data + at);
			at += len + 1;
		}
		if (taken && !spool_write(&s, taken, &f, &to, &lost)) {
			_exit(1);
		}
		buf_finish(&text);
		buf_finish(&to);
		if (n == 0) {
			_exit(0);
		}
	}
}

static void expect_all(void)
{
	FILE *f = fopen(in_dir("x.log"), "r");
	int n, want = 1;
	assert_non_null(f);
	while (fscanf(f, "<%d>\n", &n) == 1) {
		assert_int_equal(n, want++);
	}
	assert_true(feof(f));
	assert_int_equal(want, LAST + 1);
	fclose(f);
}

static void killed_again_and_again(void **state)
{
	(void)state;
	struct spool s;
	int p[2], status = 1, kills = 0;
	assert_int_equal(pipe(p), 0);
	assert_true(spool_open(&s));
	pid_t writer = fork();
	if (writer == 0) {
		close(p[0]);
		for (int i = 1; i <= LAST; i++) {
			dprintf(p[1], "%d\n", i);
		}
		_exit(0);
	}
	close(p[1]);
	for (off_t at = 100; status != 0; kills++, at += 6007) {
		pid_t pid = fork(), ended = 0;
		if (pid == 0) {
			copy(dup(s.fd), p[0]);
		}
		while (!ended && size_of("x.log") < at) {
			ended = waitpid(pid, &status, WNOHANG);
		}
		kill(pid, SIGKILL);
		if (!ended) {
			assert_int_equal(waitpid(pid, &status, 0), pid);
		}
		assert_true(WIFSIGNALED(status) || status == 0);
	}
	assert_true(kills > 1);
	expect_all();
	waitpid(writer, NULL, 0);
	spool_finish(&s);
	close(p[0]);
}

/* A kill at the worst moment: announced, and written in part or as a whole. */
static void a_write_that_was_not_completed(void **state)
{
	(void)state;
	for (int written = 0; written <= 7; written++) {
		struct spool s, other;
		struct logfile f;
		int p[2];
		clean(NULL);
		assert_int_equal(pipe2(p, O_NONBLOCK), 0);
		begin(&f, 0, 5);
		say(&f, "old\n");
		assert_true(spool_open(&s));
		pour(p[1], "new\n");
		assert_int_equal(spool_fill(&s, p[0], 100), 4);
		pid_t pid = fork();
		if (pid == 0) {
			/* Killed by the write that passes the limit. */
			struct rlimit r = {.rlim_cur = (rlim_t)(4 + written), .rlim_max = 11};
			struct buf b = {0};
			int64_t lost;
			buf_adds(&b, "1: new\n");
			signal(SIGXFSZ, SIG_DFL);
			setrlimit(RLIMIT_FSIZE, &r);
			spool_write(&s, 4, &f, &b, &lost);
			_exit(7);
		}
		int status;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		logfile_finish(&f);
		begin(&f, 0, 5);
		assert_true(spool_adopt(&other, dup(s.fd)));
		spool_settle(&other, &f);
		struct buf left = {0};
		assert_true(spool_read(&other, &left));
		if (left.len) {
			put_out(&other, 4, &f, "2: new\n");
		}
		assert_file("x.log", left.len ? "old\n2: new\n" : "old\n1: new\n");
		assert_int_equal(left.len == 0, written == 7);
		buf_finish(&left);
		spool_finish(&other);
		spool_finish(&s);
		logfile_finish(&f);
		close(p[0]);
		close(p[1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(through),
		TEST(none_of_ours),
		TEST(for_ever),
		TEST(killed_again_and_again),
		TEST(a_write_that_was_not_completed),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
