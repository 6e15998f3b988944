/* SPDX-License-Identifier: MIT */
#include "sys/unixdiag.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define LISTENING 10 /* TCP_LISTEN: the states are those of TCP */

struct question {
	struct nlmsghdr head;
	struct unix_diag_req req;
};

/* One socket by its inode; the kernel answers with one message at once. */
static bool ask(int nl, ino_t inode)
{
	struct question q = {
		.head = {.nlmsg_len = sizeof(q),
			 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			 .nlmsg_flags = NLM_F_REQUEST},
		.req = {.sdiag_family = AF_UNIX,
			.udiag_states = 1 << LISTENING,
			.udiag_ino = (uint32_t)inode,
			.udiag_show = UDIAG_SHOW_RQLEN,
			.udiag_cookie = {~0U, ~0U}}, /* whatever it is */
	};
	return send(nl, &q, sizeof(q), 0) == (ssize_t)sizeof(q);
}

/* The attribute with the lengths, in an answer of len bytes. */
static bool find_queue(const char *data, size_t len, struct unix_diag_rqlen *out)
{
	struct nlmsghdr head;
	size_t at = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct unix_diag_msg));
	if (len < sizeof(head)) {
		return false;
	}
	memcpy(&head, data, sizeof(head));
	if (head.nlmsg_type != SOCK_DIAG_BY_FAMILY || head.nlmsg_len > len) {
		return false;
	}
	while (at + sizeof(struct rtattr) <= head.nlmsg_len) {
		struct rtattr attr;
		memcpy(&attr, data + at, sizeof(attr));
		if (attr.rta_len < sizeof(attr) || at + attr.rta_len > head.nlmsg_len) {
			return false;
		}
		if (attr.rta_type == UNIX_DIAG_RQLEN && attr.rta_len >= RTA_LENGTH(sizeof(*out))) {
			memcpy(out, data + at + RTA_LENGTH(0), sizeof(*out));
			return true;
		}
		at += RTA_ALIGN(attr.rta_len);
	}
	return false;
}

bool unixdiag_queue(int fd, unsigned *waiting, unsigned *backlog)
{
	struct stat st;
	struct unix_diag_rqlen q;
	char answer[1024];
	if (fstat(fd, &st) != 0 || !S_ISSOCK(st.st_mode)) {
		return false;
	}
	int nl = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
	if (nl < 0) {
		return false;
	}
	ssize_t n = ask(nl, st.st_ino) ? recv(nl, answer, sizeof(answer), 0) : -1;
	close(nl);
	if (n < 0 || !find_queue(answer, (size_t)n, &q)) {
		return false;
	}
	*waiting = q.udiag_rqueue;
	*backlog = q.udiag_wqueue;
	return true;
}
