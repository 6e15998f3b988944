/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_UPGRADE_H
#define PMCTL_DAEMON_UPGRADE_H
/*
 * upgrade - another program takes our place, and no app notices.
 *
 * The program is opened once. Its `--self-check` runs as a child of ours; if that is content and
 * no operation is under way, the keeper gets the descriptor (KM_TRY) and we end, as after a crash
 * at a good moment. The keeper starts it as supervisor, on trial, and becomes it too or goes back
 * to the program before (keeper/trial.h). How it went stands in the ring (struct upgrade_note).
 */
#include <ev.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/buf.h"
#include "common/err.h"
#include "daemon/asker.h"

struct daemon;

struct upgrade {
	struct daemon *daemon;
	int fd;	    /* the program; -1 = no upgrade is under way */
	char *path; /* for messages */
	pid_t pid;  /* of the self-check; 0 = it is over */
	int pidfd;
	struct buf said; /* by the self-check, bounded */
	ev_io exit_io, said_io;
	ev_timer timer;	 /* the self-check's deadline, then the wait for operations */
	int64_t give_up; /* monotonic ms: when waiting is over */
	struct asker by;
	uint64_t serial; /* of the connection that asked; 0 = nobody */
	json_t *id;	 /* of its request */
	char version[32];
};

void upgrade_init(struct upgrade *u, struct daemon *d);
void upgrade_finish(struct upgrade *u);

/* Begin; path NULL = where our program was when it was started. The answer goes to the connection
 * with this serial. False: refused at once (no such file, not permitted, one is under way). */
bool upgrade_begin(struct upgrade *u, const char *path, const struct asker *by, uint64_t serial,
		   const json_t *id, struct err *err);

/* At start: tell what became of the last one, once. */
void upgrade_tell(struct daemon *d);

#endif
