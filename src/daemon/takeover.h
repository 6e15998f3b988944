/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_TAKEOVER_H
#define PMCTL_DAEMON_TAKEOVER_H
/*
 * takeover - the keeper was killed: this process becomes the keeper.
 *
 * It executes our own program as `pmctld --keeper` with all that is worth keeping, and the keeper
 * it is then starts a supervisor, which takes over as after any crash. What ran is nobody's child
 * any more but init's, so those processes are watched by pidfd; new ones are the new keeper's.
 */

struct daemon;

void takeover_init(struct daemon *d);
/* From the loop, as we may be in the middle of something; again each second where it fails. */
void takeover_begin(struct daemon *d);
void takeover_finish(struct daemon *d);

#endif
