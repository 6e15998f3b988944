/* SPDX-License-Identifier: MIT */
/* ports: the listening sockets we keep, and the kernel's queue of each. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "daemon/daemon.h"
#include "daemon/methods.h"
#include "daemon/runner.h"
#include "sys/unixdiag.h"

/* The selected slots of one app. */
struct chosen {
	const struct app *app;
	bool *slot; /* of app->nslots */
};

struct choice {
	struct chosen *v;
	size_t n;
};

/* Selecting gives instances app by app. */
static void choose(void *ctx, struct inst *in)
{
	struct choice *s = ctx;
	if (!s->n || s->v[s->n - 1].app != in->app) {
		s->v = xreallocarray(s->v, s->n + 1, sizeof(*s->v));
		s->v[s->n++] = (struct chosen){in->app,
					       xcalloc((size_t)in->app->nslots + 1, sizeof(bool))};
	}
	if (in->slot < in->app->nslots) {
		s->v[s->n - 1].slot[in->slot] = true;
	}
}

static const char *balance_name(const struct app *app, const struct lsock *l)
{
	static const char *const names[] = {[BALANCE_SHARED] = "shared",
					    [BALANCE_REUSEPORT] = "reuseport",
					    [BALANCE_ROUND_ROBIN] = "round-robin"};
	/* Only TCP has a socket for each slot. */
	bool one_for_all = app->conf.balance == BALANCE_REUSEPORT && l->slot < 0;
	return names[one_for_all ? BALANCE_SHARED : app->conf.balance];
}

static bool is_of_listen(const struct app *app, const struct lsock *l)
{
	for (int i = 0; i < app->nslots; i++) {
		const struct inst *in = app->slots[i];
		for (size_t k = 0; k < in->nlisten; k++) {
			if (in->listen[k] == l) {
				return true;
			}
		}
	}
	return false;
}

static void kcount(struct jw *w, const char *key, unsigned n, bool known)
{
	if (known) {
		jw_kint(w, key, n);
	} else {
		jw_knull(w, key);
	}
}

static void write_socket(struct jw *w, const struct app *app, const struct lsock *l)
{
	unsigned waiting = 0, backlog = 0;
	bool known = l->kind == SOCK_KIND_TCP	 ? sock_queue(l->fd, &waiting, &backlog)
		     : l->kind == SOCK_KIND_UNIX ? unixdiag_queue(l->fd, &waiting, &backlog)
						 : false;
	jw_obj(w);
	jw_kstr(w, "app", l->app);
	if (l->slot >= 0) {
		jw_kint(w, "slot", l->slot);
	} else {
		jw_knull(w, "slot");
	}
	jw_kstr(w, "address", l->name);
	jw_kstr(w, "balance", balance_name(app, l));
	kcount(w, "waiting", waiting, known);
	kcount(w, "backlog", backlog, known);
	jw_kbool(w, "listen", is_of_listen(app, l));
	jw_end(w);
}

static void write_slot(struct call *call, const struct app *app, int slot)
{
	struct lsock *l, *next;
	list_for_each(l, next, &call->daemon->sockets.all, node)
	{
		if (l->fd >= 0 && l->slot == slot && strcmp(l->app, app->conf.name) == 0) {
			write_socket(call->w, app, l);
		}
	}
}

/* First those that are for all slots. */
static void write_sockets(struct call *call, const struct chosen *c)
{
	write_slot(call, c->app, -1);
	for (int slot = 0; slot < c->app->nslots; slot++) {
		if (c->slot[slot]) {
			write_slot(call, c->app, slot);
		}
	}
}

bool method_ports(struct call *call)
{
	struct choice s = {0};
	if (!call_select(call, choose, &s)) {
		return false;
	}
	jw_obj(call->w);
	jw_kint(call->w, "v", 1);
	jw_key(call->w, "sockets");
	jw_arr(call->w);
	for (size_t i = 0; i < s.n; i++) {
		write_sockets(call, &s.v[i]);
		free(s.v[i].slot);
	}
	jw_end(call->w);
	jw_end(call->w);
	free(s.v);
	return true;
}
