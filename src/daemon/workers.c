/* SPDX-License-Identifier: MIT */
#include "daemon/workers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/mem.h"
#include "daemon/channel.h"
#include "daemon/cluster.h"
#include "daemon/daemon.h"
#include "daemon/inquiry.h"
#include "daemon/listen.h"
#include "daemon/readiness.h"
#include "daemon/runner.h"
#include "sys/procfd.h"
#include "sys/statefile.h"

#define STATE_NAME "sockets"
#define MAX_LISTED 16

/* --- what the workers say --- */

static void on_listening(void *ctx, struct worker *w, const char *name)
{
	struct inst *in = ctx;
	(void)w;
	events_add(&in->app->daemon->events, in->app->conf.name, in->slot, "listen", NULL,
		   "listens on %s", name);
	readiness_sign(in, SIGN_LISTENING);
}

/* process.send('ready'), and PM2's custom of sending it as an object is not one of node's. */
static void on_message(void *ctx, struct worker *w, const char *raw, size_t len)
{
	(void)w;
	if (len == 7 && memcmp(raw, "\"ready\"", 7) == 0) {
		readiness_sign(ctx, SIGN_MESSAGE);
		return;
	}
	struct inst *in = ctx;
	struct buf text = {0};
	int64_t now = clock_mono_ms();
	if (now - in->messages_mono_ms >= 1000) {
		in->messages_mono_ms = now;
		in->messages = 0;
	}
	if (++in->messages > LIMIT_MESSAGES_S) {
		return; /* a program may talk all day; the journal is for people */
	}
	buf_add_escaped(&text, raw, len < 200 ? len : 200, 0);
	events_add(&in->app->daemon->events, in->app->conf.name, in->slot, "message", NULL, "%s%s",
		   text.data ? text.data : "", len > 200 ? "..." : "");
	buf_finish(&text);
}

static void on_listen_failed(void *ctx, struct worker *w, const char *text)
{
	struct inst *in = ctx;
	(void)w;
	events_add(&in->app->daemon->events, in->app->conf.name, in->slot, "failed", NULL, "%s",
		   text);
	snprintf(in->listen_error, sizeof(in->listen_error), "%.199s", text);
}

static void on_offered(void *ctx, struct worker *w, int64_t seq, bool accepted)
{
	(void)w;
	inquiry_offered(ctx, seq, accepted);
}

static void on_intended_exit(void *ctx, struct worker *w)
{
	(void)ctx;
	(void)w;
}

static void on_eof(void *ctx, struct worker *w)
{
	(void)w;
	runner_drained(ctx);
}

static void on_problem(void *ctx, struct worker *w, const char *text)
{
	struct inst *in = ctx;
	(void)w;
	log_line("%s:%d: channel: %s", in->app->conf.name, in->slot, text);
}

static void on_online(void *ctx, struct worker *w)
{
	(void)ctx;
	(void)w;
}

static const struct worker_events worker_events = {
	.online = on_online,
	.listening = on_listening,
	.message = on_message,
	.listen_failed = on_listen_failed,
	.offered = on_offered,
	.intended_exit = on_intended_exit,
	.eof = on_eof,
	.problem = on_problem,
};

/* --- what must survive the supervisor: sockets, keys, members --- */

static void save(struct daemon *d)
{
	struct buf text = {0};
	struct jw w;
	struct err err;
	struct app *app, *next;
	jw_init(&w, &text);
	jw_obj(&w);
	jw_key(&w, "sockets");
	sockets_save(&d->sockets, &w);
	jw_key(&w, "clusters");
	jw_obj(&w);
	list_for_each(app, next, &d->apps, node)
	{
		if (app->cluster) {
			jw_key(&w, app->conf.name);
			cluster_save(app->cluster, &w);
		}
	}
	jw_end(&w);
	jw_end(&w);
	int fd = -1;
	if (statefile_save(d->state_fd, STATE_NAME, text.data, text.len, &fd, &err)) {
		close(fd); /* it is of this boot only: the disk need not know */
	} else {
		log_line("sockets: %s", err.msg);
	}
	buf_finish(&text);
}

void workers_sockets_changed(struct daemon *d)
{
	if (!d->store.resuming) { /* else what is saved is not yet all taken over */
		save(d);
	}
}

static void on_changed(void *ctx, struct cluster *c)
{
	struct app *app = ctx;
	(void)c;
	save(app->daemon);
}

void workers_load(struct daemon *d)
{
	struct buf text = {0};
	struct err warning = {0};
	enum statefile_source src;
	if (statefile_load(d->state_fd, STATE_NAME, &text, &src, &warning) && text.len) {
		json_error_t error;
		d->saved_sockets = json_loadb(text.data, text.len, 0, &error);
		if (!d->saved_sockets) {
			log_line("sockets: what was saved cannot be read: %s", error.text);
		}
	}
	if (warning.code != ERR_NONE) {
		log_line("sockets: %s", warning.msg);
	}
	buf_finish(&text);
	sockets_load(&d->sockets, json_object_get(d->saved_sockets, "sockets"));
}

bool workers_restore_socket(struct daemon *d, const char *name, int fd)
{
	return sockets_restore(&d->sockets, name, fd);
}

/* What a process has, and what one that is to be started will want. */
static void restore_listen(struct app *app)
{
	struct inst *in, *next;
	struct err err;
	for (int i = 0; i < app->nslots; i++) {
		in = app->slots[i];
		if ((in->pid || in->wanted) && !listen_open(in, &err)) {
			log_line("%s: %s", app->conf.name, err.msg);
		}
		if (in->pid) {
			listen_begin_use(in);
		}
	}
	list_for_each(in, next, &app->others, other_node)
	{
		if (in->pid && !listen_open(in, &err)) {
			log_line("%s: %s", app->conf.name, err.msg);
		}
	}
}

void workers_restore_clusters(struct daemon *d)
{
	const json_t *saved = json_object_get(d->saved_sockets, "clusters");
	struct app *app, *next;
	list_for_each(app, next, &d->apps, node)
	{
		if (app->cluster) {
			cluster_restore(app->cluster, json_object_get(saved, app->conf.name));
		}
		restore_listen(app);
	}
}

/* What processes that are left alone listen on stays open, and what was saved of it at hand. */
static bool hold_left(struct daemon *d)
{
	bool any = false;
	for (size_t i = 0; i < runtab_capacity(d->store.runtab); i++) {
		const struct runtab_rec *r = runtab_get(d->store.runtab, i);
		if (r && (r->flags & RUNTAB_LEFT)) {
			sockets_hold(&d->sockets, r->app);
			any = true;
		}
	}
	return any;
}

void workers_restored(struct daemon *d)
{
	bool later = hold_left(d);
	sockets_drop_unused(&d->sockets);
	if (!later) {
		json_decref(d->saved_sockets);
		d->saved_sockets = NULL;
	}
	save(d);
}

void workers_restore_left(struct inst *in)
{
	struct app *app = in->app;
	struct err err;
	json_t *clusters = json_object_get(app->daemon->saved_sockets, "clusters");
	const json_t *saved = json_object_get(clusters, app->conf.name);
	if (app->cluster && saved) {
		cluster_restore(app->cluster, saved);
		json_object_del(clusters, app->conf.name); /* for all its instances at once */
	}
	if (listen_open(in, &err)) {
		listen_begin_use(in);
	} else {
		log_line("%s: %s", app->conf.name, err.msg);
	}
}

/* --- sockets and channels --- */

static struct lsock *on_inherited(void *ctx, size_t i, int slot, struct err *err, int *error)
{
	return listen_get(ctx, i, slot, err, error);
}

static struct cluster_conf cluster_conf_of(struct app *app)
{
	return (struct cluster_conf){.app = app->conf.name,
				     .loop = app->daemon->loop,
				     .sockets = &app->daemon->sockets,
				     .balance = app->conf.balance,
				     .ninherited = app->conf.nlisten,
				     .inherited = on_inherited,
				     .as_user = app->user.uid != geteuid(),
				     .uid = app->user.uid,
				     .gid = app->user.gid,
				     .changed = on_changed,
				     .ctx = app};
}

struct cluster *workers_new_cluster(struct app *app)
{
	struct cluster_conf conf = cluster_conf_of(app);
	return cluster_new(&conf);
}

void workers_redefined(struct app *app)
{
	struct cluster_conf conf = cluster_conf_of(app);
	cluster_reconfigure(app->cluster, &conf);
}

static void channel_name(const struct inst *in, char out[KEEPER_NAME])
{
	snprintf(out, KEEPER_NAME, "chan.%llu-%u", (unsigned long long)in->id, in->run);
}

static struct worker_conf worker_conf_of(struct inst *in)
{
	return (struct worker_conf){.loop = in->app->daemon->loop,
				    .cluster = in->app->cluster,
				    .id = (in->id + 1) << 32 | in->run, /* a slot may have two */
				    .slot = in->slot,
				    .events = &worker_events,
				    .ctx = in};
}

void workers_deposit(struct inst *in)
{
	char name[KEEPER_NAME];
	int fd = workers_channel_fd(in);
	if (fd >= 0) {
		channel_name(in, name);
		link_deposit(&in->app->daemon->link, name, fd);
	}
}

bool workers_attach(struct inst *in, int *child_fd, struct err *err)
{
	int fds[2];
	*child_fd = -1;
	in->listen_error[0] = '\0';
	if (!conf_is_node(&in->app->conf)) {
		return true;
	}
	if (!channel_pair(fds)) {
		return err_set(err, ERR_LIMIT, "node channel: %s", strerror(errno));
	}
	struct worker_conf conf = worker_conf_of(in);
	in->worker = worker_new(&conf, fds[0]);
	workers_deposit(in);
	*child_fd = fds[1];
	return true;
}

int workers_channel_fd(const struct inst *in)
{
	return in->worker ? worker_fd(in->worker) : -1;
}

uint32_t workers_channel_inode(const struct inst *in)
{
	int fd = workers_channel_fd(in);
	return fd >= 0 ? procfd_inode(fd) : 0;
}

void workers_adopt(struct inst *in, int fd)
{
	if (in->worker) {
		close(fd);
		return;
	}
	struct worker_conf conf = worker_conf_of(in);
	in->worker = worker_adopt(&conf, fd);
}

void workers_drain(struct inst *in)
{
	if (in->worker) {
		worker_drain(in->worker);
	}
}

void workers_release(struct inst *in)
{
	char name[KEEPER_NAME];
	if (!in->worker) {
		return;
	}
	channel_name(in, name);
	link_drop(&in->app->daemon->link, name);
	worker_free(in->worker);
	in->worker = NULL;
}

void workers_idle(struct app *app)
{
	if (app->cluster) {
		cluster_trim(app->cluster);
	}
	sockets_release(&app->daemon->sockets, app->conf.name);
}

void workers_release_slot(struct inst *in)
{
	if (in->app->cluster) {
		cluster_release_slot(in->app->cluster, in->slot);
	}
}

/* One of `listen =`, which node listens on as listen({fd: 3}). */
static bool has_inherited(const struct inst *in, const char *name)
{
	for (size_t i = 0; i < in->nlisten; i++) {
		if (strcmp(in->listen[i]->name, name) == 0) {
			return true;
		}
	}
	return false;
}

void workers_list_sockets(const struct inst *in, struct jw *w)
{
	const char *names[MAX_LISTED];
	for (size_t i = 0; in->pid && i < in->nlisten; i++) {
		jw_str(w, in->listen[i]->name);
	}
	size_t n = in->worker ? worker_listening(in->worker, names, MAX_LISTED) : 0;
	for (size_t i = 0; i < n && i < MAX_LISTED; i++) {
		if (!has_inherited(in, names[i])) {
			jw_str(w, names[i]);
		}
	}
}

size_t workers_ports(const struct inst *in, uint16_t *port, size_t max)
{
	const char *names[MAX_LISTED];
	size_t found = 0;
	size_t n = in->worker ? worker_listening(in->worker, names, MAX_LISTED) : 0;
	for (size_t i = 0; i < n && i < MAX_LISTED && found < max; i++) {
		const char *colon = strrchr(names[i], ':');
		if (strncmp(names[i], "tcp:", 4) == 0 && colon) {
			port[found++] = (uint16_t)atoi(colon + 1);
		}
	}
	return found;
}
