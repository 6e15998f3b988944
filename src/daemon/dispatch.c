/* SPDX-License-Identifier: MIT */
/*
 * dispatch - connections handed to workers one by one (act:newconn).
 *
 * Always with `balance = round-robin`; with reuseport for the queue of a slot that has nobody to
 * accept from it. A connection is accepted only when a worker has room for it: what waits in the
 * kernel survives us, what waits in our memory does not. It is ours until the worker says that it
 * has accepted it; refused or left over by one that died, it goes to the next.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/mem.h"
#include "daemon/cluster_priv.h"
#include "daemon/loopfd.h"
#include "daemon/looptimer.h"

#define TURNS 64  /* accepts in one wake-up */
#define RETRY 0.1 /* after all have refused */
#define PAUSE 0.1 /* without descriptors */

/* A connection on its way to a worker. */
struct given {
	struct list node; /* worker.given, or key.waiting */
	struct key *key;  /* NULL: it is gone, or this one is for that worker only */
	bool offered;	  /* by dispatch_offer() */
	int fd;
	int64_t seq;
	unsigned refused; /* by so many workers in a row */
};

static void free_given(struct given *g)
{
	list_remove(&g->node);
	close(g->fd);
	free(g);
}

static bool is_ready(const struct member *m)
{
	return m->listening && m->uses;
}

static unsigned count_ready(const struct key *k)
{
	unsigned n = 0;
	struct member *m, *next;
	list_for_each(m, next, &k->members, key_node)
	{
		n += is_ready(m);
	}
	return n;
}

/* The one whose turn it is among those that have room. */
static struct member *choose(const struct key *k)
{
	struct member *m, *next;
	list_for_each(m, next, &k->members, key_node)
	{
		if (is_ready(m) && m->worker->ngiven < LIMIT_CONNS_GIVEN) {
			return m;
		}
	}
	return NULL;
}

/* False: it could not be sent, and is where it was. */
static bool give(struct worker *w, const char *key, struct given *g)
{
	struct buf line = {0};
	int64_t seq = worker_next_seq(w);
	node_write_newconn(&line, key, seq);
	bool ok = worker_send_fd(w, &line, g->fd);
	buf_finish(&line);
	if (ok) {
		list_remove(&g->node);
		list_add(&w->given, &g->node);
		w->ngiven++;
		g->seq = seq;
	}
	return ok;
}

/* False: nobody takes it now. */
static bool try_to_give(struct key *k, struct given *g)
{
	struct member *m = g->refused < count_ready(k) ? choose(k) : NULL;
	if (!m) {
		return false;
	}
	list_remove(&m->key_node);
	list_add(&k->members, &m->key_node);
	return give(m->worker, k->name, g);
}

static void arm_retry(struct key *k)
{
	if (!list_empty(&k->waiting) && !ev_is_active(&k->retry)) {
		looptimer_arm(k->cluster->conf.loop, &k->retry, RETRY);
	}
}

/* Give it to somebody, else it waits. */
static void hand_on(struct key *k, struct given *g)
{
	if (!try_to_give(k, g)) {
		list_remove(&g->node);
		list_add(&k->waiting, &g->node);
		arm_retry(k);
	}
}

static void hand_on_waiting(struct key *k)
{
	struct given *g, *next;
	list_for_each(g, next, &k->waiting, node)
	{
		if (!choose(k)) {
			return;
		}
		try_to_give(k, g);
	}
}

static void on_retry(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	struct key *k = container_of(w, struct key, retry);
	struct given *g, *next;
	list_for_each(g, next, &k->waiting, node)
	{
		g->refused = 0;
	}
	dispatch_update(k);
	arm_retry(k);
}

/* --- accepting --- */

static bool is_ours_to_accept(const struct lane *l)
{
	const struct cluster *c = l->key->cluster;
	if (l->sock->kind == SOCK_KIND_UDP) {
		return false;
	}
	return c->conf.balance == BALANCE_ROUND_ROBIN ||
	       sockets_is_left_out(c->conf.sockets, l->sock);
}

static void on_accept(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)revents;
	struct lane *l = container_of(w, struct lane, accept_io);
	struct key *k = l->key;
	for (int i = 0; i < TURNS && list_empty(&k->waiting) && choose(k); i++) {
		int fd = accept4(l->sock->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0) {
			struct given *g = xmalloc(sizeof(*g));
			*g = (struct given){.key = k, .fd = fd};
			list_init(&g->node);
			hand_on(k, g);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			   errno == ENOMEM) {
			looptimer_arm(loop, &l->pause, PAUSE);
			break;
		} else if (errno != EINTR && errno != ECONNABORTED) {
			break; /* EAGAIN, or what is wrong with one connection: accept(2) */
		}
	}
	dispatch_update(k);
}

bool dispatch_drain_lane(struct lane *l)
{
	unsigned waiting, backlog;
	on_accept(l->key->cluster->conf.loop, &l->accept_io, EV_READ);
	return !list_empty(&l->key->waiting) ||
	       (sock_queue(l->sock->fd, &waiting, &backlog) && waiting > 0);
}

static void on_pause(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	dispatch_update(container_of(w, struct lane, pause)->key);
}

void dispatch_update(struct key *k)
{
	struct ev_loop *loop = k->cluster->conf.loop;
	struct lane *l, *next;
	hand_on_waiting(k);
	bool room = list_empty(&k->waiting) && choose(k);
	list_for_each(l, next, &k->lanes, node)
	{
		if (room && !ev_is_active(&l->pause) && is_ours_to_accept(l)) {
			ev_io_start(loop, &l->accept_io);
		} else {
			ev_io_stop(loop, &l->accept_io);
		}
	}
}

int64_t dispatch_offer(struct member *m, int fd)
{
	struct given *g = xmalloc(sizeof(*g));
	*g = (struct given){.offered = true, .fd = fd};
	list_init(&g->node);
	/* Also where it has all it may have: a busy worker comes to it, one that hangs does not. */
	if (give(m->worker, m->key->name, g)) {
		return g->seq;
	}
	free_given(g);
	return -1;
}

/* --- answers --- */

void dispatch_answered(struct worker *w, int64_t seq, bool accepted)
{
	struct given *g, *next;
	list_for_each(g, next, &w->given, node)
	{
		if (g->seq != seq) {
			continue;
		}
		struct key *k = g->key;
		bool offered = g->offered;
		w->ngiven--;
		if (accepted || !k) {
			free_given(g);
		} else {
			g->refused++;
			hand_on(k, g);
		}
		if (k) {
			dispatch_update(k);
		}
		if (offered) {
			w->events.offered(w->ctx, w, seq, accepted);
		}
		return;
	}
}

void dispatch_take_back(struct worker *w)
{
	struct given *g, *next;
	list_for_each(g, next, &w->given, node)
	{
		if (g->key) {
			hand_on(g->key, g);
		} else {
			free_given(g);
		}
	}
	w->ngiven = 0;
}

/* --- keys and lanes --- */

void dispatch_init_key(struct key *k)
{
	list_init(&k->waiting);
	ev_init(&k->retry, on_retry);
}

void dispatch_init_lane(struct lane *l)
{
	ev_io_init(&l->accept_io, on_accept, l->sock->fd, EV_READ);
	ev_init(&l->pause, on_pause);
}

void dispatch_finish_key(struct key *k)
{
	struct given *g, *gnext;
	struct worker *w, *wnext;
	ev_timer_stop(k->cluster->conf.loop, &k->retry);
	list_for_each(g, gnext, &k->waiting, node)
	{
		free_given(g);
	}
	list_for_each(w, wnext, &k->cluster->workers, node)
	{
		list_for_each(g, gnext, &w->given, node)
		{
			g->key = g->key == k ? NULL : g->key;
		}
	}
}

void dispatch_finish_lane(struct lane *l)
{
	struct ev_loop *loop = l->key->cluster->conf.loop;
	ev_io_stop(loop, &l->accept_io);
	ev_timer_stop(loop, &l->pause);
	loopfd_forget(loop, l->sock->fd);
}
