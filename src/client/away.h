/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_AWAY_H
#define PMCTL_CLIENT_AWAY_H
/*
 * away - the daemon's end of our connection is closed: wait until one answers again.
 *
 * A supervisor that was killed or upgraded is followed by another within milliseconds. The keeper
 * holds the control socket, so that connecting succeeds and the request waits in the queue. Where
 * connecting fails, the keeper is gone too: for good if the socket was taken away (`daemon stop`),
 * else somebody may start another one for a while.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

#define AWAY_GIVE_UP_MS 5000 /* without a keeper */

struct client;
struct conn_wait;

enum away_now {
	AWAY_STILL,
	AWAY_BACK,    /* connected; a supervisor that answers may take a moment yet */
	AWAY_STOPPED, /* its end was asked for */
	AWAY_GONE     /* killed with its keeper, and nobody has started another */
};

struct away {
	int64_t failing_since_mono_ms; /* 0 = connecting did not fail yet */
};

/* Whether a call failed because the daemon went away. */
bool away_is_lost(const struct err *err);
/* Whether a daemon holds the lock. */
bool away_is_locked(const struct client *c);

/* Close the connection that was lost. */
void away_begin(struct away *a, struct client *c);
/* Look once. */
enum away_now away_look(struct away *a, struct client *c);

/* Both, until it is decided. False: ERR_NO_DAEMON with the reason (*stopped: its end was asked
 * for), ERR_DEADLINE, or ERR_NONE after a signal. */
bool away_wait(struct client *c, int64_t deadline_mono_ms, bool *stopped, struct err *err);

#endif
