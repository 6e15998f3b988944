/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_SYS_PORTOWNER_H
#define PMCTL_SYS_PORTOWNER_H
/*
 * portowner - who holds a port: for the one message everybody needs when a start fails.
 *
 * Reads /proc/net/{tcp,tcp6,udp,udp6} (proc_net(5)) and then the descriptors of every process, so
 * it costs milliseconds: ask once for a failure, not in a loop.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sys/sock.h"

struct portowner {
	uid_t uid;
	uint64_t inode;
	pid_t pid;    /* 0 = the socket is known, its process is hidden from us */
	char cmd[64]; /* command line, shortened, made safe for a terminal */
	char app[48]; /* its PMCTL_APP: an app of this or another pmctld; "" = neither */
};

/* The process whose socket keeps us from binding what was asked for. False if none is found. Never
 * our own process. */
bool portowner_find(const struct sock_req *req, struct portowner *out);

/* "in use by pid 4711 (node old.js, uid 1000), not one of ours". */
void portowner_describe(const struct portowner *o, char *out, size_t cap);

#endif
