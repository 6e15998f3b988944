/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_ASKER_H
#define PMCTL_DAEMON_ASKER_H
/* asker - who asked for a change: the peer of the control socket. */
#include <sys/types.h>

struct asker {
	uid_t uid;
	pid_t pid; /* 0 = nobody: the daemon itself */
};

#endif
