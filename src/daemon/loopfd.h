/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_LOOPFD_H
#define PMCTL_DAEMON_LOOPFD_H
/*
 * loopfd - closing a watched descriptor of which the keeper holds a duplicate.
 *
 * libev never takes a descriptor out of its epoll set; it trusts that close(2) does. But the kernel
 * does so only when the last duplicate is closed (epoll(7), "Questions and answers" 6), and until
 * then it reports events of a descriptor libev does not know any more. libev then builds its whole
 * set anew, which with 500 instances takes longer than starting a process.
 */
#include <ev.h>

/* An epoll set in this process that is not libev's; -1 = there is none any more. */
void loopfd_ignore(int epoll_fd);
/* Stop the watchers first. */
void loopfd_close(struct ev_loop *loop, int fd);
/* The same for one that is closed elsewhere. */
void loopfd_forget(struct ev_loop *loop, int fd);

#endif
