/* SPDX-License-Identifier: MIT */
#include "daemon/exporter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/log.h"
#include "common/mem.h"
#include "config/filekeys.h"
#include "daemon/daemon.h"
#include "daemon/listener.h"
#include "daemon/loopfd.h"

#define RETRY	    2.0
#define PAUSE	    0.2
#define ACCEPT_TURN 16

struct claim {
	struct list node; /* exporter.claims */
	char *file, *project, *address;
};

/* --- connections --- */

static void set_accepting(struct exporter *e, bool on)
{
	struct endpoint *p, *next;
	list_for_each(p, next, &e->endpoints, node)
	{
		if (p->fd >= 0) {
			(on ? ev_io_start : ev_io_stop)(e->daemon->loop, &p->accept_io);
		}
	}
}

static void on_room(void *ctx)
{
	set_accepting(ctx, true); /* from the loop: httpd is not to be called here */
}

static void on_pause_over(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	set_accepting(container_of(w, struct exporter, pause), true);
}

static void on_acceptable(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)revents;
	struct endpoint *p = container_of(w, struct endpoint, accept_io);
	struct exporter *e = p->exporter;
	for (int i = 0; i < ACCEPT_TURN; i++) {
		if (!httpd_has_room(&e->httpd)) {
			set_accepting(e, false);
			return;
		}
		int fd = accept4(p->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0) {
			httpd_add(&e->httpd, fd);
		} else if (errno == EAGAIN) {
			return;
		} else if (errno != EINTR && errno != ECONNABORTED) {
			/* No descriptor is free: it stays in the queue and would wake us for ever.
			 */
			set_accepting(e, false);
			ev_timer_stop(loop, &e->pause);
			ev_timer_set(&e->pause, PAUSE, 0.);
			ev_timer_start(loop, &e->pause);
			return;
		}
	}
}

/* --- sockets --- */

static void held_name(const struct endpoint *p, char out[KEEPER_NAME])
{
	snprintf(out, KEEPER_NAME, "http.%u", p->id);
}

static void listens(struct endpoint *p, int fd)
{
	char name[KEEPER_NAME];
	p->fd = fd;
	p->error[0] = '\0';
	listener_identity(p->address, &p->dev, &p->ino);
	ev_io_init(&p->accept_io, on_acceptable, fd, EV_READ);
	ev_io_start(p->exporter->daemon->loop, &p->accept_io);
	held_name(p, name);
	link_deposit(&p->exporter->daemon->link, name, fd);
}

/* How an endpoint ends: nobody wants it any more; somebody took its file away; only we end, and the
 * next supervisor gets it from the keeper. */
enum ending { END_GOOD, END_LOST, END_OURS };

static void close_endpoint(struct endpoint *p, enum ending how)
{
	char name[KEEPER_NAME];
	if (p->fd < 0) {
		return;
	}
	ev_io_stop(p->exporter->daemon->loop, &p->accept_io);
	if (how != END_OURS) {
		held_name(p, name);
		link_drop(&p->exporter->daemon->link, name);
	}
	if (how == END_GOOD) {
		listener_remove(p->address, p->dev, p->ino);
	}
	loopfd_close(p->exporter->daemon->loop, p->fd);
	p->fd = -1;
}

static void free_endpoint(struct endpoint *p, enum ending how)
{
	close_endpoint(p, how);
	list_remove(&p->node);
	free(p->address);
	free(p);
}

/* Each reason is told once, and only then is looked for who has the port. */
static void did_not_open(struct endpoint *p, struct err *err, int error)
{
	bool same =
		p->error[0] && error == p->error_code && (error || strcmp(p->error, err->msg) == 0);
	if (same) {
		return;
	}
	if (error == EADDRINUSE) {
		listener_blame(p->address, err);
	}
	snprintf(p->error, sizeof(p->error), "%.299s", err->msg);
	p->error_code = error;
	events_add(&p->exporter->daemon->events, NULL, -1, "metrics", NULL, "%.240s; tried again",
		   p->error);
}

static void open_endpoint(struct endpoint *p)
{
	struct exporter *e = p->exporter;
	struct err err = {0};
	int error = 0;
	int fd = httpd_start(&e->httpd, &err) ? listener_open(p->address, &err, &error) : -1;
	if (fd < 0) {
		did_not_open(p, &err, error);
		return;
	}
	listens(p, fd);
	events_add(&e->daemon->events, NULL, -1, "metrics", NULL, "served at %.200s", p->address);
}

static struct endpoint *find_endpoint(const struct exporter *e, const char *address)
{
	struct endpoint *p, *next;
	list_for_each(p, next, &e->endpoints, node)
	{
		if (strcmp(p->address, address) == 0) {
			return p;
		}
	}
	return NULL;
}

static bool is_claimed(const struct exporter *e, const char *address)
{
	struct claim *c, *next;
	list_for_each(c, next, &e->claims, node)
	{
		if (strcmp(c->address, address) == 0) {
			return true;
		}
	}
	return false;
}

static struct endpoint *add_endpoint(struct exporter *e, const char *address)
{
	struct endpoint *p = xcalloc(1, sizeof(*p));
	p->exporter = e;
	p->address = xstrdup(address);
	p->id = e->next_id++;
	p->fd = -1;
	list_add(&e->endpoints, &p->node);
	return p;
}

static void on_retry(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)revents;
	struct exporter *e = container_of(w, struct exporter, retry);
	struct endpoint *p, *next;
	bool all = true;
	list_for_each(p, next, &e->endpoints, node)
	{
		if (p->fd < 0) {
			open_endpoint(p);
		}
		all &= p->fd >= 0;
	}
	if (all) {
		ev_timer_stop(loop, w);
	}
}

void exporter_sync(struct exporter *e)
{
	struct endpoint *p, *after;
	struct claim *c, *next;
	list_for_each(p, after, &e->endpoints, node)
	{
		if (!is_claimed(e, p->address)) {
			events_add(&e->daemon->events, NULL, -1, "metrics", NULL,
				   "no longer served at %.200s", p->address);
			free_endpoint(p, END_GOOD);
		}
	}
	list_for_each(c, next, &e->claims, node)
	{
		if (!find_endpoint(e, c->address)) {
			add_endpoint(e, c->address);
		}
	}
	if (list_empty(&e->endpoints)) {
		ev_timer_stop(e->daemon->loop, &e->retry);
		httpd_stop(&e->httpd);
		return;
	}
	on_retry(e->daemon->loop, &e->retry, 0);
	list_for_each(p, after, &e->endpoints, node)
	{
		if (p->fd < 0 && !ev_is_active(&e->retry)) {
			ev_timer_again(e->daemon->loop, &e->retry);
		}
	}
}

void exporter_check(struct exporter *e)
{
	struct endpoint *p, *next;
	bool lost = false;
	list_for_each(p, next, &e->endpoints, node)
	{
		if (p->fd >= 0 && !listener_is_there(p->address, p->dev, p->ino)) {
			log_line("metrics: %s had gone", p->address);
			close_endpoint(p, END_LOST);
			lost = true;
		}
	}
	if (lost) {
		exporter_sync(e);
	}
}

/* --- claims --- */

static void free_claim(struct claim *c)
{
	list_remove(&c->node);
	free(c->file);
	free(c->project);
	free(c->address);
	free(c);
}

static struct claim *find_claim(const struct exporter *e, const char *file)
{
	struct claim *c, *next;
	list_for_each(c, next, &e->claims, node)
	{
		if (strcmp(c->file, file) == 0) {
			return c;
		}
	}
	return NULL;
}

static unsigned count_claims(const struct exporter *e)
{
	struct claim *c, *next;
	unsigned n = 0;
	list_for_each(c, next, &e->claims, node)
	{
		n++;
	}
	return n;
}

static void add_claim(struct exporter *e, const char *file, const char *project,
		      const char *address)
{
	struct claim *c = xcalloc(1, sizeof(*c));
	c->file = xstrdup(file);
	c->project = xstrdup(project);
	c->address = xstrdup(address);
	list_add(&e->claims, &c->node);
}

bool exporter_claim(struct exporter *e, const char *file, const char *project, const char *address,
		    const struct asker *by)
{
	struct claim *old = find_claim(e, file);
	if (old && address && strcmp(old->address, address) == 0 &&
	    strcmp(old->project, project) == 0) {
		return false;
	}
	if (!old && !address) {
		return false;
	}
	if (old) {
		free_claim(old);
	}
	if (address && count_claims(e) >= LIMIT_SCRAPE_LISTEN) {
		events_add(&e->daemon->events, NULL, -1, "metrics", by,
			   "not served at %.100s: %d app lists want them somewhere already",
			   address, LIMIT_SCRAPE_LISTEN);
		return old != NULL;
	}
	if (address) {
		add_claim(e, file, project, address);
	}
	exporter_sync(e);
	return true;
}

bool exporter_forget(struct exporter *e, const char *project)
{
	struct claim *c, *next;
	bool any = false;
	list_for_each(c, next, &e->claims, node)
	{
		if (strcmp(c->project, project) == 0) {
			free_claim(c);
			any = true;
		}
	}
	if (any) {
		exporter_sync(e);
	}
	return any;
}

/* --- over the end of a supervisor --- */

json_t *exporter_write(const struct exporter *e)
{
	struct claim *c, *next;
	json_t *all = list_empty(&e->claims) ? NULL : json_array();
	list_for_each(c, next, &e->claims, node)
	{
		json_array_append_new(all, json_pack("{s:s,s:s,s:s}", "file", c->file, "project",
						     c->project, "address", c->address));
	}
	return all;
}

void exporter_read(struct exporter *e, const json_t *saved)
{
	size_t i;
	const json_t *o;
	json_array_foreach(saved, i, o)
	{
		const char *file = json_string_value(json_object_get(o, "file"));
		const char *project = json_string_value(json_object_get(o, "project"));
		const char *address = json_string_value(json_object_get(o, "address"));
		char *same = NULL;
		struct err err;
		/* What was valid when it was saved need not be for us. */
		if (file && project && address && count_claims(e) < LIMIT_SCRAPE_LISTEN &&
		    filekeys_metrics("/", address, &same, &err) && same) {
			add_claim(e, file, project, same);
		}
		free(same);
	}
}

bool exporter_restore(struct exporter *e, const char *held, int fd)
{
	struct claim *c, *next;
	unsigned id;
	if (sscanf(held, "http.%u", &id) != 1) {
		close(fd);
		return false;
	}
	e->next_id = id >= e->next_id ? id + 1 : e->next_id;
	list_for_each(c, next, &e->claims, node)
	{
		struct err err;
		if (listener_is_at(fd, c->address) && !find_endpoint(e, c->address) &&
		    httpd_start(&e->httpd, &err)) {
			struct endpoint *p = add_endpoint(e, c->address);
			p->id = id;
			listens(p, fd);
			return true;
		}
	}
	close(fd);
	return false;
}

void exporter_deposit(struct exporter *e)
{
	struct endpoint *p, *next;
	char name[KEEPER_NAME];
	list_for_each(p, next, &e->endpoints, node)
	{
		if (p->fd >= 0) {
			held_name(p, name);
			link_deposit(&e->daemon->link, name, p->fd);
		}
	}
}

void exporter_status(const struct exporter *e, struct jw *w)
{
	struct endpoint *p, *next;
	jw_arr(w);
	list_for_each(p, next, &e->endpoints, node)
	{
		jw_obj(w);
		jw_kstr(w, "address", p->address);
		jw_kstr(w, "error", p->error[0] ? p->error : NULL);
		jw_end(w);
	}
	jw_end(w);
}

void exporter_init(struct exporter *e, struct daemon *d)
{
	*e = (struct exporter){.daemon = d};
	list_init(&e->claims);
	list_init(&e->endpoints);
	ev_timer_init(&e->retry, on_retry, RETRY, RETRY);
	ev_init(&e->pause, on_pause_over);
	httpd_init(&e->httpd, d, on_room, e);
}

void exporter_finish(struct exporter *e, bool remove)
{
	struct endpoint *p, *after;
	struct claim *c, *next;
	if (!e->daemon) {
		return;
	}
	ev_timer_stop(e->daemon->loop, &e->retry);
	ev_timer_stop(e->daemon->loop, &e->pause);
	httpd_stop(&e->httpd);
	list_for_each(p, after, &e->endpoints, node)
	{
		free_endpoint(p, remove ? END_GOOD : END_OURS);
	}
	list_for_each(c, next, &e->claims, node)
	{
		free_claim(c);
	}
}
