/* SPDX-License-Identifier: MIT */
/*
 * printer COUNT [-l BYTES] [-r PER_SECOND] [-b] [-e] [-k] [-m MS]: numbered lines "SEQ SUM xxx..."
 * of BYTES bytes. SEQ has 10 digits, SUM is a checksum of SEQ, so a lost, doubled or torn line
 * shows. -b writes blocks of 4 kB instead of single lines, -e to stderr as well, -k stays alive
 * afterwards, -m waits before the first line. COUNT 0 is for ever.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static size_t line_len = 100;
static bool to_stderr;

static void put_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, p, n);
		if (done < 0 && errno != EINTR && errno != EAGAIN) {
			_exit(9);
		}
		if (done > 0) {
			p += done;
			n -= (size_t)done;
		}
	}
}

static void put(const char *p, size_t n)
{
	put_all(1, p, n);
	if (to_stderr) {
		put_all(2, p, n);
	}
}

static void make_line(char *line, uint64_t seq)
{
	char head[32];
	uint32_t sum = (uint32_t)(seq * 2654435761u);
	int n = snprintf(head, sizeof(head), "%010llu %08x ", (unsigned long long)seq, sum);

	memset(line, 'x', line_len);
	memcpy(line, head, (size_t)n < line_len ? (size_t)n : line_len);
	line[line_len - 1] = '\n';
}

static void wait_until(struct timespec *t, long rate)
{
	t->tv_nsec += 1000000000L / rate;
	while (t->tv_nsec >= 1000000000L) {
		t->tv_nsec -= 1000000000L;
		t->tv_sec++;
	}
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, t, NULL) == EINTR) {
	}
}

int main(int argc, char **argv)
{
	bool blocks = false, keep = false;
	long rate = 0;
	int opt;

	while ((opt = getopt(argc, argv, "l:r:m:bek")) != -1) {
		switch (opt) {
		case 'l':
			line_len = (size_t)atol(optarg);
			break;
		case 'r':
			rate = atol(optarg);
			break;
		case 'm':
			usleep((useconds_t)atol(optarg) * 1000);
			break;
		case 'b':
			blocks = true;
			break;
		case 'e':
			to_stderr = true;
			break;
		case 'k':
			keep = true;
			break;
		default:
			return 2;
		}
	}
	uint64_t count = optind < argc ? strtoull(argv[optind], NULL, 10) : 10;
	size_t per = blocks ? 4096 / line_len + 1 : 1, have = 0;
	char *block = malloc(per * line_len);
	struct timespec next;
	if (line_len < 22 || block == NULL) {
		return 2;
	}
	clock_gettime(CLOCK_MONOTONIC, &next);
	for (uint64_t seq = 1; count == 0 || seq <= count; seq++) {
		make_line(block + have++ * line_len, seq);
		if (have == per || seq == count) {
			put(block, have * line_len);
			have = 0;
		}
		if (rate > 0) {
			wait_until(&next, rate);
		}
	}
	free(block);
	while (keep) {
		pause();
	}
	return 0;
}
