/* SPDX-License-Identifier: MIT */
#include "daemon/passon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "daemon/daemon.h"
#include "daemon/ops_priv.h"
#include "daemon/plan.h"
#include "daemon/redefine.h"

/* Two hosts with one port are taken for the same: one of them may be all hosts. */
static bool is_same(const struct listen_addr *a, const struct listen_addr *b)
{
	if (a->kind != b->kind) {
		return false;
	}
	return a->kind == LISTEN_UNIX ? strcmp(a->path, b->path) == 0
				      : a->port == b->port && a->port != 0;
}

static const struct listen_addr *find(const struct app_conf *c, const struct listen_addr *a)
{
	for (size_t i = 0; i < c->nlisten; i++) {
		if (is_same(&c->listen[i], a)) {
			return &c->listen[i];
		}
	}
	return NULL;
}

/* --- waiting --- */

static bool holds(const struct lsock *l, const struct listen_addr *a)
{
	static const enum sock_kind kinds[] = {[LISTEN_TCP] = SOCK_KIND_TCP,
					       [LISTEN_UDP] = SOCK_KIND_UDP,
					       [LISTEN_UNIX] = SOCK_KIND_UNIX};
	char end[8];
	const char *colon = strchr(l->name, ':'), *port = strrchr(l->name, ':');
	if (l->kind != kinds[a->kind] || !colon) {
		return false;
	}
	snprintf(end, sizeof(end), ":%u", (unsigned)a->port);
	return a->kind == LISTEN_UNIX ? strcmp(colon + 1, a->path) == 0 : strcmp(port, end) == 0;
}

/* An address that it is to have is another app's, which is to give it up. */
static bool waits_for_address(const struct op *op, const struct inst *in)
{
	struct daemon *d = op->ops->daemon;
	const struct app_conf *c = &in->app->conf;
	for (size_t i = 0; i < c->nlisten; i++) {
		const struct listen_addr *a = &c->listen[i];
		const struct lsock *l, *next;
		list_for_each(l, next, &d->sockets.all, node)
		{
			const struct app *app = holds(l, a) ? apps_find(d, l->app) : NULL;
			if (app && app != in->app && !find(&app->conf, a) &&
			    turns_is_unfinished(op, app)) {
				return true;
			}
		}
	}
	return false;
}

static bool has_begun_to_remove(const struct op *op, const struct app *app)
{
	for (size_t i = 0; app->deleting && i < op->ntargets; i++) {
		const struct target *t = &op->target[i];
		if (t->kind == OP_DELETE && t->begun && strcmp(t->app, app->conf.name) == 0) {
			return true;
		}
	}
	return false;
}

/* What an apply removes gives way before the others begin: its port may be theirs, its name another
 * one of the same. Its sockets go with it, a moment after its last process. */
static bool is_giving_way(struct op *op)
{
	const struct app *app, *next;
	if (op->gave_way) {
		return false;
	}
	list_for_each(app, next, &op->ops->daemon->apps, node)
	{
		if (has_begun_to_remove(op, app)) {
			return true;
		}
	}
	op->gave_way = true;
	return false;
}

bool passon_must_wait(struct op *op, enum op_kind kind, const struct inst *in)
{
	return kind != OP_DELETE &&
	       (is_giving_way(op) || (in && !op->stuck && waits_for_address(op, in)));
}

/* Whether something will happen by itself that a target may wait for. */
static bool is_moving(const struct op *op)
{
	for (size_t i = 0; i < op->ntargets; i++) {
		if (op->target[i].begun && !op->target[i].over) {
			return true;
		}
	}
	for (size_t i = 0; i < op->ntargets; i++) {
		const struct app *app = apps_find(op->ops->daemon, op->target[i].app);
		if (app && (app->deleting || !list_empty(&app->others))) {
			return true;
		}
	}
	return false;
}

bool passon_give_up(struct op *op)
{
	bool stuck = !op->stuck && !is_moving(op);
	op->stuck |= stuck;
	return stuck;
}

/* --- checking --- */

/* One that runs, and is to listen elsewhere. */
struct mover {
	const struct app *app;
	struct app_conf then;
	bool free; /* nobody it waits for waits for it */
};

static bool moves(const struct plan_item *it)
{
	for (size_t i = 0; it->action == PLAN_CHANGE && it->way != WAY_START && i < it->diff.n;
	     i++) {
		if (strcmp(it->diff.v[i].key, "listen") == 0) {
			return true;
		}
	}
	return false;
}

/* What `m` takes over from `from`; NULL = nothing. */
static const struct listen_addr *taken(const struct mover *m, const struct mover *from)
{
	for (size_t i = 0; m != from && i < m->then.nlisten; i++) {
		const struct listen_addr *a = &m->then.listen[i];
		if (find(&from->app->conf, a) && !find(&from->then, a)) {
			return a;
		}
	}
	return NULL;
}

/* Of those it waits for, one that may wait for it; NULL = none. */
static const struct mover *blocker(const struct mover *m, const struct mover *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!v[i].free && taken(m, &v[i])) {
			return &v[i];
		}
	}
	return NULL;
}

static bool look(struct mover *v, size_t n, struct err *err)
{
	for (bool any = true; any;) {
		any = false;
		for (size_t i = 0; i < n; i++) {
			bool now = !v[i].free && !blocker(&v[i], v, n);
			v[i].free |= now;
			any |= now;
		}
	}
	for (size_t i = 0; i < n; i++) {
		const struct mover *b = v[i].free ? NULL : blocker(&v[i], v, n);
		if (b) {
			const char *a = v[i].app->conf.name, *of = b->app->conf.name;
			return err_set(err, ERR_FAILED,
				       "%s is to listen on %s, which %s has until %s has another "
				       "address; stop them first: pmctl stop %s %s, then apply, "
				       "then pmctl start %s %s",
				       a, taken(&v[i], b)->text, of, a, a, of, a, of);
		}
	}
	return true;
}

bool passon_check(const struct plan *p, struct err *err)
{
	size_t n = 0;
	struct mover *v = xcalloc(p->n + 1, sizeof(*v));
	struct err ignored;
	for (size_t i = 0; i < p->n; i++) {
		if (!moves(&p->v[i])) {
			continue;
		}
		v[n].app = p->v[i].app;
		redefine_decode(&v[n].then, p->v[i].def, &ignored); /* it was checked before */
		n++;
	}
	bool ok = look(v, n, err);
	for (size_t i = 0; i < n; i++) {
		conf_finish(&v[i].then);
	}
	free(v);
	return ok;
}
