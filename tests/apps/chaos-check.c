/* SPDX-License-Identifier: MIT */
/*
 * chaos-check LOGS COUNTS: follows what apps/chaos-writer and chaos-writer.py write, through all
 * rotations, and proves that no line is missing, doubled, torn or in a wrong place.
 *
 * For each line "MS" on standard input: reads on until all that was written before is in the files,
 * but at most MS milliseconds. Answers with a line for each thing that is wrong ("lost", "doubled",
 * "torn", "missing", "behind") and "checked LINES RUNS BYTES".
 *
 * A run's last lines are asked for when it is dead: it holds a lock on its count file until then.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NAME	 64
#define NUMBERED 200 /* rotated files we look for */
#define TOLD	 20  /* of the same kind in one answer */

struct run {
	struct run *next;
	char name[NAME]; /* PID.NS */
	struct stream *stream[2];
	uint64_t have[2]; /* the last SEQ seen */
	uint64_t want[2]; /* the count at the beginning of this check */
	uint64_t *written;
	bool dead;
};

struct stream {
	struct stream *next;
	char name[NAME]; /* APP-SLOT.out */
	int fd;
	ino_t inode;
	char *buf;
	size_t have, room;
	bool behind;
	struct run *last; /* whose line was the last one */
};

static struct stream *streams;
static struct run *runs;
static const char *logs, *counts;
static uint64_t lines, bytes;
static unsigned ended, told;
static uint32_t table[256];

static void out_of(const char *what)
{
	perror(what);
	exit(1);
}

static void *get(size_t n)
{
	void *p = calloc(1, n);
	if (!p) {
		out_of("memory");
	}
	return p;
}

static int64_t now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

__attribute__((format(printf, 1, 2))) static void tell(const char *fmt, ...)
{
	va_list ap;
	if (told++ < TOLD) {
		va_start(ap, fmt);
		vprintf(fmt, ap);
		va_end(ap);
		putchar('\n');
	}
}

static void make_table(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		table[i] = i;
		for (int k = 0; k < 8; k++) {
			table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320 : 0);
		}
	}
}

static uint32_t crc32(const char *p, size_t n)
{
	uint32_t crc = 0xffffffff;
	while (n--) {
		crc = crc >> 8 ^ table[(crc ^ (unsigned char)*p++) & 0xff];
	}
	return ~crc;
}

/* --- lines --- */

static struct run *find_run(const char *name)
{
	struct run *r = runs;
	while (r && strcmp(r->name, name) != 0) {
		r = r->next;
	}
	if (!r) {
		r = get(sizeof(*r));
		snprintf(r->name, NAME, "%s", name);
		r->next = runs;
		runs = r;
	}
	return r;
}

static void take_number(struct stream *s, struct run *r, int which, uint64_t seq)
{
	if (!r->stream[which]) {
		r->stream[which] = s;
	} else if (r->stream[which] != s) {
		tell("torn %s: a line of run %s belongs to %s", s->name, r->name,
		     r->stream[which]->name);
	}
	if (seq <= r->have[which]) {
		tell("doubled %s: run %s line %llu, after %llu", s->name, r->name,
		     (unsigned long long)seq, (unsigned long long)r->have[which]);
		return;
	}
	if (seq != r->have[which] + 1) {
		tell("lost %s: run %s %llu lines, from %llu", s->name, r->name,
		     (unsigned long long)(seq - r->have[which] - 1),
		     (unsigned long long)r->have[which] + 1);
	}
	r->have[which] = seq;
}

static void take_line(struct stream *s, const char *line, size_t len)
{
	char name[NAME], letter;
	unsigned long long seq;
	unsigned sum;
	char text[400];
	snprintf(text, sizeof(text), "%.*s", (int)(len < 399 ? len : 399), line);
	lines++;
	if (len < 20 || len >= 399 || sscanf(text, "%63s %c %llu", name, &letter, &seq) != 3 ||
	    (letter != 'o' && letter != 'e') || sscanf(text + len - 8, "%8x", &sum) != 1 ||
	    sum != crc32(text, len - 9)) {
		tell("torn %s: %.200s", s->name, text);
		return;
	}
	if (!s->last || strcmp(s->last->name, name) != 0) {
		s->last = find_run(name);
	}
	take_number(s, s->last, letter == 'e', seq);
}

static void take_lines(struct stream *s)
{
	size_t at = 0;
	for (;;) {
		const char *end = memchr(s->buf + at, '\n', s->have - at);
		if (!end) {
			break;
		}
		take_line(s, s->buf + at, (size_t)(end - s->buf) - at);
		at = (size_t)(end - s->buf) + 1;
	}
	s->have -= at;
	memmove(s->buf, s->buf + at, s->have);
}

/* --- files --- */

static void read_on(struct stream *s)
{
	ssize_t n;
	for (;;) {
		if (s->room - s->have < 65536) {
			s->room = s->have + (1 << 18);
			s->buf = realloc(s->buf, s->room);
			if (!s->buf) {
				out_of("memory");
			}
		}
		n = read(s->fd, s->buf + s->have, s->room - s->have);
		if (n <= 0) {
			return;
		}
		bytes += (uint64_t)n;
		s->have += (size_t)n;
		take_lines(s);
	}
}

static ino_t inode_of(const struct stream *s, int number, char path[4096])
{
	struct stat st;
	int n = snprintf(path, 4096, "%s/%s.log", logs, s->name);
	if (number) {
		snprintf(path + n, 4096 - (size_t)n, ".%d", number);
	}
	return stat(path, &st) == 0 ? st.st_ino : 0;
}

/* The file written after the one we have read. 0 = none yet, or files are just being renamed. */
static int next_file(const struct stream *s)
{
	char path[4096];
	int next = 0;
	if (inode_of(s, 0, path) == s->inode) {
		return -1;
	}
	for (int n = 1; n <= NUMBERED; n++) {
		ino_t inode = inode_of(s, n, path);
		if (inode && inode == s->inode) {
			return next;
		}
		next = inode ? n : next; /* a kill in the middle of a rotation leaves a gap */
	}
	return -2;
}

static bool open_number(struct stream *s, int number)
{
	char path[4096];
	struct stat st;
	ino_t inode = inode_of(s, number, path);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0 || st.st_ino != inode) {
		if (fd >= 0) {
			close(fd);
		}
		return false;
	}
	if (s->fd >= 0) {
		close(s->fd);
	}
	s->fd = fd;
	s->inode = inode;
	return true;
}

static int oldest(const struct stream *s)
{
	char path[4096];
	int number = 0;
	for (int n = 1; n <= NUMBERED; n++) {
		number = inode_of(s, n, path) ? n : number;
	}
	return number;
}

/* A new stream begins with its oldest file, unless that is just being renamed. */
static bool open_first(struct stream *s)
{
	for (int tries = 0; tries < 100; tries++) {
		int first = oldest(s);
		if (open_number(s, first) && oldest(s) == first) {
			return true;
		}
	}
	return s->fd >= 0;
}

static void advance(struct stream *s)
{
	if (s->fd < 0 && !open_first(s)) {
		return;
	}
	for (int tries = 0; tries < 2000;) {
		int next = next_file(s);
		read_on(s); /* after the look: a file that has a successor grows no more */
		if (next == -1) {
			return;
		}
		/* The same answer twice: no rename came in between. */
		if (next < 0 || next_file(s) != next || !open_number(s, next)) {
			tries++;
			usleep(next == -2 ? 1000 : 10);
			continue;
		}
		tries = 0;
	}
	if (!s->behind) {
		tell("behind %s: its files were rotated away before they were read", s->name);
	}
	s->behind = true;
}

static struct stream *find_stream(const char *name)
{
	struct stream *s = streams;
	while (s && strcmp(s->name, name) != 0) {
		s = s->next;
	}
	if (!s) {
		s = get(sizeof(*s));
		snprintf(s->name, NAME, "%s", name);
		s->fd = -1;
		s->next = streams;
		streams = s;
	}
	return s;
}

/* --- counts --- */

/* The count file APP-SLOT.PID.NS of a run. */
static void take_count(const char *file)
{
	char path[4096], name[NAME];
	const char *dot = strchr(file, '.');
	snprintf(path, sizeof(path), "%s/%s", counts, file);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return;
	}
	struct run *r = find_run(dot + 1);
	if (!r->written) {
		r->written = mmap(NULL, 2 * sizeof(*r->written), PROT_READ, MAP_SHARED, fd, 0);
		if (r->written == MAP_FAILED) {
			out_of(path);
		}
		for (int i = 0; i < 2; i++) {
			snprintf(name, NAME, "%.*s.%s", (int)(dot - file), file, i ? "err" : "out");
			r->stream[i] = find_stream(name);
		}
	}
	r->dead = flock(fd, LOCK_EX | LOCK_NB) == 0; /* before the counts are read */
	close(fd);
	if (r->dead) {
		unlink(path);
	}
}

static void take_counts(void)
{
	DIR *d = opendir(counts);
	struct dirent *e;
	if (!d) {
		out_of(counts);
	}
	while ((e = readdir(d))) {
		const char *dot = strchr(e->d_name, '.');
		if (dot && dot != e->d_name && strncmp(e->d_name, "new.", 4) != 0) {
			take_count(e->d_name);
		}
	}
	closedir(d);
	for (struct run *r = runs; r; r = r->next) {
		for (int i = 0; i < 2 && r->written; i++) {
			r->want[i] = r->written[i];
		}
	}
}

static bool all_there(bool say)
{
	bool good = true;
	for (struct run *r = runs; r; r = r->next) {
		for (int i = 0; i < 2; i++) {
			if (r->written && r->have[i] < r->want[i]) {
				good = false;
				if (say) {
					tell("missing %s: run %s (%s) has written %llu lines, %llu "
					     "are there",
					     r->stream[i]->name, r->name,
					     r->dead ? "dead" : "alive",
					     (unsigned long long)r->want[i],
					     (unsigned long long)r->have[i]);
				}
			}
		}
	}
	return good;
}

/* What is dead and complete is asked for no more; its numbers stay, so that a double shows. */
static void forget_dead(void)
{
	for (struct run *r = runs; r; r = r->next) {
		if (r->written && r->dead) {
			munmap(r->written, 2 * sizeof(*r->written));
			r->written = NULL;
			ended++;
		}
	}
}

static void check(long ms)
{
	int64_t end = now_ms() + ms;
	told = 0;
	take_counts();
	for (;;) {
		bool late = now_ms() >= end; /* one more look: the last one may have taken long */
		for (struct stream *s = streams; s; s = s->next) {
			advance(s);
		}
		if (all_there(late) || late) {
			break;
		}
		usleep(2000);
	}
	forget_dead();
	printf("checked %llu %u %llu\n", (unsigned long long)lines, ended,
	       (unsigned long long)bytes);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char line[32];
	if (argc != 3) {
		return 2;
	}
	logs = argv[1];
	counts = argv[2];
	make_table();
	while (fgets(line, sizeof(line), stdin)) {
		check(atol(line));
	}
	return 0;
}
