/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_SYS_UNIXDIAG_H
#define PMCTL_SYS_UNIXDIAG_H
/* unixdiag - the queue of a listening Unix socket, which only sock_diag(7) tells (as `ss -lx`). */
#include <stdbool.h>

/* Connections waiting to be accepted and how many may wait. False if the kernel does not say. */
bool unixdiag_queue(int fd, unsigned *waiting, unsigned *backlog);

#endif
