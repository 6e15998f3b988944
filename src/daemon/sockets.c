/* SPDX-License-Identifier: MIT */
#include "daemon/sockets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/mem.h"
#include "sys/portowner.h"
#include "sys/procfd.h"
#include "sys/reuseport.h"

#define LOOK_PERIOD_MS 1000 /* searching all of /proc is not for a crash loop */
#define HELD_PREFIX    "sock."

void sockets_init(struct sockets *s, const struct sockets_hooks *hooks)
{
	*s = (struct sockets){.next_id = 1, .hooks = *hooks, .looked_at_ms = -LOOK_PERIOD_MS};
	list_init(&s->all);
}

static void free_lsock(struct lsock *l)
{
	list_remove(&l->node);
	if (l->fd >= 0) {
		close(l->fd);
	}
	free(l->app);
	free(l->spec);
	free(l->name);
	free(l);
}

void sockets_finish(struct sockets *s)
{
	struct lsock *l, *next;
	list_for_each(l, next, &s->all, node)
	{
		free_lsock(l);
	}
}

/* Everything that makes it another socket. */
static char *make_spec(const struct sock_req *req, unsigned index)
{
	return xasprintf("%d|%s|%u|%u|%u", (int)req->kind,
			 req->kind == SOCK_KIND_UNIX ? req->path
			 : req->host		     ? req->host
						     : "*",
			 (unsigned)req->port, req->flags & (SOCK_V6ONLY | SOCK_REUSEPORT), index);
}

static struct lsock *find_spec(struct sockets *s, const char *app, const char *spec, int slot)
{
	struct lsock *l, *next;
	list_for_each(l, next, &s->all, node)
	{
		if (l->fd >= 0 && l->slot == slot && strcmp(l->app, app) == 0 &&
		    strcmp(l->spec, spec) == 0) {
			return l;
		}
	}
	return NULL;
}

/* --- groups --- */

/* Whether o is an open socket of l's group. */
static bool is_sibling(const struct lsock *o, const struct lsock *l)
{
	return o->slot >= 0 && l->slot >= 0 && o->fd >= 0 && strcmp(o->app, l->app) == 0 &&
	       strcmp(o->spec, l->spec) == 0;
}

/* Open ones of l's group; *used is how many of them have users. */
static unsigned count_group(const struct sockets *s, const struct lsock *l, unsigned *used)
{
	unsigned n = 0;
	struct lsock *o, *next;
	*used = 0;
	list_for_each(o, next, &s->all, node)
	{
		if (is_sibling(o, l)) {
			n++;
			*used += o->users > 0;
		}
	}
	return n;
}

/* New connections go to those that have users; to all if none has. */
static void steer(struct sockets *s, const struct lsock *l)
{
	unsigned used;
	struct lsock *o, *next;
	if (l->slot < 0) {
		return;
	}
	unsigned n = count_group(s, l, &used), placed = 0;
	bool *out = xcalloc(n, sizeof(*out));
	list_for_each(o, next, &s->all, node)
	{
		if (is_sibling(o, l) && o->place < n) {
			out[o->place] = o->users == 0;
			placed++;
		}
	}
	if (used == 0 || used == n || placed < n || !reuseport_leave_out(l->fd, out, n)) {
		reuseport_spread(l->fd);
	}
	free(out);
}

void sockets_use(struct sockets *s, struct lsock *l)
{
	if (l->users++ == 0) {
		steer(s, l);
	}
}

void sockets_unuse(struct sockets *s, struct lsock *l)
{
	if (--l->users == 0) {
		steer(s, l);
	}
}

bool sockets_is_left_out(const struct sockets *s, const struct lsock *l)
{
	unsigned used = 0;
	if (l->slot >= 0 && l->users == 0) {
		count_group(s, l, &used);
	}
	return used > 0;
}

static struct lsock *find_sibling(const struct sockets *s, const struct lsock *l)
{
	struct lsock *o, *next;
	list_for_each(o, next, &s->all, node)
	{
		if (o != l && is_sibling(o, l)) {
			return o;
		}
	}
	return NULL;
}

/* Take it out of the world at once, whoever has duplicates: the keeper closes its own a moment
 * later, and until then clients would be accepted only to be reset. The last of its group moves to
 * its place. */
static void end_listening(struct sockets *s, const struct lsock *l)
{
	unsigned used;
	struct lsock *o, *next;
	if (l->kind != SOCK_KIND_TCP) {
		return;
	}
	shutdown(l->fd, SHUT_RD);
	unsigned last = count_group(s, l, &used) - 1;
	list_for_each(o, next, &s->all, node)
	{
		if (o != l && is_sibling(o, l) && o->place == last) {
			o->place = l->place;
		}
	}
}

/* The first one is bound without SO_REUSEPORT, or a stranger of the same user would go unnoticed;
 * the others join it, also on a port the kernel chose. */
static void join_group(struct sockets *s, const struct lsock *probe, struct sock_req *req,
		       unsigned *place)
{
	unsigned used;
	struct sock_addr addr;
	struct lsock *o, *next;
	*place = count_group(s, probe, &used);
	req->flags |= *place ? SOCK_REUSEPORT : SOCK_REUSEPORT_LATER;
	list_for_each(o, next, &s->all, node)
	{
		if (*place && req->port == 0 && is_sibling(o, probe) &&
		    sock_address(o->fd, &addr)) {
			req->port = addr.port;
		}
	}
}

/* One of our own apps: in /proc the keeper would be found, which has a copy of every socket. */
static const struct lsock *find_port(const struct sockets *s, const struct sock_req *req)
{
	char end[8];
	struct lsock *l, *next;
	snprintf(end, sizeof(end), ":%u", (unsigned)req->port);
	list_for_each(l, next, &s->all, node)
	{
		const char *port = strrchr(l->name, ':');
		if (l->kind == req->kind && req->kind != SOCK_KIND_UNIX && port &&
		    strcmp(port, end) == 0) {
			return l;
		}
	}
	return NULL;
}

/* Put the holder of the port behind the sentence; it is worth a search, but not all the time. */
static void blame(struct sockets *s, const struct sock_req *req, struct err *err)
{
	struct portowner owner;
	char what[SOCK_NAME];
	int64_t now = clock_mono_ms();
	sock_describe(req, what);
	bool same = strcmp(what, s->looked_for) == 0;
	if (!same || now - s->looked_at_ms >= LOOK_PERIOD_MS) {
		const struct lsock *ours = find_port(s, req);
		s->holder[0] = '\0';
		if (ours) {
			snprintf(s->holder, sizeof(s->holder), "in use by the app %s (%s)",
				 ours->app, ours->name);
		} else if (portowner_find(req, &owner)) {
			portowner_describe(&owner, s->holder, sizeof(s->holder));
		}
		s->looked_at_ms = now;
		snprintf(s->looked_for, sizeof(s->looked_for), "%s", what);
	}
	if (s->holder[0]) {
		err_set(err, err->code, "cannot listen on %s: %s", what, s->holder);
	}
}

static void held_name(const struct lsock *l, char out[24])
{
	snprintf(out, 24, HELD_PREFIX "%u", l->id);
}

static void deposit(struct sockets *s, struct lsock *l)
{
	char held[24];
	l->inode = procfd_inode(l->fd);
	held_name(l, held);
	s->hooks.deposit(s->hooks.ctx, held, l->fd);
}

static struct lsock *add(struct sockets *s, const struct lsock *like)
{
	struct lsock *l = xmalloc(sizeof(*l));
	*l = *like;
	l->app = xstrdup(like->app);
	l->spec = xstrdup(like->spec);
	l->name = xstrdup(like->name);
	list_add(&s->all, &l->node);
	deposit(s, l);
	return l;
}

/* Open it, as *l says. */
static struct lsock *open_new(struct sockets *s, struct lsock *l, struct sock_req *req,
			      struct err *err, int *error)
{
	char name[SOCK_NAME] = "";
	int code = 0;
	if (l->slot >= 0) {
		join_group(s, l, req, &l->place);
	}
	l->fd = sock_listen(req, err, &code);
	if (l->fd < 0) {
		if (code == EADDRINUSE && err) {
			blame(s, req, err);
		}
		if (error) {
			*error = code;
		}
		return NULL;
	}
	sock_name(l->fd, name);
	l->name = name;
	l->id = s->next_id++;
	return add(s, l);
}

struct lsock *sockets_get(struct sockets *s, const struct sockets_want *want, struct err *err,
			  int *error)
{
	struct sock_req req = *want->req;
	int slot = req.kind == SOCK_KIND_TCP ? want->slot : -1;
	char *spec = make_spec(&req, want->index);
	struct lsock like = {.app = (char *)(uintptr_t)want->app,
			     .spec = spec,
			     .kind = req.kind,
			     .slot = slot,
			     .flags = req.flags,
			     .backlog = req.backlog,
			     .refs = 1};
	struct lsock *l = find_spec(s, want->app, spec, slot);
	l = l ? sockets_ref(l) : open_new(s, &like, &req, err, error);
	free(spec);
	return l;
}

struct lsock *sockets_ref(struct lsock *l)
{
	l->refs++;
	return l;
}

/* Only the file that is this very socket: somebody may have put another one there meanwhile. */
static void remove_file(const struct lsock *l)
{
	struct sockaddr_un sa;
	struct stat st;
	socklen_t len = sizeof(sa);
	if (l->kind != SOCK_KIND_UNIX || getsockname(l->fd, (struct sockaddr *)&sa, &len) != 0 ||
	    lstat(sa.sun_path, &st) != 0 || !S_ISSOCK(st.st_mode)) {
		return;
	}
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		return;
	}
	shutdown(l->fd, SHUT_RD); /* now a connect tells ours from another one */
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0 && errno == ECONNREFUSED) {
		unlink(sa.sun_path);
	}
	close(fd);
}

void sockets_unref(struct sockets *s, struct lsock *l)
{
	char held[24];
	if (!l || --l->refs > 0) {
		return;
	}
	const struct lsock *sibling = find_sibling(s, l);
	held_name(l, held);
	if (l->fd >= 0) {
		end_listening(s, l);
		s->hooks.drop(s->hooks.ctx, held);
		remove_file(l);
	}
	free_lsock(l);
	if (sibling) {
		steer(s, sibling);
	}
}

void sockets_deposit(struct sockets *s)
{
	struct lsock *l, *next;
	list_for_each(l, next, &s->all, node)
	{
		if (l->fd >= 0) {
			deposit(s, l);
		}
	}
}

struct lsock *sockets_find(struct sockets *s, unsigned id)
{
	struct lsock *l, *next;
	list_for_each(l, next, &s->all, node)
	{
		if (l->id == id && l->fd >= 0) {
			return l;
		}
	}
	return NULL;
}

void sockets_save(const struct sockets *s, struct jw *w)
{
	struct lsock *l, *next;
	jw_arr(w);
	list_for_each(l, next, &s->all, node)
	{
		jw_obj(w);
		jw_kint(w, "id", l->id);
		jw_kint(w, "kind", l->kind);
		jw_kint(w, "slot", l->slot);
		jw_kint(w, "place", l->place);
		jw_kint(w, "flags", l->flags);
		jw_kint(w, "backlog", l->backlog);
		jw_kint(w, "inode", l->inode);
		jw_kstr(w, "app", l->app);
		jw_kstr(w, "spec", l->spec);
		jw_kstr(w, "name", l->name);
		jw_end(w);
	}
	jw_end(w);
}

static void load_one(struct sockets *s, const json_t *o)
{
	const char *app = json_string_value(json_object_get(o, "app"));
	const char *spec = json_string_value(json_object_get(o, "spec"));
	const char *name = json_string_value(json_object_get(o, "name"));
	json_int_t id = json_integer_value(json_object_get(o, "id"));
	json_int_t kind = json_integer_value(json_object_get(o, "kind"));
	json_int_t place = json_integer_value(json_object_get(o, "place"));
	json_int_t inode = json_integer_value(json_object_get(o, "inode"));
	json_int_t backlog = json_integer_value(json_object_get(o, "backlog"));
	const json_t *slot = json_object_get(o, "slot");
	if (!app || !spec || !name || id < 1 || id > UINT32_MAX / 2 || kind < SOCK_KIND_TCP ||
	    kind > SOCK_KIND_UNIX || place < 0 || place > LIMIT_INSTANCES_APP) {
		return;
	}
	struct lsock *l = xcalloc(1, sizeof(*l));
	*l = (struct lsock){.id = (unsigned)id,
			    .app = xstrdup(app),
			    .spec = xstrdup(spec),
			    .name = xstrdup(name),
			    .kind = (enum sock_kind)kind,
			    .slot = json_is_integer(slot) ? (int)json_integer_value(slot) : -1,
			    .place = (unsigned)place,
			    .flags = (unsigned)json_integer_value(json_object_get(o, "flags")),
			    .backlog = backlog > 0 && backlog <= INT32_MAX ? (int)backlog : 0,
			    .inode = inode > 0 && inode <= UINT32_MAX ? (uint32_t)inode : 0,
			    .fd = -1};
	list_add(&s->all, &l->node);
	if (l->id >= s->next_id) {
		s->next_id = l->id + 1;
	}
}

void sockets_load(struct sockets *s, const json_t *saved)
{
	size_t i;
	json_t *o;
	json_array_foreach(saved, i, o)
	{
		load_one(s, o);
	}
}

bool sockets_restore(struct sockets *s, const char *held, int fd)
{
	struct lsock *l, *next;
	unsigned id = (unsigned)strtoul(held + strlen(HELD_PREFIX), NULL, 10);
	list_for_each(l, next, &s->all, node)
	{
		if (l->id == id && l->fd < 0 && sock_is_listener(fd)) {
			l->fd = fd;
			l->inode = procfd_inode(fd);
			return true;
		}
	}
	close(fd);
	if (id >= s->next_id) {
		s->next_id = id + 1;
	}
	return false;
}

bool sockets_take_back(struct sockets *s, struct lsock *l, int fd)
{
	if (!sock_is_listener(fd)) {
		close(fd);
		return false;
	}
	l->fd = fd;
	deposit(s, l);
	return true;
}

void sockets_unplace(struct sockets *s)
{
	struct lsock *l, *o, *next, *after;
	list_for_each(l, next, &s->all, node)
	{
		list_for_each(o, after, &s->all, node)
		{
			if (l->fd < 0 && l->slot >= 0 && o->slot >= 0 &&
			    strcmp(o->app, l->app) == 0 && strcmp(o->spec, l->spec) == 0) {
				o->place = SOCKETS_UNPLACED;
			}
		}
	}
}

bool sockets_open_again(struct sockets *s, struct lsock *l, struct sock_req *req, struct err *err)
{
	unsigned unknown;
	int code = 0;
	if (l->slot >= 0) {
		join_group(s, l, req, &unknown);
	}
	int fd = sock_listen(req, err, &code);
	if (fd < 0 && code == EADDRINUSE && l->slot >= 0) {
		/* By one of its group that is in a worker which we may not look into. */
		req->flags |= SOCK_REUSEPORT;
		fd = sock_listen(req, err, &code);
	}
	return fd >= 0 && sockets_take_back(s, l, fd);
}
