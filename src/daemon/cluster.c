/* SPDX-License-Identifier: MIT */
#include "daemon/cluster_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/mem.h"

#define FIRST_FD 3 /* listen({fd: 3}) is the first of `listen =` */
/* Numbers that may have been used since the last save: round-robin uses one for each connection. */
#define SEQ_GAP (1LL << 32)

struct cluster *cluster_new(const struct cluster_conf *conf)
{
	struct cluster *c = xcalloc(1, sizeof(*c));
	c->conf = *conf;
	c->app = xstrdup(conf->app);
	list_init(&c->keys);
	list_init(&c->workers);
	return c;
}

void cluster_reconfigure(struct cluster *c, const struct cluster_conf *conf)
{
	c->conf = *conf;
}

static void free_lane(struct lane *l)
{
	struct cluster *c = l->key->cluster;
	dispatch_finish_lane(l);
	list_remove(&l->node);
	sockets_unref(c->conf.sockets, l->sock);
	free(l);
}

static void free_key(struct key *k)
{
	struct lane *l, *next;
	dispatch_finish_key(k);
	list_for_each(l, next, &k->lanes, node)
	{
		free_lane(l);
	}
	list_remove(&k->node);
	k->cluster->nkeys--;
	free(k->name);
	free(k->data);
	free(k);
}

void cluster_free(struct cluster *c)
{
	struct worker *w, *wnext;
	struct key *k, *knext;
	if (!c) {
		return;
	}
	list_for_each(w, wnext, &c->workers, node)
	{
		struct member *m, *mnext;
		list_for_each(m, mnext, &w->members, node)
		{
			cluster_leave(w, m, false);
		}
	}
	/* While they are still known: what they were given forgets its key. */
	list_for_each(k, knext, &c->keys, node)
	{
		free_key(k);
	}
	list_for_each(w, wnext, &c->workers, node)
	{
		list_remove(&w->node);
		w->cluster = NULL;
	}
	json_decref(c->saved);
	free(c->app);
	free(c);
}

void cluster_changed(struct cluster *c)
{
	if (c && c->conf.changed) {
		c->conf.changed(c->conf.ctx, c);
	}
}

struct key *cluster_find_key(struct cluster *c, const char *name)
{
	struct key *k, *next;
	list_for_each(k, next, &c->keys, node)
	{
		if (strcmp(k->name, name) == 0) {
			return k;
		}
	}
	return NULL;
}

static struct key *add_key(struct cluster *c, const char *name, const char *data, size_t len)
{
	struct key *k = xcalloc(1, sizeof(*k));
	k->cluster = c;
	k->name = xstrdup(name);
	k->data = xstrndup(data, len);
	list_init(&k->lanes);
	list_init(&k->members);
	dispatch_init_key(k);
	list_add(&c->keys, &k->node);
	c->nkeys++;
	return k;
}

static struct lane *add_lane(struct key *k, struct lsock *sock)
{
	struct lane *l = xcalloc(1, sizeof(*l));
	l->key = k;
	l->sock = sock;
	dispatch_init_lane(l);
	list_add(&k->lanes, &l->node);
	return l;
}

static struct lane *find_lane(struct key *k, int slot)
{
	struct lane *l, *next;
	list_for_each(l, next, &k->lanes, node)
	{
		if (l->sock->slot < 0 || l->sock->slot == slot) {
			return l;
		}
	}
	return NULL;
}

/* A descriptor number of the primary: those of `listen =`. */
static struct lsock *inherited(struct cluster *c, int fd, int slot, struct err *err, int *error)
{
	if (fd < FIRST_FD || (size_t)(fd - FIRST_FD) >= c->conf.ninherited) {
		*error = EBADF;
		err_set(err, ERR_FAILED,
			"cannot listen on descriptor %d: `listen =` has %zu, from 3 on", fd,
			c->conf.ninherited);
		return NULL;
	}
	return c->conf.inherited(c->conf.ctx, (size_t)(fd - FIRST_FD), slot, err, error);
}

static bool make_request(const struct cluster *c, const struct node_msg *q, struct sock_req *req)
{
	bool port_ok = q->port >= 0 && q->port < 65536;
	*req = (struct sock_req){.host = q->address.data,
				 .port = port_ok ? (uint16_t)q->port : 0,
				 .flags = q->flags & NODE_IPV6ONLY ? SOCK_V6ONLY : 0,
				 .backlog = q->backlog,
				 .as_user = c->conf.as_user,
				 .uid = c->conf.uid,
				 .gid = c->conf.gid};
	switch (q->address_type) {
	case NODE_ADDR_TCP4:
	case NODE_ADDR_TCP6:
		req->kind = SOCK_KIND_TCP;
		req->flags |= q->flags & NODE_REUSEPORT ? SOCK_REUSEPORT : 0;
		return port_ok;
	case NODE_ADDR_UDP4:
	case NODE_ADDR_UDP6:
		req->kind = SOCK_KIND_UDP;
		req->flags |= q->flags & NODE_UDP_REUSEADDR ? SOCK_UDP_REUSEADDR : 0;
		return port_ok;
	case NODE_ADDR_PIPE:
		req->kind = SOCK_KIND_UNIX;
		req->path = q->address.data;
		req->flags = (q->readable_all ? SOCK_READABLE_ALL : 0) |
			     (q->writable_all ? SOCK_WRITABLE_ALL : 0);
		req->host = NULL;
		return req->path && req->path[0] == '/';
	default:
		return false;
	}
}

static struct lsock *open_socket(struct cluster *c, int slot, const struct node_msg *q,
				 struct err *err, int *error)
{
	struct sock_req req;
	if (q->address_type == NODE_ADDR_NONE) {
		return inherited(c, q->fd, slot, err, error);
	}
	if (!make_request(c, q, &req)) {
		*error = EINVAL;
		err_set(err, ERR_FAILED, "the program asks for an address that there cannot be");
		return NULL;
	}
	bool any_port = req.port == 0 && req.kind != SOCK_KIND_UNIX;
	struct sockets_want want = {.app = c->app,
				    .req = &req,
				    .index = any_port && q->index > 0 ? (unsigned)q->index : 0,
				    .slot = c->conf.balance == BALANCE_REUSEPORT ? slot : -1};
	return sockets_get(c->conf.sockets, &want, err, error);
}

struct key *cluster_open_key(struct cluster *c, const struct node_msg *q, const char *name)
{
	const char *data = q->data.p ? q->data.p : "null";
	return add_key(c, name, data, q->data.p ? q->data.len : strlen(data));
}

struct lane *cluster_lane(struct key *k, int slot, const struct node_msg *q, struct err *err,
			  int *error)
{
	struct cluster *c = k->cluster;
	struct lane *l = find_lane(k, slot);
	if (l) {
		return l;
	}
	if (c->nkeys > LIMIT_CLUSTER_KEYS) {
		*error = ENFILE;
		err_set(err, ERR_LIMIT, "the program listens on more than %d addresses",
			LIMIT_CLUSTER_KEYS);
		return NULL;
	}
	struct lsock *sock = open_socket(c, slot, q, err, error);
	return sock ? add_lane(k, sock) : NULL;
}

void cluster_drop_empty(struct key *k)
{
	if (list_empty(&k->members) && list_empty(&k->lanes)) {
		free_key(k);
	}
}

/* --- members --- */

static void begin_use(struct member *m)
{
	m->uses = true;
	sockets_use(m->key->cluster->conf.sockets, m->lane->sock);
}

static void end_use(struct member *m)
{
	if (m->uses) {
		m->uses = false;
		sockets_unuse(m->key->cluster->conf.sockets, m->lane->sock);
	}
}

/* Our predecessor knew of the question but may not have come to answer it. */
static struct member *rejoin(struct worker *w, const struct lane *lane)
{
	struct member *m, *next;
	list_for_each(m, next, &w->members, node)
	{
		if (m->lane == lane && m->restored) {
			m->restored = false;
			return m;
		}
	}
	return NULL;
}

struct member *cluster_join(struct worker *w, struct lane *lane, bool listening)
{
	struct member *m = rejoin(w, lane);
	if (m) {
		return m;
	}
	m = xcalloc(1, sizeof(*m));
	m->worker = w;
	m->key = lane->key;
	m->lane = lane;
	m->listening = listening;
	list_add(&w->members, &m->node);
	list_add(&m->key->members, &m->key_node);
	if (!w->disconnecting) {
		begin_use(m);
	}
	dispatch_update(m->key);
	return m;
}

void cluster_leave(struct worker *w, struct member *m, bool drop)
{
	struct key *k = m->key;
	end_use(m);
	list_remove(&m->node);
	list_remove(&m->key_node);
	free(m);
	if (list_empty(&k->members) && drop && w->cluster) {
		free_key(k);
	} else {
		dispatch_update(k);
	}
}

void cluster_retire(struct worker *w)
{
	struct member *m, *next;
	list_for_each(m, next, &w->members, node)
	{
		end_use(m);
		dispatch_update(m->key);
	}
}

static bool has_members(const struct lane *l)
{
	struct member *m, *next;
	list_for_each(m, next, &l->key->members, key_node)
	{
		if (m->lane == l) {
			return true;
		}
	}
	return false;
}

void cluster_release_slot(struct cluster *c, int slot)
{
	struct key *k, *next;
	list_for_each(k, next, &c->keys, node)
	{
		struct lane *l = find_lane(k, slot);
		/* Drained first: dispatch.c accepts from it as long as it is left out. */
		if (l && !has_members(l) && sockets_is_left_out(c->conf.sockets, l->sock) &&
		    !dispatch_drain_lane(l)) {
			free_lane(l);
			cluster_changed(c);
		}
	}
}

void cluster_trim(struct cluster *c)
{
	struct key *k, *next;
	bool changed = false;
	list_for_each(k, next, &c->keys, node)
	{
		if (list_empty(&k->members)) {
			free_key(k);
			changed = true;
		}
	}
	if (changed) {
		cluster_changed(c);
	}
}

bool cluster_is_at(const struct key *k, const struct cluster_place *at)
{
	struct lane *l, *next;
	struct sock_addr a;
	list_for_each(l, next, &k->lanes, node)
	{
		if (l->sock->kind == SOCK_KIND_TCP) {
			return at->port && sock_address(l->sock->fd, &a) && a.port == at->port;
		}
		return l->sock->kind == SOCK_KIND_UNIX && !at->port &&
		       strcmp(l->sock->name + strlen("unix:"), at->path) == 0;
	}
	return false;
}

bool cluster_has(const struct cluster *c, const struct cluster_place *at)
{
	struct key *k, *next;
	list_for_each(k, next, &c->keys, node)
	{
		if (cluster_is_at(k, at)) {
			return true;
		}
	}
	return false;
}

/* --- surviving --- */

static void save_worker(const struct worker *w, struct jw *j)
{
	struct member *m, *next;
	jw_obj(j);
	jw_kint(j, "id", (int64_t)w->id);
	jw_kint(j, "seq", w->seq);
	jw_kbool(j, "online", w->online);
	jw_kbool(j, "intended", w->intended);
	jw_kbool(j, "disconnecting", w->disconnecting);
	jw_key(j, "keys");
	jw_obj(j);
	list_for_each(m, next, &w->members, node)
	{
		jw_kbool(j, m->key->name, m->listening);
	}
	jw_end(j);
	jw_end(j);
}

static void save_lanes(const struct key *k, struct jw *j)
{
	struct lane *l, *next;
	jw_key(j, "socks");
	jw_arr(j);
	list_for_each(l, next, &k->lanes, node)
	{
		jw_int(j, l->sock->id);
	}
	jw_end(j);
}

void cluster_save(const struct cluster *c, struct jw *j)
{
	struct key *k, *knext;
	struct worker *w, *wnext;
	jw_obj(j);
	jw_key(j, "keys");
	jw_arr(j);
	list_for_each(k, knext, &c->keys, node)
	{
		jw_obj(j);
		jw_kstr(j, "key", k->name);
		save_lanes(k, j);
		jw_kstr(j, "data", k->data);
		jw_end(j);
	}
	jw_end(j);
	jw_key(j, "workers");
	jw_arr(j);
	list_for_each(w, wnext, &c->workers, node)
	{
		save_worker(w, j);
	}
	jw_end(j);
	jw_end(j);
}

static void restore_key(struct cluster *c, const json_t *o)
{
	const char *name = json_string_value(json_object_get(o, "key"));
	const char *data = json_string_value(json_object_get(o, "data"));
	if (!name || !data || cluster_find_key(c, name) || c->nkeys >= LIMIT_CLUSTER_KEYS) {
		return;
	}
	struct key *k = add_key(c, name, data, strlen(data));
	size_t i;
	json_t *id;
	json_array_foreach(json_object_get(o, "socks"), i, id)
	{
		json_int_t n = json_integer_value(id);
		struct lsock *l = n > 0 ? sockets_find(c->conf.sockets, (unsigned)n) : NULL;
		if (l && !find_lane(k, l->slot)) {
			add_lane(k, sockets_ref(l));
		}
	}
	cluster_drop_empty(k);
}

void cluster_restore(struct cluster *c, const json_t *saved)
{
	size_t i;
	json_t *o;
	json_array_foreach(json_object_get(saved, "keys"), i, o)
	{
		restore_key(c, o);
	}
	json_decref(c->saved);
	c->saved = json_incref(json_object_get(saved, "workers"));
}

void cluster_readopt(struct worker *w)
{
	size_t i;
	json_t *o;
	json_array_foreach(w->cluster->saved, i, o)
	{
		if ((uint64_t)json_integer_value(json_object_get(o, "id")) != w->id) {
			continue;
		}
		const char *name;
		json_t *listening;
		w->seq = json_integer_value(json_object_get(o, "seq")) + SEQ_GAP;
		w->online = json_is_true(json_object_get(o, "online"));
		w->intended = json_is_true(json_object_get(o, "intended"));
		w->disconnecting = json_is_true(json_object_get(o, "disconnecting"));
		json_object_foreach(json_object_get(o, "keys"), name, listening)
		{
			struct key *k = cluster_find_key(w->cluster, name);
			struct lane *l = k ? find_lane(k, w->slot) : NULL;
			if (l) {
				struct member *m = cluster_join(w, l, json_is_true(listening));
				m->restored = !m->listening;
			}
		}
		return;
	}
}
