/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_REGROW_H
#define PMCTL_DAEMON_REGROW_H
/*
 * regrow - more instances of an app live than the state file knows of: it could not be saved when
 * they were added. Nobody would list or stop them.
 */
struct daemon;

/* After the state file was read, before processes are taken over: give their apps the slots. */
void regrow_all(struct daemon *d);

#endif
