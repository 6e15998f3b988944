/* SPDX-License-Identifier: MIT */
#include "daemon/listen.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/mem.h"
#include "daemon/daemon.h"
#include "daemon/runner.h"
#include "daemon/workers.h"

struct lsock *listen_get(struct app *app, size_t i, int slot, struct err *err, int *error)
{
	static const enum sock_kind kinds[] = {[LISTEN_TCP] = SOCK_KIND_TCP,
					       [LISTEN_UDP] = SOCK_KIND_UDP,
					       [LISTEN_UNIX] = SOCK_KIND_UNIX};
	const struct listen_addr *addr = &app->conf.listen[i];
	struct sock_req req = {.kind = kinds[addr->kind],
			       .host = addr->host,
			       .path = addr->path,
			       .port = addr->port,
			       .flags = conf_is_node(&app->conf) ? 0 : SOCK_BLOCKING,
			       .as_user = app->user.uid != geteuid(),
			       .uid = app->user.uid,
			       .gid = app->user.gid};
	struct sockets_want want = {.app = app->conf.name,
				    .req = &req,
				    .slot = app->conf.balance == BALANCE_REUSEPORT ? slot : -1};
	return sockets_get(&app->daemon->sockets, &want, err, error);
}

static void unref_all(struct daemon *d, struct lsock **v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		sockets_unref(&d->sockets, v[i]);
	}
	free(v);
}

bool listen_open(struct inst *in, struct err *err)
{
	size_t n = in->app->conf.nlisten;
	struct daemon *d = in->app->daemon;
	unsigned next = d->sockets.next_id;
	if (in->nlisten == n && !in->listen_stale) {
		return true;
	}
	struct lsock **fresh = xcalloc(n, sizeof(struct lsock *));
	for (size_t i = 0; i < n; i++) {
		fresh[i] = listen_get(in->app, i, in->slot, err, NULL);
		if (!fresh[i]) {
			unref_all(d, fresh, i);
			return false;
		}
	}
	listen_close(in); /* after that: what is in both stays open */
	in->listen = fresh;
	in->nlisten = n;
	if (d->sockets.next_id != next) {
		workers_sockets_changed(d);
	}
	return true;
}

void listen_close(struct inst *in)
{
	listen_end_use(in);
	unref_all(in->app->daemon, in->listen, in->nlisten);
	in->listen = NULL;
	in->nlisten = 0;
	in->listen_stale = false;
}

void listen_begin_use(struct inst *in)
{
	for (size_t i = 0; i < in->nlisten && !in->listen_used; i++) {
		sockets_use(&in->app->daemon->sockets, in->listen[i]);
	}
	in->listen_used = true;
}

void listen_end_use(struct inst *in)
{
	for (size_t i = 0; i < in->nlisten && in->listen_used; i++) {
		sockets_unuse(&in->app->daemon->sockets, in->listen[i]);
	}
	in->listen_used = false;
}
