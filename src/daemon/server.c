/* SPDX-License-Identifier: MIT */
#include "daemon/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/mem.h"
#include "daemon/daemon.h"
#include "proto/rpc.h"

#define BACKLOG	    4096
#define ACCEPT_TURN 64
#define PAUSE	    0.1
#define CONNS_SHARE 4

/* Room for one more: the oldest one that waits for nothing goes. */
static bool make_room(struct server *s)
{
	struct conn *c, *next;
	for (int pass = 0; pass < 3; pass++) {
		list_for_each(c, next, &s->conns, node)
		{
			bool idle =
				!c->busy && !c->follows && !c->viewer && (pass == 1 || !c->greeted);
			if (pass < 2 ? idle : conn_is_dead(c)) {
				conn_free(c);
				return true;
			}
		}
	}
	return false;
}

/* A part of the descriptors there may be: the apps need the others. */
static unsigned most_conns(void)
{
	struct rlimit rl;
	if (getrlimit(RLIMIT_NOFILE, &rl) != 0 || rl.rlim_cur / CONNS_SHARE >= LIMIT_CONNS) {
		return LIMIT_CONNS;
	}
	return (unsigned)rl.rlim_cur / CONNS_SHARE + 1;
}

static void add_conn(struct server *s, int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0 ||
	    (cred.uid != geteuid() && cred.uid != 0)) {
		log_line("control socket: uid %u refused", (unsigned)cred.uid);
		close(fd);
		return;
	}
	if (s->nconns >= most_conns() && !make_room(s)) {
		log_line("control socket: %u connections are busy, one more refused", s->nconns);
		close(fd);
		return;
	}
	conn_new(s, fd, &(struct asker){.uid = cred.uid, .pid = cred.pid});
}

static void on_pause_over(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)revents;
	struct server *s = container_of(w, struct server, pause);
	ev_io_start(loop, &s->accept_io);
}

/* With no descriptor left, whoever wants to know why is let in all the same. */
static int accept_one(struct server *s)
{
	int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0 || (errno != EMFILE && errno != ENFILE)) {
		return fd;
	}
	int saved = errno;
	if (!sparefd_give(&s->spare) && !make_room(s)) {
		errno = saved;
		return -1;
	}
	return accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

static void on_acceptable(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)revents;
	struct server *s = container_of(w, struct server, accept_io);
	for (int i = 0; i < ACCEPT_TURN; i++) {
		int fd = accept_one(s);
		if (fd >= 0) {
			add_conn(s, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			/* The connection stays in the queue and would wake us for ever. */
			log_line("control socket: accept: %s", strerror(errno));
			ev_io_stop(loop, w);
			ev_timer_set(&s->pause, PAUSE, 0.);
			ev_timer_start(loop, &s->pause);
		}
		if (errno != EINTR && errno != ECONNABORTED) {
			return;
		}
	}
}

static int listen_at(const char *path, struct err *err)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(sa.sun_path)) {
		err_set(err, ERR_FAILED, "the path of the control socket is too long: %s", path);
		return -1;
	}
	memcpy(sa.sun_path, path, strlen(path) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* The lock is ours, so nobody listens on what may be there. The mode is set before bind:
	 * there is no moment at which others could connect. */
	unlink(path);
	if (fd < 0 || fchmod(fd, 0600) != 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0 ||
	    listen(fd, BACKLOG) != 0) {
		err_sys(err, "control socket %s", path);
		if (fd >= 0) {
			close(fd);
		}
		return -1;
	}
	return fd;
}

void server_deposit(struct server *s)
{
	link_deposit(&s->daemon->link, "control", s->fd);
}

static void watch(struct server *s)
{
	ev_io_init(&s->accept_io, on_acceptable, s->fd, EV_READ);
	ev_io_start(s->loop, &s->accept_io);
	server_deposit(s);
}

bool server_init(struct server *s, struct daemon *d, const char *path, int fd, struct err *err)
{
	*s = (struct server){.daemon = d, .loop = d->loop, .fd = fd, .path = xstrdup(path)};
	list_init(&s->conns);
	ev_init(&s->pause, on_pause_over);
	sparefd_init(&s->spare);
	sparefd_fill(&s->spare);
	if (s->fd < 0) {
		s->fd = listen_at(path, err);
	}
	if (s->fd < 0) {
		return false;
	}
	watch(s);
	server_check_path(s);
	return true;
}

/* A file that is there may be another's: of a supervisor that could not deposit its socket. */
static bool leads_somewhere(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	bool ok = fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0 ||
		  (errno != ECONNREFUSED && errno != ENOENT && errno != ENOTDIR);
	if (fd >= 0) {
		close(fd);
	}
	return ok;
}

void server_check_path(struct server *s)
{
	struct err err;
	if (s->fd < 0 || leads_somewhere(s->path)) {
		return;
	}
	/* logind takes the whole directory away when a user's last session ends. */
	int dir = paths_open_dir(s->daemon->paths.runtime, 0700, &err);
	int fd = dir < 0 ? -1 : listen_at(s->path, &err);
	if (dir >= 0) {
		close(dir);
	}
	if (fd < 0) {
		log_line("%s", err.msg);
		return;
	}
	log_line("control socket: %s had gone, made anew", s->path);
	ev_io_stop(s->loop, &s->accept_io);
	close(s->fd);
	s->fd = fd;
	watch(s);
}

void server_finish(struct server *s, bool remove)
{
	struct conn *c, *next;
	if (!s->path) {
		return;
	}
	/* First, for a client takes the end of its connection for the end of us and may come again.
	 */
	if (remove) {
		unlink(s->path);
		link_drop(&s->daemon->link, "control");
	}
	list_for_each(c, next, &s->conns, node)
	{
		conn_free(c);
	}
	ev_io_stop(s->loop, &s->accept_io);
	ev_timer_stop(s->loop, &s->pause);
	sparefd_finish(&s->spare);
	close(s->fd);
	free(s->path);
}

struct conn *server_find(struct server *s, uint64_t serial)
{
	struct conn *c, *next;
	list_for_each(c, next, &s->conns, node)
	{
		if (c->serial == serial && !c->closing) {
			return c;
		}
	}
	return NULL;
}

void server_publish(struct server *s, const struct event *ev)
{
	struct buf line = {0};
	struct conn *c, *next;
	if (!s->path) {
		return; /* still starting */
	}
	list_for_each(c, next, &s->conns, node)
	{
		if (!conn_follows(c, ev)) {
			continue;
		}
		if (!line.len) {
			rpc_write_notification_begin(&line, "event");
			event_json(ev, &line);
			rpc_write_notification_end(&line);
		}
		conn_send(c, line.data, line.len);
	}
	buf_finish(&line);
}

void server_flush(struct server *s, int timeout_ms)
{
	int64_t end = clock_mono_ms() + timeout_ms;
	struct conn *c, *next;
	list_for_each(c, next, &s->conns, node)
	{
		while (c->out.len && conn_write(c) && c->out.len) {
			struct pollfd p = {.fd = c->fd, .events = POLLOUT};
			int64_t left = end - clock_mono_ms();
			if (left <= 0 || poll(&p, 1, (int)left) <= 0) {
				break;
			}
		}
	}
}
