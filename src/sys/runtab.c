/* SPDX-License-Identifier: MIT */
#include "sys/runtab.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"
#include "sys/fileio.h"

#define MAGIC	    UINT64_C(0x6261746e75726d70)
#define GROW	    64	 /* records added at a time */
#define HEADER_SIZE 4096 /* records begin on a page of their own */

enum { FREE = 0, IN_USE = 0x55534544, RESERVED = 0x52455356 };

struct header {
	uint64_t magic;
	uint32_t version, record_size;
	char boot_id[PROC_BOOT_ID + 3];
	_Atomic uint64_t next_id;
	_Atomic uint32_t capacity; /* records the file has room for */
};

struct runtab {
	int fd;
	struct header *head;
	struct runtab_rec *rec;
};

_Static_assert(sizeof(struct header) <= HEADER_SIZE, "the header fits its page");
_Static_assert(sizeof(struct runtab_rec) % 8 == 0, "records stay aligned");

/* Mapped at once for the largest table, so that records never move; what is beyond the end of the
 * file is not touched and costs nothing. */
static size_t map_size(void)
{
	return HEADER_SIZE + LIMIT_INSTANCES * sizeof(struct runtab_rec);
}

static off_t file_size(size_t capacity)
{
	return (off_t)(HEADER_SIZE + capacity * sizeof(struct runtab_rec));
}

/* Real room on the disk, so that no later write into the mapping can fail with SIGBUS. */
static bool allocate(int fd, size_t capacity, struct err *err)
{
	int rc;
	do {
		rc = posix_fallocate(fd, 0, file_size(capacity));
	} while (rc == EINTR);
	if (rc != 0) {
		errno = rc;
		return err_sys(err, "run table: make room");
	}
	return true;
}

static struct runtab *map(int fd, struct err *err)
{
	void *p = mmap(NULL, map_size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		err_sys(err, "run table: map");
		return NULL;
	}
	struct runtab *t = xcalloc(1, sizeof(*t));
	t->fd = fd;
	t->head = p;
	t->rec = (struct runtab_rec *)(void *)((char *)p + HEADER_SIZE);
	return t;
}

/* Never trust a record that could not have been written so: a wrong one means that the file was
 * damaged, and its name would go into messages and paths. */
static bool is_sound(const struct runtab_rec *r)
{
	return atomic_load_explicit(&r->in_use, memory_order_acquire) == IN_USE &&
	       memchr(r->app, '\0', sizeof(r->app)) && r->app[0] && !strchr(r->app, '/') &&
	       r->slot >= 0 && r->pid >= 0 && r->window_count <= RUNTAB_RESTARTS &&
	       r->window_next < RUNTAB_RESTARTS;
}

/* Read with pread before anything is mapped: the file may be shorter than it says. False (errno)
 * where that cannot be told: to begin anew then would be to start everything a second time. */
static bool check(int fd, const char *boot_id, enum runtab_fresh *fresh)
{
	struct stat st;
	struct header h;
	*fresh = RUNTAB_DAMAGED;
	if (fstat(fd, &st) != 0) {
		return false;
	}
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink != 1 ||
	    (st.st_mode & 077) != 0) {
		return true;
	}
	if (!file_pread_all(fd, &h, sizeof(h), 0)) {
		return errno == 0; /* too short */
	}
	if (h.magic == MAGIC && h.version == RUNTAB_VERSION &&
	    h.record_size == sizeof(struct runtab_rec) && h.capacity >= GROW &&
	    h.capacity <= LIMIT_INSTANCES && st.st_size >= file_size(h.capacity)) {
		*fresh = memcmp(h.boot_id, boot_id, PROC_BOOT_ID) == 0 ? RUNTAB_KEPT
								       : RUNTAB_OTHER_BOOT;
	}
	return true;
}

static struct runtab *take_over(int fd, enum runtab_fresh *fresh, struct err *err)
{
	struct runtab *t = map(fd, err);
	if (!t) {
		close(fd);
		return NULL;
	}
	for (size_t i = 0; i < runtab_capacity(t); i++) {
		struct runtab_rec *r = &t->rec[i];
		if (r->in_use != FREE && !is_sound(r)) {
			if (r->in_use != RESERVED) {
				*fresh = RUNTAB_MENDED;
			}
			runtab_free(r);
		} else if (r->in_use == IN_USE) {
			runtab_reserve_id(t, r->id);
		}
	}
	return t;
}

/* Made under another name and renamed, so the name never leads to half a header. */
static struct runtab *make(int dirfd, const char *name, const char *boot_id, struct err *err)
{
	char *tmp = xasprintf("%s.tmp", name);
	unlinkat(dirfd, tmp, 0);
	int fd = openat(dirfd, tmp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct runtab *t = NULL;
	if (fd < 0) {
		err_sys(err, "run table: create %s", tmp);
	} else if (allocate(fd, GROW, err) && (t = map(fd, err))) {
		t->head->magic = MAGIC;
		t->head->version = RUNTAB_VERSION;
		t->head->record_size = sizeof(struct runtab_rec);
		memcpy(t->head->boot_id, boot_id, PROC_BOOT_ID);
		t->head->next_id = 1;
		t->head->capacity = GROW;
		if (renameat(dirfd, tmp, dirfd, name) != 0) {
			err_sys(err, "run table: rename %s", tmp);
			runtab_close(t);
			t = NULL;
			fd = -1;
		}
	}
	if (!t) {
		if (fd >= 0) {
			close(fd);
		}
		unlinkat(dirfd, tmp, 0);
	}
	free(tmp);
	return t;
}

static void keep_aside(int dirfd, const char *name)
{
	char *old = xasprintf("%s.old", name);
	if (renameat(dirfd, name, dirfd, old) != 0 && errno != ENOENT) {
		/* One of the two is a directory and the other is not. */
		if (unlinkat(dirfd, old, 0) != 0) {
			unlinkat(dirfd, old, AT_REMOVEDIR);
		}
		renameat(dirfd, name, dirfd, old);
	}
	free(old);
}

static void remove_aside(int dirfd, const char *name)
{
	char *old = xasprintf("%s.old", name);
	unlinkat(dirfd, old, 0);
	free(old);
}

/* A full disk has no room for a new table; the one of another boot has its room already, and not
 * to come up after a reboot would be worse than to lose it. Boot id last: it makes it ours. */
static struct runtab *recycle(int dirfd, const char *name, const char *boot_id)
{
	char *old = xasprintf("%s.old", name);
	struct runtab *t = NULL;
	if (renameat(dirfd, old, dirfd, name) == 0) {
		int fd = openat(dirfd, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		enum runtab_fresh fresh;
		if (fd >= 0 && check(fd, boot_id, &fresh) && fresh == RUNTAB_OTHER_BOOT) {
			t = map(fd, NULL);
		}
		if (!t && fd >= 0) {
			close(fd);
		}
	}
	if (t) {
		for (size_t i = 0; i < runtab_capacity(t); i++) {
			runtab_free(&t->rec[i]);
		}
		t->head->next_id = 1;
		atomic_signal_fence(memory_order_seq_cst);
		memcpy(t->head->boot_id, boot_id, PROC_BOOT_ID);
	}
	free(old);
	return t;
}

struct runtab *runtab_open(int dirfd, const char *name, const char boot_id[PROC_BOOT_ID],
			   enum runtab_fresh *fresh, struct err *err)
{
	int fd = file_open(dirfd, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
	*fresh = errno == ENOENT ? RUNTAB_NEW : RUNTAB_DAMAGED;
	if (fd < 0 ? errno != ENOENT && !file_is_odd(errno) : !check(fd, boot_id, fresh)) {
		err_sys(err, "run table: open %s", name);
		if (fd >= 0) {
			close(fd);
		}
		return NULL;
	}
	if (*fresh == RUNTAB_KEPT) {
		return take_over(fd, fresh, err);
	}
	if (fd >= 0) {
		close(fd);
	}
	if (*fresh != RUNTAB_NEW) {
		keep_aside(dirfd, name);
	}
	struct runtab *t = make(dirfd, name, boot_id, err);
	if (*fresh == RUNTAB_OTHER_BOOT && t) {
		remove_aside(dirfd, name); /* whole, and of no use */
	}
	return !t && *fresh == RUNTAB_OTHER_BOOT ? recycle(dirfd, name, boot_id) : t;
}

bool runtab_is_known(int dirfd, const char *name, struct err *err)
{
	int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		return errno == ENOENT || err_sys(err, "run table: open %s", name);
	}
	char boot_id[PROC_BOOT_ID] = "";
	enum runtab_fresh fresh;
	bool known = check(fd, boot_id, &fresh) && fresh != RUNTAB_DAMAGED;
	close(fd);
	return known ||
	       err_set(err, ERR_FAILED, "run table %s: of another version, or damaged", name);
}

void runtab_close(struct runtab *t)
{
	if (t) {
		munmap(t->head, map_size());
		close(t->fd);
		free(t);
	}
}

uint64_t runtab_next_id(struct runtab *t)
{
	return atomic_fetch_add_explicit(&t->head->next_id, 1, memory_order_relaxed);
}

void runtab_reserve_id(struct runtab *t, uint64_t id)
{
	if (id >= t->head->next_id) {
		t->head->next_id = id + 1;
	}
}

size_t runtab_capacity(const struct runtab *t)
{
	return t->head->capacity;
}

static bool grow(struct runtab *t, struct err *err)
{
	size_t capacity = runtab_capacity(t);
	if (capacity >= LIMIT_INSTANCES) {
		return err_set(err, ERR_LIMIT, "there are %d instances already, the limit",
			       LIMIT_INSTANCES);
	}
	capacity = capacity + GROW < LIMIT_INSTANCES ? capacity + GROW : LIMIT_INSTANCES;
	if (!allocate(t->fd, capacity, err)) {
		return false;
	}
	t->head->capacity = (uint32_t)capacity;
	return true;
}

struct runtab_rec *runtab_alloc(struct runtab *t, struct err *err)
{
	size_t i = 0;
	while (i < runtab_capacity(t) && t->rec[i].in_use != FREE) {
		i++;
	}
	if (i == runtab_capacity(t) && !grow(t, err)) {
		return NULL;
	}
	struct runtab_rec *r = &t->rec[i];
	memset(r, 0, sizeof(*r));
	atomic_store_explicit(&r->in_use, RESERVED, memory_order_release);
	return r;
}

void runtab_commit(struct runtab_rec *rec)
{
	atomic_store_explicit(&rec->in_use, IN_USE, memory_order_release);
}

void runtab_free(struct runtab_rec *rec)
{
	atomic_store_explicit(&rec->in_use, FREE, memory_order_release);
}

struct runtab_rec *runtab_get(const struct runtab *t, size_t i)
{
	if (i >= runtab_capacity(t) ||
	    atomic_load_explicit(&t->rec[i].in_use, memory_order_acquire) != IN_USE) {
		return NULL;
	}
	return &t->rec[i];
}

void runtab_note_restart(struct runtab_rec *rec, int64_t mono_ms)
{
	uint32_t at = rec->window_next % RUNTAB_RESTARTS;
	rec->window[at] = mono_ms;
	rec->window_next = (at + 1) % RUNTAB_RESTARTS;
	if (rec->window_count < RUNTAB_RESTARTS) {
		rec->window_count++;
	}
}
