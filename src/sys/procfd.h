/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_SYS_PROCFD_H
#define PMCTL_SYS_PROCFD_H
/*
 * procfd - sockets that only another process still has.
 *
 * A socket is known by its inode, a number no other socket has as long as it is open. It is looked
 * for in /proc/PID/fd and duplicated with pidfd_getfd(2) (Linux 5.6). The kernel asks for the right
 * to trace that process: root has it, else its user must be ours and the process dumpable, and a
 * security module (Yama: kernel.yama.ptrace_scope = 0) must agree.
 */
#include <stdint.h>
#include <sys/types.h>

/* Which socket or pipe a descriptor of ours is; 0 = unknown. As the run table has it: 32 bits. */
uint32_t procfd_inode(int fd);

/* A duplicate, close-on-exec, of the socket with this inode that the process has; pidfd is a pidfd
 * of it. -1 on failure: ENOENT = it has none, ESRCH = it is gone, EPERM or EACCES = we may not,
 * ENOSYS = the kernel is too old. */
int procfd_take(pid_t pid, int pidfd, uint32_t inode);

#endif
