/* SPDX-License-Identifier: MIT */
#include "client/monitwatch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "common/mem.h"
#include "sys/logindex.h"

#define IN_FILE	  (IN_MODIFY | IN_ATTRIB)
#define IN_FOLDER (IN_CREATE | IN_MOVED_TO | IN_ONLYDIR)

void monitwatch_init(struct monitwatch *w)
{
	*w = (struct monitwatch){.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
	w->blind = w->fd < 0;
}

/* A folder, and a file two sources write to, is one watch; it ends with all of them. */
static void drop(struct monitwatch *w, int wd)
{
	if (wd >= 0) {
		inotify_rm_watch(w->fd, wd);
	}
}

void monitwatch_clear(struct monitwatch *w)
{
	for (size_t i = 0; i < w->n; i++) {
		drop(w, w->v[i].file);
		drop(w, w->v[i].index);
		drop(w, w->v[i].folder);
		free(w->v[i].path);
	}
	w->n = 0;
	w->blind = w->fd < 0;
}

void monitwatch_finish(struct monitwatch *w)
{
	monitwatch_clear(w);
	free(w->v);
	if (w->fd >= 0) {
		close(w->fd);
	}
	*w = (struct monitwatch){.fd = -1};
}

/* What has the name now. Another file than before: the old one is not watched any more. */
static void watch_names(struct monitwatch *w, struct monitwatch_file *f)
{
	char *index = xasprintf("%s" LOGINDEX_SUFFIX, f->path);
	int file = inotify_add_watch(w->fd, f->path, IN_FILE);
	int idx = inotify_add_watch(w->fd, index, IN_FILE);
	if (f->file != file) {
		drop(w, f->file);
	}
	if (f->index != idx) {
		drop(w, f->index);
	}
	f->file = file;
	f->index = idx;
	free(index);
}

void monitwatch_add(struct monitwatch *w, const char *path)
{
	const char *slash = strrchr(path, '/');
	w->v = xreallocarray(w->v, w->n + 1, sizeof(*w->v));
	struct monitwatch_file *f = &w->v[w->n++];
	*f = (struct monitwatch_file){xstrdup(path), -1, -1, -1};
	if (w->fd < 0) {
		return;
	}
	char *folder = slash ? xstrndup(path, (size_t)(slash - path) + 1) : xstrdup(".");
	f->folder = inotify_add_watch(w->fd, folder, IN_FOLDER);
	free(folder);
	watch_names(w, f);
	w->blind |= f->folder < 0;
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static bool concerns(struct monitwatch *w, struct monitwatch_file *f, const struct inotify_event *e)
{
	if (e->mask & IN_Q_OVERFLOW) {
		watch_names(w, f);
		return true;
	}
	if (e->wd >= 0 && (e->wd == f->file || e->wd == f->index)) {
		return true;
	}
	size_t len = strlen(name_of(f->path));
	bool is = e->wd >= 0 && e->wd == f->folder && e->len > 0 &&
		  strncmp(e->name, name_of(f->path), len) == 0 &&
		  (!e->name[len] || strcmp(e->name + len, LOGINDEX_SUFFIX) == 0);
	if (is) {
		watch_names(w, f);
	}
	return is;
}

bool monitwatch_read(struct monitwatch *w, bool *changed)
{
	char buf[8192] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool any = false;
	ssize_t n;
	while (w->fd >= 0 && (n = read(w->fd, buf, sizeof(buf))) > 0) {
		for (const char *at = buf; at < buf + n;) {
			const struct inotify_event *e = (const void *)at;
			for (size_t i = 0; i < w->n; i++) {
				if (concerns(w, &w->v[i], e)) {
					changed[i] = any = true;
				}
			}
			at += sizeof(*e) + e->len;
		}
	}
	return any;
}
