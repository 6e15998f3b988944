/* SPDX-License-Identifier: MIT */
#include "client/conn.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "client/interrupt.h"
#include "common/clock.h"
#include "common/limits.h"

#define GREETING_ID 0
#define TICK_MS	    200
#define CONNECT_MS  5000 /* the daemon's queue of connections may be full for a moment */

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

/* Definitions have secrets in them: an ordinary user tells them only to itself or to root. Root
 * may look after the daemon of any user. */
static bool check_peer(int fd, const struct paths *paths, struct err *err)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0) {
		return err_sys(err, "%s", paths->socket);
	}
	if (cred.uid == geteuid() || cred.uid == 0 || geteuid() == 0) {
		return true;
	}
	return err_set(err, ERR_PERMISSION, "%s is served by uid %u, not by us", paths->socket,
		       (unsigned)cred.uid);
}

static bool open_within(struct conn *c, const struct paths *paths, int64_t wait_ms, struct err *err)
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
			give_up = give_up ? give_up : now + wait_ms;
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
	if (!check_peer(fd, paths, err)) {
		close(fd);
		return false;
	}
	c->fd = fd;
	c->open = true;
	lines_init(&c->lines, LIMIT_REPLY);
	return true;
}

bool conn_open(struct conn *c, const struct paths *paths, struct err *err)
{
	return open_within(c, paths, CONNECT_MS, err);
}

bool conn_open_now(struct conn *c, const struct paths *paths, struct err *err)
{
	return open_within(c, paths, 0, err);
}

void conn_close(struct conn *c)
{
	if (c->open) {
		close(c->fd);
		lines_finish(&c->lines);
	}
	c->fd = -1;
	c->open = false;
}

/* Which pmctld this is, asked along with the first request. */
static void add_greeting(struct conn *c, struct buf *out)
{
	if (!c->greeted) {
		c->greeted = true;
		rpc_write_request(out, GREETING_ID, "ping", NULL);
	}
}

static bool take_greeting(struct conn *c, const struct rpc_reply *reply)
{
	if (reply->kind == RPC_NOTIFICATION || reply->id != GREETING_ID) {
		return false;
	}
	const char *version = json_string_value(json_object_get(reply->result, "version"));
	snprintf(c->version, sizeof(c->version), "%s", version ? version : "");
	return true;
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

static bool gone(struct conn *c, struct err *err)
{
	c->lost = true;
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
			return gone(c, err);
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
			return gone(c, err);
		}
		if (r == 0 && !waited(wait_for(c->fd, POLLIN, w), err)) {
			return false;
		}
	}
	return rpc_parse_reply(line, len, reply, err);
}

static bool send_request(struct conn *c, const char *method, json_t *params,
			 const struct conn_wait *w, struct err *err)
{
	struct buf out = {0};
	add_greeting(c, &out);
	size_t before = out.len;
	rpc_write_request(&out, ++c->last_id, method, params);
	json_decref(params);
	bool ok = out.len - before <= LIMIT_MESSAGE
			  ? send_all(c, &out, w, err)
			  : err_set(err, ERR_LIMIT, "the request is over %d bytes", LIMIT_MESSAGE);
	buf_finish(&out);
	return ok;
}

bool conn_send(struct conn *c, const char *method, json_t *params, int deadline_ms, int64_t *id,
	       struct err *err)
{
	struct conn_wait w = {.deadline_mono_ms = clock_mono_ms() + deadline_ms};
	bool ok = send_request(c, method, params, &w, err);
	*id = c->last_id;
	return ok;
}

bool conn_call(struct conn *c, const char *method, json_t *params, const struct conn_wait *wait,
	       struct rpc_reply *reply, struct err *err)
{
	static const struct conn_wait patient;
	const struct conn_wait *w = wait ? wait : &patient;
	*reply = (struct rpc_reply){.id = -1};
	bool ok = send_request(c, method, params, w, err);
	while (ok) {
		rpc_reply_finish(reply);
		ok = read_message(c, w, reply, err);
		if (ok && take_greeting(c, reply)) {
			continue;
		}
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
	while (read_message(c, &w, reply, err)) {
		if (!take_greeting(c, reply)) {
			return 1;
		}
		rpc_reply_finish(reply);
	}
	return err->code == ERR_DEADLINE || err->code == ERR_NONE ? 0 : -1;
}
