/* SPDX-License-Identifier: MIT */
#include "daemon/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/mem.h"
#include "common/units.h"
#include "sys/spawn.h"
#include "version.h"

#define HEAD	  1024	/* bytes of a reply that are looked at */
#define POLITE	  65536 /* bytes that are read before the connection is closed on a talker */
#define SAID	  512	/* bytes of a command's output that are kept */
#define LATE_MS	  1000	/* we were stopped: that is no fault of whom we ask */
#define FIRST_OK  200
#define FIRST_BAD 400

enum step { CONNECTING, SENDING, READING, WAITING };

struct probe_try {
	struct ev_loop *loop;
	enum probe_kind kind;
	enum step step;
	bool handed; /* over to a program, instead of connected */
	char *text;
	int fd;
	struct buf request;
	size_t sent;
	char head[HEAD + 1];
	size_t nhead, nread;
	int status; /* of HTTP; 0 = not known yet */
	pid_t pid;  /* of the command */
	int pidfd, report_fd;
	int64_t timeout_ms, deadline_ms;
	int error; /* of what failed before we began; told by the timer */
	char failed[300];
	bool hung;
	ev_io io, pid_io;
	ev_timer timer;
	void (*done)(void *ctx, bool ok, bool hung, const char *why);
	void *ctx;
};

static void close_fd(int *fd)
{
	if (*fd >= 0) {
		close(*fd);
		*fd = -1;
	}
}

static void free_try(struct probe_try *t)
{
	ev_io_stop(t->loop, &t->io);
	ev_timer_stop(t->loop, &t->timer);
	close_fd(&t->fd);
	close_fd(&t->report_fd);
	t->done = NULL;
	if (t->pid > 0) {
		/* The stub has made it the leader of a group. It may take its time to die; then
		 * on_exited() comes. */
		kill(-t->pid, SIGKILL);
		kill(t->pid, SIGKILL);
		return;
	}
	ev_io_stop(t->loop, &t->pid_io);
	close_fd(&t->pidfd);
	buf_finish(&t->request);
	free(t->text);
	free(t);
}

static void finish(struct probe_try *t, bool ok, bool hung, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void finish(struct probe_try *t, bool ok, bool hung, const char *fmt, ...)
{
	char why[400];
	void (*done)(void *, bool, bool, const char *) = t->done;
	void *ctx = t->ctx;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	free_try(t);
	done(ctx, ok, hung, ok ? NULL : why);
}

static void fail_errno(struct probe_try *t, int error)
{
	finish(t, false, false, "%s: %s", t->text, strerror(error));
}

static void arm(struct probe_try *t, int64_t ms)
{
	ev_timer_stop(t->loop, &t->timer);
	ev_now_update(t->loop);
	ev_timer_set(&t->timer, (double)ms / 1000., 0.);
	ev_timer_start(t->loop, &t->timer);
}

/* --- HTTP --- */

/* 100 Continue, 103 Early Hints: the answer comes behind them. False if there is no more yet. */
static bool skip_interim(struct probe_try *t)
{
	char *end = memmem(t->head, t->nhead, "\r\n\r\n", 4);
	size_t len = end ? (size_t)(end + 4 - t->head) : 0;
	t->status = 0;
	memmove(t->head, t->head + len, t->nhead - len);
	t->nhead -= len;
	return len && memchr(t->head, '\n', t->nhead);
}

static bool parse_status(struct probe_try *t)
{
	int major, minor, status;
	t->head[t->nhead] = '\0';
	if (sscanf(t->head, "HTTP/%d.%d %3d", &major, &minor, &status) != 3 || status < 100) {
		return false;
	}
	t->status = status;
	return status >= FIRST_OK || !skip_interim(t) || parse_status(t);
}

static void finish_http(struct probe_try *t)
{
	if (!t->status) {
		finish(t, false, false, "%s: closed without an answer", t->text);
	} else if (t->status >= FIRST_OK && t->status < FIRST_BAD) {
		finish(t, true, false, "ok");
	} else {
		finish(t, false, false, "%s gave %d", t->text, t->status);
	}
}

/* Keep the status line; read on for a while, for a server that is cut off may complain. */
static void read_http(struct probe_try *t)
{
	char chunk[4096];
	ssize_t n;
	while ((n = recv(t->fd, chunk, sizeof(chunk), MSG_DONTWAIT)) > 0) {
		size_t room = HEAD - t->nhead;
		size_t use = (size_t)n < room ? (size_t)n : room;
		memcpy(t->head + t->nhead, chunk, use);
		t->nhead += use;
		t->nread += (size_t)n;
		bool complete = memchr(t->head, '\n', t->nhead) || t->nhead == HEAD;
		if (!t->status && complete && !parse_status(t)) {
			finish(t, false, false, "%s: the answer is not HTTP", t->text);
			return;
		}
		if (t->nread >= POLITE) {
			finish_http(t);
			return;
		}
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		return;
	}
	if (n < 0 && !t->status) {
		fail_errno(t, errno);
		return;
	}
	finish_http(t);
}

static void send_http(struct probe_try *t)
{
	while (t->sent < t->request.len) {
		ssize_t n = send(t->fd, t->request.data + t->sent, t->request.len - t->sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			return;
		}
		if (n < 0) {
			fail_errno(t, errno);
			return;
		}
		t->sent += (size_t)n;
	}
	t->step = READING;
	ev_io_stop(t->loop, &t->io);
	ev_io_set(&t->io, t->fd, EV_READ);
	ev_io_start(t->loop, &t->io);
}

static void make_request(struct probe_try *t, const struct probe_target *target)
{
	bool v6 = strchr(target->host, ':') != NULL;
	buf_addf(&t->request,
		 "GET %s HTTP/1.1\r\nHost: %s%s%s:%u\r\nUser-Agent: pmctl/%s\r\n"
		 "Accept: */*\r\nConnection: close\r\n\r\n",
		 target->path, v6 ? "[" : "", target->host, v6 ? "]" : "", target->port,
		 PMCTL_VERSION);
}

/* --- a connection --- */

static void connected(struct probe_try *t)
{
	if (t->kind == PROBE_HTTP) {
		t->step = SENDING;
		send_http(t);
	} else if (!t->handed) {
		finish(t, true, false, "ok");
	} else {
		t->step = WAITING; /* for probe_accepted() */
		ev_io_stop(t->loop, &t->io);
	}
}

static void on_io(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	struct probe_try *t = container_of(w, struct probe_try, io);
	int error = 0;
	socklen_t len = sizeof(error);
	switch (t->step) {
	case CONNECTING:
		getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &error, &len);
		if (error) {
			fail_errno(t, error);
		} else {
			connected(t);
		}
		break;
	case SENDING:
		send_http(t);
		break;
	case READING:
		read_http(t);
		break;
	case WAITING:
		break;
	}
}

static socklen_t make_address(const struct probe_target *target, struct sockaddr_storage *ss)
{
	memset(ss, 0, sizeof(*ss));
	if (target->kind == PROBE_UNIX) {
		struct sockaddr_un un = {.sun_family = AF_UNIX};
		snprintf(un.sun_path, sizeof(un.sun_path), "%s", target->path);
		memcpy(ss, &un, sizeof(un));
		return sizeof(un);
	}
	if (strchr(target->host, ':')) {
		struct sockaddr_in6 six = {.sin6_family = AF_INET6,
					   .sin6_port = htons(target->port)};
		inet_pton(AF_INET6, target->host, &six.sin6_addr);
		memcpy(ss, &six, sizeof(six));
		return sizeof(six);
	}
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(target->port)};
	inet_pton(AF_INET, target->host, &four.sin_addr);
	memcpy(ss, &four, sizeof(four));
	return sizeof(four);
}

/* errno, or 0. */
static int begin_connect(struct probe_try *t, const struct probe_target *target)
{
	struct sockaddr_storage ss;
	socklen_t len = make_address(target, &ss);
	t->fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (t->fd < 0) {
		return errno;
	}
	if (connect(t->fd, (struct sockaddr *)&ss, len) != 0 && errno != EINPROGRESS) {
		return errno; /* EAGAIN: the queue of a Unix socket is full */
	}
	return 0;
}

void probe_accepted(struct probe_try *t, bool accepted)
{
	if (!accepted) {
		finish(t, false, false, "%s: the connection was refused", t->text);
	} else if (t->kind != PROBE_HTTP) {
		finish(t, true, false, "ok");
	}
}

/* --- a command --- */

/* Its last words, on one line. */
static void read_said(struct probe_try *t)
{
	char chunk[SAID];
	for (ssize_t n; (n = read(t->fd, chunk, sizeof(chunk))) > 0 && t->nread < POLITE;) {
		t->nread += (size_t)n;
		size_t use = (size_t)n < HEAD - t->nhead ? (size_t)n : HEAD - t->nhead;
		memcpy(t->head + t->nhead, chunk, use);
		t->nhead += use;
	}
	t->head[t->nhead] = '\0';
	t->head[strcspn(t->head, "\r\n")] = '\0';
}

static void on_exited(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	struct probe_try *t = container_of(w, struct probe_try, pid_io);
	int status = 0;
	struct err err;
	siginfo_t info = {0};
	if (waitid(P_PID, (id_t)t->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && !info.si_pid) {
		return;
	}
	kill(-t->pid, SIGKILL); /* what it left behind; the zombie still holds the number */
	if (waitpid(t->pid, &status, WNOHANG) < 0) {
		status = 0xff00; /* somebody else has reaped it: no success */
	}
	t->pid = 0;
	if (!t->done) {
		free_try(t); /* given up long ago */
		return;
	}
	if (spawn_read_report(t->report_fd, &err) < 0) {
		finish(t, false, false, "%s: %.200s", t->text, err.msg);
		return;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		finish(t, true, false, "ok");
		return;
	}
	read_said(t);
	const char *colon = t->head[0] ? ": " : "";
	if (WIFEXITED(status)) {
		finish(t, false, false, "%s exited %d%s%.200s", t->text, WEXITSTATUS(status), colon,
		       t->head);
	} else {
		finish(t, false, false, "%s died of signal %d%s%.200s", t->text, WTERMSIG(status),
		       colon, t->head);
	}
}

static bool begin_command(struct probe_try *t, const struct spawn_req *command)
{
	struct spawn_req req = *command;
	struct spawn_child child;
	struct err err;
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) != 0) {
		t->error = errno;
		return false;
	}
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	req.out_fd = req.err_fd = fds[1];
	req.as_own_child = true;
	bool ok = spawn_start(&req, &child, &err);
	close(fds[1]);
	t->fd = fds[0];
	if (!ok) {
		snprintf(t->failed, sizeof(t->failed), "%s: %.200s", t->text, err.msg);
		return false;
	}
	t->report_fd = child.report_fd;
	t->pid = child.pid;
	t->pidfd = child.pidfd;
	ev_io_set(&t->pid_io, t->pidfd, EV_READ);
	ev_io_start(t->loop, &t->pid_io);
	return true;
}

/* --- both --- */

static void on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	struct probe_try *t = container_of(w, struct probe_try, timer);
	char age[24];
	if (t->failed[0]) {
		finish(t, false, t->hung, "%s", t->failed);
	} else if (t->error) {
		fail_errno(t, t->error);
	} else if (clock_mono_ms() - t->deadline_ms > LATE_MS) {
		t->deadline_ms = clock_mono_ms() + t->timeout_ms;
		arm(t, t->timeout_ms);
	} else if (t->status) {
		finish_http(t); /* a body without end */
	} else {
		units_format_duration(t->timeout_ms, age, sizeof(age));
		finish(t, false, true, "%s: no answer within %s", t->text, age);
	}
}

/* False: it has failed already, and the timer tells. */
static bool begin(struct probe_try *t, const struct probe_ask *ask)
{
	if (ask->failed) {
		snprintf(t->failed, sizeof(t->failed), "%s: %.150s", t->text, ask->failed);
		t->hung = ask->hung;
		return false;
	}
	if (t->kind == PROBE_EXEC) {
		return begin_command(t, ask->command);
	}
	if (t->kind == PROBE_HTTP) {
		make_request(t, ask->target);
	}
	t->fd = ask->fd;
	t->handed = ask->fd >= 0;
	t->error = t->handed ? 0 : begin_connect(t, ask->target);
	if (t->error) {
		return false;
	}
	ev_io_set(&t->io, t->fd, EV_WRITE);
	ev_io_start(t->loop, &t->io);
	return true;
}

struct probe_try *probe_start(struct ev_loop *loop, const struct probe_ask *ask)
{
	struct probe_try *t = xcalloc(1, sizeof(*t));
	*t = (struct probe_try){.loop = loop,
				.kind = ask->target->kind,
				.text = xstrdup(ask->target->text ? ask->target->text : "probe"),
				.fd = -1,
				.pidfd = -1,
				.report_fd = -1,
				.timeout_ms = ask->timeout_ms,
				.deadline_ms = clock_mono_ms() + ask->timeout_ms,
				.done = ask->done,
				.ctx = ask->ctx};
	ev_init(&t->io, on_io);
	ev_init(&t->pid_io, on_exited);
	ev_init(&t->timer, on_timer);
	arm(t, begin(t, ask) ? ask->timeout_ms : 0);
	return t;
}

void probe_cancel(struct probe_try *t)
{
	if (t) {
		free_try(t);
	}
}

pid_t probe_pid(const struct probe_try *t)
{
	return t->pid;
}
