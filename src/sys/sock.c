/* SPDX-License-Identifier: MIT */
#include "sys/sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/buf.h"
#include "sys/asuser.h"

#define DEFAULT_BACKLOG 511

void sock_describe(const struct sock_req *req, char out[SOCK_NAME])
{
	if (req->kind == SOCK_KIND_UNIX) {
		snprintf(out, SOCK_NAME, "%s", req->path ? req->path : "");
		return;
	}
	const char *host = req->host ? req->host : "0.0.0.0";
	bool v6 = strchr(host, ':') != NULL;
	snprintf(out, SOCK_NAME, "%s%s%s:%u", v6 ? "[" : "", host, v6 ? "]" : "",
		 (unsigned)req->port);
}

static bool fail(const struct sock_req *req, int code, int *error, struct err *err)
{
	char what[SOCK_NAME];
	sock_describe(req, what);
	*error = code;
	errno = code;
	return err_sys(err, "cannot listen on %s%s", req->kind == SOCK_KIND_UDP ? "udp " : "",
		       what);
}

static bool set_options(int fd, const struct sock_req *req, int family)
{
	int on = 1;
	int v6only = (req->flags & SOCK_V6ONLY) != 0;
	bool reuse = req->kind == SOCK_KIND_TCP || (req->flags & SOCK_UDP_REUSEADDR);
	if (reuse && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0) {
		return false;
	}
	if ((req->flags & SOCK_REUSEPORT) &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0) {
		return false;
	}
	return family != AF_INET6 ||
	       setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only)) == 0;
}

static bool open_group(int fd, const struct sock_req *req)
{
	int on = 1;
	return !(req->flags & SOCK_REUSEPORT_LATER) ||
	       setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0;
}

/* -1 with errno. */
static int open_inet(const struct sock_req *req, const struct sockaddr *sa, socklen_t len)
{
	int type = req->kind == SOCK_KIND_UDP ? SOCK_DGRAM : SOCK_STREAM;
	int fd = socket(sa->sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		return -1;
	}
	int backlog = req->backlog > 0 ? req->backlog : DEFAULT_BACKLOG;
	if (!set_options(fd, req, sa->sa_family) || bind(fd, sa, len) != 0 ||
	    !open_group(fd, req) || (type == SOCK_STREAM && listen(fd, backlog) != 0)) {
		int saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

/* Every address: both families on one socket, or IPv4 alone where there is no IPv6. */
static int listen_any(const struct sock_req *req)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6,
				   .sin6_port = htons(req->port),
				   .sin6_addr = IN6ADDR_ANY_INIT};
	int fd = open_inet(req, (struct sockaddr *)&six, sizeof(six));
	if (fd >= 0 || (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL && errno != EINVAL)) {
		return fd;
	}
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(req->port)};
	return open_inet(req, (struct sockaddr *)&four, sizeof(four));
}

static int listen_host(const struct sock_req *req)
{
	char port[8];
	struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV | AI_NUMERICHOST,
				 .ai_socktype =
					 req->kind == SOCK_KIND_UDP ? SOCK_DGRAM : SOCK_STREAM};
	struct addrinfo *list = NULL;
	snprintf(port, sizeof(port), "%u", (unsigned)req->port);
	int r = getaddrinfo(req->host, port, &hints, &list);
	if (r == EAI_NONAME) {
		hints.ai_flags &= ~AI_NUMERICHOST;
		r = getaddrinfo(req->host, port, &hints, &list);
	}
	if (r != 0) {
		errno = r == EAI_SYSTEM ? errno : EADDRNOTAVAIL;
		return -1;
	}
	int fd = open_inet(req, list->ai_addr, list->ai_addrlen);
	int saved = errno;
	freeaddrinfo(list);
	errno = saved;
	return fd;
}

/* A socket file nobody listens on any more is in the way; anything else is not ours to remove. */
static void remove_stale(const struct sockaddr_un *sa)
{
	struct stat st;
	if (lstat(sa->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode)) {
		return;
	}
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		return;
	}
	if (connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) != 0 && errno == ECONNREFUSED) {
		unlink(sa->sun_path);
	}
	close(fd);
}

static int bind_unix(const struct sock_req *req, const struct sockaddr_un *sa)
{
	mode_t mode = 0600 | (req->flags & SOCK_READABLE_ALL ? 0444 : 0) |
		      (req->flags & SOCK_WRITABLE_ALL ? 0222 : 0);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		return -1;
	}
	remove_stale(sa);
	/* The mode is on the socket before it has a name: others never see a wider one. */
	mode_t old = umask(0);
	int backlog = req->backlog > 0 ? req->backlog : DEFAULT_BACKLOG;
	bool ok = fchmod(fd, mode) == 0 &&
		  bind(fd, (const struct sockaddr *)sa, sizeof(*sa)) == 0 &&
		  listen(fd, backlog) == 0;
	int saved = errno;
	umask(old);
	if (!ok) {
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

/* With the rights of the app's user: root must not make files where a user may redirect it. */
static int listen_unix(const struct sock_req *req)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	if (!req->path || strlen(req->path) >= sizeof(sa.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(sa.sun_path, req->path, strlen(req->path) + 1);
	gid_t gid = req->gid;
	struct asuser user = {.uid = req->uid, .gid = gid, .groups = &gid, .ngroups = 1};
	if (!req->as_user) {
		return bind_unix(req, &sa);
	}
	if (!asuser_begin(&user)) {
		return -1;
	}
	int fd = bind_unix(req, &sa);
	asuser_end();
	return fd;
}

int sock_listen(const struct sock_req *req, struct err *err, int *error)
{
	int fd = req->kind == SOCK_KIND_UNIX ? listen_unix(req)
		 : req->host		     ? listen_host(req)
					     : listen_any(req);
	if (fd < 0) {
		fail(req, errno, error, err);
	} else if (req->flags & SOCK_BLOCKING) {
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	}
	return fd;
}

static bool read_address(const struct sockaddr_storage *ss, struct sock_addr *out)
{
	out->v6 = ss->ss_family == AF_INET6;
	if (ss->ss_family == AF_INET) {
		struct sockaddr_in sa;
		memcpy(&sa, ss, sizeof(sa));
		inet_ntop(AF_INET, &sa.sin_addr, out->host, sizeof(out->host));
		out->port = ntohs(sa.sin_port);
		return true;
	}
	if (ss->ss_family == AF_INET6) {
		struct sockaddr_in6 sa;
		memcpy(&sa, ss, sizeof(sa));
		inet_ntop(AF_INET6, &sa.sin6_addr, out->host, sizeof(out->host));
		out->port = ntohs(sa.sin6_port);
		return true;
	}
	return false;
}

bool sock_address(int fd, struct sock_addr *out)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	return getsockname(fd, (struct sockaddr *)&ss, &len) == 0 && read_address(&ss, out);
}

static bool name_inet(int fd, const struct sockaddr_storage *ss, char out[SOCK_NAME])
{
	struct sock_addr a;
	int type;
	socklen_t len = sizeof(type);
	if (!read_address(ss, &a) || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0) {
		return false;
	}
	snprintf(out, SOCK_NAME, "%s:%s%s%s:%u", type == SOCK_DGRAM ? "udp" : "tcp",
		 a.v6 ? "[" : "", a.host, a.v6 ? "]" : "", a.port);
	return true;
}

bool sock_name(int fd, char out[SOCK_NAME])
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	if (getsockname(fd, (struct sockaddr *)&ss, &len) != 0) {
		return false;
	}
	if (ss.ss_family == AF_INET || ss.ss_family == AF_INET6) {
		return name_inet(fd, &ss, out);
	}
	if (ss.ss_family != AF_UNIX || len <= sizeof(sa_family_t)) {
		return false;
	}
	struct sockaddr_un sa;
	struct buf safe = {0};
	memcpy(&sa, &ss, sizeof(sa));
	buf_add_escaped(&safe, sa.sun_path, strnlen(sa.sun_path, sizeof(sa.sun_path)), 0);
	snprintf(out, SOCK_NAME, "unix:%.150s", safe.data ? safe.data : "");
	buf_finish(&safe);
	return true;
}

bool sock_queue(int fd, unsigned *waiting, unsigned *backlog)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);
	memset(&info, 0, sizeof(info));
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0 ||
	    info.tcpi_state != TCP_LISTEN) {
		return false;
	}
	/* For a listener the kernel reports its queue in these two, see tcp_get_info(). */
	*waiting = info.tcpi_unacked;
	*backlog = info.tcpi_sacked;
	return true;
}

/* Somebody else may connect to the listener in the same moment. */
static int accept_from(int listener, int client)
{
	struct sockaddr_in own, peer;
	socklen_t len = sizeof(own);
	if (getsockname(client, (struct sockaddr *)&own, &len) != 0) {
		return -1;
	}
	for (int i = 0; i < 16; i++) {
		len = sizeof(peer);
		int fd = accept4(listener, (struct sockaddr *)&peer, &len,
				 SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0) {
			return -1;
		}
		if (peer.sin_port == own.sin_port && peer.sin_addr.s_addr == own.sin_addr.s_addr) {
			return fd;
		}
		close(fd);
	}
	errno = ECONNABORTED;
	return -1;
}

bool sock_tcp_pair(int fds[2])
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	socklen_t len = sizeof(sa);
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	fds[1] = -1;
	if (listener >= 0 && fds[0] >= 0 &&
	    bind(listener, (struct sockaddr *)&sa, sizeof(sa)) == 0 && listen(listener, 8) == 0 &&
	    getsockname(listener, (struct sockaddr *)&sa, &len) == 0 &&
	    connect(fds[0], (struct sockaddr *)&sa, sizeof(sa)) == 0) {
		fcntl(listener, F_SETFL, O_NONBLOCK);
		fcntl(fds[0], F_SETFL, O_NONBLOCK);
		fds[1] = accept_from(listener, fds[0]);
	}
	int saved = errno;
	if (listener >= 0) {
		close(listener);
	}
	if (fds[1] < 0 && fds[0] >= 0) {
		close(fds[0]);
	}
	errno = saved;
	return fds[1] >= 0;
}

bool sock_is_listener(int fd)
{
	int v;
	socklen_t len = sizeof(v);
	char name[SOCK_NAME];
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &v, &len) != 0) {
		return false;
	}
	return v || (sock_name(fd, name) && strncmp(name, "udp:", 4) == 0);
}
