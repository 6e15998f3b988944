/* SPDX-License-Identifier: MIT */
#include "client/conn.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "client/interrupt.h"
#include "common/clock.h"
#include "common/limits.h"

#define TICK_MS	   200
#define CONNECT_MS 5000 /* the daemon's queue of connections may be full for a moment */

static bool no_daemon(const struct paths *paths, struct err *err)
{
	if (errno == ENOENT || errno == ENOTDIR) {
		return err_set(err, ERR_NO_DAEMON, "pmctld is not running (no %s)", paths->socket);
	}
	if (errno == ECONNREFUSED) {
		return err_set(err, ERR_NO_DAEMON, "pmctld is not running (nobody listens on %s)",
			       paths->socket);
	}
	if (errno == EAGAIN) {
		return err_set(err, ERR_NO_DAEMON,
			       "pmctld does not answer (%s: too many connections)", paths->socket);
	}
	int saved = errno;
	err_sys(err, "connect to %s", paths->socket);
	if (err->code == ERR_SYSTEM) {
		err->code = ERR_NO_DAEMON;
	}
	errno = saved;
	return false;
}

static void nap(long ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000L};
	nanosleep(&ts, NULL);
}

bool conn_open(struct conn *c, const struct paths *paths, struct err *err)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	*c = (struct conn){.fd = -1};
	memcpy(sun.sun_path, paths->socket, strlen(paths->socket) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		return err_sys(err, "create a socket");
	}
	int64_t give_up = 0;
	for (long pause = 2; connect(fd, (struct sockaddr *)&sun, sizeof(sun)) != 0;) {
		if (errno == EAGAIN && !interrupt_pending()) {
			int64_t now = clock_mono_ms();
			give_up = give_up ? give_up : now + CONNECT_MS;
			if (now < give_up) {
				nap(pause);
				pause = pause < 100 ? pause * 2 : 100;
				continue;
			}
			errno = EAGAIN;
		} else if (errno == EINTR && !interrupt_pending()) {
			continue;
		}
		no_daemon(paths, err);
		close(fd);
		return false;
	}
	c->fd = fd;
	c->open = true;
	lines_init(&c->lines, LIMIT_REPLY);
	return true;
}

void conn_close(struct conn *c)
{
	if (c->open) {
		close(c->fd);
		lines_finish(&c->lines);
	}
	*c = (struct conn){.fd = -1};
}

/* 1 = ready, 0 = time is over, -1 = a signal for us came. */
static int wait_for(int fd, short what, const struct conn_wait *w)
{
	int64_t deadline = w->deadline_mono_ms;
	for (;;) {
		struct pollfd p = {.fd = fd, .events = what};
		int64_t left = deadline ? deadline - clock_mono_ms() : INT32_MAX;
		/* One that came while we were not waiting: first what is there, then the signal. */
		int ms = left < 0 || interrupt_pending() ? 0
			 : left > TICK_MS && w->tick	 ? TICK_MS
			 : left > 60000			 ? 60000
							 : (int)left;
		int n = poll(&p, 1, ms);
		if (n > 0) {
			return 1;
		}
		int sig = interrupt_pending();
		if (sig && !(w->signal && w->signal(w->ctx, sig))) {
			return -1;
		}
		if (deadline && clock_mono_ms() >= deadline) {
			return 0;
		}
		if (n == 0 && w->tick) {
			w->tick(w->ctx);
		}
	}
}

static bool gone(struct err *err)
{
	return err_set(err, ERR_NO_DAEMON, "pmctld closed the connection");
}

static bool waited(int r, struct err *err)
{
	if (r < 0) {
		return err_set(err, ERR_NONE, "interrupted");
	}
	return r > 0 || err_set(err, ERR_DEADLINE, "deadline passed");
}

static bool send_all(struct conn *c, const struct buf *b, const struct conn_wait *w,
		     struct err *err)
{
	struct conn_wait plain = {.deadline_mono_ms = w->deadline_mono_ms};
	for (size_t sent = 0; sent < b->len;) {
		ssize_t n = send(c->fd, b->data + sent, b->len - sent, MSG_NOSIGNAL);
		if (n >= 0) {
			sent += (size_t)n;
		} else if (errno == EAGAIN) {
			if (!waited(wait_for(c->fd, POLLOUT, &plain), err)) {
				return false;
			}
		} else if (errno != EINTR) {
			return gone(err);
		}
	}
	return true;
}

/* Read once what is there. 1 = some, 0 = nothing yet, -1 = end. */
static int receive(struct conn *c)
{
	char chunk[65536];
	ssize_t n = recv(c->fd, chunk, sizeof(chunk), 0);
	if (n > 0) {
		lines_feed(&c->lines, chunk, (size_t)n);
		return c->lines.overlong ? -1 : 1;
	}
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

static bool read_message(struct conn *c, const struct conn_wait *w, struct rpc_reply *reply,
			 struct err *err)
{
	char *line;
	size_t len;
	while (!lines_next(&c->lines, &line, &len)) {
		int r = receive(c);
		if (r < 0) {
			return gone(err);
		}
		if (r == 0 && !waited(wait_for(c->fd, POLLIN, w), err)) {
			return false;
		}
	}
	return rpc_parse_reply(line, len, reply, err);
}

bool conn_call(struct conn *c, const char *method, json_t *params, const struct conn_wait *wait,
	       struct rpc_reply *reply, struct err *err)
{
	static const struct conn_wait patient;
	struct buf out = {0};
	const struct conn_wait *w = wait ? wait : &patient;
	*reply = (struct rpc_reply){.id = -1};
	rpc_write_request(&out, ++c->last_id, method, params);
	json_decref(params);
	if (out.len > LIMIT_MESSAGE) {
		buf_finish(&out);
		return err_set(err, ERR_LIMIT, "the request is over %d bytes", LIMIT_MESSAGE);
	}
	bool ok = send_all(c, &out, w, err);
	buf_finish(&out);
	while (ok) {
		rpc_reply_finish(reply);
		ok = read_message(c, w, reply, err);
		if (ok && reply->kind != RPC_NOTIFICATION) {
			break;
		}
		if (ok && w->notify) {
			w->notify(w->ctx, reply);
		}
	}
	if (ok && reply->kind == RPC_ERROR) {
		*err = reply->error;
		return false;
	}
	return ok;
}

int conn_next(struct conn *c, int timeout_ms, struct rpc_reply *reply, struct err *err)
{
	struct conn_wait w = {.deadline_mono_ms =
				      timeout_ms < 0 ? 0 : clock_mono_ms() + timeout_ms};
	*reply = (struct rpc_reply){.id = -1};
	if (read_message(c, &w, reply, err)) {
		return 1;
	}
	return err->code == ERR_DEADLINE || err->code == ERR_NONE ? 0 : -1;
}
