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

#include "app/select.h"
#include "common/clock.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/mem.h"
#include "daemon/daemon.h"
#include "daemon/methods.h"
#include "daemon/viewers.h"

#define BACKLOG	    4096
#define ACCEPT_TURN 64
#define PAUSE	    0.1
#define CONNS_SHARE 4

static void free_conn(struct conn *c)
{
	struct server *s = c->server;
	ev_io_stop(s->loop, &c->read_io);
	ev_io_stop(s->loop, &c->write_io);
	ev_timer_stop(s->loop, &c->line_timer);
	list_remove(&c->node);
	s->nconns--;
	ops_on_conn_gone(&s->daemon->ops, c->serial);
	viewer_free(c->viewer);
	stage_free(c);
	close(c->fd);
	lines_finish(&c->in);
	buf_finish(&c->out);
	for (size_t i = 0; i < c->nfollow_sel; i++) {
		free(c->follow_sel[i]);
	}
	free(c->follow_sel);
	free(c);
	sparefd_fill(&s->spare);
}

/* Write what the client takes now. False if it is lost. */
static bool write_out(struct conn *c)
{
	while (c->out.len) {
		ssize_t n = send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return errno == EAGAIN;
		}
		buf_consume(&c->out, (size_t)n);
	}
	return true;
}

void conn_send(struct conn *c, const char *line, size_t len)
{
	if (c->closing) {
		return;
	}
	buf_add(&c->out, line, len);
	if (c->out.len > LIMIT_CONN_QUEUE && (c->follows || c->viewer)) {
		c->closing = true; /* does not read what it subscribed to */
		buf_reset(&c->out);
	}
	/* Another callback may be on the stack: the loop's next turn writes. */
	ev_io_start(c->server->loop, &c->write_io);
}

static void refuse(struct conn *c, enum rpc_code code, const char *why)
{
	struct err err;
	struct buf out = {0};
	err_set(&err, ERR_LIMIT, "%s", why);
	rpc_write_error_code(&out, NULL, code, &err, NULL);
	conn_send(c, out.data, out.len);
	buf_finish(&out);
	c->closing = true;
	c->server->refused++;
	log_line("control socket: uid %u pid %d cut off: %s", (unsigned)c->peer.uid,
		 (int)c->peer.pid, why);
}

/* It does not read what we answer: nothing more is taken from it until it does. */
static bool is_full(const struct conn *c)
{
	return c->out.len >= LIMIT_CONN_UNREAD;
}

/* A line that was begun, or the first one, must end in time. */
static void watch_line(struct conn *c)
{
	struct ev_loop *loop = c->server->loop;
	bool wait = !is_full(c) && (lines_pending(&c->in) > 0 || !c->greeted);
	if (!wait) {
		ev_timer_stop(loop, &c->line_timer);
	} else if (!ev_is_active(&c->line_timer)) {
		ev_timer_set(&c->line_timer, LIMIT_LINE_WAIT_MS / 1000., 0.);
		ev_timer_start(loop, &c->line_timer);
	}
}

/* The client is gone for good; one that closed only its writing half waits for its answer. */
static bool is_dead(const struct conn *c)
{
	struct pollfd p = {.fd = c->fd, .events = 0};
	return c->eof && poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR));
}

/* The one place where a connection ends: at the end of each of its callbacks. */
static void settle(struct conn *c)
{
	struct ev_loop *loop = c->server->loop;
	bool done = c->closing || (c->eof && !c->busy);
	if (is_dead(c) || !write_out(c) || (done && !c->out.len)) {
		free_conn(c);
		return;
	}
	if (c->out.len) {
		ev_io_start(loop, &c->write_io);
	} else {
		ev_io_stop(loop, &c->write_io);
		buf_finish(&c->out);
	}
	if (c->closing || c->eof || is_full(c)) {
		ev_io_stop(loop, &c->read_io);
	} else {
		ev_io_start(loop, &c->read_io);
	}
	if (!c->closing && !c->eof) {
		watch_line(c);
	}
}

static void take_lines(struct conn *c)
{
	char *line;
	size_t len;
	while (!c->closing && !is_full(c) && lines_next(&c->in, &line, &len)) {
		ev_timer_stop(c->server->loop, &c->line_timer);
		if (methods_dispatch(c, line, len)) {
			c->greeted = true;
		} else {
			c->closing = true; /* not one of ours: an HTTP request, random bytes */
		}
	}
	if (c->in.overlong && !c->closing) {
		refuse(c, RPC_BAD_REQUEST, "a message is longer than 1 MiB");
	}
}

/* Answer what is there, as long as the answers are taken. */
static void serve(struct conn *c)
{
	bool full;
	do {
		take_lines(c);
		full = is_full(c);
	} while (full && write_out(c) && !is_full(c));
	settle(c);
}

static void on_writable(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	struct conn *c = container_of(w, struct conn, write_io);
	if (write_out(c)) {
		serve(c);
	} else {
		free_conn(c);
	}
}

static void on_line_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	struct conn *c = container_of(w, struct conn, line_timer);
	refuse(c, RPC_BAD_REQUEST, "no complete message within 5 s");
	settle(c);
}

static void on_conn_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	struct conn *c = container_of(w, struct conn, read_io);
	char chunk[65536];
	ssize_t n = recv(c->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
	if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
		return;
	}
	if (n < 0) {
		free_conn(c);
		return;
	}
	if (n == 0) {
		c->eof =
			true; /* may be the half of it: echo '{...}' | nc -U waits for its answer */
	} else {
		lines_feed(&c->in, chunk, (size_t)n);
	}
	serve(c);
}

/* Room for one more: the oldest one that waits for nothing goes. */
static bool make_room(struct server *s)
{
	struct conn *c, *next;
	for (int pass = 0; pass < 3; pass++) {
		list_for_each(c, next, &s->conns, node)
		{
			bool idle =
				!c->busy && !c->follows && !c->viewer && (pass == 1 || !c->greeted);
			if (pass < 2 ? idle : is_dead(c)) {
				free_conn(c);
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
	struct conn *c = xcalloc(1, sizeof(*c));
	c->server = s;
	c->fd = fd;
	c->serial = ++s->next_serial;
	c->peer = (struct asker){.uid = cred.uid, .pid = cred.pid};
	lines_init(&c->in, LIMIT_MESSAGE);
	ev_io_init(&c->read_io, on_conn_readable, fd, EV_READ);
	ev_io_init(&c->write_io, on_writable, fd, EV_WRITE);
	ev_init(&c->line_timer, on_line_timer);
	list_add(&s->conns, &c->node);
	s->nconns++;
	ev_io_start(s->loop, &c->read_io);
	watch_line(c);
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
		free_conn(c);
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

static bool follows(const struct conn *c, const struct event *ev)
{
	if (!c->follows) {
		return false;
	}
	struct select_target t = {.app = ev->app, .slot = ev->slot};
	const struct app *app = apps_find(c->server->daemon, ev->app);
	t.ns = app ? app->conf.namespace_ : NULL;
	for (size_t i = 0; i < c->nfollow_sel; i++) {
		struct selector sel;
		if (selector_parse(&sel, c->follow_sel[i], NULL) && ev->app[0] &&
		    selector_matches(&sel, &t)) {
			return true;
		}
	}
	return c->nfollow_sel == 0;
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
		if (!follows(c, ev)) {
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
		while (c->out.len && write_out(c) && c->out.len) {
			struct pollfd p = {.fd = c->fd, .events = POLLOUT};
			int64_t left = end - clock_mono_ms();
			if (left <= 0 || poll(&p, 1, (int)left) <= 0) {
				break;
			}
		}
	}
}
