/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_READINESS_H
#define PMCTL_DAEMON_READINESS_H
/* readiness - when a started process counts as ready, and what if it never does. */
#include <ev.h>
#include <stdbool.h>

struct inst;

/* A process was started: arm what decides. */
void readiness_begin(struct inst *in);
/* A sign of readiness came: the program runs, listens, sent "ready", sent READY=1. Ignored unless
 * it is the one that `ready` asks for. */
enum ready_sign { SIGN_SPAWNED, SIGN_LISTENING, SIGN_MESSAGE, SIGN_NOTIFY };
void readiness_sign(struct inst *in, enum ready_sign sign);
void readiness_on_timer(struct ev_loop *loop, ev_timer *w, int revents);

#endif
