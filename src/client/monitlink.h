/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_MONITLINK_H
#define PMCTL_CLIENT_MONITLINK_H
/*
 * monitlink - the dashboard's connection: samples and events come in, and where the daemon is away
 * it is looked for again.
 *
 * Nothing waits for an answer: requests go out, answers come with what else is read, by their ids.
 * The keeper holds the control socket, so that a connection may stand while nobody answers: away is
 * its end, or silence for three periods. Owned by struct monit.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"
#include "ui/ui.h"

#define MONITLINK_PENDING 16

/* What becomes of an answer; result NULL = there is none: refused, or the daemon went away. */
typedef void monitlink_answer(void *ctx, const json_t *result);

struct monitlink {
	struct client *c;
	struct ui *ui;
	struct {
		int64_t id; /* 0 = free */
		monitlink_answer *answer;
		void *ctx;
	} pending[MONITLINK_PENDING];
	int64_t seq;	     /* of the last event; -1 = none yet */
	int64_t heard_mono;  /* when the daemon was last heard of, ms */
	int64_t next_mono;   /* when there is something to do, ms; 0 = nothing */
	int tries;	     /* in vain, since it went away */
	int dir_fd;	     /* inotify of the socket's folder while it is away; -1 = none */
	int old_pid;	     /* of the supervisor that went away; 0 = none did */
	unsigned lists_turn; /* grows when app lists may have been applied, or are another daemon's
			      */
	bool polls;	     /* a daemon that does not know `watch` is asked again and again */
	bool filled;	     /* list and history are there */
	bool lost;	     /* a request could not be sent */
};

void monitlink_init(struct monitlink *l, struct client *c, struct ui *ui);
void monitlink_finish(struct monitlink *l);
/* Connect, and ask for all that the first frame shows. False: away, for now. */
bool monitlink_open(struct monitlink *l);
/* Close the connection and do not look for it until monitlink_open(): the dashboard is paused. */
void monitlink_close(struct monitlink *l);
/* Let the first answers come, for at most this long. */
void monitlink_wait(struct monitlink *l, int ms);
/* The connection, or the folder of its socket; -1 = nothing to wait for. */
int monitlink_fd(const struct monitlink *l);
/* Take what has come. True if something changed. */
bool monitlink_read(struct monitlink *l);
/* Do what is due at this time (monotonic ms). True if something changed. */
bool monitlink_tick(struct monitlink *l, int64_t now_mono);
/* Look for the daemon now. */
void monitlink_retry(struct monitlink *l);

/* Send a request; the answer is given to `answer` from within monitlink_read(). params is taken
 * over. False: away, or too many are under way; `answer` is not called then. */
bool monitlink_ask(struct monitlink *l, const char *method, json_t *params,
		   monitlink_answer *answer, void *ctx);
/* Ask for what only `show` knows of this selector; the ui's detail is filled. */
void monitlink_detail(struct monitlink *l, const char *selector);

#endif
