/* SPDX-License-Identifier: MIT */
#include "daemon/orphans.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "daemon/daemon.h"
#include "daemon/launch.h"
#include "daemon/notify.h"
#include "daemon/runner.h"
#include "daemon/workers.h"
#include "sys/procfd.h"

/* Whether its descriptors are there to be taken. */
static bool is_open(const struct inst *in)
{
	return in->pid && !in->lost && in->pidfd >= 0;
}

/* --- listening sockets --- */

static int take_from(const struct inst *in, const struct lsock *l)
{
	return is_open(in) ? procfd_take(in->pid, in->pidfd, l->inode) : -1;
}

/* Whether it may well have the socket, but the kernel does not give it to us. */
static bool is_hidden_in(const struct inst *in, const struct lsock *l)
{
	if (!is_open(in) || l->fd >= 0 || (l->slot >= 0 && l->slot != in->slot)) {
		return false;
	}
	int fd = take_from(in, l);
	if (fd >= 0) {
		close(fd);
		return false;
	}
	return errno != ENOENT && errno != ESRCH;
}

/* In whichever process of the app has it. */
static int find_in_app(const struct app *app, const struct lsock *l)
{
	int fd = -1;
	struct inst *in, *next;
	for (int i = 0; i < app->nslots && fd < 0; i++) {
		fd = take_from(app->slots[i], l);
	}
	list_for_each(in, next, &app->others, other_node)
	{
		fd = fd >= 0 ? fd : take_from(in, l);
	}
	return fd;
}

/* From what was saved: "KIND|HOST|PORT|FLAGS|INDEX", the port from the name, as it may have been
 * the kernel's choice. host takes it, and is borrowed by the request. */
static void make_request(const struct app *app, const struct lsock *l, char *host, size_t cap,
			 struct sock_req *req)
{
	const char *from = strchr(l->spec, '|');
	const char *port = strrchr(l->name, ':');
	snprintf(host, cap, "%s", from ? from + 1 : "");
	for (int i = 0; i < 3 && strrchr(host, '|'); i++) {
		*strrchr(host, '|') = '\0';
	}
	bool is_unix = l->kind == SOCK_KIND_UNIX;
	*req = (struct sock_req){.kind = l->kind,
				 .host = is_unix || strcmp(host, "*") == 0 ? NULL : host,
				 .path = is_unix ? host : NULL,
				 .port = is_unix || !port ? 0 : (uint16_t)atoi(port + 1),
				 .flags = l->flags,
				 .backlog = l->backlog,
				 .as_user = app->user.uid != geteuid(),
				 .uid = app->user.uid,
				 .gid = app->user.gid};
}

/* Who shall serve there; a stopped app's port is anybody's. */
static bool is_wanted(const struct app *app)
{
	for (int i = 0; i < app->count; i++) {
		if (app->slots[i]->wanted || app->slots[i]->pid) {
			return true;
		}
	}
	return false;
}

static void open_again(struct daemon *d, struct lsock *l)
{
	struct app *app = apps_find(d, l->app);
	char host[200];
	struct sock_req req;
	struct err err;
	if (l->fd >= 0 || !app || !is_wanted(app)) {
		return;
	}
	/* Else it would get connections beside the one that the process serves. */
	if (l->slot >= 0 && l->slot < app->nslots && is_hidden_in(app->slots[l->slot], l)) {
		return;
	}
	make_request(app, l, host, sizeof(host), &req);
	if (!sockets_open_again(&d->sockets, l, &req, &err)) {
		log_line("%s: %s", l->app, err.msg);
	}
}

/* What is left is in processes that we may not look into: see orphans.h. */
static void note_stranded(struct daemon *d, const struct lsock *l)
{
	struct app *app = l->fd < 0 ? apps_find(d, l->app) : NULL;
	bool any = false;
	for (int i = 0; app && i < app->nslots; i++) {
		struct inst *in = app->slots[i];
		in->stranded |= is_hidden_in(in, l);
		any |= in->stranded;
	}
	if (any) {
		sockets_hold(&d->sockets, l->app);
	}
}

void orphans_take_sockets(struct daemon *d)
{
	struct lsock *l, *next;
	list_for_each(l, next, &d->sockets.all, node)
	{
		struct app *app = l->fd < 0 ? apps_find(d, l->app) : NULL;
		int fd = app && l->inode ? find_in_app(app, l) : -1;
		if (fd >= 0) {
			sockets_take_back(&d->sockets, l, fd);
		}
	}
	sockets_unplace(&d->sockets);
	list_for_each(l, next, &d->sockets.all, node)
	{
		open_again(d, l);
	}
	list_for_each(l, next, &d->sockets.all, node)
	{
		note_stranded(d, l);
	}
}

/* Of the app, and not dead yet. */
static bool any_stranded(const struct app *app)
{
	for (int i = 0; i < app->nslots; i++) {
		const struct inst *in = app->slots[i];
		if (in->stranded && in->pid && !in->exited) {
			return true;
		}
	}
	return false;
}

void orphans_restart_all(struct inst *in)
{
	struct app *app = in->app;
	for (int i = 0; in->stranded && i < app->nslots; i++) {
		struct inst *other = app->slots[i];
		if (other != in && other->stranded && other->wanted && !other->again &&
		    states_is_live(other->state)) {
			other->again = true;
			runner_event(other, EV_RESTART);
		}
	}
}

bool orphans_must_wait(const struct inst *in)
{
	return in->stranded && in->wanted && in->state == ST_STOPPING && any_stranded(in->app);
}

void orphans_gone(struct inst *in)
{
	if (in->stranded) {
		in->stranded = false;
		if (!any_stranded(in->app)) {
			sockets_release(&in->app->daemon->sockets, in->app->conf.name);
		}
	}
}

/* --- channels --- */

/* What is amiss is told, and what helps. */
static void tell_lost(struct inst *in, const char *what, int error)
{
	char why[160];
	snprintf(why, sizeof(why), "its %s lost with the daemon: pmctl reload %s", what,
		 in->app->conf.name);
	events_add(&in->app->daemon->events, in->app->conf.name, in->slot, "adopted", NULL,
		   "%s (%s)", why, strerror(error));
	runner_note(in, why);
}

static void take_channel(struct inst *in)
{
	uint32_t inode = (uint32_t)(in->rec->extra[0] >> 32);
	bool has_one = conf_is_node(&in->app->conf);
	if (in->worker || (!has_one && !in->stranded)) {
		return;
	}
	errno = has_one && !inode ? ENOENT : EPERM;
	int fd = has_one && inode ? procfd_take(in->pid, in->pidfd, inode) : -1;
	if (fd < 0) {
		tell_lost(in,
			  !has_one	 ? "sockets were"
			  : in->stranded ? "channel and sockets were"
					 : "channel was",
			  errno);
		return;
	}
	workers_adopt(in, fd);
	workers_deposit(in);
	if (in->stranded) {
		tell_lost(in, "sockets were", EPERM);
	}
}

/* --- log pipes --- */

/* The app's own end leads to the pipe, if it still is there. */
static void reopen_output(struct inst *in, bool is_err, uint32_t inode)
{
	char path[40], name[KEEPER_NAME];
	struct stat st;
	if (!inode || (is_err ? in->err : in->out)) {
		return;
	}
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)in->pid, is_err ? 2 : 1);
	if (stat(path, &st) != 0 || !S_ISFIFO(st.st_mode) || (uint32_t)st.st_ino != inode) {
		return;
	}
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 && (fstat(fd, &st) != 0 || (uint32_t)st.st_ino != inode)) {
		close(fd);
		fd = -1;
	}
	if (fd >= 0) {
		snprintf(name, sizeof(name), "pipe.%llu-%u-%c", (unsigned long long)in->id, in->run,
			 is_err ? 'e' : 'o');
		link_deposit(&in->app->daemon->link, name, fd);
		launch_adopt_output(in, is_err, fd);
	}
}

/* --- sd_notify --- */

static void reopen_notify(struct inst *in)
{
	struct err err;
	if (in->notify || !launch_needs_notify(&in->app->conf)) {
		return;
	}
	in->notify = notify_new(in, in->app->user.uid, &err);
	if (!in->notify) {
		log_line("%s:%d: %s", in->app->conf.name, in->slot, err.msg);
	}
}

void orphans_take_one(struct inst *in)
{
	if (!is_open(in) || !in->rec) {
		return;
	}
	reopen_output(in, false, (uint32_t)(in->rec->extra[1] >> 32));
	reopen_output(in, true, (uint32_t)(in->rec->extra[3] >> 32));
	take_channel(in);
	reopen_notify(in);
}

void orphans_replace_deaf(struct app *app)
{
	bool any = false;
	for (int i = 0; i < app->count; i++) {
		const struct inst *in = app->slots[i];
		any |= in->state == ST_ONLINE && !in->worker && !in->lost;
	}
	if (any && app->cluster && app->listened && app->conf.balance == BALANCE_ROUND_ROBIN) {
		ops_reload_app(&app->daemon->ops, app);
	}
}

void orphans_take_rest(struct daemon *d)
{
	struct app *app, *next;
	struct inst *in, *after;
	list_for_each(app, next, &d->apps, node)
	{
		for (int i = 0; i < app->nslots; i++) {
			orphans_take_one(app->slots[i]);
		}
		list_for_each(in, after, &app->others, other_node)
		{
			orphans_take_one(in);
		}
	}
}
