/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_RESUME_H
#define PMCTL_DAEMON_RESUME_H
/*
 * resume - the first minute of a supervisor: take over what its predecessor left.
 *
 * The run table names processes; each is matched by start time and adopted with the descriptors
 * the keeper held. Only when all that lives is accounted for is anything started.
 */
#include <stdbool.h>

struct daemon;
struct inst;

/* Fetch the keeper's descriptors and adopt what lives. */
void resume_adopt(struct daemon *d);
/* Start what is wanted and does not run. */
void resume_start(struct daemon *d);
/* A new instance, whose app was not in the state file when we started: adopt the process of it that
 * was left alone then. False if there is none. */
bool resume_left(struct inst *in);

#endif
