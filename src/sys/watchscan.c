/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/limits.h"
#include "sys/watchtree_priv.h"

/* Not IN_MODIFY: who writes has not finished before the close, and a log that is written all the
 * time wakes nobody up. */
#define EVENTS                                                                                     \
	(IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR |       \
	 IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_ADD)
#define ENTRIES_AT_ONCE 64
#define BYTES_AT_ONCE	65536

static int64_t mtime_ns(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

static int64_t ctime_ns(const struct stat *st)
{
	return (int64_t)st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec;
}

static bool is_content(const struct stat *st)
{
	return S_ISREG(st->st_mode) || S_ISLNK(st->st_mode);
}

static bool is_too_large(const struct stat *st)
{
	return st->st_size > LIMIT_WATCH_SIZE;
}

static bool same_stat(const struct wnode *f, const struct stat *st)
{
	return f->size == st->st_size && f->mtime_ns == mtime_ns(st) && f->ino == st->st_ino;
}

static void note_stat(struct wnode *f, const struct stat *st)
{
	f->size = st->st_size;
	f->mtime_ns = mtime_ns(st);
	f->ino = st->st_ino;
}

/* --- listing --- */

void watchscan_stop_listing(struct watchtree *t)
{
	if (t->listing.stream) {
		closedir(t->listing.stream);
	}
	t->listing.stream = NULL;
	t->listing.dir = NULL;
}

/* What was in a directory that is not there any more. */
static void vanish(struct watchtree *t, struct wnode *dir)
{
	struct wnode *n, *next;
	if (!dir->parent) {
		/* The whole root: it may be back in a moment, and is compared then. */
		dir->root->missing = true;
		t->check_roots = true;
		return;
	}
	wnode_set_wd(t, dir, -1);
	list_for_each(n, next, &dir->children, sibling)
	{
		if (n->is_dir) {
			wnode_queue(t, n, Q_SCAN);
		} else {
			wnode_dirty(t, n);
		}
	}
	wnode_prune(t, dir);
}

/* Directories of ours, and what the kernel makes up. */
static bool is_off_limits(const struct watchtree *t, int fd)
{
	struct stat st, other;
	struct statfs fs;
	if (fstat(fd, &st) != 0 || fstatfs(fd, &fs) != 0 || fs.f_type == PROC_SUPER_MAGIC ||
	    fs.f_type == SYSFS_MAGIC || fs.f_type == CGROUP2_SUPER_MAGIC) {
		return true;
	}
	for (size_t i = 0; i < t->skip.n; i++) {
		if (stat(t->skip.v[i], &other) == 0 && other.st_ino == st.st_ino &&
		    other.st_dev == st.st_dev) {
			return true;
		}
	}
	return false;
}

static void cannot_list(struct watchtree *t, struct wnode *dir, int why)
{
	if (why == ENOENT || why == ENOTDIR || why == ELOOP) {
		vanish(t, dir);
	} else if (why == ENOSPC) {
		watchtree_add_problem(t, WATCH_NO_WATCHES);
	} else if (!dir->parent) {
		dir->root->error = why;
	}
}

/* First the watch, then the list: nothing comes to be between the two unseen. */
static void begin_listing(struct watchtree *t, struct wnode *dir)
{
	char path[PATH_MAX];
	wnode_queue(t, dir, Q_NONE);
	if (!wnode_path(dir, path)) {
		wnode_prune(t, dir);
		return;
	}
	int wd = inotify_add_watch(t->fd, path, EVENTS);
	int fd = wd < 0 ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		int why = errno;
		watchtree_release_wd(t, wd);
		cannot_list(t, dir, why);
		return;
	}
	if (is_off_limits(t, fd)) {
		close(fd);
		watchtree_release_wd(t, wd);
		cannot_list(t, dir, EOPNOTSUPP);
		return;
	}
	wnode_set_wd(t, dir, wd);
	t->listing.stream = fdopendir(fd);
	t->listing.dir = dir;
	dir->round++;
}

static void meet_file(struct watchtree *t, struct wnode *dir, const char *name)
{
	struct stat st;
	struct wnode *f = wnode_find(t, dir, name, false);
	if (fstatat(dirfd(t->listing.stream), name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !is_content(&st)) {
		return;
	}
	if (f) {
		f->seen = dir->round;
		if (!same_stat(f, &st)) {
			wnode_dirty(t, f);
		}
		return;
	}
	f = wnode_new(t, dir, NULL, name, false);
	if (!f) {
		return;
	}
	f->seen = dir->round;
	f->exists = !t->listed;
	if (t->listed || ctime_ns(&st) > t->begun_real_ns) {
		wnode_dirty(t, f);
		return;
	}
	note_stat(f, &st);
	if (!is_too_large(&st)) {
		wnode_queue(t, f, Q_BASE);
	}
}

static void meet_dir(struct watchtree *t, struct wnode *dir, const char *name)
{
	struct wnode *n = wnode_find(t, dir, name, true);
	if (!n) {
		n = wnode_new(t, dir, dir->root, name, true);
	}
	if (n) {
		n->seen = dir->round;
		wnode_queue(t, n, Q_SCAN);
	}
}

static void meet(struct watchtree *t, struct wnode *dir, const struct dirent *e)
{
	unsigned char type = e->d_type;
	struct stat st;
	const char *only = dir->root->only;
	if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) {
		return;
	}
	if (only ? strcmp(e->d_name, only) != 0 : wnode_is_ignored(t, dir, e->d_name)) {
		return;
	}
	if (type == DT_UNKNOWN &&
	    fstatat(dirfd(t->listing.stream), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		type = S_ISDIR(st.st_mode)   ? DT_DIR
		       : S_ISREG(st.st_mode) ? DT_REG
		       : S_ISLNK(st.st_mode) ? DT_LNK
					     : DT_UNKNOWN;
	}
	if (type == DT_DIR && !only) {
		meet_dir(t, dir, e->d_name);
	} else if (type == DT_REG || type == DT_LNK) {
		meet_file(t, dir, e->d_name);
	}
}

/* What was known and has not been met. */
static void end_listing(struct watchtree *t)
{
	struct wnode *dir = t->listing.dir;
	struct wnode *n, *next;
	watchscan_stop_listing(t);
	list_for_each(n, next, &dir->children, sibling)
	{
		if (n->seen == dir->round) {
			continue;
		}
		if (n->is_dir) {
			wnode_queue(t, n, Q_SCAN);
		} else if (n->exists) {
			wnode_dirty(t, n);
		}
	}
}

void watchscan_list(struct watchtree *t)
{
	if (!t->listing.dir) {
		begin_listing(t, container_of(t->queue[Q_SCAN].next, struct wnode, queued));
		return;
	}
	for (int i = 0; i < ENTRIES_AT_ONCE; i++) {
		const struct dirent *e = readdir(t->listing.stream);
		if (!e) {
			end_listing(t);
			return;
		}
		meet(t, t->listing.dir, e);
	}
}

/* --- reading --- */

/* Not against somebody who looks for two files with the same sum; equal by chance: never. */
static uint64_t hash_bytes(uint64_t h, const unsigned char *p, size_t len)
{
	for (; len > 0; p += 8) {
		uint64_t word = 0;
		size_t n = len < 8 ? len : 8;
		memcpy(&word, p, n);
		len -= n;
		h ^= word * 0x9e3779b97f4a7c15u;
		h = (h << 29 | h >> 35) * 0xbf58476d1ce4e5b9u;
	}
	return h ^ h >> 32;
}

void watchtree_report(struct watchtree *t, const char *shown, const char *name, const char *what)
{
	if (t->changes++ == 0) {
		snprintf(t->first, sizeof(t->first), "%.120s%s%.160s %s", shown,
			 shown[0] && name[0] ? "/" : "", name, what);
	}
}

static void report(struct watchtree *t, const struct wnode *f, const char *what)
{
	char rel[PATH_MAX];
	const struct wroot *r = wnode_root(f);
	if (r->only) {
		watchtree_report(t, r->shown, "", what);
	} else if (wnode_rel(f, rel)) {
		size_t len = strlen(rel); /* the end of a long path says more than its beginning */
		watchtree_report(t, r->shown, len > 160 ? rel + len - 160 : rel, what);
	}
}

void watchscan_stop_reading(struct watchtree *t)
{
	if (t->reading.fd >= 0) {
		close(t->reading.fd);
	}
	t->reading.fd = -1;
	t->reading.file = NULL;
}

/* Whether a file whose first hash was taken is still as it was when it was listed. */
static bool has_moved_on(const struct watchtree *t)
{
	struct stat now = t->reading.st;
	return (t->reading.fd >= 0 && fstat(t->reading.fd, &now) != 0) ||
	       !same_stat(t->reading.file, &now);
}

/* All is known of a file: what does it mean? hash NULL = it could not be read, or is too large. */
static void conclude(struct watchtree *t, const uint64_t *hash)
{
	struct wnode *f = t->reading.file;
	const struct stat *st = &t->reading.st;
	if (!t->reading.compare && has_moved_on(t)) {
		wnode_dirty(t, f);
		return;
	}
	if (t->reading.compare) {
		bool same = f->hashed && hash ? f->hash == *hash : same_stat(f, st);
		if (!f->exists) {
			report(t, f, "added");
		} else if (!same) {
			report(t, f, "changed");
		}
	}
	f->exists = true;
	f->hashed = hash != NULL;
	f->hash = hash ? *hash : 0;
	note_stat(f, st);
	watchscan_stop_reading(t);
}

static void forget(struct watchtree *t, struct wnode *f)
{
	struct wnode *dir = f->parent;
	wnode_free(t, f);
	wnode_prune(t, dir);
}

static void read_link(struct watchtree *t, const char *path)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target));
	uint64_t hash = hash_bytes(1, (unsigned char *)target, n > 0 ? (size_t)n : 0);
	conclude(t, n >= 0 ? &hash : NULL);
}

static void open_file(struct watchtree *t, const char *path)
{
	struct stat now;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fstat(fd, &now) != 0 || !S_ISREG(now.st_mode)) {
		if (fd >= 0) {
			close(fd);
		}
		conclude(t, NULL);
		return;
	}
	t->reading.fd = fd;
	t->reading.st = now;
	watchscan_read(t);
}

void watchscan_next(struct watchtree *t, enum watch_queue q)
{
	struct wnode *f = container_of(t->queue[q].next, struct wnode, queued);
	char path[PATH_MAX];
	struct stat st;
	wnode_queue(t, f, Q_NONE);
	bool ok = wnode_path(f, path);
	if (ok && q == Q_EXAMINE && t->is_own && t->is_own(t->ctx, path)) {
		forget(t, f);
		return;
	}
	if (!ok || lstat(path, &st) != 0 || !is_content(&st)) {
		if (q == Q_EXAMINE && f->exists) {
			report(t, f, "removed");
		}
		if (q == Q_EXAMINE) {
			forget(t, f);
		}
		return; /* an event about it is on its way */
	}
	t->reading.file = f;
	t->reading.compare = q == Q_EXAMINE;
	t->reading.st = st;
	t->reading.offset = 0;
	t->reading.hash = 2;
	if (S_ISLNK(st.st_mode)) {
		read_link(t, path);
	} else if (is_too_large(&st)) {
		conclude(t, NULL);
	} else {
		open_file(t, path);
	}
}

void watchscan_read(struct watchtree *t)
{
	unsigned char data[BYTES_AT_ONCE];
	size_t len = 0;
	ssize_t n = 0;
	while (len < sizeof(data) && (n = pread(t->reading.fd, data + len, sizeof(data) - len,
						(off_t)t->reading.offset + (off_t)len)) > 0) {
		len += (size_t)n;
	}
	t->reading.offset += (int64_t)len;
	t->reading.hash = hash_bytes(t->reading.hash, data, len);
	if (n < 0 || t->reading.offset > LIMIT_WATCH_SIZE) {
		conclude(t, NULL);
	} else if (len < sizeof(data)) {
		uint64_t sum = hash_bytes(t->reading.hash, (unsigned char *)&t->reading.offset,
					  sizeof(t->reading.offset));
		conclude(t, &sum);
	}
}
