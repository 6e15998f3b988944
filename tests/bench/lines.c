/* SPDX-License-Identifier: MIT */
/*
 * Numbered lines of 100 bytes, and the proof that none is missing.
 *   lines write COUNT PER_WRITE RATE GO STAMP
 *       waits until somebody opens the FIFO GO, notes the time in the file STAMP, writes COUNT
 * lines to stdout, PER_WRITE of them at once (RATE a second; 0 = as fast as it goes), then waits
 *   lines check COUNT FILE
 *       0 if FILE has exactly these lines; else says what is wrong first
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

#define LINE 100

#define KINDS 26

static char template[KINDS][LINE];

static void make_templates(void)
{
	for (int kind = 0; kind < KINDS; kind++) {
		for (int i = 10; i < LINE - 1; i++) {
			template[kind][i] = (char)('a' + (kind + i) % KINDS);
		}
		template[kind][9] = ' ';
		template[kind][LINE - 1] = '\n';
	}
}

/* Cheap, so that the writer does not hold up what is measured. */
static void make_line(char *line, long number)
{
	uint32_t left = (uint32_t)number;
	memcpy(line, template[left % KINDS], LINE);
	for (int i = 9; i-- > 0; left /= 10) {
		line[i] = (char)('0' + left % 10);
	}
}

static void write_all(const char *p, size_t len)
{
	while (len) {
		ssize_t n = write(STDOUT_FILENO, p, len);
		if (n < 0) {
			die("write");
		}
		p += n;
		len -= (size_t)n;
	}
}

static void note_time(const char *path)
{
	FILE *f = fopen(path, "w");
	if (!f || fprintf(f, "%lld\n", (long long)now_ns()) < 0 || fclose(f) != 0) {
		die(path);
	}
}

static void sleep_until(int64_t ns)
{
	struct timespec ts = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) != 0) {
	}
}

static int write_lines(long count, long per_write, long rate, char **path)
{
	char *buf = malloc((size_t)per_write * LINE);
	if (!buf || per_write < 1 || open(path[0], O_RDONLY | O_CLOEXEC) < 0) {
		die(path[0]);
	}
	note_time(path[1]);
	int64_t begin = now_ns();
	for (long i = 0; i < count;) {
		long n = 0;
		for (; n < per_write && i < count; n++, i++) {
			make_line(buf + n * LINE, i);
		}
		write_all(buf, (size_t)n * LINE);
		if (rate) {
			sleep_until(begin + i * 1000000000 / rate);
		}
	}
	for (;;) {
		pause();
	}
}

static int check_lines(long count, const char *path)
{
	char want[LINE];
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0) {
		die(path);
	}
	if (st.st_size != (off_t)count * LINE) {
		printf("%lld bytes instead of %lld\n", (long long)st.st_size,
		       (long long)count * LINE);
		return 1;
	}
	const char *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED) {
		die("mmap");
	}
	for (long i = 0; i < count; i++) {
		make_line(want, i);
		if (memcmp(p + i * LINE, want, LINE) != 0) {
			printf("line %ld is wrong: %.*s\n", i, LINE - 1, p + i * LINE);
			return 1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	make_templates();
	if (argc == 7 && strcmp(argv[1], "write") == 0) {
		return write_lines(atol(argv[2]), atol(argv[3]), atol(argv[4]), argv + 5);
	}
	return argc == 4 && strcmp(argv[1], "check") == 0 ? check_lines(atol(argv[2]), argv[3]) : 2;
}
