/* SPDX-License-Identifier: MIT */
#include "sys/watchtree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/mem.h"
#include "sys/fileio.h"
#include "sys/watchtree_priv.h"

#define READS_AT_ONCE 2 /* of 64 KiB; the descriptor stays readable */

static void add_ignored(struct watchtree *t, const char *word)
{
	size_t len = strlen(word);
	bool here = word[0] == '.' && word[1] == '/';
	word += here ? 2 : 0;
	len -= here ? 2 : 0;
	while (len > 1 && word[len - 1] == '/') {
		len--;
	}
	if (len) {
		struct wignore *i = &t->ignore[t->nignore++];
		i->text = xstrndup(word, len);
		i->is_path = here || strchr(i->text, '/');
	}
}

/* As many as may be asked for in /proc, or "?". */
static void read_setting(const char *name, char *out, size_t cap)
{
	char path[80];
	snprintf(path, sizeof(path), "/proc/sys/fs/inotify/%s", name);
	if (file_read(-1, path, out, cap) <= 0) {
		snprintf(out, cap, "?");
	}
	out[strcspn(out, "\n")] = '\0';
}

static struct watchtree *no_inotify(struct err *err)
{
	char max[24];
	int why = errno;
	read_setting("max_user_instances", max, sizeof(max));
	if (why == EMFILE) {
		err_set(err, ERR_LIMIT,
			"the user's inotify instances (or our descriptors) are used up; raise "
			"fs.inotify.max_user_instances (%s)",
			max);
	} else {
		errno = why;
		err_sys(err, "inotify");
	}
	return NULL;
}

struct watchtree *watchtree_new(const struct watchtree_conf *c, struct err *err)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (fd < 0) {
		return no_inotify(err);
	}
	struct watchtree *t = xcalloc(1, sizeof(*t));
	t->fd = fd;
	t->reading.fd = -1;
	t->pool = c->pool;
	t->is_own = c->is_own;
	t->ctx = c->ctx;
	t->begun_real_ns = c->now_real_ns;
	t->check_roots = true;
	list_init(&t->roots);
	for (size_t i = 0; i < ARRAY_LEN(t->queue); i++) {
		list_init(&t->queue[i]);
	}
	t->ignore = xcalloc(c->ignore.n, sizeof(*t->ignore));
	for (size_t i = 0; i < c->ignore.n; i++) {
		add_ignored(t, c->ignore.v[i]);
	}
	for (size_t i = 0; i < c->skip.n; i++) {
		words_add(&t->skip, c->skip.v[i]);
	}
	for (size_t i = 0; i < c->paths.n; i++) {
		watchroot_add(t, c->base, c->paths.v[i]);
	}
	if (!c->paths.n) {
		watchroot_add(t, c->base, ".");
	}
	return t;
}

void watchtree_free(struct watchtree *t)
{
	if (!t) {
		return;
	}
	struct wroot *r, *next;
	list_for_each(r, next, &t->roots, node)
	{
		watchroot_free(t, r);
	}
	watchscan_stop_reading(t);
	close(t->fd);
	for (size_t i = 0; i < t->nignore; i++) {
		free(t->ignore[i].text);
	}
	free(t->ignore);
	words_finish(&t->skip);
	free(t->by_name.slot);
	free(t->by_wd.slot);
	free(t);
}

int watchtree_fd(const struct watchtree *t)
{
	return t->fd;
}

/* --- events --- */

static void dir_event(struct watchtree *t, struct wnode *dir, const struct inotify_event *ev)
{
	struct wnode *n = wnode_find(t, dir, ev->name, true);
	if (!n && (ev->mask & (IN_CREATE | IN_MOVED_TO))) {
		n = wnode_new(t, dir, dir->root, ev->name, true);
	}
	if (n) {
		wnode_queue(t, n, Q_SCAN);
	}
}

/* A file that was created for writing is not finished yet, but a link is: no close follows it. */
static bool is_finished(const struct wnode *dir, const char *name)
{
	char path[PATH_MAX];
	struct stat st;
	size_t len = wnode_path(dir, path) ? strlen(path) : sizeof(path);
	if (len + strlen(name) + 2 > sizeof(path)) {
		return false;
	}
	snprintf(path + len, sizeof(path) - len, "/%s", name);
	return lstat(path, &st) == 0 &&
	       (S_ISLNK(st.st_mode) || (S_ISREG(st.st_mode) && st.st_nlink > 1));
}

static void file_event(struct watchtree *t, struct wnode *dir, const struct inotify_event *ev)
{
	struct wnode *n = wnode_find(t, dir, ev->name, false);
	bool written = (ev->mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) ||
		       ((ev->mask & IN_CREATE) && is_finished(dir, ev->name));
	if (!n && written) {
		n = wnode_new(t, dir, NULL, ev->name, false);
	}
	if (n && (written || (ev->mask & (IN_DELETE | IN_MOVED_FROM)))) {
		wnode_dirty(t, n);
	}
}

static void node_event(struct watchtree *t, struct wnode *dir, const struct inotify_event *ev)
{
	const char *only = dir->root->only;
	if (!ev->len || (only ? strcmp(ev->name, only) != 0 || (ev->mask & IN_ISDIR)
			      : wnode_is_ignored(t, dir, ev->name))) {
		return;
	}
	if (ev->mask & IN_ISDIR) {
		dir_event(t, dir, ev);
	} else {
		file_event(t, dir, ev);
	}
}

/* The kernel gave up a watch, because the directory is gone or unmounted. */
static void watch_ended(struct watchtree *t, int wd)
{
	struct wroot *r, *next;
	for (struct wnode *n; (n = wnode_by_wd(t, wd, NULL));) {
		wnode_set_wd(t, n, -1);
		wnode_queue(t, n, Q_SCAN);
	}
	list_for_each(r, next, &t->roots, node)
	{
		for (size_t i = 0; i < r->nspots; i++) {
			r->spot[i].wd = r->spot[i].wd == wd ? -1 : r->spot[i].wd;
		}
	}
}

static void look_at_all(struct watchtree *t)
{
	struct wroot *r, *next;
	t->check_roots = true;
	list_for_each(r, next, &t->roots, node)
	{
		if (r->dir) {
			wnode_queue(t, r->dir, Q_SCAN);
		}
	}
}

static void take(struct watchtree *t, const struct inotify_event *ev)
{
	struct wroot *r, *next;
	if (ev->mask & IN_Q_OVERFLOW) {
		look_at_all(t);
		return;
	}
	list_for_each(r, next, &t->roots, node)
	{
		t->check_roots |= watchroot_concerns(r, ev);
	}
	for (struct wnode *n = wnode_by_wd(t, ev->wd, NULL); n; n = wnode_by_wd(t, ev->wd, n)) {
		node_event(t, n, ev);
	}
	if (ev->mask & IN_IGNORED) {
		watch_ended(t, ev->wd);
	}
}

void watchtree_read(struct watchtree *t)
{
	_Alignas(struct inotify_event) char data[65536];
	ssize_t n = 0;
	for (int i = 0; i < READS_AT_ONCE && (n = read(t->fd, data, sizeof(data))) > 0; i++) {
		for (char *at = data; at < data + n;) {
			const struct inotify_event *ev = (const void *)at;
			take(t, ev);
			at += sizeof(*ev) + ev->len;
		}
	}
}

/* --- work --- */

static void check_roots(struct watchtree *t)
{
	struct wroot *r, *next;
	t->check_roots = false;
	list_for_each(r, next, &t->roots, node)
	{
		watchroot_check(t, r);
	}
}

bool watchtree_step(struct watchtree *t)
{
	if (t->check_roots) {
		check_roots(t);
	} else if (t->listing.dir || !list_empty(&t->queue[Q_SCAN])) {
		watchscan_list(t);
	} else if (t->reading.fd >= 0) {
		watchscan_read(t);
	} else if (!list_empty(&t->queue[Q_EXAMINE])) {
		watchscan_next(t, Q_EXAMINE);
	} else if (!list_empty(&t->queue[Q_BASE])) {
		watchscan_next(t, Q_BASE);
	} else {
		t->listed = true;
		return false;
	}
	t->listed |= !t->check_roots && !t->listing.dir && list_empty(&t->queue[Q_SCAN]);
	return true;
}

bool watchtree_noticed(struct watchtree *t)
{
	bool noticed = t->noticed;
	t->noticed = false;
	return noticed;
}

void watchtree_examine(struct watchtree *t)
{
	struct wnode *n, *next;
	list_for_each(n, next, &t->queue[Q_DIRTY], queued)
	{
		if (!wnode_root(n)->missing) {
			wnode_queue(t, n, Q_EXAMINE);
		}
	}
}

size_t watchtree_changes(struct watchtree *t, char *first, size_t cap)
{
	size_t n = t->changes;
	snprintf(first, cap, "%s", n ? t->first : "");
	t->changes = 0;
	return n;
}

static bool root_problem(struct watchtree *t, char *text, size_t cap)
{
	struct wroot *r, *next;
	list_for_each(r, next, &t->roots, node)
	{
		if (r->told || !(r->error || (r->missing && !r->real))) {
			continue;
		}
		r->told = true;
		if (r->error) {
			snprintf(text, cap, "cannot watch %.180s: %s", r->path, strerror(r->error));
		} else {
			snprintf(text, cap, "%.180s is not there; it is watched once it is",
				 r->path);
		}
		return true;
	}
	return false;
}

bool watchtree_problem(struct watchtree *t, char *text, size_t cap)
{
	char max[24];
	unsigned left = t->problems & ~t->told;
	unsigned p = 0;
	if (!left) {
		return root_problem(t, text, cap);
	}
	while (!(left & 1u << p)) {
		p++;
	}
	t->told |= 1u << p;
	switch ((enum watch_problem)p) {
	case WATCH_NO_WATCHES:
		read_setting("max_user_watches", max, sizeof(max));
		snprintf(text, cap,
			 "cannot watch more directories: fs.inotify.max_user_watches (%s) is used "
			 "up; raise it, or leave some out with watch_ignore",
			 max);
		break;
	default:
		snprintf(text, cap,
			 "more than %d %s: the rest is not watched; leave some out with "
			 "watch_ignore",
			 p == WATCH_TOO_MANY_DIRS ? LIMIT_WATCH_DIRS : LIMIT_WATCH_FILES,
			 p == WATCH_TOO_MANY_DIRS ? "directories" : "files");
		break;
	}
	return true;
}

size_t watchtree_files(const struct watchtree *t)
{
	return t->nfiles;
}

size_t watchtree_dirs(const struct watchtree *t)
{
	return t->ndirs;
}
