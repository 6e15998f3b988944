/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_TESTS_FAKEDAEMON_H
#define PMCTL_TESTS_FAKEDAEMON_H
/*
 * fakedaemon - a whole struct daemon for fuzz targets, in a folder of its own and without a keeper.
 *
 * All of daemon/ is the real thing; what leads out of it is replaced at link time (FAKES in
 * meson.build): no process is started or signalled, log files and listening sockets are put
 * elsewhere, and time passes only when fake_pass() says so.
 */
#include <stdbool.h>
#include <stddef.h>

#include "daemon/daemon.h"

#define FAKE_CHILDREN 64

/* A process that was "started": our end of what it was given. */
struct fake_child {
	pid_t pid;
	int pidfd;   /* an eventfd: readable = it has ended */
	int channel; /* -1 = none */
	int out;     /* -1 = none */
};

struct fake {
	struct daemon daemon;
	struct ring ring;
	struct fake_child child[FAKE_CHILDREN];
	size_t nchildren;
	bool no_room;	  /* the next start fails as if there were no memory */
	bool no_program;  /* the next one as if the program could not be run */
	const char *held; /* what the "keeper" hands back: names, one a line; NULL = nothing */
	int conn;	  /* of the client; -1 = none */
	struct buf reply;
	struct err err;
};

/* Empty folders, before anything is written for it to find. */
void fake_fresh(void);
/* A daemon as after daemon.c's begin(); with `resume` it also takes over what the files say. False
 * (f->err) if it refuses to begin; call fake_end() all the same. */
bool fake_begin(struct fake *f, bool resume);
/* Its end, with everything freed and the files removed. */
void fake_end(struct fake *f);

/* Let the loop turn until nothing is left to do, and time go on. */
void fake_turn(struct fake *f);
void fake_pass(struct fake *f, long ms);
/* Bytes from a client, which connects if it is not connected. What comes back must be JSON. */
void fake_client(struct fake *f, const char *data, size_t len);
void fake_disconnect(struct fake *f);
/* Process i (of all, modulo) ends: with a status from the keeper, or unseen. */
void fake_exit(struct fake *f, size_t i, int status);
void fake_lose(struct fake *f, size_t i);
struct fake_child *fake_child(struct fake *f, size_t i);

#endif
