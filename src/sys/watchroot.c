/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/same.h"
#include "sys/watchtree_priv.h"

#define LINKS_MAX   40
#define NAME_EVENTS (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)
#define SELF_EVENTS (IN_DELETE_SELF | IN_MOVE_SELF)

/* A walk along a path, component by component, with the spots that decide about it. */
struct walk {
	struct watchtree *t;
	char real[PATH_MAX]; /* so far, without links; "" = the root directory */
	char left[PATH_MAX]; /* still to go */
	struct stat st;	     /* of the last component */
	int links;
	struct wspot *spot;
	size_t nspots;
};

static void add_spot(struct walk *w, const char *dir, const char *name)
{
	uint32_t mask = SELF_EVENTS | (name[0] ? NAME_EVENTS : 0) | IN_ONLYDIR | IN_MASK_ADD;
	int wd = inotify_add_watch(w->t->fd, dir[0] ? dir : "/", mask);
	if (wd < 0) {
		if (errno == ENOSPC) {
			watchtree_add_problem(w->t, WATCH_NO_WATCHES);
		}
		return; /* a directory we may not read: what changes there is not seen */
	}
	w->spot = xreallocarray(w->spot, w->nspots + 1, sizeof(*w->spot));
	w->spot[w->nspots++] = (struct wspot){.wd = wd, .name = xstrdup(name)};
}

static bool join(char out[PATH_MAX], const char *a, const char *b)
{
	char both[PATH_MAX];
	int n = snprintf(both, sizeof(both), "%s/%s", a, b);
	if (n >= (int)sizeof(both)) {
		return false;
	}
	memcpy(out, both, (size_t)n + 1);
	return true;
}

/* Put where the link leads in front of what is left. */
static bool follow(struct walk *w, const char *link)
{
	char target[PATH_MAX];
	ssize_t n = readlink(link, target, sizeof(target) - 1);
	if (n <= 0 || ++w->links > LINKS_MAX) {
		return false;
	}
	target[n] = '\0';
	if (target[0] == '/') {
		w->real[0] = '\0';
	}
	return join(w->left, target, w->left);
}

static void go_up(struct walk *w)
{
	char *slash = strrchr(w->real, '/');
	if (slash) {
		*slash = '\0';
	}
}

/* Take the next component. False if it is not there. */
static bool walk_on(struct walk *w)
{
	char name[NAME_MAX + 1], path[PATH_MAX];
	size_t skip = strspn(w->left, "/");
	size_t len = strcspn(w->left + skip, "/");
	if (len > NAME_MAX) {
		return false;
	}
	memcpy(name, w->left + skip, len);
	name[len] = '\0';
	memmove(w->left, w->left + skip + len, strlen(w->left + skip + len) + 1);
	if (len == 0 || strcmp(name, ".") == 0) {
		return true;
	}
	if (strcmp(name, "..") == 0) {
		go_up(w);
		return true;
	}
	bool last = w->left[strspn(w->left, "/")] == '\0';
	if (!join(path, w->real, name)) {
		return false;
	}
	if (lstat(path, &w->st) != 0) {
		add_spot(w, w->real, name);
		return false;
	}
	if (S_ISLNK(w->st.st_mode)) {
		add_spot(w, w->real, name);
		return follow(w, path);
	}
	if (last) {
		add_spot(w, w->real, name);
	} else {
		add_spot(w, path, "");
	}
	memcpy(w->real, path, strlen(path) + 1);
	return last || S_ISDIR(w->st.st_mode);
}

static void take_spots(struct watchtree *t, struct wroot *r, struct wspot *spot, size_t n)
{
	struct wspot *old = r->spot;
	size_t nold = r->nspots;
	r->spot = spot;
	r->nspots = n;
	for (size_t i = 0; i < nold; i++) {
		watchtree_release_wd(t, old[i].wd);
		free(old[i].name);
	}
	free(old);
}

/* Where the path leads now. False if nowhere. */
static bool resolve(struct watchtree *t, struct wroot *r, struct walk *w)
{
	bool ok = strlen(r->path) < sizeof(w->left);
	*w = (struct walk){.t = t};
	if (ok) {
		memcpy(w->left, r->path, strlen(r->path) + 1);
	}
	while (ok && w->left[strspn(w->left, "/")]) {
		ok = walk_on(w);
	}
	take_spots(t, r, w->spot, w->nspots);
	return ok && stat(w->real[0] ? w->real : "/", &w->st) == 0 &&
	       (S_ISDIR(w->st.st_mode) || S_ISREG(w->st.st_mode));
}

/* The root was one file and is another one now, which may have the same contents. */
static void rename_file(struct watchtree *t, struct wroot *r, const char *only)
{
	struct wnode *old = r->dir ? wnode_find(t, r->dir, r->only, false) : NULL;
	if (!old || strcmp(r->only, only) == 0) {
		return;
	}
	struct wnode known = *old;
	wnode_free(t, old);
	struct wnode *n = wnode_new(t, r->dir, NULL, only, false);
	n->exists = known.exists;
	n->hashed = known.hashed;
	n->hash = known.hash;
	wnode_dirty(t, n);
}

/* The root is here now; what was remembered is compared with it. */
static void settle(struct watchtree *t, struct wroot *r, const char *real, const char *only)
{
	bool first = !r->real;
	bool kind = !first && !only != !r->only;
	if (!first && !kind && same_text(r->real, real) && same_text(r->only, only)) {
		return;
	}
	if (!first && !kind && only) {
		rename_file(t, r, only);
	} else if (!first) {
		const char *base = strrchr(r->path, '/');
		watchtree_report(t, r->shown, r->shown[0] ? "" : base + 1, "changed");
		t->noticed = true;
	}
	if (kind && r->dir) {
		wnode_free_all(t, r->dir);
		r->dir = NULL;
	}
	char *new_real = xstrdup(real);
	char *new_only = only ? xstrdup(only) : NULL;
	free(r->real);
	free(r->only);
	r->real = new_real;
	r->only = new_only;
}

void watchroot_check(struct watchtree *t, struct wroot *r)
{
	struct walk w;
	bool was_missing = r->missing;
	r->missing = !resolve(t, r, &w);
	if (r->missing) {
		return;
	}
	const char *only = NULL;
	bool other = r->dev != w.st.st_dev || r->ino != w.st.st_ino;
	if (S_ISREG(w.st.st_mode)) {
		char *slash = strrchr(w.real, '/');
		*slash = '\0';
		only = slash + 1;
	}
	settle(t, r, w.real[0] ? w.real : "/", only);
	r->dev = w.st.st_dev;
	r->ino = w.st.st_ino;
	if (!r->dir) {
		r->dir = wnode_new(t, NULL, r, "", true);
	}
	if (r->dir && (other || was_missing || r->dir->wd < 0)) {
		wnode_queue(t, r->dir, Q_SCAN);
		t->noticed |= was_missing; /* what was held back meanwhile */
	}
}

bool watchroot_concerns(const struct wroot *r, const struct inotify_event *ev)
{
	for (size_t i = 0; i < r->nspots; i++) {
		const struct wspot *s = &r->spot[i];
		if (s->wd != ev->wd) {
			continue;
		}
		if ((ev->mask & (SELF_EVENTS | IN_IGNORED)) ||
		    (ev->len && (ev->mask & NAME_EVENTS) && s->name[0] &&
		     strcmp(s->name, ev->name) == 0)) {
			return true;
		}
	}
	return false;
}

/* Without /./, trailing slashes and a leading ./ */
static char *clean(const char *path)
{
	while (path[0] == '.' && path[1] == '/') {
		path += 1 + strspn(path + 1, "/");
	}
	size_t len = strlen(path);
	while (len > 1 && path[len - 1] == '/') {
		len--;
	}
	return xstrndup(path, len);
}

void watchroot_add(struct watchtree *t, const char *base, const char *path)
{
	struct wroot *r = xcalloc(1, sizeof(*r));
	char *text = clean(path);
	bool is_base = text[0] == '\0' || strcmp(text, ".") == 0;
	r->path = is_base	   ? clean(base)
		  : text[0] == '/' ? xstrdup(text)
				   : xasprintf("%s/%s", base, text);
	r->shown = is_base ? xstrdup("") : xstrdup(text);
	free(text);
	list_add(&t->roots, &r->node);
}

void watchroot_free(struct watchtree *t, struct wroot *r)
{
	if (r->dir) {
		wnode_free_all(t, r->dir);
	}
	list_remove(&r->node);
	take_spots(t, r, NULL, 0);
	free(r->path);
	free(r->shown);
	free(r->real);
	free(r->only);
	free(r);
}
