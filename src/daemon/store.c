/* SPDX-License-Identifier: MIT */
#include "daemon/store.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "daemon/daemon.h"
#include "daemon/runner.h"
#include "proto/defjson.h"
#include "sys/statefile.h"

#define STATE_NAME "state"
#define TABLE_NAME "instances"
#define RETRY	   2.0
#define FORMAT	   1

/* --- writing what is wanted --- */

static json_t *app_json(const struct app *app)
{
	struct err err;
	json_t *o = json_object();
	json_t *def = defjson_write(app->def, &err);
	if (!def) {
		log_line("state: %s: %s", app->conf.name, err.msg);
		json_decref(o);
		return NULL;
	}
	json_t *wanted = json_array();
	for (int i = 0; i < app->count; i++) {
		json_array_append_new(wanted, json_boolean(app->slots[i]->wanted));
	}
	json_object_set_new(o, "def", def);
	json_object_set_new(o, "wanted", wanted);
	json_object_set_new(o, "scaled", app->scaled ? json_integer(app->count) : json_null());
	json_object_set_new(o, "applied_ms", json_integer(app->applied_real_ms));
	json_object_set_new(o, "applied_uid", json_integer(app->applied_by.uid));
	json_object_set_new(o, "applied_pid", json_integer(app->applied_by.pid));
	return o;
}

static char *state_text(struct daemon *d)
{
	json_t *apps = json_array();
	struct app *app, *next;
	list_for_each(app, next, &d->apps, node)
	{
		json_t *o = app->deleting ? NULL : app_json(app);
		if (o) {
			json_array_append_new(apps, o);
		}
	}
	json_t *root = json_object();
	json_object_set_new(root, "format", json_integer(FORMAT));
	json_object_set_new(root, "apps", apps);
	char *text = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	return text;
}

/* fsync takes milliseconds and may hang on a bad disk: not in the event loop. */
static void *sync_main(void *arg)
{
	struct store *s = arg;
	pthread_mutex_lock(&s->lock);
	while (!s->end_thread || s->sync_fd >= 0) {
		if (s->sync_fd < 0) {
			pthread_cond_wait(&s->wake, &s->lock);
			continue;
		}
		int fd = s->sync_fd;
		s->sync_fd = -1;
		pthread_mutex_unlock(&s->lock);
		struct err err;
		if (!statefile_sync(s->daemon->state_fd, fd, &err)) {
			log_line("state: %s", err.msg);
		}
		pthread_mutex_lock(&s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

static void hand_to_thread(struct store *s, int fd)
{
	pthread_mutex_lock(&s->lock);
	if (s->sync_fd >= 0) {
		close(s->sync_fd);
	}
	s->sync_fd = fd;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
	if (!s->has_thread) {
		s->has_thread = pthread_create(&s->sync_thread, NULL, sync_main, s) == 0;
	}
}

void store_save(struct store *s)
{
	struct err err;
	int fd = -1;
	char *text = state_text(s->daemon);
	bool ok = text &&
		  statefile_save(s->daemon->state_fd, STATE_NAME, text, strlen(text), &fd, &err);
	free(text);
	s->dirty = !ok;
	if (ok) {
		s->warning[0] = '\0';
		hand_to_thread(s, fd);
		return;
	}
	snprintf(s->warning, sizeof(s->warning), "state not saved: %.250s", err.msg);
	log_line("%s", s->warning);
	ev_timer_again(s->daemon->loop, &s->retry);
}

static void on_retry(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)revents;
	struct store *s = container_of(w, struct store, retry);
	ev_timer_stop(loop, w);
	if (s->dirty) {
		store_save(s);
	}
}

/* --- the run table --- */

static struct runtab_rec *find_rec(struct store *s, const char *app, int slot)
{
	for (size_t i = 0; i < runtab_capacity(s->runtab); i++) {
		struct runtab_rec *r = runtab_get(s->runtab, i);
		if (r && r->slot == slot && !(r->flags & RUNTAB_OTHER) &&
		    strcmp(r->app, app) == 0) {
			return r;
		}
	}
	return NULL;
}

uint64_t store_id_for(struct store *s, const char *app, int slot)
{
	const struct runtab_rec *r = s->resuming ? find_rec(s, app, slot) : NULL;
	return r ? r->id : runtab_next_id(s->runtab);
}

static void fill_rec(struct runtab_rec *r, const struct inst *in)
{
	const struct history *h = &in->history;
	r->state = (uint8_t)in->state;
	r->wanted = in->wanted;
	r->flags = (in->app->deleting || in->leaving ? RUNTAB_GOING : 0) |
		   (in->role != ROLE_SLOT ? RUNTAB_OTHER : 0);
	r->id = in->id;
	snprintf(r->app, sizeof(r->app), "%s", in->app->conf.name);
	r->slot = in->slot;
	r->starttime = in->starttime;
	r->restarts = in->restarts;
	r->in_a_row = h->in_a_row;
	r->started_real_ms = in->started_real_ms;
	r->started_mono_ms = in->started_mono_ms;
	r->exit_code = in->last_exit.code;
	r->exit_signal = in->last_exit.signal;
	r->exit_known = in->last_exit.known;
	r->exit_core = in->last_exit.core;
	r->exit_oom = in->last_exit.oom;
	r->exit_real_ms = in->has_exited ? in->last_exit_real_ms : 0;
	r->window_count = r->window_next = 0;
	size_t n = h->count < RUNTAB_RESTARTS ? h->count : RUNTAB_RESTARTS;
	for (size_t i = n; i > 0; i--) {
		runtab_note_restart(r, h->when[(h->next + h->cap - i) % h->cap]);
	}
	r->extra[0] = in->run;
	/* The pipes' inodes: without a keeper they are found again behind the app's descriptors. */
	r->extra[1] = (uint64_t)in->app->listened | output_inode(in->out) << 32;
	r->extra[2] = in->cgroup_run;
	r->extra[3] = (uint64_t)in->cgroup_spent | output_inode(in->err) << 32;
	r->pid = in->pid;
}

void store_inst(struct store *s, struct inst *in)
{
	struct err err;
	if (!in->rec && in->role == ROLE_SLOT) {
		in->rec = find_rec(s, in->app->conf.name, in->slot);
	}
	if (!in->rec) {
		in->rec = runtab_alloc(s->runtab, &err);
		if (!in->rec) {
			log_line("run table: %s", err.msg);
			return;
		}
	}
	fill_rec(in->rec, in);
	runtab_commit(in->rec);
}

void store_inst_gone(struct store *s, struct inst *in)
{
	(void)s;
	if (in->rec) {
		runtab_free(in->rec);
		in->rec = NULL;
	}
}

void store_forget_all(struct store *s)
{
	for (size_t i = 0; i < runtab_capacity(s->runtab); i++) {
		struct runtab_rec *r = runtab_get(s->runtab, i);
		if (r) {
			runtab_free(r);
		}
	}
}

/* --- reading what was wanted --- */

static void load_app(struct daemon *d, const json_t *o)
{
	struct err err = {0};
	struct app_def *def = defjson_read(json_object_get(o, "def"), &err);
	struct asker by = {
		.uid = (uid_t)json_integer_value(json_object_get(o, "applied_uid")),
		.pid = (pid_t)json_integer_value(json_object_get(o, "applied_pid")),
	};
	if (!def || apps_find(d, def->name)) {
		log_line("state: an app was skipped: %s",
			 def ? "its name is there twice" : err.msg);
		def_free(def);
		return;
	}
	struct app *app = apps_add(d, def, &by, &err);
	if (!app) {
		events_add(&d->events, NULL, -1, "failed", NULL, "not taken over: %s", err.msg);
		return;
	}
	app->applied_real_ms = json_integer_value(json_object_get(o, "applied_ms"));
	const json_t *scaled = json_object_get(o, "scaled");
	if (json_is_integer(scaled)) {
		int64_t n = json_integer_value(scaled);
		app->scaled = true;
		apps_resize(app, n >= 1 && n <= LIMIT_INSTANCES_APP ? (int)n : 1);
	}
	const json_t *wanted = json_object_get(o, "wanted");
	for (int i = 0; i < app->count; i++) {
		/* More CPUs than before with instances = max: new slots do as the first one. */
		const json_t *w = json_array_get(wanted, (size_t)i);
		app->slots[i]->wanted = json_is_true(w ? w : json_array_get(wanted, 0));
	}
}

static bool load_state(struct store *s, struct err *err)
{
	struct daemon *d = s->daemon;
	struct buf text = {0};
	struct err warning = {0};
	enum statefile_source src;
	if (!statefile_load(d->state_fd, STATE_NAME, &text, &src, &warning)) {
		*err = warning;
		buf_finish(&text);
		return false;
	}
	if (warning.code != ERR_NONE) {
		snprintf(s->warning, sizeof(s->warning), "state: %.280s", warning.msg);
		log_line("%s", s->warning);
		events_add(&d->events, NULL, -1, "state", NULL, "%s", warning.msg);
	}
	json_t *root =
		text.len ? json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL) : NULL;
	size_t i;
	json_t *o;
	json_array_foreach(json_object_get(root, "apps"), i, o)
	{
		load_app(d, o);
	}
	json_decref(root);
	buf_finish(&text);
	return true;
}

bool store_init(struct store *s, struct daemon *d, struct err *err)
{
	char boot[PROC_BOOT_ID];
	enum runtab_fresh fresh;
	*s = (struct store){.daemon = d, .sync_fd = -1, .resuming = true};
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->wake, NULL);
	ev_timer_init(&s->retry, on_retry, RETRY, RETRY);
	if (!proc_boot_id(boot)) {
		memset(boot, '0', sizeof(boot) - 1);
		boot[sizeof(boot) - 1] = '\0';
	}
	s->runtab = runtab_open(d->state_fd, TABLE_NAME, boot, &fresh, err);
	if (!s->runtab) {
		return false;
	}
	if (fresh == RUNTAB_DAMAGED) {
		log_line("the run table was damaged; it was kept as %s.old", TABLE_NAME);
	}
	return load_state(s, err);
}

void store_finish(struct store *s)
{
	if (!s->daemon) {
		return;
	}
	ev_timer_stop(s->daemon->loop, &s->retry);
	if (s->has_thread) {
		pthread_mutex_lock(&s->lock);
		s->end_thread = true;
		pthread_cond_signal(&s->wake);
		pthread_mutex_unlock(&s->lock);
		pthread_join(s->sync_thread, NULL);
	}
	if (s->runtab) {
		runtab_close(s->runtab);
	}
}
