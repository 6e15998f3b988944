/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_SYS_LISTENING_H
#define PMCTL_SYS_LISTENING_H
/* listening - whether a process has a socket that accepts connections. For `ready = listening`. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Reads /proc/PID/net/{tcp,tcp6,unix} and /proc/PID/fd (proc_net(5), proc_pid_fd(5)): costs a
 * millisecond or so. Listening sockets it was started with, so those of `listen =`, count too. */
bool listening_has(pid_t pid);
/* Whether it holds a TCP connection that came in on one of these ports: it still serves somebody.
 */
bool listening_serves(pid_t pid, const uint16_t *port, size_t n);

#endif
