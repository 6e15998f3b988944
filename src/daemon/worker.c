/* SPDX-License-Identifier: MIT */
/* The workers' side of daemon/cluster.h: what they say, and what they are told. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "daemon/cluster_priv.h"

#define MAX_SENT      256 /* descriptors a worker may leave unanswered */
#define TRIES	      3
#define OVERLONG_HEAD 200 /* looked at; too little to be whole */

int64_t worker_next_seq(struct worker *w)
{
	return ++w->seq;
}

static bool send_line(struct worker *w, const struct buf *line)
{
	return channel_send(&w->channel, line->data, line->len, -1);
}

/* --- descriptors on their way --- */

static void free_sent(struct worker *w, struct sent *s)
{
	list_remove(&s->node);
	w->nsent--;
	if (w->cluster) {
		sockets_unref(w->cluster->conf.sockets, s->sock);
	}
	free(s);
}

/* sock NULL: a connection, under this number. */
static bool send_with(struct worker *w, const struct buf *line, int fd, struct lsock *sock)
{
	if (w->nsent >= MAX_SENT || !channel_send(&w->channel, line->data, line->len, fd)) {
		return false;
	}
	size_t kept = sock ? line->len : 0; /* to be sent again */
	struct sent *s = xmalloc(sizeof(*s) + kept);
	*s = (struct sent){
		.sock = sock ? sockets_ref(sock) : NULL, .seq = w->seq, .tries = 1, .len = kept};
	memcpy(s->line, line->data, kept);
	list_add(&w->sent, &s->node);
	w->nsent++;
	return true;
}

bool worker_send_fd(struct worker *w, const struct buf *line, int fd)
{
	return send_with(w, line, fd, NULL);
}

static void on_handle_ack(struct worker *w)
{
	if (!list_empty(&w->sent)) {
		free_sent(w, container_of(w->sent.next, struct sent, node));
	}
}

/* The descriptor did not arrive: it had no room for it, or the kernel lost it. */
static void on_handle_nack(struct worker *w)
{
	if (list_empty(&w->sent)) {
		return;
	}
	struct sent *s = container_of(w->sent.next, struct sent, node);
	if (!s->sock) {
		dispatch_answered(w, s->seq, false);
		free_sent(w, s);
		return;
	}
	if (s->tries++ < TRIES && channel_send(&w->channel, s->line, s->len, s->sock->fd)) {
		return;
	}
	w->events.problem(w->ctx, w, "the worker does not take its socket");
	free_sent(w, s);
}

/* --- listening --- */

static struct member *find_member(struct worker *w, const struct key *key)
{
	struct member *m, *next;
	list_for_each(m, next, &w->members, node)
	{
		if (m->key == key) {
			return m;
		}
	}
	return NULL;
}

static void answer_error(struct worker *w, const struct node_msg *m, const char *name, int error)
{
	struct buf line = {0};
	struct node_reply r = {
		.key = name, .ack = m->seq, .seq = worker_next_seq(w), .data = m->data};
	node_write_error(&line, &r, -error);
	send_line(w, &line);
	buf_finish(&line);
}

static enum node_kind kind_of(const struct lsock *l)
{
	return l->kind == SOCK_KIND_UNIX  ? NODE_PIPE
	       : l->kind == SOCK_KIND_UDP ? NODE_UDP
					  : NODE_TCP;
}

static void answer_shared(struct worker *w, const struct node_msg *m, const struct lane *l)
{
	struct key *k = l->key;
	struct buf line = {0};
	struct node_reply r = {.key = k->name,
			       .ack = m->seq,
			       .seq = worker_next_seq(w),
			       .data = {.p = k->data, .len = strlen(k->data)}};
	node_write_shared(&line, &r, kind_of(l->sock));
	if (!send_with(w, &line, l->sock->fd, l->sock)) {
		w->events.problem(w->ctx, w, "a socket could not be sent");
	}
	buf_finish(&line);
}

/* It gets no socket; connections come by newconn. */
static void answer_round_robin(struct worker *w, const struct node_msg *m, const struct lane *l)
{
	struct buf line = {0};
	struct sock_addr a;
	struct node_reply r = {.key = l->key->name,
			       .ack = m->seq,
			       .seq = worker_next_seq(w),
			       .data = {.p = l->key->data, .len = strlen(l->key->data)}};
	bool inet = sock_address(l->sock->fd, &a);
	node_write_round_robin(&line, &r, inet ? a.host : NULL, inet && a.v6, inet ? a.port : 0);
	send_line(w, &line);
	buf_finish(&line);
}

static void answer(struct worker *w, const struct node_msg *m, const struct lane *l)
{
	if (w->cluster->conf.balance == BALANCE_ROUND_ROBIN && l->sock->kind != SOCK_KIND_UDP) {
		answer_round_robin(w, m, l);
	} else {
		answer_shared(w, m, l);
	}
}

static void on_query(struct worker *w, const struct node_msg *m)
{
	struct cluster *c = w->cluster;
	struct buf name = {0};
	struct err err = {0};
	int error = EINVAL;
	node_make_key(m, &name);
	struct key *k = cluster_find_key(c, name.data);
	struct member *mem = k ? find_member(w, k) : NULL;
	if (mem && !mem->restored) {
		answer_error(w, m, name.data, EADDRINUSE); /* twice in one program */
		buf_finish(&name);
		return;
	}
	k = k ? k : cluster_open_key(c, m, name.data);
	struct lane *l = cluster_lane(k, w->slot, m, &err, &error);
	if (l) {
		cluster_join(w, l, false);
		cluster_changed(c);
		answer(w, m, l);
	} else {
		answer_error(w, m, name.data, error ? error : EINVAL);
		cluster_drop_empty(k);
		w->events.listen_failed(w->ctx, w, err.msg);
	}
	buf_finish(&name);
}

/* The message does not name the key; queries are answered, and servers begin, in order. */
static void on_listening(struct worker *w, const struct node_msg *m)
{
	char own[SOCK_NAME];
	struct member *mem, *next;
	const char *name = NULL;
	list_for_each(mem, next, &w->members, node)
	{
		if (!mem->listening) {
			mem->listening = true;
			name = mem->lane->sock->name;
			dispatch_update(mem->key);
			break;
		}
	}
	if (!name) {
		/* One that binds by itself (exclusive, reusePort, Bun) has asked for nothing. */
		node_describe(m, own, sizeof(own));
		name = own;
	}
	cluster_changed(w->cluster);
	w->events.listening(w->ctx, w, name);
}

/* A program that closes a server for good gives its address back; one that ends does not: its
 * successor wants the same one, and clients wait in its queue meanwhile. */
static void on_close(struct worker *w, const struct node_msg *m)
{
	struct key *k = m->key.data ? cluster_find_key(w->cluster, m->key.data) : NULL;
	struct member *mem = k ? find_member(w, k) : NULL;
	if (mem) {
		cluster_leave(w, mem, !w->disconnecting && !w->intended);
		cluster_changed(w->cluster);
	}
}

static void on_intended(struct worker *w, const struct node_msg *m)
{
	struct buf line = {0};
	w->intended = true;
	node_write_ack(&line, m->seq, worker_next_seq(w));
	send_line(w, &line);
	buf_finish(&line);
	w->events.intended_exit(w->ctx, w);
}

/* A program may send us a socket of its own; nobody here wants it, but it waits for the answer. */
static void on_handle(struct worker *w, const struct node_msg *m)
{
	struct buf line = {0};
	int fd = channel_take_fd(&w->channel);
	if (fd >= 0) {
		close(fd);
	}
	node_write_handle_ack(&line);
	send_line(w, &line);
	buf_finish(&line);
	if (m->msg.p && !node_is_internal(m->msg.p, m->msg.len)) {
		w->events.message(w->ctx, w, m->msg.p, m->msg.len);
	}
}

static void take_cluster(struct worker *w, const struct node_msg *m)
{
	switch (m->type) {
	case NODE_ONLINE:
		w->online = true;
		cluster_changed(w->cluster);
		w->events.online(w->ctx, w);
		break;
	case NODE_QUERY:
		on_query(w, m);
		break;
	case NODE_LISTENING:
		on_listening(w, m);
		break;
	case NODE_CLOSE:
		on_close(w, m);
		break;
	case NODE_INTENDED:
		on_intended(w, m);
		break;
	case NODE_REPLY:
		dispatch_answered(w, m->ack, m->accepted);
		break;
	default:
		break;
	}
}

static void take_internal(struct worker *w, const char *line, size_t len)
{
	struct node_msg m;
	bool ok = node_parse(&m, line, len);
	if (!ok) {
		w->events.problem(w->ctx, w, "a broken message was left out");
	}
	if (m.type == NODE_HANDLE) {
		on_handle(w, &m);
	} else if (ok && m.type == NODE_HANDLE_ACK) {
		on_handle_ack(w);
	} else if (ok && m.type == NODE_HANDLE_NACK) {
		on_handle_nack(w);
	} else if (ok && w->cluster) {
		take_cluster(w, &m);
	}
	node_msg_finish(&m);
}

/* --- the channel --- */

static void on_line(void *ctx, char *line, size_t len)
{
	struct worker *w = ctx;
	if (w->dead) {
		return;
	}
	w->in_callback = true;
	if (node_is_internal(line, len)) {
		take_internal(w, line, len);
	} else {
		w->events.message(w->ctx, w, line, len);
	}
}

/* A descriptor that came with it is waited for all the same: its beginning says so. */
static void on_overlong(void *ctx, const char *head, size_t len)
{
	struct worker *w = ctx;
	if (w->dead) {
		return;
	}
	w->in_callback = true;
	w->events.problem(w->ctx, w, "a message of more than 8 MiB was left out");
	if (node_is_internal(head, len)) {
		take_internal(w, head, len < OVERLONG_HEAD ? len : OVERLONG_HEAD);
	}
}

static void on_eof(void *ctx)
{
	struct worker *w = ctx;
	if (w->dead) {
		return;
	}
	w->in_callback = true;
	cluster_retire(w);
	dispatch_take_back(w);
	w->events.eof(w->ctx, w);
}

static void destroy(struct worker *w)
{
	struct sent *s, *next;
	channel_finish(&w->channel);
	list_for_each(s, next, &w->sent, node)
	{
		free_sent(w, s);
	}
	free(w);
}

static void on_done(void *ctx)
{
	struct worker *w = ctx;
	w->in_callback = false;
	if (w->dead) {
		destroy(w);
	}
}

static const struct channel_callbacks callbacks = {on_line, on_overlong, on_eof, on_done};

struct worker *worker_new(const struct worker_conf *conf, int fd)
{
	struct worker *w = xcalloc(1, sizeof(*w));
	w->cluster = conf->cluster;
	w->id = conf->id;
	w->slot = conf->slot;
	w->events = *conf->events;
	w->ctx = conf->ctx;
	list_init(&w->node);
	list_init(&w->members);
	list_init(&w->sent);
	list_init(&w->given);
	channel_init(&w->channel, conf->loop, fd, &callbacks, w);
	if (w->cluster) {
		list_add(&w->cluster->workers, &w->node);
	}
	return w;
}

struct worker *worker_adopt(const struct worker_conf *conf, int fd)
{
	struct worker *w = worker_new(conf, fd);
	if (w->cluster) {
		cluster_readopt(w);
	}
	return w;
}

void worker_free(struct worker *w)
{
	struct member *m, *next;
	if (!w) {
		return;
	}
	cluster_retire(w);
	dispatch_take_back(w);
	list_for_each(m, next, &w->members, node)
	{
		cluster_leave(w, m, false);
	}
	list_remove(&w->node);
	w->dead = true;
	if (!w->in_callback) {
		destroy(w);
	}
}

int worker_fd(const struct worker *w)
{
	return w->channel.fd;
}

void worker_drain(struct worker *w)
{
	channel_drain(&w->channel);
	w->in_callback = false;
}

bool worker_disconnect(struct worker *w)
{
	struct buf line = {0};
	if (!w->cluster || !w->online || w->channel.fd < 0) {
		return false;
	}
	if (w->disconnecting) {
		return true;
	}
	node_write_disconnect(&line, worker_next_seq(w));
	bool ok = send_line(w, &line);
	buf_finish(&line);
	if (ok) {
		w->disconnecting = true;
		cluster_retire(w);
		cluster_changed(w->cluster);
	}
	return ok;
}

bool worker_send_raw(struct worker *w, const char *json, size_t len)
{
	struct buf line = {0};
	if (!node_message_ok(json, len)) {
		return false;
	}
	buf_add(&line, json, len);
	buf_addc(&line, '\n');
	bool ok = send_line(w, &line);
	buf_finish(&line);
	return ok;
}

int64_t worker_offer(struct worker *w, const struct cluster_place *at, int fd)
{
	struct member *m, *next;
	list_for_each(m, next, &w->members, node)
	{
		if (m->listening && cluster_is_at(m->key, at)) {
			return dispatch_offer(m, fd);
		}
	}
	close(fd);
	return 0;
}

static bool listens_under(const struct worker *w, const struct key *k)
{
	struct member *m, *next;
	list_for_each(m, next, &w->members, node)
	{
		if (m->key == k && m->listening) {
			return true;
		}
	}
	return false;
}

bool worker_covers(const struct worker *w, const struct worker *other, const char **missing)
{
	struct member *m, *next;
	list_for_each(m, next, &other->members, node)
	{
		if (m->listening && !listens_under(w, m->key)) {
			*missing = m->lane->sock->name;
			return false;
		}
	}
	return true;
}

size_t worker_listening(const struct worker *w, const char **names, size_t max)
{
	struct member *m, *next;
	size_t n = 0;
	list_for_each(m, next, &w->members, node)
	{
		if (m->listening) {
			if (n < max) {
				names[n] = m->lane->sock->name;
			}
			n++;
		}
	}
	return n;
}
