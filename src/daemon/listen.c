/* SPDX-License-Identifier: MIT */
#include "daemon/listen.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/mem.h"
#include "daemon/daemon.h"
#include "daemon/runner.h"

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

bool listen_open(struct inst *in, struct err *err)
{
	size_t n = in->app->conf.nlisten;
	if (in->nlisten == n) {
		return true;
	}
	in->listen = xcalloc(n, sizeof(struct lsock *));
	for (size_t i = 0; i < n; i++) {
		in->listen[i] = listen_get(in->app, i, in->slot, err, NULL);
		if (!in->listen[i]) {
			listen_close(in);
			return false;
		}
		in->nlisten++;
	}
	return true;
}

void listen_close(struct inst *in)
{
	listen_end_use(in);
	for (size_t i = 0; i < in->nlisten; i++) {
		sockets_unref(&in->app->daemon->sockets, in->listen[i]);
	}
	free(in->listen);
	in->listen = NULL;
	in->nlisten = 0;
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
