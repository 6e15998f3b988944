/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_SOCKETS_H
#define PMCTL_DAEMON_SOCKETS_H
/*
 * sockets - the listening sockets of all apps.
 *
 * Owned by struct daemon. Each socket belongs to one app and is shared by its instances, by its
 * `listen =` and by what its programs ask for: the same address is the same socket. A duplicate of
 * each is deposited with the keeper as "sock.ID", which is how they outlive the supervisor. What
 * they are for is saved as JSON (sockets_save) and must be loaded before they are handed back.
 *
 * With `balance = reuseport` an address has a socket for each slot, a group of the kernel's. It is
 * the slot's, not the process's: what waits in it when the process dies is there for the next one.
 * While nobody accepts from one of them new connections go to the others.
 */
#include <jansson.h>
#include <stdbool.h>

#include "common/err.h"
#include "common/limits.h"
#include "common/list.h"
#include "proto/jw.h"
#include "sys/sock.h"

struct lsock {
	struct list node; /* sockets.all */
	unsigned id;
	unsigned refs;
	char *app;  /* name of the app it belongs to */
	char *spec; /* what was asked for: the key under which it is shared, or the group's */
	char *name; /* what it is bound to: "tcp:0.0.0.0:3000" */
	enum sock_kind kind;
	int slot;	/* whose it is in a group; -1 = it is for all slots */
	unsigned place; /* in its group, see sys/reuseport.h; SOCKETS_UNPLACED = not known */
	unsigned users; /* processes that accept from it, as far as we know */
	unsigned flags; /* sock_req.flags and .backlog of it, for sockets_open_again() */
	int backlog;
	uint32_t inode; /* sys/procfd.h */
	bool held;	/* has a reference of its own: sockets_hold() */
	int fd;		/* -1 = announced by sockets_load(), not handed back yet */
};

/* Some of its group were closed while nobody looked, so that the order of the rest is not known:
 * then nobody of it is left out. */
#define SOCKETS_UNPLACED LIMIT_INSTANCES_APP

struct sockets_hooks {
	void (*deposit)(void *ctx, const char *name, int fd); /* fd stays ours */
	void (*drop)(void *ctx, const char *name);
	void *ctx;
};

struct sockets {
	struct list all;
	unsigned next_id;
	struct sockets_hooks hooks;
	int64_t looked_at_ms; /* when we last searched /proc for the holder of a port, ... */
	char looked_for[SOCK_NAME], holder[200]; /* ... of which one, and what we found */
};

void sockets_init(struct sockets *s, const struct sockets_hooks *hooks);
/* Closes all; drops nothing from the keeper and leaves socket files: whoever ends for good unrefs
 * before. */
void sockets_finish(struct sockets *s);

struct sockets_want {
	const char *app;
	const struct sock_req *req;
	unsigned index; /* tells apart several sockets on port 0 */
	int slot;	/* one for this slot alone; -1 = for all. Only TCP has groups */
};

/* Find or open; the caller gets a reference. NULL on failure: err is "cannot listen on
 * 0.0.0.0:3000: in use by pid 4711 (node old.js, uid 1000), not one of ours", *error the errno
 * (error may be NULL). */
struct lsock *sockets_get(struct sockets *s, const struct sockets_want *want, struct err *err,
			  int *error);
struct lsock *sockets_ref(struct lsock *l);
/* The last reference closes it and removes a socket file that is still its own. NULL is fine. */
void sockets_unref(struct sockets *s, struct lsock *l);
/* A process begins, or ends, to accept from it. */
void sockets_use(struct sockets *s, struct lsock *l);
void sockets_unuse(struct sockets *s, struct lsock *l);
/* Whether it has no user while others of its group have. */
bool sockets_is_left_out(const struct sockets *s, const struct lsock *l);

/* Leave a duplicate of each with the keeper (a new one). */
void sockets_deposit(struct sockets *s);

/* NULL if there is none with an open descriptor. */
struct lsock *sockets_find(struct sockets *s, unsigned id);

/* One JSON array: what the "sock.ID" descriptors are. */
void sockets_save(const struct sockets *s, struct jw *w);
/* After a restart of the supervisor: first what was saved (broken entries are left out) ... */
void sockets_load(struct sockets *s, const json_t *saved);
/* ... then each descriptor the keeper had, taken over. False if we know nothing of it: it was
 * closed and should be dropped. */
bool sockets_restore(struct sockets *s, const char *held_name, int fd);
/* One that was announced and that no keeper had: found in a worker (fd is taken over; false if it
 * is no listening socket) ... */
bool sockets_take_back(struct sockets *s, struct lsock *l, int fd);
/* ... or nowhere: bound once more, to what req says. */
bool sockets_open_again(struct sockets *s, struct lsock *l, struct sock_req *req, struct err *err);
/* Between the two: groups of which not all were found. */
void sockets_unplace(struct sockets *s);
/* Adopted sockets start with no reference. Call once everybody has taken what they need. */
void sockets_drop_unused(struct sockets *s);
/* Before that: those of this app stay open, though nobody has taken them, until it is released. */
void sockets_hold(struct sockets *s, const char *app);
void sockets_release(struct sockets *s, const char *app);

#endif
