/* SPDX-License-Identifier: MIT */
#include "sys/logindex.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"
#include "sys/fileio.h"

#define BLOCK_RECORDS (sizeof(((struct logindex_reader *)0)->block) / LOGINDEX_RECORD)
/* Records looked back at for a start; 16 MiB of index. */
#define LOOK_BACK (1024 * 1024)

struct record {
	uint64_t offset;
	bool is_start;
	uint64_t value;
};

int logindex_open(int dirfd, const char *log_path, mode_t mode)
{
	char *path = xasprintf("%s" LOGINDEX_SUFFIX, log_path);
	int fd = openat(dirfd, path,
			O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC |
				O_NOCTTY,
			mode);
	free(path);
	if (fd < 0) {
		return -1;
	}
	struct stat st;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    (st.st_size % LOGINDEX_RECORD &&
	     ftruncate(fd, st.st_size - st.st_size % LOGINDEX_RECORD) != 0)) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	return fd;
}

static bool append(int fd, uint64_t a, uint64_t b)
{
	uint64_t rec[2] = {htole64(a), htole64(b)};
	ssize_t n;
	do {
		n = write(fd, rec, sizeof(rec));
	} while (n < 0 && errno == EINTR);
	if (n == (ssize_t)sizeof(rec)) {
		return true;
	}
	/* A full disk can tear a record, which would shift all later ones. */
	struct stat st;
	if (n > 0 && fstat(fd, &st) == 0 && st.st_size >= n && ftruncate(fd, st.st_size - n) == 0) {
		errno = ENOSPC;
	}
	return false;
}

bool logindex_mark(int fd, uint64_t offset, int64_t real_ns)
{
	return append(fd, offset & ~LOGINDEX_START, (uint64_t)real_ns);
}

bool logindex_start(int fd, uint64_t offset, pid_t pid)
{
	return append(fd, offset | LOGINDEX_START, (uint64_t)pid);
}

bool logindex_put_before(int fd, uint64_t bytes)
{
	return append(fd, LOGINDEX_START, bytes | LOGINDEX_BEFORE);
}

static void refresh(struct logindex_reader *r)
{
	struct stat st;
	uint64_t n = fstat(r->fd, &st) == 0 ? (uint64_t)st.st_size / LOGINDEX_RECORD : 0;
	if (n < r->n) {
		r->have = 0;
	}
	r->n = n;
}

bool logindex_reader_open(struct logindex_reader *r, int dirfd, const char *log_path)
{
	memset(r, 0, sizeof(*r));
	char *path = xasprintf("%s" LOGINDEX_SUFFIX, log_path);
	r->fd = openat(dirfd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	free(path);
	if (r->fd < 0) {
		return false;
	}
	struct stat st;
	if (fstat(r->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(r->fd);
		return false;
	}
	r->open = true;
	refresh(r);
	logindex_has_restarted(r);
	return true;
}

void logindex_reader_finish(struct logindex_reader *r)
{
	if (r->open) {
		close(r->fd);
	}
	memset(r, 0, sizeof(*r));
}

bool logindex_has_restarted(struct logindex_reader *r)
{
	unsigned char now[sizeof(r->head)];
	ssize_t n = r->open ? pread(r->fd, now, sizeof(now), 0) : 0;
	size_t have = n > 0 ? (size_t)n - (size_t)n % LOGINDEX_RECORD : 0;
	bool other = have < r->nhead || memcmp(now, r->head, r->nhead) != 0;
	memcpy(r->head, now, have);
	r->nhead = have;
	if (other) {
		r->have = 0;
		r->pid_from = r->pid_to = 0;
	}
	return other;
}

/* Record i, through the block that holds it. `backward`: the records before it come next. */
static bool get(struct logindex_reader *r, uint64_t i, bool backward, struct record *out)
{
	if (i >= r->n) {
		return false;
	}
	if (i < r->first || i >= r->first + r->have) {
		uint64_t first = i;
		if (backward) {
			first = i >= BLOCK_RECORDS ? i - BLOCK_RECORDS + 1 : 0;
		}
		uint64_t n = r->n - first < BLOCK_RECORDS ? r->n - first : BLOCK_RECORDS;
		r->have = 0;
		if (!file_pread_all(r->fd, r->block, n * LOGINDEX_RECORD,
				    (off_t)(first * LOGINDEX_RECORD))) {
			return false;
		}
		r->first = first;
		r->have = n;
	}
	uint64_t rec[2];
	memcpy(rec, r->block + (i - r->first) * LOGINDEX_RECORD, sizeof(rec));
	uint64_t a = le64toh(rec[0]);
	*out = (struct record){a & ~LOGINDEX_START, a & LOGINDEX_START, le64toh(rec[1])};
	return true;
}

/* The first record whose offset is above this one; r->n if there is none. */
static uint64_t first_above(struct logindex_reader *r, uint64_t offset)
{
	uint64_t lo = 0, hi = r->n;
	struct record rec;
	/* Mostly the answer is in the block of the last one. */
	if (r->have > 1 && get(r, r->first, false, &rec) && rec.offset <= offset &&
	    get(r, r->first + r->have - 1, false, &rec) && rec.offset > offset) {
		lo = r->first;
		hi = r->first + r->have - 1;
	}
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		if (!get(r, mid, false, &rec)) {
			return r->n;
		}
		if (rec.offset <= offset) {
			lo = mid + 1;
		} else {
			hi = mid;
		}
	}
	return lo;
}

bool logindex_time(struct logindex_reader *r, uint64_t offset, int64_t *real_ns)
{
	if (!r->open) {
		return false;
	}
	uint64_t i = first_above(r, offset);
	if (i >= r->n) {
		refresh(r);
		i = first_above(r, offset);
	}
	struct record rec;
	for (; get(r, i, false, &rec); i++) {
		if (!rec.is_start) {
			*real_ns = (int64_t)rec.value;
			return true;
		}
	}
	return false;
}

bool logindex_before(struct logindex_reader *r, uint64_t *bytes)
{
	struct record rec;
	if (!r->open) {
		return false;
	}
	refresh(r);
	if (!get(r, 0, false, &rec)) {
		return false;
	}
	bool told = rec.is_start && rec.offset == 0 && (rec.value & LOGINDEX_BEFORE);
	*bytes = told ? rec.value & ~LOGINDEX_BEFORE : 0;
	return true;
}

/* Where the next process begins, from record i on; far away if nobody is known. */
static uint64_t next_start(struct logindex_reader *r, uint64_t i)
{
	struct record rec;
	for (uint64_t steps = 0; steps < BLOCK_RECORDS && get(r, i, false, &rec); i++, steps++) {
		if (rec.is_start) {
			return rec.offset;
		}
	}
	return get(r, i - 1, false, &rec) ? rec.offset : 0;
}

bool logindex_pid(struct logindex_reader *r, uint64_t offset, pid_t *pid)
{
	if (!r->open) {
		return false;
	}
	if (offset >= r->pid_from && offset < r->pid_to) {
		*pid = r->pid;
		return true;
	}
	refresh(r);
	uint64_t above = first_above(r, offset);
	struct record rec;
	for (uint64_t i = above, steps = 0; i > 0 && steps < LOOK_BACK; steps++) {
		if (!get(r, --i, true, &rec)) {
			return false;
		}
		if (rec.is_start && rec.offset <= offset && rec.value > 0 &&
		    rec.value <= INT32_MAX) {
			r->pid = *pid = (pid_t)rec.value;
			r->pid_from = rec.offset;
			/* Behind the last record another process may begin any time. */
			r->pid_to = above < r->n ? next_start(r, above) : 0;
			return true;
		}
	}
	return false;
}
