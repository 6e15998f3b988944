/* SPDX-License-Identifier: MIT */
/*
 * shortio - preloaded: of the calls that may be interrupted or transfer less than all, every second
 * one is, in turn with EINTR and with one byte. Only where the kernel does so too: pipes and stream
 * sockets; messages and files are left whole.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum what { AS_IT_IS, INTERRUPTED, ONE_BYTE };

static enum what turn(void)
{
	static _Atomic unsigned calls;
	unsigned n = atomic_fetch_add(&calls, 1);
	return n % 2 == 0 ? AS_IT_IS : n % 4 == 1 ? INTERRUPTED : ONE_BYTE;
}

static bool is_stream(int fd)
{
	struct stat st;
	int type = 0;
	socklen_t len = sizeof(type);
	if (fstat(fd, &st) != 0) {
		return false;
	}
	return S_ISFIFO(st.st_mode) ||
	       (S_ISSOCK(st.st_mode) && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
		type == SOCK_STREAM);
}

/* The bytes this call may transfer; -1 = none, it is interrupted. */
static ssize_t room(int fd, size_t len)
{
	enum what w = is_stream(fd) ? turn() : AS_IT_IS;
	if (w == INTERRUPTED) {
		errno = EINTR;
		return -1;
	}
	return w == ONE_BYTE && len > 0 ? 1 : (ssize_t)len;
}

/* The one of libc. */
#define REAL(name) __typeof__(&name) real = (__typeof__(&name))(uintptr_t)dlsym(RTLD_NEXT, #name)

#define TRANSFER(name, params, args)                                                               \
	ssize_t name params                                                                        \
	{                                                                                          \
		REAL(name);                                                                        \
		ssize_t may = room(fd, len);                                                       \
		len = (size_t)may;                                                                 \
		return may < 0 ? -1 : real args;                                                   \
	}

TRANSFER(read, (int fd, void *p, size_t len), (fd, p, len))
TRANSFER(write, (int fd, const void *p, size_t len), (fd, p, len))
TRANSFER(recv, (int fd, void *p, size_t len, int flags), (fd, p, len, flags))
TRANSFER(send, (int fd, const void *p, size_t len, int flags), (fd, p, len, flags))
TRANSFER(splice, (int fd, off_t *a, int out, off_t *b, size_t len, unsigned flags),
	 (fd, a, out, b, len, flags))

/* With one byte of its first piece; descriptors go with the first byte. */
#define MESSAGE(name, type, give_back)                                                             \
	ssize_t name(int fd, type *m, int flags)                                                   \
	{                                                                                          \
		REAL(name);                                                                        \
		struct msghdr part = *m;                                                           \
		struct iovec first = m->msg_iovlen ? m->msg_iov[0] : (struct iovec){0};            \
		ssize_t may = room(fd, first.iov_len);                                             \
		if (may < 0) {                                                                     \
			return -1;                                                                 \
		}                                                                                  \
		if ((size_t)may < first.iov_len) {                                                 \
			first.iov_len = (size_t)may;                                               \
			part.msg_iov = &first;                                                     \
			part.msg_iovlen = 1;                                                       \
		}                                                                                  \
		ssize_t n = real(fd, &part, flags);                                                \
		give_back(m, &part);                                                               \
		return n;                                                                          \
	}

static void keep(const struct msghdr *m, const struct msghdr *part)
{
	(void)m;
	(void)part;
}

static void fill(struct msghdr *m, const struct msghdr *part)
{
	m->msg_flags = part->msg_flags;
	m->msg_controllen = part->msg_controllen;
	m->msg_namelen = part->msg_namelen;
}

MESSAGE(sendmsg, const struct msghdr, keep)
MESSAGE(recvmsg, struct msghdr, fill)

/* These only wait. */
#define WAITING(name, params, args)                                                                \
	int name params                                                                            \
	{                                                                                          \
		REAL(name);                                                                        \
		if (turn() == INTERRUPTED) {                                                       \
			errno = EINTR;                                                             \
			return -1;                                                                 \
		}                                                                                  \
		return real args;                                                                  \
	}

WAITING(poll, (struct pollfd * p, nfds_t n, int ms), (p, n, ms))
WAITING(epoll_wait, (int fd, struct epoll_event *e, int n, int ms), (fd, e, n, ms))
WAITING(accept4, (int fd, __SOCKADDR_ARG sa, socklen_t *len, int flags), (fd, sa, len, flags))
