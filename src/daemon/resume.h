/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_RESUME_H
#define PMCTL_DAEMON_RESUME_H
/*
 * resume - the first minute of a supervisor: take over what its predecessor left.
 *
 * The run table names processes; each is matched by start time and adopted with the descriptors
 * the keeper held. Only when all that lives is accounted for is anything started.
 */
struct daemon;

/* Fetch the keeper's descriptors and adopt what lives. */
void resume_adopt(struct daemon *d);
/* Start what is wanted and does not run. */
void resume_start(struct daemon *d);

#endif
