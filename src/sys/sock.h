/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_SYS_SOCK_H
#define PMCTL_SYS_SOCK_H
/*
 * sock - open listening sockets, name them, look at their queue.
 *
 * Sockets are close-on-exec and O_NONBLOCK: node 16 and 18 accept in a loop until EAGAIN, and the
 * flag belongs to the open file that all holders share. Programs written for LISTEN_FDS expect the
 * opposite, as systemd does it (SOCK_BLOCKING); those that poll set O_NONBLOCK themselves.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"

enum sock_kind { SOCK_KIND_TCP, SOCK_KIND_UDP, SOCK_KIND_UNIX };

enum {
	SOCK_V6ONLY = 1,
	SOCK_REUSEPORT = 2,
	/* Set only once it is bound, so that a stranger on the address is noticed, but others of
	 * ours can join. */
	SOCK_REUSEPORT_LATER = 32,
	SOCK_UDP_REUSEADDR = 4, /* TCP has it always: a restart must not wait for TIME_WAIT */
	SOCK_READABLE_ALL = 8,	/* unix: mode bits for others */
	SOCK_WRITABLE_ALL = 16,
	SOCK_BLOCKING = 64
};

struct sock_req {
	enum sock_kind kind;
	const char *host; /* literal or name; NULL = every address of both families */
	const char *path; /* unix, absolute */
	uint16_t port;	  /* 0 = any free one */
	unsigned flags;
	int backlog;  /* 0 = 511 */
	bool as_user; /* unix: reach and make the path with the rights of these ids, not ours */
	uid_t uid;
	gid_t gid;
};

/* Bound and, but for UDP, listening. -1 on failure: err says "cannot listen on 0.0.0.0:3000: ...",
 * *error is the errno. A socket file nobody answers on is replaced. */
int sock_listen(const struct sock_req *req, struct err *err, int *error);

/* "0.0.0.0:3000", "[::1]:3000", a path: what was asked for, for messages. out >= SOCK_NAME. */
#define SOCK_NAME 160
void sock_describe(const struct sock_req *req, char out[SOCK_NAME]);

/* What the socket is bound to: "tcp:0.0.0.0:3000" "tcp:[::]:3000" "udp:..." "unix:PATH", made safe
 * for a terminal. False if fd is no such socket. */
bool sock_name(int fd, char out[SOCK_NAME]);

/* The address of an internet socket, as node's sockname has it. False for others. */
struct sock_addr {
	char host[64];
	bool v6;
	uint16_t port;
};
bool sock_address(int fd, struct sock_addr *out);

/* Connections waiting to be accepted and how many may wait, of a TCP socket that listens. */
bool sock_queue(int fd, unsigned *waiting, unsigned *backlog);

/* Both ends of a TCP connection to ourselves, close-on-exec and O_NONBLOCK. False with errno. */
bool sock_tcp_pair(int fds[2]);

/* Whether fd is a socket that accepts connections, or a bound UDP socket. */
bool sock_is_listener(int fd);

#endif
