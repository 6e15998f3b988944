/* SPDX-License-Identifier: MIT */
#include "sys/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD  4096 /* bytes before the first of an app's */
#define EMPTY (256 * 1024)

/*
 * A kill between two stores is all that can happen to it, so it is enough that they are made in the
 * order in which they stand: hence volatile.
 */
struct spool_head {
	uint64_t magic;
	volatile uint64_t done;		     /* offset of the first byte that waits */
	volatile uint64_t to;		     /* more than done: up to here they are being written */
	volatile int64_t file_from, file_to; /* ... into this part of the file */
	volatile uint64_t dev, ino;
};

#define MAGIC UINT64_C(0x314c4f4f50534d50)

static bool map(struct spool *s)
{
	void *p = mmap(NULL, HEAD, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
	s->head = p == MAP_FAILED ? NULL : p;
	return s->head != NULL;
}

void spool_finish(struct spool *s)
{
	if (s->head) {
		munmap(s->head, HEAD);
	}
	if (s->fd >= 0) {
		close(s->fd);
	}
	*s = SPOOL_NONE;
}

bool spool_open(struct spool *s)
{
	*s = (struct spool){.fd = memfd_create("pmctl-log", MFD_CLOEXEC), .emptied = HEAD};
	if (s->fd < 0 || ftruncate(s->fd, HEAD) != 0 || !map(s)) {
		int saved = errno;
		spool_finish(s);
		errno = saved;
		return false;
	}
	s->head->done = HEAD;
	s->head->magic = MAGIC;
	return true;
}

static uint64_t end_of(const struct spool *s)
{
	struct stat st;
	return fstat(s->fd, &st) == 0 && st.st_size > HEAD ? (uint64_t)st.st_size : HEAD;
}

bool spool_adopt(struct spool *s, int fd)
{
	struct stat st;
	*s = (struct spool){.fd = fd, .emptied = HEAD};
	if (fstat(fd, &st) != 0 || st.st_size < HEAD || !map(s) || s->head->magic != MAGIC) {
		spool_finish(s);
		return false;
	}
	if (s->head->done > end_of(s) || s->head->done < HEAD) {
		s->head->done = HEAD; /* killed just after all was written */
	}
	return true;
}

/* All was written: begin anew, so that it does not grow. */
static void give_back(struct spool *s)
{
	uint64_t done = s->head->done;
	if (done == end_of(s) && done > HEAD) {
		s->head->to = 0;
		if (ftruncate(s->fd, HEAD) == 0) {
			s->head->done = s->emptied = HEAD;
		}
	} else if (done >= s->emptied + EMPTY) {
		fallocate(s->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)s->emptied,
			  (off_t)(done - s->emptied));
		s->emptied = done;
	}
}

void spool_settle(struct spool *s, struct logfile *f)
{
	struct spool_head *h = s->head;
	struct stat st;
	if (h->to <= h->done) {
		return;
	}
	if (fstat(f->fd, &st) == 0 && st.st_dev == h->dev && st.st_ino == h->ino &&
	    st.st_size < h->file_to) {
		logfile_cut(f, h->file_from);
		h->to = 0; /* once more */
	} else {
		h->done = h->to;
	}
}

ssize_t spool_fill(struct spool *s, int pipe_fd, size_t max)
{
	ssize_t n;
	off_t at = (off_t)end_of(s);
	do {
		n = splice(pipe_fd, NULL, s->fd, &at, max, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
	} while (n < 0 && errno == EINTR);
	return n;
}

bool spool_read(const struct spool *s, struct buf *out)
{
	uint64_t at = s->head->done, end = end_of(s);
	buf_reserve(out, (size_t)(end - at));
	while (at < end) {
		ssize_t n = pread(s->fd, out->data + out->len, (size_t)(end - at), (off_t)at);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return false;
		}
		out->len += (size_t)n;
		at += (uint64_t)n;
	}
	out->data[out->len] = '\0';
	return true;
}

bool spool_write(struct spool *s, size_t taken, struct logfile *f, const struct buf *text,
		 int64_t *lost)
{
	struct spool_head *h = s->head;
	struct stat st;
	int64_t before = f->size;
	h->file_from = before;
	h->file_to = before + (int64_t)text->len;
	h->dev = fstat(f->fd, &st) == 0 ? st.st_dev : 0;
	h->ino = h->dev ? st.st_ino : 0;
	h->to = h->done + taken;
	bool ok = logfile_write(f, text->data, text->len);
	int saved = errno;
	h->done = h->to;
	*lost = (int64_t)text->len - (f->size - before);
	give_back(s);
	errno = saved;
	return ok;
}
