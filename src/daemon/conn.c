/* SPDX-License-Identifier: MIT */
#include "daemon/conn.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/select.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/mem.h"
#include "daemon/daemon.h"
#include "daemon/methods.h"
#include "daemon/viewers.h"

void conn_free(struct conn *c)
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

bool conn_write(struct conn *c)
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

bool conn_is_dead(const struct conn *c)
{
	struct pollfd p = {.fd = c->fd, .events = 0};
	return c->eof && poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR));
}

/* The one place where a connection ends: at the end of each of its callbacks. */
static void settle(struct conn *c)
{
	struct ev_loop *loop = c->server->loop;
	bool done = c->closing || (c->eof && !c->busy);
	if (conn_is_dead(c) || !conn_write(c) || (done && !c->out.len)) {
		conn_free(c);
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
	} while (full && conn_write(c) && !is_full(c));
	settle(c);
}

static void on_writable(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	struct conn *c = container_of(w, struct conn, write_io);
	if (conn_write(c)) {
		serve(c);
	} else {
		conn_free(c);
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
		conn_free(c);
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

void conn_new(struct server *s, int fd, const struct asker *peer)
{
	struct conn *c = xcalloc(1, sizeof(*c));
	c->server = s;
	c->fd = fd;
	c->serial = ++s->next_serial;
	c->peer = *peer;
	lines_init(&c->in, LIMIT_MESSAGE);
	ev_io_init(&c->read_io, on_conn_readable, fd, EV_READ);
	ev_io_init(&c->write_io, on_writable, fd, EV_WRITE);
	ev_init(&c->line_timer, on_line_timer);
	list_add(&s->conns, &c->node);
	s->nconns++;
	ev_io_start(s->loop, &c->read_io);
	watch_line(c);
}

bool conn_follows(const struct conn *c, const struct event *ev)
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
