/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_SYS_REUSEPORT_H
#define PMCTL_SYS_REUSEPORT_H
/*
 * reuseport - which sockets of an SO_REUSEPORT group get new connections.
 *
 * The kernel spreads new connections over all sockets of a group, also over one that nobody
 * accepts from. A classic BPF program on the group (SO_ATTACH_REUSEPORT_CBPF, socket(7), Linux 4.5)
 * chooses among the others instead. What waits in the queue of one that is left out stays there.
 */
#include <stdbool.h>
#include <stddef.h>

/* A socket's place in its group: the order in which they began to listen; when one is closed the
 * last one takes its place (net/core/sock_reuseport.c). out[place] is for each of the n sockets of
 * the group whether it is left out; at least one must not be. fd is any of them. False with errno.
 */
bool reuseport_leave_out(int fd, const bool *out, size_t n);

/* The kernel's own way again. Fine if nobody was left out. */
void reuseport_spread(int fd);

#endif
