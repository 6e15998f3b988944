/* SPDX-License-Identifier: MIT */
#include "daemon/watch.h"

#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "daemon/daemon.h"
#include "daemon/looptimer.h"
#include "daemon/runner.h"
#include "sys/watchtree.h"

#define SLICE_MS     2	   /* of work, then others have their turn */
#define PAUSE	     0.001 /* between two slices */
#define RETRY	     0.2   /* a reload is under way: look again */
#define QUIET_MIN_MS 2000  /* a tree that never is quiet is examined after this ... */
#define QUIET_TIMES  10	   /* ... or so many times watch_delay */
/* The same file changes after each reload: perhaps the app writes it itself. */
#define AGAIN_MS    10000
#define AGAIN_TIMES 10
#define AGAIN_REST  10.

struct watch {
	struct app *app;
	struct watchtree *tree;
	ev_io io;
	ev_timer work, quiet, retry;
	bool known;		  /* the whole tree has been read once */
	bool examining;		  /* what was noticed is being compared */
	bool pending;		  /* something has changed and no reload has begun since */
	int64_t noticed_mono_ms;  /* the last time something happened to a file */
	int64_t unquiet_mono_ms;  /* the first time since it was quiet; 0 = it is */
	int64_t reloaded_mono_ms; /* when our last reload began; 0 = never */
	char last[280];		  /* what caused it */
	int again;		  /* reloads in a row with the same cause */
};

/* --- what is ours --- */

/* "" and what logfile and compress make of a name: .1 .1.gz .idx .1.idx */
static bool is_log_suffix(const char *s)
{
	if (s[0] == '.' && s[1] >= '0' && s[1] <= '9') {
		s += 1 + strspn(s + 1, "0123456789");
	}
	return s[0] == '\0' || strcmp(s, ".idx") == 0 || strcmp(s, ".gz") == 0;
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* One may be spelled through links and the other not. */
static bool same_dir(const char *path, const char *other)
{
	struct stat a, b;
	char *dir = xstrndup(path, (size_t)(name_of(path) - path));
	char *other_dir = xstrndup(other, (size_t)(name_of(other) - other));
	bool same = stat(dir, &a) == 0 && stat(other_dir, &b) == 0 && a.st_ino == b.st_ino &&
		    a.st_dev == b.st_dev;
	free(dir);
	free(other_dir);
	return same;
}

static bool is_log_of(const char *log, const char *path)
{
	if (!log || !log[0]) {
		return false;
	}
	size_t len = strlen(name_of(log));
	return strncmp(name_of(path), name_of(log), len) == 0 &&
	       is_log_suffix(name_of(path) + len) && same_dir(log, path);
}

/* Log files that we write, wherever they are; and the list of apps, for which there is `apply`. */
static bool is_own(void *ctx, const char *path)
{
	const struct watch *w = ctx;
	struct app *app, *next;
	const char *ini = w->app->def->file;
	if (ini && strcmp(name_of(ini), name_of(path)) == 0 && same_dir(ini, path)) {
		return true;
	}
	list_for_each(app, next, &w->app->daemon->apps, node)
	{
		if (is_log_of(app->conf.log_out, path) || is_log_of(app->conf.log_err, path)) {
			return true;
		}
	}
	return false;
}

/* --- acting --- */

static void start_timer(struct watch *w, ev_timer *t, double seconds)
{
	looptimer_arm(w->app->daemon->loop, t, seconds);
}

/* What does not serve gets another process at once, unless the one it has is newer than the change.
 */
static void restart_broken(const struct watch *w)
{
	const struct app *app = w->app;
	for (int i = 0; i < app->count; i++) {
		struct inst *in = app->slots[i];
		bool old = in->state == ST_STARTING && in->started_mono_ms < w->noticed_mono_ms;
		if (in->wanted && !in->leaving &&
		    (old || in->state == ST_BACKOFF || in->state == ST_FAILED ||
		     in->state == ST_DONE)) {
			runner_restart(in, NULL);
		}
	}
}

static void reload(struct watch *w)
{
	struct app *app = w->app;
	struct daemon *d = app->daemon;
	if (!w->pending || d->stopping || app->deleting) {
		return;
	}
	if (ops_is_reloading(&d->ops, app)) {
		start_timer(w, &w->retry, RETRY);
		return;
	}
	w->pending = false;
	w->reloaded_mono_ms = clock_mono_ms();
	restart_broken(w);
	ops_reload_app(&d->ops, app);
}

static void on_retry(struct ev_loop *loop, ev_timer *t, int revents)
{
	(void)loop;
	(void)revents;
	reload(container_of(t, struct watch, retry));
}

/* Nothing is lost when it changes again and again, but not all is done at once. */
static bool must_rest(struct watch *w, const char *what)
{
	bool soon = w->reloaded_mono_ms && clock_mono_ms() - w->reloaded_mono_ms < AGAIN_MS;
	w->again = soon && strcmp(w->last, what) == 0 ? w->again + 1 : 0;
	snprintf(w->last, sizeof(w->last), "%s", what);
	return w->again >= AGAIN_TIMES;
}

static void on_changes(struct watch *w, const char *what, size_t n)
{
	struct app *app = w->app;
	struct events *events = &app->daemon->events;
	char more[40] = "";
	if (n > 1) {
		snprintf(more, sizeof(more), " (and %zu more)", n - 1);
	}
	events_add(events, app->conf.name, -1, "watch", NULL, "%.220s%s", what, more);
	bool rest = must_rest(w, what);
	if (w->again == AGAIN_TIMES) {
		events_add(events, app->conf.name, -1, "watch", NULL,
			   "%.120s after each of %d reloads; if the app writes it: watch_ignore. "
			   "Reloading every %.0f s at most",
			   what, AGAIN_TIMES, AGAIN_REST);
	}
	w->pending = true;
	if (rest) {
		start_timer(w, &w->retry, AGAIN_REST);
	} else {
		reload(w);
	}
}

/* --- noticing --- */

static void tell_problems(struct watch *w)
{
	char text[280];
	while (watchtree_problem(w->tree, text, sizeof(text))) {
		events_add(&w->app->daemon->events, w->app->conf.name, -1, "watch", NULL, "%s",
			   text);
	}
}

/* The time of quiet begins anew, but not for ever. */
static void notice(struct watch *w)
{
	int64_t delay = w->app->conf.watch_delay_ms;
	int64_t longest = delay * QUIET_TIMES;
	int64_t now = clock_mono_ms();
	if (!watchtree_noticed(w->tree)) {
		return;
	}
	longest = longest > QUIET_MIN_MS ? longest : QUIET_MIN_MS;
	w->noticed_mono_ms = now;
	w->unquiet_mono_ms = w->unquiet_mono_ms ? w->unquiet_mono_ms : now;
	int64_t end = w->unquiet_mono_ms + longest;
	start_timer(w, &w->quiet,
		    now + delay < end ? (double)delay / 1000.
		    : now < end	      ? (double)(end - now) / 1000.
				      : 0.);
}

/* Do what there is to do for a slice of time; go on later if it was not enough. */
static void work(struct watch *w)
{
	char what[280];
	int64_t end = clock_mono_ms() + SLICE_MS;
	bool more;
	while ((more = watchtree_step(w->tree)) && clock_mono_ms() < end) {
	}
	notice(w);
	if (more) {
		start_timer(w, &w->work, PAUSE);
		return;
	}
	tell_problems(w);
	if (!w->known) {
		w->known = true;
		log_line("%s: watches %zu files in %zu directories", w->app->conf.name,
			 watchtree_files(w->tree), watchtree_dirs(w->tree));
	}
	if (w->examining) {
		w->examining = false;
		size_t n = watchtree_changes(w->tree, what, sizeof(what));
		if (n) {
			on_changes(w, what, n);
		}
	}
}

static void on_work(struct ev_loop *loop, ev_timer *t, int revents)
{
	(void)loop;
	(void)revents;
	work(container_of(t, struct watch, work));
}

static void on_quiet(struct ev_loop *loop, ev_timer *t, int revents)
{
	(void)loop;
	(void)revents;
	struct watch *w = container_of(t, struct watch, quiet);
	w->unquiet_mono_ms = 0;
	w->examining = true;
	watchtree_examine(w->tree);
	work(w);
}

static void on_readable(struct ev_loop *loop, ev_io *io, int revents)
{
	(void)loop;
	(void)revents;
	struct watch *w = container_of(io, struct watch, io);
	watchtree_read(w->tree);
	notice(w);
	if (!ev_is_active(&w->work)) {
		work(w);
	}
}

/* --- beginning and end --- */

static void begin(struct app *app)
{
	struct daemon *d = app->daemon;
	const struct app_conf *c = &app->conf;
	struct err err;
	struct watch *w = xcalloc(1, sizeof(*w));
	char *ours[] = {d->paths.runtime, d->paths.state, d->paths.log, NULL};
	struct watchtree_conf conf = {
		.base = c->watch_paths.n ? c->dir : c->cwd,
		.paths = c->watch_paths,
		.ignore = c->watch_ignore,
		.skip = {.v = ours, .n = 3},
		.is_own = is_own,
		.ctx = w,
		.pool = &d->watch_pool,
		.now_real_ns = (clock_real_ms() + 1) * 1000000,
	};
	app->watch = w;
	w->app = app;
	ev_init(&w->io, on_readable);
	ev_init(&w->work, on_work);
	ev_init(&w->quiet, on_quiet);
	ev_init(&w->retry, on_retry);
	w->tree = watchtree_new(&conf, &err);
	if (!w->tree) {
		events_add(&d->events, c->name, -1, "watch", NULL, "does not watch: %.250s",
			   err.msg);
		return;
	}
	ev_io_set(&w->io, watchtree_fd(w->tree), EV_READ);
	ev_io_start(d->loop, &w->io);
	work(w);
}

void watch_end(struct app *app)
{
	struct watch *w = app->watch;
	struct ev_loop *loop = app->daemon->loop;
	if (!w) {
		return;
	}
	app->watch = NULL;
	ev_io_stop(loop, &w->io);
	ev_timer_stop(loop, &w->work);
	ev_timer_stop(loop, &w->quiet);
	ev_timer_stop(loop, &w->retry);
	watchtree_free(w->tree);
	free(w);
}

void watch_update(struct app *app)
{
	bool wanted = false;
	if (!app->conf.watch) {
		return;
	}
	for (int i = 0; i < app->count && !wanted; i++) {
		wanted = app->slots[i]->wanted;
	}
	if (!wanted || app->deleting) {
		watch_end(app);
	} else if (!app->watch) {
		begin(app);
	}
}
