/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_SYS_WATCHTREE_PRIV_H
#define PMCTL_SYS_WATCHTREE_PRIV_H
/*
 * watchtree_priv - what the parts of watchtree know of each other.
 *
 * watchtree.c takes events in and gives changes out, watchnode.c keeps the nodes, watchscan.c
 * lists directories and reads files, watchroot.c finds where the watched paths lead.
 */
#include <dirent.h>
#include <limits.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "common/list.h"
#include "sys/watchtree.h"

/* A hash table with its links in the elements. */
struct hlink {
	struct hlink *next;
	uint64_t hash;
};
struct htab {
	struct hlink **slot;
	size_t n, cap;
};

/* What is to be done about a node; it is in one of these at most. */
enum watch_queue {
	Q_NONE,
	Q_SCAN,	   /* a directory to be listed */
	Q_BASE,	   /* a file whose contents are not known yet */
	Q_DIRTY,   /* a file that something happened to: waits for quiet */
	Q_EXAMINE, /* ... and is to be compared now */
	Q_COUNT
};

/* A directory or file below a root; the root's own has no parent and no name. */
struct wnode {
	struct hlink by_name; /* by parent, name and kind */
	struct wnode *parent;
	struct list sibling; /* in the parent's children */
	struct list queued;
	enum watch_queue queue;
	uint32_t seen; /* the parent's round in which it was last met */
	bool is_dir;
	bool exists; /* a file that was there when changes were last reported */
	bool hashed; /* its hash is known; else size and time must do */
	union {
		struct {
			struct hlink by_wd;
			struct list children;
			struct wroot *root;
			int wd; /* -1 = not watched */
			uint32_t round;
		};
		struct {
			int64_t size, mtime_ns;
			uint64_t ino, hash;
		};
	};
	char name[];
};

/* A directory outside the tree in which a name decides where a root leads. */
struct wspot {
	int wd;
	char *name; /* "" = the directory itself may be moved away */
};

struct wroot {
	struct list node; /* watchtree.roots */
	char *path;	  /* absolute, as text says */
	char *shown;	  /* in front of the names below it; "" = nothing */
	char *real;	  /* of the directory that is listed, without links; NULL = never found */
	char *only;	  /* the root is this one file in `real`; NULL = all of it */
	struct wnode *dir;
	uint64_t dev, ino;
	bool missing;
	int error; /* errno of why it cannot be listed; 0 = it can */
	bool told; /* that it cannot */
	struct wspot *spot;
	size_t nspots;
};

struct wignore {
	char *text;
	bool is_path;
};

struct watchtree {
	int fd;
	struct list roots;
	struct wignore *ignore;
	size_t nignore;
	struct words skip;
	bool (*is_own)(void *ctx, const char *path);
	void *ctx;
	struct watchtree_pool *pool;
	struct htab by_name, by_wd;
	size_t ndirs, nfiles;
	struct list queue[Q_COUNT];
	int64_t begun_real_ns;
	bool listed;	  /* the first listing is over: what is new now is a change */
	bool check_roots; /* something happened on the way to one of them */
	bool noticed;
	unsigned problems, told; /* bits of enum watch_problem */

	struct { /* the directory being listed */
		struct wnode *dir;
		DIR *stream;
	} listing;
	struct { /* the file being read; fd -1 = none */
		struct wnode *file;
		int fd;
		bool compare;
		struct stat st;
		int64_t offset;
		uint64_t hash;
	} reading;

	size_t changes;
	char first[300]; /* of them */
};

enum watch_problem {
	WATCH_TOO_MANY_DIRS,
	WATCH_TOO_MANY_FILES,
	WATCH_NO_WATCHES, /* fs.inotify.max_user_watches */
	WATCH_PROBLEMS
};

/* --- watchnode.c --- */

void htab_add(struct htab *t, struct hlink *l, uint64_t hash);
void htab_remove(struct htab *t, struct hlink *l);
/* The first, or next after `l`, with this hash; NULL if there is none. */
struct hlink *htab_first(const struct htab *t, uint64_t hash);
struct hlink *htab_next(const struct hlink *l);

struct wnode *wnode_find(const struct watchtree *t, const struct wnode *dir, const char *name,
			 bool is_dir);
/* NULL if the pool is empty. Of a root if dir is NULL. */
struct wnode *wnode_new(struct watchtree *t, struct wnode *dir, struct wroot *root,
			const char *name, bool is_dir);
/* A directory must be empty, or all of it goes. */
void wnode_free(struct watchtree *t, struct wnode *n);
void wnode_free_all(struct watchtree *t, struct wnode *dir);
/* Free a directory that holds nothing and is not there any more; and its parents. */
void wnode_prune(struct watchtree *t, struct wnode *dir);
void wnode_queue(struct watchtree *t, struct wnode *n, enum watch_queue q);
/* Something happened to a file. */
void wnode_dirty(struct watchtree *t, struct wnode *n);
struct wroot *wnode_root(const struct wnode *n);
/* False if it is too long. wnode_rel() is the path below the root, "" for the root itself. */
bool wnode_path(const struct wnode *n, char out[PATH_MAX]);
bool wnode_rel(const struct wnode *n, char out[PATH_MAX]);
bool wnode_is_ignored(const struct watchtree *t, const struct wnode *dir, const char *name);

struct wnode *wnode_by_wd(const struct watchtree *t, int wd, const struct wnode *after);
/* Remember the watch of a directory; the one it had is given back if nobody else has it. */
void wnode_set_wd(struct watchtree *t, struct wnode *dir, int wd);
void watchtree_release_wd(struct watchtree *t, int wd);
void watchtree_add_problem(struct watchtree *t, enum watch_problem p);

/* --- watchscan.c --- */

void watchscan_list(struct watchtree *t);
void watchscan_read(struct watchtree *t);
/* Begin with the next file of a queue. */
void watchscan_next(struct watchtree *t, enum watch_queue q);
void watchscan_stop_listing(struct watchtree *t);
void watchscan_stop_reading(struct watchtree *t);
void watchtree_report(struct watchtree *t, const char *shown, const char *name, const char *what);

/* --- watchroot.c --- */

void watchroot_add(struct watchtree *t, const char *base, const char *path);
void watchroot_free(struct watchtree *t, struct wroot *r);
void watchroot_check(struct watchtree *t, struct wroot *r);
/* Whether an event on this watch may lead a root elsewhere. */
bool watchroot_concerns(const struct wroot *r, const struct inotify_event *ev);

#endif
