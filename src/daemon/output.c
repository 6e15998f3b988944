/* SPDX-License-Identifier: MIT */
#include "daemon/output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/mem.h"
#include "daemon/loopfd.h"
#include "daemon/outputheld.h"
#include "daemon/relog.h"
#include "daemon/tally.h"
#include "sys/users.h"

#define PIPE_SIZE	(1 << 20)
#define PIPE_SIZE_SMALL (256 * 1024)
#define PIPES_BIG_USER	60 /* an ordinary user's big pipes push later ones down to 8 KiB */
#define REST_MIN	0.001
#define REST_MAX	0.032
#define REST_STUCK	1.0 /* waiting for room on the disk */
#define HEAVY_BYTES	(16 * 1024)
#define TURNS		16 /* splices in one wake-up; other apps want their turn too */

static void on_readable(struct ev_loop *loop, ev_io *w, int revents);

static int64_t now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* --- resting --- */

static void on_rested(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)revents;
	struct output *out = container_of(w, struct output, rest_timer);
	ev_io_start(loop, &out->io);
}

static void rest(struct output *out, double seconds)
{
	struct ev_loop *loop = out->owner->loop;
	ev_io_stop(loop, &out->io);
	ev_timer_stop(loop, &out->rest_timer);
	ev_timer_set(&out->rest_timer, seconds, 0.);
	ev_timer_start(loop, &out->rest_timer);
}

/*
 * A pipe that fills faster than we rest gets none. One that trickles is rested longer each time,
 * so that an app writing line by line costs a few dozen wake-ups a second and not one a line; the
 * pipe has room for what comes meanwhile.
 */
static void rest_after(struct output *out, size_t moved)
{
	if (moved >= HEAVY_BYTES) {
		out->rest_s = REST_MIN;
		return;
	}
	rest(out, out->rest_s);
	out->rest_s = out->rest_s * 2 > REST_MAX ? REST_MAX : out->rest_s * 2;
}

/* --- files --- */

/* The file of the sink, opened if need be. False if it cannot be. */
static bool open_file(struct outputs *o, struct sink *s)
{
	bool opened;
	bool ok = sink_open(s, &opened);
	if (opened) {
		outputheld_file(o, s);
	}
	return ok;
}

static void rotate(struct outputs *o, struct sink *s, bool now, struct err *err)
{
	if (sink_rotate(s, now, err)) {
		outputheld_file(o, s);
	}
}

/* --- outputs --- */

static void close_output(struct output *out)
{
	struct outputs *o = out->owner;
	if (out->fd < 0) {
		return;
	}
	relog_flush(out);
	ev_io_stop(o->loop, &out->io);
	ev_timer_stop(o->loop, &out->rest_timer);
	if (out->spool.fd >= 0) {
		spool_finish(&out->spool);
		outputheld_drop(out, "spool");
	}
	outputheld_drop(out, "pipe");
	outputheld_drop(out, "file");
	loopfd_close(o->loop, out->fd);
	out->fd = -1;
	o->npipes--;
}

static void free_output(struct output *out)
{
	close_output(out);
	list_remove(&out->node);
	sink_unref(out->sink);
	free(out);
}

/* The disk took nothing for a second: make room in the pipe, so that the app goes on. */
static void discard(struct output *out)
{
	char junk[65536];
	ssize_t n;
	while ((n = read(out->fd, junk, sizeof(junk))) > 0) {
		out->sink->file.dropped += n;
		out->owner->dropped += n;
	}
}

static void tell(const struct output *out, const char *text)
{
	if (out->owner->on_trouble) {
		out->owner->on_trouble(out->owner->ctx, out, text);
	}
}

static void on_no_room(struct output *out)
{
	struct sink *s = out->sink;
	if (!s->told) {
		char text[256];
		snprintf(text, sizeof(text), "%.199s; its lines wait, and then are dropped",
			 s->why);
		s->told = true;
		tell(out, text);
	}
	if (!s->failing) {
		log_line("%s; waiting for room", s->why);
		s->failing = true;
	}
	if (out->has_waited) {
		discard(out);
	}
	out->has_waited = true;
	rest(out, REST_STUCK);
}

/* One read from the pipe into the file. As read(2). */
static ssize_t move_once(struct output *out)
{
	struct sink *s = out->sink;
	int64_t dropped = s->file.dropped;
	if (dropped) {
		sink_write_drop_mark(s);
	}
	if (dropped && !s->file.dropped) {
		char text[200];
		snprintf(text, sizeof(text), "%.120s: there is room again; %lld bytes were dropped",
			 s->file.path, (long long)dropped);
		tell(out, text);
	}
	logfile_mark_start(&s->file, out->pid);
	if (s->format == LOG_RAW) {
		relog_flush(out); /* it was another one before */
		return logfile_splice(&s->file, out->fd, PIPE_SIZE);
	}
	return relog_copy(out);
}

enum moved { MOVED_ALL, MOVED_SOME, MOVED_EOF, MOVED_NO_ROOM };

/* An end without a word, as most have: no file is opened for it. */
static bool is_silent(const struct output *out, enum moved *result)
{
	struct pollfd p = {.fd = out->fd, .events = POLLIN};
	if (out->sink->file.fd >= 0 || poll(&p, 1, 0) < 0 || (p.revents & POLLIN)) {
		return false;
	}
	*result = p.revents & POLLHUP ? MOVED_EOF : MOVED_ALL;
	return true;
}

static enum moved move(struct output *out, int turns, size_t *total)
{
	struct outputs *o = out->owner;
	struct sink *s = out->sink;
	enum moved result = MOVED_SOME;
	struct err err;
	*total = 0;
	if (is_silent(out, &result)) {
		return result;
	}
	for (int i = 0; i < turns && result == MOVED_SOME; i++) {
		if (!open_file(o, s)) {
			return MOVED_NO_ROOM;
		}
		ssize_t n = move_once(out);
		if (n > 0) {
			*total += (size_t)n;
			tally_log(out->tally, out->app, out->is_err, (size_t)n);
			s->failing = s->told = out->has_waited = false;
			if (logfile_is_full(&s->file)) {
				logfile_mark(&s->file, now_ns());
				rotate(o, s, false, &err);
			}
		} else if (n == 0) {
			result = MOVED_EOF;
		} else {
			result = errno == EAGAIN ? MOVED_ALL : MOVED_NO_ROOM;
			snprintf(s->why, sizeof(s->why), "%.120s: %s", s->file.path,
				 strerror(errno));
		}
	}
	logfile_mark(&s->file, now_ns());
	return result;
}

static void on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	struct output *out = container_of(w, struct output, io);
	size_t total;
	enum moved m = move(out, 1, &total);
	if (m == MOVED_EOF) {
		close_output(out);
		if (out->detached) {
			free_output(out);
		}
	} else if (m == MOVED_NO_ROOM) {
		on_no_room(out);
	} else {
		rest_after(out, total);
	}
}

void output_drain(struct output *out)
{
	size_t total;
	if (out->fd < 0) {
		return;
	}
	if (move(out, TURNS, &total) == MOVED_EOF) {
		close_output(out);
	}
}

void output_detach(struct output *out)
{
	if (!out) {
		return;
	}
	output_drain(out);
	out->detached = true;
	if (out->fd < 0) {
		free_output(out);
	}
}

/* --- spools --- */

/* At once: what was being written must be settled before others write into that file. */
static void take_held_spool(struct output *out)
{
	struct outputs *o = out->owner;
	int fd = spoolhold_take(&o->spools, out->key);
	out->spool = SPOOL_NONE;
	if (fd >= 0 && spool_adopt(&out->spool, fd) && open_file(o, out->sink)) {
		spool_settle(&out->spool, &out->sink->file);
	}
}

bool output_need_spool(struct output *out)
{
	if (out->spool.fd < 0 && spool_open(&out->spool)) {
		outputheld_spool(out);
	}
	return out->spool.fd >= 0;
}

static struct output *add_output(struct outputs *o, const struct output_conf *c, int fd)
{
	struct output *out = xcalloc(1, sizeof(*out));
	out->owner = o;
	out->fd = fd;
	out->slot = c->slot;
	out->is_err = c->is_err;
	out->tally = c->tally;
	snprintf(out->key, sizeof(out->key), "%s", c->key);
	snprintf(out->app, sizeof(out->app), "%s", c->app);
	out->sink = sink_get(&o->sinks, &c->file);
	take_held_spool(out);
	out->start_offset = out->sink->file.fd >= 0 ? out->sink->file.size : -1;
	out->rest_s = REST_MIN;
	ev_init(&out->rest_timer, on_rested);
	list_add(&o->all, &out->node);
	ev_io_init(&out->io, on_readable, fd, EV_READ);
	ev_io_start(o->loop, &out->io);
	o->npipes++;
	if (out->sink->file.fd >= 0) {
		outputheld_file_of(out);
	}
	return out;
}

static void size_pipe(const struct outputs *o, int fd)
{
	if (geteuid() == 0) {
		fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE);
	} else if (o->npipes < PIPES_BIG_USER) {
		fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE_SMALL);
	}
}

struct output *output_new(struct outputs *o, const struct output_conf *conf, int *child_fd,
			  struct err *err)
{
	int p[2];
	if (pipe2(p, O_CLOEXEC | O_NONBLOCK) != 0) {
		err_set(err, ERR_LIMIT, "pipe: %s", strerror(errno));
		return NULL;
	}
	size_pipe(o, p[0]);
	if (conf->file.user->uid != geteuid() &&
	    fchown(p[1], conf->file.user->uid, (gid_t)-1) != 0) {
		log_line("%s:%d: give the log pipe to uid %u: %s", conf->app, conf->slot,
			 (unsigned)conf->file.user->uid, strerror(errno));
	}
	*child_fd = p[1];
	struct output *out = add_output(o, conf, p[0]);
	outputheld_pipe(out);
	return out;
}

bool output_open(struct output *out, struct err *err)
{
	struct sink *s = out->sink;
	errno = 0;
	if (s->file.fd >= 0) {
		return true;
	}
	if (!logfile_open(&s->file, err)) {
		return errno == ENOSPC || errno == EDQUOT; /* no reason not to start */
	}
	outputheld_file(out->owner, s);
	return true;
}

struct output *output_adopt(struct outputs *o, const struct output_conf *conf, int fd)
{
	return add_output(o, conf, fd);
}

void output_redirect(struct output *out, const struct sink_conf *file)
{
	struct outputs *o = out->owner;
	output_drain(out);
	if (out->fd < 0) {
		return;
	}
	relog_flush(out);
	struct sink *before = out->sink;
	out->sink = sink_get(&o->sinks, file); /* first: it may be the same one */
	sink_unref(before);
	if (out->sink->format != LOG_RAW) {
		outputheld_drop(out, "file");
	}
	if (out->sink->file.fd >= 0) {
		outputheld_file_of(out);
	}
}

uint64_t output_inode(const struct output *out)
{
	struct stat st;
	return out && out->fd >= 0 && fstat(out->fd, &st) == 0 ? (uint32_t)st.st_ino : 0;
}

void output_set_pid(struct output *out, pid_t pid)
{
	out->pid = pid;
}

bool outputs_flush(struct outputs *o, const char *path)
{
	struct sink *s = sink_find(&o->sinks, path);
	if (s) {
		logfile_flush(&s->file);
	}
	return s != NULL;
}

bool outputs_rotate(struct outputs *o, const char *path, struct err *err)
{
	struct sink *s = sink_find(&o->sinks, path);
	if (s) {
		rotate(o, s, true, err);
	}
	return s != NULL;
}

void outputs_settle(struct outputs *o, bool last)
{
	struct output *out, *next;
	list_for_each(out, next, &o->all, node)
	{
		output_drain(out);
		if (last) {
			relog_flush(out);
		}
	}
}

void outputs_init(struct outputs *o, struct ev_loop *loop, struct link *link)
{
	*o = (struct outputs){.loop = loop, .link = link};
	list_init(&o->all);
	list_init(&o->sinks);
}

void outputs_finish(struct outputs *o)
{
	struct output *out, *next;
	list_for_each(out, next, &o->all, node)
	{
		/* Not free_output(): what the keeper holds stays there for our successor. */
		output_drain(out);
		if (out->fd >= 0) {
			ev_io_stop(o->loop, &out->io);
			close(out->fd);
			out->fd = -1;
		}
		ev_timer_stop(o->loop, &out->rest_timer);
		spool_finish(&out->spool);
		list_remove(&out->node);
		sink_unref(out->sink);
		free(out);
	}
}
