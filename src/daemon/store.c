/* SPDX-License-Identifier: MIT */
#include "daemon/store.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "daemon/daemon.h"
#include "daemon/refind.h"
#include "daemon/runner.h"
#include "daemon/workers.h"
#include "proto/defjson.h"
#include "sys/statefile.h"
#include "version.h"

#define RETRY		2.0
#define CRASHES_SUSPECT 3 /* in a row */

/* --- writing what is wanted --- */

static void put_previous(json_t *o, const struct previous *p)
{
	struct err err;
	json_t *def = p->def ? defjson_write(p->def, &err) : NULL;
	if (def) {
		json_object_set_new(o, "previous", def);
		json_object_set_new(o, "previous_ms", json_integer(p->applied_real_ms));
		json_object_set_new(o, "previous_uid", json_integer(p->applied_by.uid));
		json_object_set_new(o, "previous_pid", json_integer(p->applied_by.pid));
		json_object_set_new(o, "previous_scaled", json_integer(p->scaled));
	}
}

static int64_t number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static struct asker asker_of(const json_t *o, const char *uid, const char *pid)
{
	return (struct asker){.uid = (uid_t)number(o, uid), .pid = (pid_t)number(o, pid)};
}

static struct previous get_previous(const json_t *o)
{
	struct err ignored;
	int64_t scaled = number(o, "previous_scaled");
	return (struct previous){
		.def = defjson_read(json_object_get(o, "previous"), &ignored), /* NULL: none */
		.applied_real_ms = number(o, "previous_ms"),
		.applied_by = asker_of(o, "previous_uid", "previous_pid"),
		.scaled = scaled > 0 && scaled <= LIMIT_INSTANCES_APP ? (int)scaled : 0,
	};
}

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
	put_previous(o, &app->previous);
	json_object_set_new(o, "wanted", wanted);
	if (app->deleting) { /* its processes are still to be ended, in the way it says */
		json_object_set_new(o, "deleting", json_true());
	}
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
		json_t *o = app_json(app);
		if (o) {
			json_array_append_new(apps, o);
		}
	}
	json_t *root = json_object();
	json_object_set_new(root, "format", json_integer(STORE_FORMAT));
	json_object_set_new(root, "apps", apps);
	json_t *metrics = exporter_write(&d->exporter);
	if (metrics) {
		json_object_set_new(root, "metrics", metrics);
	}
	json_t *lists = applists_save(&d->lists);
	if (lists) {
		json_object_set_new(root, "lists", lists);
	}
	json_t *ops = ops_write(&d->ops);
	if (ops) {
		json_object_set_new(root, "ops", ops);
	}
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
		bool ok = statefile_sync(s->daemon->state_fd, fd, &err);
		pthread_mutex_lock(&s->lock);
		if (s->sync_fd < 0) { /* else there is a newer one already */
			s->on_disk = ok;
			snprintf(s->sync_error, sizeof(s->sync_error), "%.199s", ok ? "" : err.msg);
			ev_async_send(s->daemon->loop, &s->synced);
		}
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
	s->on_disk = false;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
	if (!s->has_thread) {
		sigset_t all, old;
		sigfillset(
			&all); /* signals are for the loop's thread: takeover.c holds them there */
		pthread_sigmask(SIG_SETMASK, &all, &old);
		s->has_thread = pthread_create(&s->sync_thread, NULL, sync_main, s) == 0;
		pthread_sigmask(SIG_SETMASK, &old, NULL);
	}
}

static void save_failed(struct store *s, const char *why)
{
	s->dirty = true;
	s->failures++;
	snprintf(s->warning, sizeof(s->warning), "state not saved: %.250s", why);
	log_line("%s", s->warning);
	ev_timer_again(s->daemon->loop, &s->retry);
}

static void on_synced(struct ev_loop *loop, ev_async *w, int revents)
{
	(void)loop;
	(void)revents;
	struct store *s = container_of(w, struct store, synced);
	char why[sizeof(s->sync_error)];
	pthread_mutex_lock(&s->lock);
	memcpy(why, s->sync_error, sizeof(why));
	s->sync_error[0] = '\0';
	pthread_mutex_unlock(&s->lock);
	if (why[0]) {
		save_failed(s, why);
	}
}

static bool is_on_disk(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	bool on_disk = s->on_disk;
	pthread_mutex_unlock(&s->lock);
	return on_disk;
}

/* Somebody removed the directory: what is wanted must not depend on who reads it first. */
static void remake_directory(struct daemon *d)
{
	struct stat st;
	struct err err;
	if (fstat(d->state_fd, &st) != 0 || st.st_nlink > 0) {
		return;
	}
	int fd = paths_open_dir(d->paths.state, 0700, &err);
	if (fd < 0 || dup3(fd, d->state_fd, O_CLOEXEC) < 0) {
		log_line("the state directory was removed: %s", fd < 0 ? err.msg : strerror(errno));
	} else {
		log_line("the state directory was removed, and is made anew");
	}
	if (fd >= 0) {
		close(fd);
	}
}

bool store_is_safe(struct store *s, struct err *err)
{
	struct daemon *d = s->daemon;
	struct stat ours, there;
	store_save_ops(s);
	if (s->dirty) {
		return err_set(err, ERR_FAILED, "%s", s->warning);
	}
	if (fstat(d->state_fd, &ours) != 0 || stat(d->paths.state, &there) != 0 ||
	    ours.st_dev != there.st_dev || ours.st_ino != there.st_ino) {
		return err_set(err, ERR_FAILED,
			       "%s is not the directory any more that is written to: it was moved "
			       "away",
			       d->paths.state);
	}
	return true;
}

static void save(struct store *s, bool wishes_changed)
{
	bool (*put)(int, const char *, const void *, size_t, int *, struct err *) =
		wishes_changed && is_on_disk(s) ? statefile_save : statefile_save_over;
	struct err err;
	int fd = -1;
	char *text = state_text(s->daemon);
	remake_directory(s->daemon);
	err_set(&err, ERR_FAILED, "it cannot be written as JSON");
	bool ok = text && put(s->daemon->state_fd, STORE_STATE, text, strlen(text), &fd, &err);
	free(text);
	if (!ok) {
		save_failed(s, err.msg);
		return;
	}
	s->dirty = false;
	s->warning[0] = '\0';
	hand_to_thread(s, fd);
}

void store_save(struct store *s)
{
	save(s, true);
}

void store_save_later(struct store *s)
{
	s->dirty = true;
	ev_timer_again(s->daemon->loop, &s->retry);
}

void store_save_ops(struct store *s)
{
	save(s, s->dirty);
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

struct runtab_rec *store_left(struct store *s, const char *app, int slot)
{
	for (size_t i = 0; i < runtab_capacity(s->runtab); i++) {
		struct runtab_rec *r = runtab_get(s->runtab, i);
		if (r && (r->flags & RUNTAB_LEFT) && r->slot == slot && strcmp(r->app, app) == 0) {
			return r;
		}
	}
	return NULL;
}

uint64_t store_id_for(struct store *s, const char *app, int slot)
{
	const struct runtab_rec *r =
		s->resuming ? find_rec(s, app, slot) : store_left(s, app, slot);
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
	r->ready_mono_ms = in->ready_mono_ms;
	r->exit_code = in->last_exit.code;
	r->exit_signal = in->last_exit.signal;
	r->exit_known = in->last_exit.known;
	r->exit_core = in->last_exit.core;
	r->exit_oom = in->last_exit.oom;
	r->exit_asked = in->last_exit_asked;
	r->exit_real_ms = in->has_exited ? in->last_exit_real_ms : 0;
	r->window_count = r->window_next = 0;
	size_t n = h->count < RUNTAB_RESTARTS ? h->count : RUNTAB_RESTARTS;
	for (size_t i = n; i > 0; i--) {
		runtab_note_restart(r, h->when[(h->next + h->cap - i) % h->cap]);
	}
	/* Inodes of channel and pipes: without a keeper they are found again behind the app's
	 * descriptors. */
	uint64_t channel = workers_channel_inode(in);
	bool lost = !channel && in->pid && r->pid == in->pid; /* it may be found the next time */
	r->extra[0] = in->run | (lost ? r->extra[0] >> 32 : channel) << 32;
	r->extra[1] = (uint64_t)in->app->listened | output_inode(in->out) << 32;
	r->extra[2] = in->cgroup_run;
	r->extra[3] = (uint64_t)in->cgroup_spent | output_inode(in->err) << 32;
	r->probe_pid = in->probe_pid;
	r->probe_starttime = in->probe_starttime;
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
	struct asker by = asker_of(o, "applied_uid", "applied_pid");
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
	app->previous = get_previous(o);
	app->applied_real_ms = number(o, "applied_ms");
	app->deleting = json_is_true(json_object_get(o, "deleting"));
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
		app->slots[i]->wanted =
			!app->deleting && json_is_true(w ? w : json_array_get(wanted, 0));
	}
}

bool store_knows(const json_t *root, struct err *err)
{
	const json_t *format = json_object_get(root, "format");
	if (json_is_integer(format) && json_integer_value(format) > STORE_FORMAT) {
		return err_set(err, ERR_FAILED,
			       "the state file has format %lld, and this pmctld %s knows %d only: "
			       "it takes a newer pmctld",
			       (long long)json_integer_value(format), PMCTL_VERSION, STORE_FORMAT);
	}
	return true;
}

static bool load_state(struct store *s, enum runtab_fresh fresh, struct err *err)
{
	struct daemon *d = s->daemon;
	struct buf text = {0};
	struct err warning = {0};
	enum statefile_source src;
	if (!statefile_load(d->state_fd, STORE_STATE, &text, &src, &warning)) {
		*err = warning;
		buf_finish(&text);
		return false;
	}
	if (warning.code != ERR_NONE) {
		snprintf(s->damage, sizeof(s->damage), "state: %.280s", warning.msg);
		log_line("%s", s->damage);
		events_add(&d->events, NULL, -1, "state", NULL, "%s", warning.msg);
	}
	json_t *root =
		text.len ? json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL) : NULL;
	buf_finish(&text);
	if (!store_knows(root, err)) {
		json_decref(root);
		return false;
	}
	size_t i;
	json_t *o;
	json_array_foreach(json_object_get(root, "apps"), i, o)
	{
		load_app(d, o);
	}
	applists_load(&d->lists, json_object_get(root, "lists"));
	exporter_read(&d->exporter, json_object_get(root, "metrics"));
	if (fresh == RUNTAB_KEPT) { /* they name instances by id */
		ops_read(&d->ops, json_object_get(root, "ops"));
	}
	json_decref(root);
	return true;
}

/* Killed while a successor took its slot, between the two records: it has taken it. */
static void mend_slots(struct store *s)
{
	struct runtab_rec *r, *best;
	for (size_t i = 0; i < runtab_capacity(s->runtab); i++) {
		r = best = runtab_get(s->runtab, i);
		if (!r || !(r->flags & RUNTAB_OTHER) || find_rec(s, r->app, r->slot)) {
			continue;
		}
		for (size_t k = i + 1; k < runtab_capacity(s->runtab); k++) {
			struct runtab_rec *o = runtab_get(s->runtab, k);
			if (o && o->slot == r->slot && strcmp(o->app, r->app) == 0 &&
			    (uint32_t)o->extra[0] > (uint32_t)best->extra[0]) {
				best = o;
			}
		}
		best->flags &= (uint8_t)~RUNTAB_OTHER;
	}
}

/*
 * Supervisors crashed early, one after the other: what they read may be the reason. After every
 * third one more of it is kept aside: the state file, so that the one before it is taken; then that
 * one; then the run table.
 */
static void set_suspects_aside(struct store *s)
{
	static const char *const suspects[] = {STORE_STATE, STORE_STATE ".prev", STORE_TABLE};
	const struct daemon *d = s->daemon;
	unsigned crashes = d->link.ring->crashes;
	if (crashes == 0 || crashes % CRASHES_SUSPECT != 0) {
		return;
	}
	for (unsigned i = 0; i < crashes / CRASHES_SUSPECT && i < ARRAY_LEN(suspects); i++) {
		char *aside = xasprintf("%s.suspect", suspects[i]);
		if (renameat(d->state_fd, suspects[i], d->state_fd, aside) == 0) {
			snprintf(s->suspect, sizeof(s->suspect),
				 "the supervisor crashed %u times in a row: it goes on without "
				 "%s/%s, kept as %s",
				 crashes, d->paths.state, suspects[i], aside);
			log_line("%s", s->suspect);
		}
		free(aside);
	}
	if (s->suspect[0]) {
		events_add((struct events *)&d->events, NULL, -1, "state", NULL, "%s", s->suspect);
	}
}

bool store_init(struct store *s, struct daemon *d, struct err *err)
{
	char boot[PROC_BOOT_ID];
	enum runtab_fresh fresh;
	*s = (struct store){.daemon = d, .sync_fd = -1, .resuming = true, .on_disk = true};
	ev_async_init(&s->synced, on_synced);
	ev_async_start(d->loop, &s->synced);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->wake, NULL);
	ev_timer_init(&s->retry, on_retry, RETRY, RETRY);
	if (!proc_boot_id(boot)) {
		memset(boot, '0', sizeof(boot) - 1);
		boot[sizeof(boot) - 1] = '\0';
	}
	set_suspects_aside(s);
	s->runtab = runtab_open(d->state_fd, STORE_TABLE, boot, &fresh, err);
	if (!s->runtab) {
		return false;
	}
	if (fresh == RUNTAB_DAMAGED) {
		log_line("the run table was damaged; it was kept as %s.old", STORE_TABLE);
	}
	/* Whatever became of it, what lives is not started again. */
	unsigned found = fresh == RUNTAB_KEPT ? 0 : refind_all(d, s->runtab);
	if (found) {
		events_add(&d->events, NULL, -1, "state", NULL,
			   "the run table was lost; %u processes were found again", found);
	}
	mend_slots(s);
	return load_state(s, fresh, err);
}

void store_finish(struct store *s)
{
	if (!s->daemon) {
		return;
	}
	ev_timer_stop(s->daemon->loop, &s->retry);
	ev_async_stop(s->daemon->loop, &s->synced);
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
