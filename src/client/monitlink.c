/* SPDX-License-Identifier: MIT */
#include "client/monitlink.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "client/monitdata.h"
#include "client/skew.h"
#include "common/clock.h"
#include "common/mem.h"
#include "version.h"

#define SEND_MS	  50 /* for room in the socket: requests are small */
#define PERIOD_MS 1000
#define COARSE	  (SERIES_MAX / 5) /* points of a history of all, */
#define FINE	  (SERIES_MAX / 2) /* and of one app */
#define SILENCE	  3		   /* periods without a word: away */

void monitlink_init(struct monitlink *l, struct client *c, struct ui *ui)
{
	*l = (struct monitlink){.c = c, .ui = ui, .seq = -1, .dir_fd = -1};
}

static void stop_looking(struct monitlink *l)
{
	if (l->dir_fd >= 0) {
		close(l->dir_fd);
		l->dir_fd = -1;
	}
}

int monitlink_fd(const struct monitlink *l)
{
	return l->c->conn.open ? l->c->conn.fd : l->dir_fd;
}

/* --- requests and their answers --- */

bool monitlink_ask(struct monitlink *l, const char *method, json_t *params,
		   monitlink_answer *answer, void *ctx)
{
	struct err err;
	int i = 0;
	while (i < MONITLINK_PENDING && l->pending[i].id) {
		i++;
	}
	if (!l->c->conn.open || l->lost || i == MONITLINK_PENDING) {
		json_decref(params);
		return false;
	}
	int64_t id;
	if (!conn_send(&l->c->conn, method, params, SEND_MS, &id, &err)) {
		l->lost = true; /* perhaps in the middle of a line */
		l->next_mono = clock_mono_ms();
		return false;
	}
	l->pending[i].id = id;
	l->pending[i].answer = answer;
	l->pending[i].ctx = ctx;
	return true;
}

static void take_answer(struct monitlink *l, const struct rpc_reply *reply)
{
	for (int i = 0; i < MONITLINK_PENDING; i++) {
		if (l->pending[i].id && l->pending[i].id == reply->id) {
			l->pending[i].id = 0;
			l->pending[i].answer(l->pending[i].ctx, reply->result);
			return;
		}
	}
}

static void drop_pending(struct monitlink *l)
{
	for (int i = 0; i < MONITLINK_PENDING; i++) {
		if (l->pending[i].id) {
			l->pending[i].id = 0;
			l->pending[i].answer(l->pending[i].ctx, NULL);
		}
	}
}

/* --- what the daemon tells --- */

static void say_back(struct monitlink *l, int same, int were)
{
	struct ui *u = l->ui;
	char skew[200];
	if (!l->old_pid && u->status.text[0]) {
		ui_say(u, UI_OK, false, "connected to pmctld %s", u->model.daemon.version);
	} else if (l->old_pid == u->model.daemon.pid) {
		ui_say(u, UI_OK, false, "connection back");
	} else if (l->old_pid) {
		ui_say(u, same == were ? UI_OK : UI_WARN, false,
		       "pmctld restarted: %d of %d processes are the same", same, were);
	}
	if (skew_text(l->c->conn.version, PMCTL_VERSION, skew, sizeof(skew))) {
		ui_say(u, UI_WARN, true, "%s", skew);
	}
	l->old_pid = 0;
}

static void take_list(struct monitlink *l, const json_t *list)
{
	struct model *m = &l->ui->model;
	bool back = m->link != UI_LINK_UP;
	int were = 0, same = 0;
	for (int i = 0; back && i < m->napps; i++) {
		for (int k = 0; k < m->app[i]->nprocs; k++) {
			struct ui_proc *p = m->app[i]->proc[k];
			p->old_pid = p->pid;
			were += p->pid > 0;
		}
	}
	monitdata_list(l->ui, list, clock_real_ms());
	for (int i = 0; back && i < m->napps; i++) {
		for (int k = 0; k < m->app[i]->nprocs; k++) {
			const struct ui_proc *p = m->app[i]->proc[k];
			same += p->pid > 0 && p->pid == p->old_pid;
		}
	}
	if (back) {
		say_back(l, same, were);
	}
	l->tries = 0;
}

static void on_list(void *ctx, const json_t *result)
{
	if (result) {
		take_list(ctx, result);
	}
}

static void on_watch(void *ctx, const json_t *result)
{
	struct monitlink *l = ctx;
	if (result) {
		take_list(l, result);
	} else if (l->c->conn.open) {
		/* an older daemon */
		l->polls = true;
		monitlink_ask(l, "list", NULL, on_list, l);
		l->next_mono = clock_mono_ms() + PERIOD_MS;
	}
}

/* What happened since we last heard of it; what follows comes as notifications. */
static void on_events(void *ctx, const json_t *result)
{
	struct monitlink *l = ctx;
	size_t i;
	json_t *event;
	json_array_foreach(json_object_get(result, "events"), i, event)
	{
		monitdata_event(l->ui, event);
	}
	l->seq = member_int(result, "last_seq", l->seq);
}

static void on_cpu(void *ctx, const json_t *result)
{
	struct monitlink *l = ctx;
	if (result) {
		monitdata_history(l->ui, result, false, clock_real_ms());
	}
}

static void on_mem(void *ctx, const json_t *result)
{
	struct monitlink *l = ctx;
	if (result) {
		monitdata_history(l->ui, result, true, clock_real_ms());
	}
	l->filled = true; /* it was asked for last */
}

/* What runs is not what its list says any more, or is it again. */
static bool may_change_lists(const json_t *event)
{
	static const char *const types[] = {"apply", "applied", "config", "delete", "scale"};
	const char *type = member_text(event, "type", "");
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (strcmp(type, types[i]) == 0) {
			return true;
		}
	}
	return false;
}

static void take_notification(struct monitlink *l, const struct rpc_reply *n)
{
	if (strcmp(n->method, "sample") == 0) {
		take_list(l, n->params);
	} else if (strcmp(n->method, "event") == 0) {
		l->seq = member_int(n->params, "seq", l->seq);
		monitdata_event(l->ui, n->params);
		l->lists_turn += may_change_lists(n->params);
	}
}

/* --- away and back --- */

static void look_at_folder(struct monitlink *l)
{
	if (l->dir_fd < 0 && l->c->paths.runtime) {
		l->dir_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
		if (l->dir_fd >= 0) {
			inotify_add_watch(l->dir_fd, l->c->paths.runtime,
					  IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_ONLYDIR);
		}
	}
}

static void went_away(struct monitlink *l)
{
	static const int pauses[] = {250, 500, 1000, 2000, 5000};
	int pause = pauses[l->tries < 4 ? l->tries : 4];
	struct model *m = &l->ui->model;
	conn_close(&l->c->conn);
	drop_pending(l);
	l->lost = false;
	if (m->link == UI_LINK_UP) {
		m->link = UI_LINK_AWAY;
		l->old_pid = m->daemon.pid;
	}
	look_at_folder(l);
	l->tries++;
	l->next_mono = clock_mono_ms() + pause;
	m->retry_ms = clock_real_ms() + pause;
}

/* Of all apps at first, coarse: it is much. What is looked at closely is asked for by itself. */
static void ask_history(struct monitlink *l, const char *selector, int points)
{
	static const int64_t steps[] = {MODEL_CPU_STEP_MS, MODEL_MEM_STEP_MS};
	static monitlink_answer *const answers[] = {on_cpu, on_mem};
	for (int i = 0; i < 2; i++) {
		json_t *params = json_object();
		client_set(params, "span_s", json_integer(steps[i] * SERIES_MAX / 1000));
		client_set(params, "points", json_integer(points));
		if (selector) {
			client_set(params, "sel", json_pack("[s]", selector));
		}
		monitlink_ask(l, "history", params, answers[i], l);
	}
}

bool monitlink_open(struct monitlink *l)
{
	struct err err;
	monitlink_close(l);
	if (!client_paths(l->c, &err) || !conn_open_now(&l->c->conn, &l->c->paths, &err)) {
		went_away(l);
		return false;
	}
	stop_looking(l);
	l->polls = l->filled = false;
	l->lists_turn++;
	json_t *watch = json_object(), *events = json_object();
	client_set(watch, "interval_ms", json_integer(PERIOD_MS));
	client_set(events, l->seq >= 0 ? "after_seq" : "n",
		   json_integer(l->seq >= 0 ? l->seq : FEED_EVENTS));
	client_set(events, "follow", json_true());
	monitlink_ask(l, "watch", watch, on_watch, l);
	monitlink_ask(l, "events", events, on_events, l);
	ask_history(l, NULL, COARSE);
	l->heard_mono = clock_mono_ms();
	l->next_mono = l->lost ? l->heard_mono : l->heard_mono + SILENCE * PERIOD_MS;
	return true;
}

void monitlink_close(struct monitlink *l)
{
	conn_close(&l->c->conn);
	drop_pending(l);
	l->lost = false;
	l->next_mono = 0;
}

void monitlink_finish(struct monitlink *l)
{
	monitlink_close(l);
	stop_looking(l);
}

void monitlink_wait(struct monitlink *l, int ms)
{
	int64_t end = clock_mono_ms() + ms;
	for (int64_t left = ms; left > 0 && l->c->conn.open && !l->filled;
	     left = end - clock_mono_ms()) {
		struct pollfd p = {l->c->conn.fd, POLLIN, 0};
		if (poll(&p, 1, (int)left) > 0) {
			monitlink_read(l);
		}
	}
}

/* Something happened where the socket belongs. */
static bool read_folder(struct monitlink *l)
{
	char events[4096];
	while (read(l->dir_fd, events, sizeof(events)) > 0) {
	}
	l->next_mono = clock_mono_ms();
	return false;
}

bool monitlink_read(struct monitlink *l)
{
	struct rpc_reply n;
	struct err err;
	bool changed = false;
	if (!l->c->conn.open) {
		return l->dir_fd >= 0 && read_folder(l);
	}
	for (;;) {
		int got = conn_next(&l->c->conn, 0, &n, &err);
		if (got > 0 && n.kind == RPC_NOTIFICATION) {
			take_notification(l, &n);
		} else if (got > 0) {
			take_answer(l, &n);
		}
		l->heard_mono = got > 0 ? clock_mono_ms() : l->heard_mono;
		rpc_reply_finish(&n);
		if (got < 0) {
			went_away(l);
			return true;
		}
		if (got == 0) {
			return changed;
		}
		changed = true;
	}
}

bool monitlink_tick(struct monitlink *l, int64_t now_mono)
{
	if (l->next_mono == 0 || now_mono < l->next_mono) {
		return false;
	}
	if (!l->c->conn.open) {
		monitlink_open(l);
		return true;
	}
	if (l->lost || now_mono - l->heard_mono >= SILENCE * PERIOD_MS) {
		went_away(l);
		return true;
	}
	if (l->polls) {
		monitlink_ask(l, "list", NULL, on_list, l);
	}
	l->next_mono = l->polls ? now_mono + PERIOD_MS : l->heard_mono + SILENCE * PERIOD_MS;
	return false;
}

void monitlink_retry(struct monitlink *l)
{
	if (!l->c->conn.open) {
		l->tries = 0;
		l->next_mono = clock_mono_ms();
	}
}

static void on_show(void *ctx, const json_t *result)
{
	struct monitlink *l = ctx;
	if (result) {
		monitdata_show(l->ui, result);
	}
}

void monitlink_detail(struct monitlink *l, const char *selector)
{
	if (selector[0]) {
		json_t *params = json_object(), *sel = json_array();
		json_array_append_new(sel, json_string(selector));
		client_set(params, "sel", sel);
		monitlink_ask(l, "show", params, on_show, l);
		ask_history(l, selector, FINE);
	}
}
