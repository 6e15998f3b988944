/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_INTERRUPT_H
#define PMCTL_CLIENT_INTERRUPT_H
/* interrupt - SIGINT, SIGTERM and SIGHUP end a wait, not the program in the middle of a line. A
 * second one ends the program at once. */

/* From here on a signal is only noted; blocking calls return EINTR. */
void interrupt_catch(void);
/* The signal that came, 0 if none did. */
int interrupt_pending(void);
/* It was dealt with: the next one is a first one again. */
void interrupt_take(void);

#endif
