/* SPDX-License-Identifier: MIT */
#include "daemon/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/mem.h"
#include "daemon/loopfd.h"
#include "sys/fdpass.h"

#define WINDOW 65536 /* how far a look goes */
#define TURNS  32    /* looks in one wake-up */
#define RETRY  0.02
#define LOOKS  50 /* a half line that does not grow for this many looks is left to wait */

/* One waiting line. */
struct out_line {
	struct list node; /* channel.out */
	size_t len, sent;
	int fd; /* our own copy; -1 = none, or gone with the first part */
	char data[];
};

bool channel_pair(int fds[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
		return false;
	}
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	return true;
}

/* --- sending --- */

static void drop_line(struct channel *ch, struct out_line *l)
{
	list_remove(&l->node);
	ch->out_bytes -= l->len;
	if (l->fd >= 0) {
		close(l->fd);
	}
	free(l);
}

static bool must_wait(int error)
{
	return error == EAGAIN || error == ENOBUFS || error == ETOOMANYREFS || error == ENOMEM;
}

/* What the program takes now. A line that was begun is always ended before another one. */
static void flush(struct channel *ch)
{
	struct out_line *l, *next;
	list_for_each(l, next, &ch->out, node)
	{
		ssize_t n = fdpass_send(ch->fd, l->data + l->sent, l->len - l->sent, l->fd);
		if (n < 0) {
			if (!must_wait(errno)) {
				ch->broken = true;
			} else {
				ev_io_start(ch->loop, &ch->write_io);
			}
			break;
		}
		if (l->fd >= 0) {
			close(l->fd);
			l->fd = -1;
		}
		l->sent += (size_t)n;
		ch->sent_part = l->sent < l->len;
		if (ch->sent_part) {
			ev_io_start(ch->loop, &ch->write_io);
			return;
		}
		drop_line(ch, l);
	}
	if (list_empty(&ch->out) || ch->broken) {
		ev_io_stop(ch->loop, &ch->write_io);
	}
}

static void queue(struct channel *ch, const char *line, size_t len, int fd)
{
	struct out_line *l = xmalloc(sizeof(*l) + len);
	*l = (struct out_line){.len = len, .fd = fd};
	memcpy(l->data, line, len);
	list_add(&ch->out, &l->node);
	ch->out_bytes += len;
}

bool channel_send(struct channel *ch, const char *line, size_t len, int fd)
{
	if (ch->fd < 0 || ch->broken || ch->out_bytes + len > LIMIT_CHANNEL_QUEUE) {
		return false;
	}
	int copy = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
	if (fd >= 0 && copy < 0) {
		return false;
	}
	queue(ch, line, len, copy);
	flush(ch);
	return true;
}

static void on_writable(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	flush(container_of(w, struct channel, write_io));
}

/* --- receiving --- */

static void keep_fd(struct channel *ch, int fd)
{
	if (fd < 0) {
		return;
	}
	if (ch->ngot == CHANNEL_FDS) {
		close(ch->got[0]); /* the program sent one without saying so */
		memmove(ch->got, ch->got + 1, (CHANNEL_FDS - 1) * sizeof(int));
		ch->ngot--;
	}
	ch->got[ch->ngot++] = fd;
}

int channel_take_fd(struct channel *ch)
{
	if (!ch->ngot) {
		return -1;
	}
	int fd = ch->got[0];
	ch->ngot--;
	memmove(ch->got, ch->got + 1, ch->ngot * sizeof(int));
	return fd;
}

static void close_channel(struct channel *ch)
{
	struct out_line *l, *next;
	if (ch->fd < 0) {
		return;
	}
	ev_io_stop(ch->loop, &ch->read_io);
	ev_io_stop(ch->loop, &ch->write_io);
	ev_timer_stop(ch->loop, &ch->retry);
	list_for_each(l, next, &ch->out, node)
	{
		drop_line(ch, l);
	}
	for (int fd; (fd = channel_take_fd(ch)) >= 0;) {
		close(fd);
	}
	shutdown(ch->fd, SHUT_RDWR); /* the program has a copy of our end: it sees no other sign */
	loopfd_close(ch->loop, ch->fd);
	ch->fd = -1;
}

static void end(struct channel *ch)
{
	if (ch->fd >= 0) {
		close_channel(ch);
		ch->callbacks->eof(ch->ctx);
	}
}

/* Give out what is complete. False if the channel is at its end. */
static bool deliver(struct channel *ch)
{
	char *line;
	size_t len;
	while (ch->fd >= 0) {
		if (lines_next(&ch->lines, &line, &len)) {
			if (len) {
				ch->callbacks->line(ch->ctx, line, len);
			}
		} else if (ch->lines.overlong) {
			const char *head = lines_skip(&ch->lines, &len);
			ch->callbacks->overlong(ch->ctx, head, len);
		} else {
			return true;
		}
	}
	return false;
}

/* Bytes that were looked at and dealt with. */
static bool drop_seen(struct channel *ch, size_t n)
{
	char chunk[4096];
	while (n) {
		int fd;
		size_t most = n < sizeof(chunk) ? n : sizeof(chunk);
		ssize_t got = fdpass_recv(ch->fd, chunk, most, &fd, MSG_DONTWAIT);
		keep_fd(ch, fd);
		if (got <= 0) {
			return false;
		}
		n -= (size_t)got;
	}
	return true;
}

/* Take exactly n bytes out of the kernel. They were seen a moment ago, but a message with a
 * descriptor ends a read early. */
static bool take(struct channel *ch, size_t n)
{
	char chunk[WINDOW];
	while (n && ch->fd >= 0) {
		int fd;
		ssize_t got = fdpass_recv(ch->fd, chunk, n, &fd, MSG_DONTWAIT);
		keep_fd(ch, fd);
		if (got <= 0) {
			return false;
		}
		n -= (size_t)got;
		lines_feed(&ch->lines, chunk, (size_t)got);
		if (!deliver(ch)) {
			return false;
		}
	}
	return ch->fd >= 0;
}

/* Complete lines, each taken out of the kernel once it is dealt with: a supervisor that is killed
 * over one leaves it to the next, which so may see a line twice but never misses one. */
static bool deliver_seen(struct channel *ch, char *seen, size_t n)
{
	char *end;
	for (; n && ch->fd >= 0; seen = end + 1) {
		end = memchr(seen, '\n', n);
		size_t len = (size_t)(end - seen);
		*end = '\0';
		if (len) {
			ch->callbacks->line(ch->ctx, seen, len);
		}
		if (ch->fd >= 0 && !drop_seen(ch, len + 1)) {
			return false;
		}
		n -= len + 1;
	}
	return ch->fd >= 0;
}

/* What lies in the kernel, without taking it. A look ends with the part of a message that carries a
 * descriptor (*cut), however much lies behind it. */
static ssize_t peek(int fd, char *seen, size_t cap, bool *cut)
{
	struct iovec iov = {.iov_base = seen, .iov_len = cap};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1}; /* no room for descriptors */
	ssize_t n;
	do {
		n = recvmsg(fd, &msg, MSG_PEEK | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	*cut = n > 0 && (msg.msg_flags & MSG_CTRUNC);
	return n;
}

/* How many of the n bytes seen belong to lines that are complete, or cannot be waited for in the
 * kernel. */
static size_t takeable(struct channel *ch, const char *seen, size_t n, bool all)
{
	if (all || lines_pending(&ch->lines) || ch->lines.skipping || n == WINDOW) {
		return n;
	}
	const char *nl = memrchr(seen, '\n', n);
	if (nl) {
		ch->looks = 0;
		return (size_t)(nl - seen) + 1;
	}
	ch->looks = n == ch->peeked ? ch->looks + 1 : 0;
	ch->peeked = n;
	return 0;
}

/* A half line keeps the descriptor readable: do not spin on it. */
static void wait_for_rest(struct channel *ch)
{
	ev_io_stop(ch->loop, &ch->read_io);
	ev_timer_stop(ch->loop, &ch->retry);
	ev_timer_set(&ch->retry, ch->looks > LOOKS ? RETRY * 10 : RETRY / 10, 0.);
	ev_timer_start(ch->loop, &ch->retry);
}

static bool is_half_closed(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLRDHUP};
	return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

/* Look, then take what is complete. With `all` half lines too. False if there is no more now. */
static bool read_once(struct channel *ch, bool all)
{
	char seen[WINDOW];
	bool cut;
	ssize_t n = peek(ch->fd, seen, sizeof(seen), &cut);
	if (n < 0 && errno == EAGAIN) {
		return false;
	}
	if (n <= 0) {
		end(ch);
		return false;
	}
	size_t use = takeable(ch, seen, (size_t)n, all);
	if (!use && (cut || is_half_closed(ch->fd))) {
		use = (size_t)n; /* it will never be seen complete */
	}
	if (!use) {
		wait_for_rest(ch);
		return false;
	}
	/* A line whose descriptor must be there first is taken first. */
	bool whole = !cut && !all && !lines_pending(&ch->lines) && !ch->lines.skipping;
	return whole && seen[use - 1] == '\n' ? deliver_seen(ch, seen, use) : take(ch, use);
}

static void read_all(struct channel *ch)
{
	for (int i = 0; i < TURNS && ch->fd >= 0 && read_once(ch, false); i++) {
	}
	ch->callbacks->done(ch->ctx);
}

static void on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	read_all(container_of(w, struct channel, read_io));
}

static void on_retry(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)revents;
	struct channel *ch = container_of(w, struct channel, retry);
	ev_io_start(loop, &ch->read_io);
	read_all(ch);
}

void channel_drain(struct channel *ch)
{
	while (ch->fd >= 0 && read_once(ch, true)) {
	}
}

void channel_init(struct channel *ch, struct ev_loop *loop, int fd,
		  const struct channel_callbacks *callbacks, void *ctx)
{
	*ch = (struct channel){.loop = loop, .fd = fd, .callbacks = callbacks, .ctx = ctx};
	fcntl(fd, F_SETFL, O_NONBLOCK);
	lines_init(&ch->lines, LIMIT_CHANNEL_LINE);
	list_init(&ch->out);
	ev_io_init(&ch->read_io, on_readable, fd, EV_READ);
	ev_io_init(&ch->write_io, on_writable, fd, EV_WRITE);
	ev_init(&ch->retry, on_retry);
	ev_io_start(loop, &ch->read_io);
}

void channel_finish(struct channel *ch)
{
	if (ch->loop) {
		close_channel(ch);
		lines_finish(&ch->lines);
	}
}
