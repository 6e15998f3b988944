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
#include "daemon/compress.h"
#include "daemon/link.h"
#include "daemon/loopfd.h"
#include "daemon/relog.h"

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

static void keeper_name(char out[KEEPER_NAME], const char *kind, const char *key)
{
	snprintf(out, KEEPER_NAME, "%s.%.40s", kind, key);
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

/* Deposit the file beside each of its pipes, for the keeper's own copying. */
static void deposit_file(struct outputs *o, const struct sink *s)
{
	struct output *out, *next;
	char name[KEEPER_NAME];
	list_for_each(out, next, &o->all, node)
	{
		if (out->sink == s && s->format == LOG_RAW && out->fd >= 0) {
			keeper_name(name, "file", out->key);
			link_deposit(o->link, name, s->file.fd);
		}
	}
}

/* The file of the sink, opened if need be. False if it cannot be. */
static bool open_file(struct outputs *o, struct sink *s)
{
	bool opened;
	bool ok = sink_open(s, &opened);
	if (opened) {
		deposit_file(o, s);
	}
	return ok;
}

static void rotate(struct outputs *o, struct sink *s)
{
	if (sink_rotate(s)) {
		deposit_file(o, s);
	}
}

/* --- outputs --- */

static void close_output(struct output *out)
{
	struct outputs *o = out->owner;
	char name[KEEPER_NAME];
	if (out->fd < 0) {
		return;
	}
	relog_flush(out);
	ev_io_stop(o->loop, &out->io);
	ev_timer_stop(o->loop, &out->rest_timer);
	keeper_name(name, "pipe", out->key);
	link_drop(o->link, name);
	keeper_name(name, "file", out->key);
	link_drop(o->link, name);
	loopfd_close(o->loop, out->fd);
	out->fd = -1;
	o->npipes--;
}

static void free_output(struct output *out)
{
	close_output(out);
	list_remove(&out->node);
	sink_unref(out->sink);
	buf_finish(&out->carry);
	free(out);
}

/* The disk took nothing for a second: make room in the pipe, so that the app goes on. */
static void discard(struct output *out)
{
	char junk[65536];
	ssize_t n;
	while ((n = read(out->fd, junk, sizeof(junk))) > 0) {
		out->sink->file.dropped += n;
		out->sink->dropped += n;
	}
}

static void on_no_room(struct output *out)
{
	struct sink *s = out->sink;
	if (!s->failing) {
		log_line("%s: %s; waiting for room", s->file.path, strerror(errno));
		s->failing = true;
	} else {
		discard(out);
	}
	rest(out, REST_STUCK);
}

/* One read from the pipe into the file. As read(2). */
static ssize_t move_once(struct output *out)
{
	struct sink *s = out->sink;
	if (s->file.dropped) {
		sink_write_drop_mark(s);
	}
	logfile_mark_start(&s->file, out->pid);
	if (s->format == LOG_RAW) {
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
			s->failing = false;
			if (logfile_is_full(&s->file)) {
				logfile_mark(&s->file, now_ns());
				rotate(o, s);
			}
		} else if (n == 0) {
			result = MOVED_EOF;
		} else {
			result = errno == EAGAIN ? MOVED_ALL : MOVED_NO_ROOM;
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

static struct output *add_output(struct outputs *o, const struct output_conf *c, int fd)
{
	struct output *out = xcalloc(1, sizeof(*out));
	out->owner = o;
	out->fd = fd;
	out->slot = c->slot;
	out->is_err = c->is_err;
	snprintf(out->key, sizeof(out->key), "%s", c->key);
	snprintf(out->app, sizeof(out->app), "%s", c->app);
	out->sink = sink_get(&o->sinks, &c->file);
	out->start_offset = out->sink->file.fd >= 0 ? out->sink->file.size : -1;
	out->rest_s = REST_MIN;
	ev_init(&out->rest_timer, on_rested);
	list_add(&o->all, &out->node);
	ev_io_init(&out->io, on_readable, fd, EV_READ);
	ev_io_start(o->loop, &out->io);
	o->npipes++;
	if (out->sink->file.fd >= 0) {
		deposit_file(o, out->sink);
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
	char name[KEEPER_NAME];
	if (pipe2(p, O_CLOEXEC | O_NONBLOCK) != 0) {
		err_set(err, ERR_LIMIT, "pipe: %s", strerror(errno));
		return NULL;
	}
	size_pipe(o, p[0]);
	if (conf->file.owner != geteuid() && fchown(p[1], conf->file.owner, (gid_t)-1) != 0) {
		log_line("%s:%d: give the log pipe to uid %u: %s", conf->app, conf->slot,
			 (unsigned)conf->file.owner, strerror(errno));
	}
	keeper_name(name, "pipe", conf->key);
	link_deposit(o->link, name, p[0]);
	*child_fd = p[1];
	return add_output(o, conf, p[0]);
}

bool output_open(struct output *out, struct err *err)
{
	struct sink *s = out->sink;
	errno = 0;
	if (s->file.fd >= 0) {
		return true;
	}
	if (!logfile_open(&s->file, s->owner, err)) {
		return errno == ENOSPC || errno == EDQUOT; /* no reason not to start */
	}
	deposit_file(out->owner, s);
	return true;
}

struct output *output_adopt(struct outputs *o, const struct output_conf *conf, int fd)
{
	return add_output(o, conf, fd);
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

/* Start of the last n lines in text[0..len). */
static size_t last_lines(const char *text, size_t len, int n)
{
	size_t at = len;
	while (at > 0) {
		if (text[at - 1] == '\n' && at != len && n-- <= 1) {
			break;
		}
		at--;
	}
	return at;
}

void output_tail(struct output *out, int n, struct buf *text)
{
	char chunk[8192];
	struct logfile *f = &out->sink->file;
	output_drain(out);
	if (f->fd < 0) {
		return;
	}
	int64_t from =
		out->start_offset > 0 && out->start_offset <= f->size ? out->start_offset : 0;
	if (f->size - from > (int64_t)sizeof(chunk)) {
		from = f->size - (int64_t)sizeof(chunk);
	}
	ssize_t len = pread(f->fd, chunk, (size_t)(f->size - from), from);
	if (len > 0) {
		size_t at = last_lines(chunk, (size_t)len, n);
		buf_add(text, chunk + at, (size_t)len - at);
	}
}

bool outputs_flush(struct outputs *o, const char *path)
{
	struct sink *s = sink_find(&o->sinks, path);
	if (s) {
		logfile_flush(&s->file);
	}
	return s != NULL;
}

bool outputs_rotate(struct outputs *o, const char *path)
{
	struct sink *s = sink_find(&o->sinks, path);
	if (s) {
		rotate(o, s);
	}
	return s != NULL;
}

int64_t outputs_dropped(const struct outputs *o)
{
	int64_t total = 0;
	struct sink *s, *next;
	list_for_each(s, next, &o->sinks, node)
	{
		total += s->dropped;
	}
	return total;
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
		list_remove(&out->node);
		sink_unref(out->sink);
		buf_finish(&out->carry);
		free(out);
	}
}
