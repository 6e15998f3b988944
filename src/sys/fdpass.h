/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_SYS_FDPASS_H
#define PMCTL_SYS_FDPASS_H
/* fdpass - one message with at most one descriptor over a Unix socket (unix(7), SCM_RIGHTS). */
#include <stddef.h>
#include <sys/types.h>

/* fd = -1: none. Repeats EINTR. As sendmsg(2) otherwise; SIGPIPE is not raised. */
ssize_t fdpass_send(int sock, const void *data, size_t len, int fd);
/* *fd is close-on-exec, -1 if none came; further descriptors are closed. As recvmsg(2). */
ssize_t fdpass_recv(int sock, void *data, size_t cap, int *fd, int flags);

#endif
