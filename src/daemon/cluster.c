/* SPDX-License-Identifier: MIT */
#include "daemon/cluster_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/mem.h"

#define FIRST_FD 3 /* listen({fd: 3}) is the first of `listen =` */
/* Numbers that may have been used since the last save. */
#define SEQ_GAP 1000

struct cluster *cluster_new(const struct cluster_conf *conf)
{
	struct cluster *c = xcalloc(1, sizeof(*c));
	c->conf = *conf;
	c->app = xstrdup(conf->app);
	list_init(&c->keys);
	list_init(&c->workers);
	return c;
}

static void free_key(struct cluster *c, struct key *k)
{
	list_remove(&k->node);
	c->nkeys--;
	sockets_unref(c->conf.sockets, k->sock);
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
		list_remove(&w->node);
		w->cluster = NULL;
	}
	list_for_each(k, knext, &c->keys, node)
	{
		free_key(c, k);
	}
	json_decref(c->saved);
	free(c->app);
	free(c);
}

void cluster_set_listen(struct cluster *c, struct lsock *const *listen, size_t n)
{
	c->conf.listen = listen;
	c->conf.nlisten = n;
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

static struct key *add_key(struct cluster *c, const char *name, const char *data, size_t len,
			   struct lsock *sock)
{
	struct key *k = xcalloc(1, sizeof(*k));
	k->name = xstrdup(name);
	k->data = xstrndup(data, len);
	k->sock = sock;
	list_add(&c->keys, &k->node);
	c->nkeys++;
	return k;
}

/* A descriptor number of the primary: those of `listen =`. */
static struct lsock *inherited(struct cluster *c, int fd, struct err *err, int *error)
{
	if (fd < FIRST_FD || (size_t)(fd - FIRST_FD) >= c->conf.nlisten) {
		*error = EBADF;
		err_set(err, ERR_FAILED,
			"cannot listen on descriptor %d: `listen =` has %zu, from 3 on", fd,
			c->conf.nlisten);
		return NULL;
	}
	return sockets_ref(c->conf.listen[fd - FIRST_FD]);
}

static bool make_request(const struct cluster *c, const struct node_msg *q, struct sock_req *req)
{
	*req = (struct sock_req){.host = q->address.data,
				 .port = q->port > 0 && q->port < 65536 ? (uint16_t)q->port : 0,
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
		return true;
	case NODE_ADDR_UDP4:
	case NODE_ADDR_UDP6:
		req->kind = SOCK_KIND_UDP;
		req->flags |= q->flags & NODE_UDP_REUSEADDR ? SOCK_UDP_REUSEADDR : 0;
		return true;
	case NODE_ADDR_PIPE:
		req->kind = SOCK_KIND_UNIX;
		req->path = q->address.data;
		req->host = NULL;
		return req->path && req->path[0] == '/';
	default:
		return false;
	}
}

static struct lsock *open_socket(struct cluster *c, const struct node_msg *q, struct err *err,
				 int *error)
{
	struct sock_req req;
	if (q->address_type == NODE_ADDR_NONE) {
		return inherited(c, q->fd, err, error);
	}
	if (!make_request(c, q, &req)) {
		*error = EINVAL;
		err_set(err, ERR_FAILED, "the program asks for a kind of socket we do not know");
		return NULL;
	}
	bool any_port = req.port == 0 && req.kind != SOCK_KIND_UNIX;
	unsigned index = any_port && q->index > 0 ? (unsigned)q->index : 0;
	return sockets_get(c->conf.sockets, c->app, &req, index, err, error);
}

struct key *cluster_open_key(struct cluster *c, const struct node_msg *q, const char *name,
			     struct err *err, int *error)
{
	if (c->nkeys >= LIMIT_CLUSTER_KEYS) {
		*error = ENFILE;
		err_set(err, ERR_LIMIT, "the program listens on more than %d addresses",
			LIMIT_CLUSTER_KEYS);
		return NULL;
	}
	struct lsock *sock = open_socket(c, q, err, error);
	if (!sock) {
		return NULL;
	}
	return add_key(c, name, q->data.p ? q->data.p : "null", q->data.p ? q->data.len : 4, sock);
}

void cluster_join(struct worker *w, struct key *key, bool listening)
{
	struct member *m = xcalloc(1, sizeof(*m));
	m->key = key;
	m->listening = listening;
	key->members++;
	list_add(&w->members, &m->node);
}

void cluster_leave(struct worker *w, struct member *m, bool drop)
{
	struct key *k = m->key;
	list_remove(&m->node);
	free(m);
	if (--k->members == 0 && drop && w->cluster) {
		free_key(w->cluster, k);
	}
}

void cluster_trim(struct cluster *c)
{
	struct key *k, *next;
	bool changed = false;
	list_for_each(k, next, &c->keys, node)
	{
		if (k->members == 0) {
			free_key(c, k);
			changed = true;
		}
	}
	if (changed) {
		cluster_changed(c);
	}
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
		jw_kint(j, "sock", k->sock->id);
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

void cluster_restore(struct cluster *c, const json_t *saved)
{
	size_t i;
	json_t *o;
	json_array_foreach(json_object_get(saved, "keys"), i, o)
	{
		const char *name = json_string_value(json_object_get(o, "key"));
		const char *data = json_string_value(json_object_get(o, "data"));
		json_int_t id = json_integer_value(json_object_get(o, "sock"));
		struct lsock *l = id > 0 ? sockets_find(c->conf.sockets, (unsigned)id) : NULL;
		if (name && data && l && !cluster_find_key(c, name) &&
		    c->nkeys < LIMIT_CLUSTER_KEYS) {
			add_key(c, name, data, strlen(data), sockets_ref(l));
		}
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
			if (k) {
				cluster_join(w, k, json_is_true(listening));
			}
		}
	}
}
