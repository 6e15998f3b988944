/* SPDX-License-Identifier: MIT */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sys/watchtree_priv.h"

/* What editors leave beside a file while it is edited, and python at each import. */
static const char *const leftovers[] = {"__pycache__", "*~", ".*.sw?", ".#*", "#*#", "4913"};

/* --- tables --- */

static void grow(struct htab *t)
{
	size_t cap = t->cap ? t->cap * 2 : 64;
	struct hlink **slot = xcalloc(cap, sizeof(struct hlink *));
	for (size_t i = 0; i < t->cap; i++) {
		for (struct hlink *l = t->slot[i], *next; l; l = next) {
			next = l->next;
			l->next = slot[l->hash & (cap - 1)];
			slot[l->hash & (cap - 1)] = l;
		}
	}
	free(t->slot);
	t->slot = slot;
	t->cap = cap;
}

void htab_add(struct htab *t, struct hlink *l, uint64_t hash)
{
	if (t->n >= t->cap) {
		grow(t);
	}
	l->hash = hash;
	l->next = t->slot[hash & (t->cap - 1)];
	t->slot[hash & (t->cap - 1)] = l;
	t->n++;
}

void htab_remove(struct htab *t, struct hlink *l)
{
	for (struct hlink **at = &t->slot[l->hash & (t->cap - 1)]; *at; at = &(*at)->next) {
		if (*at == l) {
			*at = l->next;
			t->n--;
			return;
		}
	}
}

static struct hlink *same_hash(struct hlink *l, uint64_t hash)
{
	while (l && l->hash != hash) {
		l = l->next;
	}
	return l;
}

struct hlink *htab_first(const struct htab *t, uint64_t hash)
{
	return t->cap ? same_hash(t->slot[hash & (t->cap - 1)], hash) : NULL;
}

struct hlink *htab_next(const struct hlink *l)
{
	return same_hash(l->next, l->hash);
}

/* --- nodes --- */

static uint64_t hash_name(const struct wnode *dir, const char *name, bool is_dir)
{
	uint64_t h = 0xcbf29ce484222325u ^ (uintptr_t)dir ^ is_dir;
	for (const char *s = name; *s; s++) {
		h = (h ^ (unsigned char)*s) * 0x100000001b3u;
	}
	return h ^ h >> 32;
}

struct wnode *wnode_find(const struct watchtree *t, const struct wnode *dir, const char *name,
			 bool is_dir)
{
	for (struct hlink *l = htab_first(&t->by_name, hash_name(dir, name, is_dir)); l;
	     l = htab_next(l)) {
		struct wnode *n = container_of(l, struct wnode, by_name);
		if (n->parent == dir && n->is_dir == is_dir && strcmp(n->name, name) == 0) {
			return n;
		}
	}
	return NULL;
}

struct wnode *wnode_new(struct watchtree *t, struct wnode *dir, struct wroot *root,
			const char *name, bool is_dir)
{
	size_t *left = is_dir ? &t->pool->dirs : &t->pool->files;
	if (*left == 0) {
		watchtree_add_problem(t, is_dir ? WATCH_TOO_MANY_DIRS : WATCH_TOO_MANY_FILES);
		return NULL;
	}
	--*left;
	*(is_dir ? &t->ndirs : &t->nfiles) += 1;
	size_t len = strlen(name) + 1;
	struct wnode *n = xcalloc(1, sizeof(*n) + len);
	memcpy(n->name, name, len);
	n->parent = dir;
	n->is_dir = is_dir;
	list_init(&n->sibling);
	list_init(&n->queued);
	if (is_dir) {
		list_init(&n->children);
		n->root = root;
		n->wd = -1;
	}
	if (dir) {
		list_add(&dir->children, &n->sibling);
	}
	htab_add(&t->by_name, &n->by_name, hash_name(dir, name, is_dir));
	return n;
}

void wnode_free(struct watchtree *t, struct wnode *n)
{
	if (t->listing.dir == n) {
		watchscan_stop_listing(t);
	}
	if (t->reading.file == n) {
		watchscan_stop_reading(t);
	}
	if (n->is_dir) {
		wnode_set_wd(t, n, -1);
	}
	list_remove(&n->sibling);
	list_remove(&n->queued);
	htab_remove(&t->by_name, &n->by_name);
	*(n->is_dir ? &t->pool->dirs : &t->pool->files) += 1;
	*(n->is_dir ? &t->ndirs : &t->nfiles) -= 1;
	free(n);
}

void wnode_free_all(struct watchtree *t, struct wnode *dir)
{
	struct wnode *n = dir;
	for (;;) {
		if (n->is_dir && !list_empty(&n->children)) {
			n = container_of(n->children.next, struct wnode, sibling);
			continue;
		}
		struct wnode *up = n == dir ? NULL : n->parent;
		wnode_free(t, n);
		if (!up) {
			return;
		}
		n = up;
	}
}

void wnode_prune(struct watchtree *t, struct wnode *dir)
{
	while (dir && dir->parent && dir->wd < 0 && dir->queue == Q_NONE && t->listing.dir != dir &&
	       list_empty(&dir->children)) {
		struct wnode *up = dir->parent;
		wnode_free(t, dir);
		dir = up;
	}
}

void wnode_queue(struct watchtree *t, struct wnode *n, enum watch_queue q)
{
	list_remove(&n->queued);
	n->queue = q;
	if (q != Q_NONE) {
		list_add(&t->queue[q], &n->queued);
	}
}

void wnode_dirty(struct watchtree *t, struct wnode *n)
{
	if (t->reading.file == n) {
		watchscan_stop_reading(t);
	}
	wnode_queue(t, n, Q_DIRTY);
	t->noticed = true;
}

struct wroot *wnode_root(const struct wnode *n)
{
	return n->is_dir ? n->root : n->parent->root;
}

/* --- paths --- */

/* Written from the end; NULL if there is no room. */
static char *write_rel(const struct wnode *n, char out[PATH_MAX])
{
	char *at = out + PATH_MAX - 1;
	*at = '\0';
	for (; n->parent; n = n->parent) {
		size_t len = strlen(n->name);
		if ((size_t)(at - out) < len + 2) {
			return NULL;
		}
		at -= len;
		memcpy(at, n->name, len);
		*--at = '/';
	}
	return at;
}

bool wnode_rel(const struct wnode *n, char out[PATH_MAX])
{
	char *at = write_rel(n, out);
	if (at) {
		at += *at == '/';
		memmove(out, at, strlen(at) + 1);
	}
	return at != NULL;
}

bool wnode_path(const struct wnode *n, char out[PATH_MAX])
{
	const char *real = wnode_root(n)->real;
	char *at = write_rel(n, out);
	size_t len = strcmp(real, "/") == 0 && at && *at ? 0 : strlen(real);
	if (!at || (size_t)(at - out) < len) {
		return false;
	}
	memcpy(at - len, real, len);
	memmove(out, at - len, strlen(at - len) + 1);
	return true;
}

/* --- what is left out --- */

static bool matches_path(const char *pattern, const struct wroot *r, const char *rel)
{
	char full[PATH_MAX * 2];
	if (pattern[0] == '/') {
		snprintf(full, sizeof(full), "%s/%s", r->real, rel);
		if (fnmatch(pattern, full, 0) == 0) {
			return true;
		}
		snprintf(full, sizeof(full), "%s/%s", r->path, rel);
		return fnmatch(pattern, full, 0) == 0 || fnmatch(pattern + 1, rel, 0) == 0;
	}
	snprintf(full, sizeof(full), "%s/%s", r->shown, rel);
	return fnmatch(pattern, rel, 0) == 0 || (r->shown[0] && fnmatch(pattern, full, 0) == 0);
}

bool wnode_is_ignored(const struct watchtree *t, const struct wnode *dir, const char *name)
{
	char rel[PATH_MAX];
	bool have_rel = false;
	for (size_t i = 0; i < ARRAY_LEN(leftovers); i++) {
		if (fnmatch(leftovers[i], name, 0) == 0) {
			return true;
		}
	}
	for (size_t i = 0; i < t->nignore; i++) {
		if (!t->ignore[i].is_path) {
			if (fnmatch(t->ignore[i].text, name, 0) == 0) {
				return true;
			}
			continue;
		}
		if (!have_rel) {
			size_t len = wnode_rel(dir, rel) ? strlen(rel) : sizeof(rel);
			if (len + strlen(name) + 2 > sizeof(rel)) {
				return true; /* too long for us to get there */
			}
			snprintf(rel + len, sizeof(rel) - len, "%s%s", len ? "/" : "", name);
			have_rel = true;
		}
		if (matches_path(t->ignore[i].text, dir->root, rel)) {
			return true;
		}
	}
	return false;
}

/* --- watches --- */

struct wnode *wnode_by_wd(const struct watchtree *t, int wd, const struct wnode *after)
{
	struct hlink *l = after ? htab_next(&after->by_wd) : htab_first(&t->by_wd, (uint64_t)wd);
	return l ? container_of(l, struct wnode, by_wd) : NULL;
}

/* A directory has one watch in the kernel, however many of us look at it. */
void watchtree_release_wd(struct watchtree *t, int wd)
{
	struct wroot *r, *next;
	if (wd < 0 || wnode_by_wd(t, wd, NULL)) {
		return;
	}
	list_for_each(r, next, &t->roots, node)
	{
		for (size_t i = 0; i < r->nspots; i++) {
			if (r->spot[i].wd == wd) {
				return;
			}
		}
	}
	inotify_rm_watch(t->fd, wd);
}

void wnode_set_wd(struct watchtree *t, struct wnode *dir, int wd)
{
	int old = dir->wd;
	if (old == wd) {
		return;
	}
	if (old >= 0) {
		htab_remove(&t->by_wd, &dir->by_wd);
	}
	dir->wd = wd;
	if (wd >= 0) {
		htab_add(&t->by_wd, &dir->by_wd, (uint64_t)wd);
	}
	watchtree_release_wd(t, old);
}

void watchtree_add_problem(struct watchtree *t, enum watch_problem p)
{
	t->problems |= 1u << p;
}
