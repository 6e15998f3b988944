/* SPDX-License-Identifier: MIT */
/*
 * chaos-writer [-r PER_SECOND] [-b LINES -p MS] [-c CHILDREN] [-x CODE -a MS] [-u CODE] [-n MS]
 *
 * Numbered lines on stdout and stderr, "RUN STREAM SEQ xxx SUM", for tests/chaos. RUN is this very
 * process, SEQ counts from 1 on each stream, SUM is the CRC-32 of all before it. How many lines
 * were written stands, after each write, in CHAOS_COUNTS/APP-SLOT.RUN, which is locked while we
 * live: so apps/chaos-check knows what must be in the log files, also of a process that was killed.
 *
 * -r at this rate, -b so many lines at full speed and then a pause of -p. -c with children that
 * wait. -x exits with CODE after -a. -u exits with CODE on SIGUSR1. -n says READY=1 after MS.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define BLOCK 4096 /* PIPE_BUF: a write of this is never torn, not even by a kill */

static struct {
	long rate, burst, pause_ms, children, exit_ms, ready_ms;
	int exit_code, usr1_code;
} opt = {.rate = 10, .exit_ms = -1, .ready_ms = -1};
static uint64_t *written; /* [stream], in the count file */
static char run[48];

static void die(const char *what)
{
	perror(what);
	_exit(99);
}

static int64_t now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void open_counts(void)
{
	char path[4096];
	const char *dir = getenv("CHAOS_COUNTS"), *app = getenv("PMCTL_APP");
	const char *slot = getenv("PMCTL_SLOT");
	if (!dir || !app || !slot) {
		fprintf(stderr, "for tests/chaos only\n");
		exit(2);
	}
	snprintf(run, sizeof(run), "%d.%lld", (int)getpid(), (long long)now_ns());
	snprintf(path, sizeof(path), "%s/new.%s", dir, run);
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX) != 0 || ftruncate(fd, 2 * sizeof(*written)) != 0) {
		die(path);
	}
	written = mmap(NULL, 2 * sizeof(*written), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char final[4096];
	snprintf(final, sizeof(final), "%s/%s-%s.%s", dir, app, slot, run);
	if (written == MAP_FAILED || rename(path, final) != 0) {
		die(final);
	}
}

static uint32_t crc32(const char *p, size_t n)
{
	uint32_t crc = 0xffffffff;
	while (n--) {
		crc ^= (unsigned char)*p++;
		for (int i = 0; i < 8; i++) {
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
		}
	}
	return ~crc;
}

static size_t make_line(char *line, size_t size, int stream, uint64_t seq)
{
	static const char fill[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
	int n = snprintf(line, size, "%s %c %llu %.*s", run, "oe"[stream], (unsigned long long)seq,
			 (int)(seq * 7 % sizeof(fill)), fill);
	n += snprintf(line + n, size - (size_t)n, " %08x\n", crc32(line, (size_t)n));
	return (size_t)n;
}

/* As many lines as one write takes, at most `most`. */
static long put(int stream, long most)
{
	char block[BLOCK];
	size_t have = 0;
	long lines = 0;
	while (lines < most && have + 160 <= sizeof(block)) {
		have += make_line(block + have, sizeof(block) - have, stream,
				  written[stream] + (uint64_t)++lines);
	}
	for (size_t at = 0; at < have;) {
		ssize_t n = write(1 + stream, block + at, have - at);
		if (n < 0 && errno != EINTR) {
			die("write");
		}
		at += n > 0 ? (size_t)n : 0;
	}
	written[stream] += (uint64_t)lines;
	return lines;
}

static void be_child(void)
{
	prctl(PR_SET_NAME, "chaos-child");
	for (;;) {
		pause();
	}
}

static void say_ready(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (!path || fd < 0 || strlen(path) >= sizeof(addr.sun_path)) {
		die("NOTIFY_SOCKET");
	}
	memcpy(addr.sun_path, path, strlen(path));
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	addr.sun_path[0] = path[0] == '@' ? '\0' : path[0];
	if (sendto(fd, "READY=1", 7, 0, (struct sockaddr *)&addr, len) < 0) {
		die("notify");
	}
	close(fd);
}

static void on_usr1(int sig)
{
	(void)sig;
	_exit(opt.usr1_code);
}

static void look_at_clock(int64_t begin)
{
	int64_t ms = (now_ns() - begin) / 1000000;
	if (opt.ready_ms >= 0 && ms >= opt.ready_ms) {
		opt.ready_ms = -1;
		say_ready();
	}
	if (opt.exit_ms >= 0 && ms >= opt.exit_ms) {
		_exit(opt.exit_code);
	}
}

static void sleep_ms(int64_t ms)
{
	struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	nanosleep(&ts, NULL);
}

static void write_for_ever(void)
{
	int64_t begin = now_ns();
	for (int64_t line = 1;; line++) {
		long left[2] = {opt.burst ? opt.burst : 1, opt.burst ? opt.burst : 1};
		while (left[0] > 0 || left[1] > 0) {
			left[0] -= left[0] > 0 ? put(0, left[0]) : 0;
			left[1] -= left[1] > 0 ? put(1, left[1]) : 0;
		}
		look_at_clock(begin);
		/* Catches up after a stall: that is when lines are lost. */
		int64_t ahead = (begin + line * 1000000000 / opt.rate - now_ns()) / 1000000;
		sleep_ms(opt.burst ? opt.pause_ms : ahead > 0 ? ahead : 0);
	}
}

int main(int argc, char **argv)
{
	int c;
	while ((c = getopt(argc, argv, "r:b:p:c:x:a:u:n:")) != -1) {
		switch (c) {
		case 'r':
			opt.rate = atol(optarg);
			break;
		case 'b':
			opt.burst = atol(optarg);
			break;
		case 'p':
			opt.pause_ms = atol(optarg);
			break;
		case 'c':
			opt.children = atol(optarg);
			break;
		case 'x':
			opt.exit_code = atoi(optarg);
			break;
		case 'a':
			opt.exit_ms = atol(optarg);
			break;
		case 'u':
			opt.usr1_code = atoi(optarg);
			break;
		case 'n':
			opt.ready_ms = atol(optarg);
			break;
		default:
			return 2;
		}
	}
	for (long i = 0; i < opt.children; i++) {
		if (fork() == 0) {
			be_child();
		}
	}
	open_counts();
	signal(SIGUSR1, on_usr1);
	write_for_ever();
}
