/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_COMMON_SIGIGNORE_H
#define PMCTL_COMMON_SIGIGNORE_H
/*
 * sigignore - signals that would end keeper or supervisor although nothing is wrong and nobody can
 * have meant it: alarms of timers that are not ours, real-time signals.
 */

/* Ignore them; they are ignored after an exec too. */
void sigignore_unmeant(void);
/* Default again, in the child that becomes an app. */
void sigignore_restore(void);

#endif
