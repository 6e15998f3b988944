/* SPDX-License-Identifier: MIT */
#include "daemon/link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "daemon/loopfd.h"
#include "keeper/handover.h"
#include "sys/fdpass.h"

#define FETCH_WAIT_MS 5000

static void lose_keeper(struct link *l)
{
	if (!l->alive) {
		return;
	}
	l->alive = false;
	ev_io_stop(l->loop, &l->sock_io);
	l->hooks.keeper_died(l->ctx);
}

void link_drain(struct link *l)
{
	uint64_t count;
	if (read(l->event_fd, &count, sizeof(count)) < 0) {
		errno = 0; /* nobody poked; there may be a record all the same */
	}
	for (;;) {
		uint64_t tail = atomic_load_explicit(&l->ring->tail, memory_order_relaxed);
		if (tail == atomic_load_explicit(&l->ring->head, memory_order_acquire)) {
			return;
		}
		struct ring_record rec = l->ring->rec[tail % RING_SIZE];
		l->hooks.exited(l->ctx, &rec);
		/* Only now: killed in between, our successor gets the record again. */
		atomic_store_explicit(&l->ring->tail, tail + 1, memory_order_release);
	}
}

static void on_event(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	link_drain(container_of(w, struct link, event_io));
}

static void on_sock(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	struct link *l = container_of(w, struct link, sock_io);
	struct keeper_msg m;
	int fd;
	ssize_t n = fdpass_recv(l->sock, &m, sizeof(m), &fd, MSG_DONTWAIT);
	if (fd >= 0) {
		close(fd);
	}
	if (n == 0 || (n < 0 && errno != EAGAIN)) {
		lose_keeper(l);
	}
}

bool link_init(struct link *l, struct ev_loop *loop, const struct link_hooks *hooks, void *ctx,
	       struct err *err)
{
	*l = (struct link){.loop = loop,
			   .hooks = *hooks,
			   .ctx = ctx,
			   .event_fd = KEEPER_FD_EVENT,
			   .sock = KEEPER_FD_SOCK,
			   .alive = true};
	for (int fd = KEEPER_FD_RING; fd <= KEEPER_FD_LOCK; fd++) {
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
			return err_set(err, ERR_USAGE, "--supervisor is for the keeper only");
		}
	}
	l->ring = mmap(NULL, sizeof(struct ring), PROT_READ | PROT_WRITE, MAP_SHARED,
		       KEEPER_FD_RING, 0);
	if (l->ring == MAP_FAILED) {
		return err_sys(err, "map the keeper's ring");
	}
	if (l->ring->protocol != KEEPER_PROTOCOL) {
		l->foreign = true;
		return err_set(err, ERR_FAILED, "the keeper speaks protocol %u, not %u",
			       l->ring->protocol, KEEPER_PROTOCOL);
	}
	ev_io_init(&l->event_io, on_event, l->event_fd, EV_READ);
	ev_io_init(&l->sock_io, on_sock, l->sock, EV_READ);
	ev_io_start(loop, &l->event_io);
	ev_io_start(loop, &l->sock_io);
	return true;
}

void link_finish(struct link *l)
{
	if (l->loop) {
		ev_io_stop(l->loop, &l->event_io);
		ev_io_stop(l->loop, &l->sock_io);
	}
}

/* False, with errno, if it did not reach the keeper. */
static bool post(struct link *l, uint32_t type, const char *name, const char *text, int fd)
{
	struct keeper_msg m = {.type = type};
	snprintf(m.name, sizeof(m.name), "%s", name);
	snprintf(m.text, sizeof(m.text), "%s", text);
	if (!l->alive) {
		errno = EPIPE;
		return false;
	}
	if (fdpass_send(l->sock, &m, sizeof(m), fd) >= 0) {
		return true;
	}
	int saved = errno;
	log_line("keeper: %s: %s", name, strerror(saved));
	if (saved == EPIPE || saved == ECONNRESET || saved == ENOTCONN) {
		lose_keeper(l);
	}
	errno = saved;
	return false;
}

bool link_fetch(struct link *l, void (*item)(void *ctx, const char *name, int fd), void *ctx,
		struct err *err)
{
	post(l, KM_FETCH, "", "", -1);
	for (;;) {
		struct keeper_msg m;
		int fd;
		struct pollfd p = {.fd = l->sock, .events = POLLIN};
		int r = poll(&p, 1, FETCH_WAIT_MS);
		if (r < 0 && errno == EINTR) {
			continue;
		}
		if (r <= 0 || fdpass_recv(l->sock, &m, sizeof(m), &fd, 0) != sizeof(m)) {
			return err_set(err, ERR_FAILED,
				       "the keeper does not hand its descriptors back");
		}
		m.name[KEEPER_NAME - 1] = '\0';
		if (m.type == KM_END) {
			return true;
		}
		if (fd >= 0) {
			item(ctx, m.name, fd);
		}
	}
}

void link_deposit(struct link *l, const char *name, int fd)
{
	if (l->collected) {
		fdstore_note(l->collected, name, fd);
		return;
	}
	post(l, KM_PUT, name, "", fd);
}

void link_drop(struct link *l, const char *name)
{
	post(l, KM_DROP, name, "", -1);
}

void link_ready(struct link *l)
{
	post(l, KM_READY, "", "", -1);
}

void link_stop(struct link *l)
{
	post(l, KM_STOP, "", "", -1);
}

void link_rest(struct link *l)
{
	post(l, KM_REST, "", "", -1);
}

bool link_try(struct link *l, int program_fd)
{
	return post(l, KM_TRY, "", "", program_fd);
}

void link_become_keeper(struct link *l, int log_fd, void (*deposit)(void *ctx), void *ctx)
{
	static struct fdstore held;
	struct handover h = {.ring_fd = KEEPER_FD_RING,
			     .event_fd = l->event_fd,
			     .lock_fd = KEEPER_FD_LOCK,
			     .log_fd = log_fd,
			     .sock_fd = -1};
	if (l->sock >= 0) { /* its other end is gone, and the handover may find no other number */
		loopfd_close(l->loop, l->sock);
		l->sock = -1;
	}
	held.used = 0;
	l->collected = &held;
	deposit(ctx);
	l->collected = NULL;
	handover_exec(&h, &held, -1);
	log_line("cannot become the keeper: %s", strerror(errno));
}

void link_fail(struct link *l, const char *why)
{
	post(l, KM_FAIL, "", why, -1);
}
