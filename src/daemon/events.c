/* SPDX-License-Identifier: MIT */
#include "daemon/events.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/signals.h"
#include "daemon/apps.h"
#include "proto/jscan.h"
#include "proto/jw.h"

#define JOURNAL	     "events.jsonl"
#define JOURNAL_OLD  "events.jsonl.1"
#define JOURNAL_SIZE (512 * 1024)
#define JOURNAL_NEW  "events.jsonl.new"
#define JOURNAL_READ (8 * JOURNAL_SIZE)
#define REPEATS_FROM 20 /* the how manieth in a row is a repeat ... */
#define REPEATS_S    10 /* ... of which so many a second are written, of all apps */

static const char *const next_names[] = {"nothing", "now", "retry", "gave-up"};

static void write_exit(struct jw *w, const struct event_exit *x)
{
	char sig[SIGNALS_NAME];
	jw_key(w, "exit");
	jw_obj(w);
	if (x->known && !x->signal) {
		jw_kint(w, "code", x->code);
	} else {
		jw_knull(w, "code");
	}
	jw_kstr(w, "signal", x->known && x->signal ? signals_name(x->signal, sig) : NULL);
	jw_kbool(w, "core", x->core);
	jw_kbool(w, "oom", x->oom);
	jw_kbool(w, "ready", x->ready);
	jw_kint(w, "up_ms", x->up_ms);
	jw_kstr(w, "cause", x->cause);
	jw_kstr(w, "next", next_names[x->next]);
	jw_kint(w, "delay_ms", x->delay_ms);
	jw_end(w);
}

void event_json(const struct event *ev, struct buf *out)
{
	char stamp[CLOCK_RFC3339];
	struct jw w;
	clock_format_utc(ev->real_ms, stamp);
	jw_init(&w, out);
	jw_obj(&w);
	jw_kint(&w, "v", 1);
	jw_kint(&w, "seq", (int64_t)ev->seq);
	jw_kstr(&w, "t", stamp);
	jw_kstr(&w, "app", ev->app[0] ? ev->app : NULL);
	if (ev->slot < 0) {
		jw_knull(&w, "slot");
	} else {
		jw_kint(&w, "slot", ev->slot);
	}
	jw_kstr(&w, "type", ev->type);
	jw_kstr(&w, "text", ev->text);
	if (ev->has_by) {
		jw_key(&w, "by");
		jw_obj(&w);
		jw_kint(&w, "uid", ev->by_uid);
		jw_kint(&w, "pid", ev->by_pid);
		jw_end(&w);
	} else {
		jw_knull(&w, "by");
	}
	if (ev->has_exit) {
		write_exit(&w, &ev->exit);
	}
	jw_kint(&w, "times", ev->times);
	if (ev->times > 1) {
		jw_kint(&w, "first_ms", ev->first_ms);
	}
	jw_kint(&w, "ms", ev->real_ms);
	jw_end(&w);
}

/* --- reading: a scan without a tree, as nobody is answered before it is done --- */

static void take_text(struct span value, char *out, size_t size)
{
	struct buf text = {0};
	if (span_text(value, &text)) {
		snprintf(out, size, "%s", text.len ? text.data : "");
	}
	buf_finish(&text);
}

static int64_t to_int(struct span value)
{
	int64_t n;
	return span_int(value, &n) ? n : 0;
}

static enum event_next to_next(struct span value)
{
	char name[16] = "";
	take_text(value, name, sizeof(name));
	for (size_t i = 0; i < ARRAY_LEN(next_names); i++) {
		if (strcmp(name, next_names[i]) == 0) {
			return (enum event_next)i;
		}
	}
	return NEXT_NOTHING;
}

static void take_signal(struct span value, struct event_exit *x)
{
	char name[SIGNALS_NAME] = "";
	take_text(value, name, sizeof(name));
	x->signal = name[0] ? signals_number(name) : 0;
	x->known |= name[0] != '\0';
}

static void take_of_exit(struct event_exit *x, struct span key, struct span value)
{
	int64_t n;
	if (span_is(key, "code") && span_int(value, &n)) {
		x->code = (int)n;
		x->known = true;
	} else if (span_is(key, "signal")) {
		take_signal(value, x);
	} else if (span_is(key, "core")) {
		x->core = span_is(value, "true");
	} else if (span_is(key, "oom")) {
		x->oom = span_is(value, "true");
	} else if (span_is(key, "ready")) {
		x->ready = span_is(value, "true");
	} else if (span_is(key, "up_ms")) {
		x->up_ms = to_int(value);
	} else if (span_is(key, "delay_ms")) {
		x->delay_ms = to_int(value);
	} else if (span_is(key, "cause")) {
		take_text(value, x->cause, sizeof(x->cause));
	} else if (span_is(key, "next")) {
		x->next = to_next(value);
	}
}

static void take_exit(struct event *ev, struct span object)
{
	struct jscan s;
	struct span key, value;
	ev->has_exit = jscan_begin(&s, object.p, object.len);
	while (ev->has_exit && jscan_next(&s, &key, &value) > 0) {
		take_of_exit(&ev->exit, key, value);
	}
}

static void take_by(struct event *ev, struct span object)
{
	struct jscan s;
	struct span key, value;
	ev->has_by = jscan_begin(&s, object.p, object.len);
	while (ev->has_by && jscan_next(&s, &key, &value) > 0) {
		if (span_is(key, "uid")) {
			ev->by_uid = (unsigned)to_int(value);
		} else if (span_is(key, "pid")) {
			ev->by_pid = (int)to_int(value);
		}
	}
}

static void take_member(struct event *ev, struct span key, struct span value)
{
	int64_t n;
	if (span_is(key, "seq")) {
		ev->seq = (uint64_t)to_int(value);
	} else if (span_is(key, "app")) {
		take_text(value, ev->app, sizeof(ev->app));
	} else if (span_is(key, "slot")) {
		ev->slot = span_int(value, &n) ? (int)n : -1;
	} else if (span_is(key, "type")) {
		take_text(value, ev->type, sizeof(ev->type));
	} else if (span_is(key, "text")) {
		take_text(value, ev->text, sizeof(ev->text));
	} else if (span_is(key, "by")) {
		take_by(ev, value);
	} else if (span_is(key, "exit")) {
		take_exit(ev, value);
	} else if (span_is(key, "times")) {
		ev->times = (unsigned)to_int(value);
	} else if (span_is(key, "first_ms")) {
		ev->first_ms = to_int(value);
	} else if (span_is(key, "ms")) {
		ev->real_ms = to_int(value);
	}
}

static bool read_event(const char *line, size_t len, struct event *ev)
{
	struct jscan s;
	struct span key, value;
	int r = 0;
	*ev = (struct event){.slot = -1};
	bool ok = jscan_begin(&s, line, len);
	while (ok && (r = jscan_next(&s, &key, &value)) > 0) {
		take_member(ev, key, value);
	}
	ev->times = ev->times ? ev->times : 1;
	ev->first_ms = ev->first_ms ? ev->first_ms : ev->real_ms;
	return ok && r == 0;
}

/* A line of the journal; a torn one is skipped. */
static void load_line(struct events *e, const char *line, size_t len)
{
	struct event ev;
	if (read_event(line, len, &ev) && ev.seq > e->ring.last_seq) {
		eventring_add(&e->ring, &ev);
	}
}

/* The end of a journal, as much as can be remembered. False if it is not there. */
static bool read_end(struct events *e, const char *name, struct buf *text)
{
	struct stat st;
	ssize_t n = -1;
	int fd = openat(e->dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		off_t from = st.st_size > JOURNAL_READ ? st.st_size - JOURNAL_READ : 0;
		buf_reserve(text, JOURNAL_READ);
		n = pread(fd, text->data, JOURNAL_READ, from);
		text->len = n > 0 ? (size_t)n : 0;
	}
	if (fd >= 0) {
		close(fd);
	}
	return n > 0;
}

static void load_lines(struct events *e, const struct buf *text)
{
	for (size_t at = 0; at < text->len;) {
		const char *line = text->data + at;
		const char *end = memchr(line, '\n', text->len - at);
		size_t len = end ? (size_t)(end - line) : text->len - at;
		load_line(e, line, len);
		at += len + 1;
	}
}

/* All of it: what an app has left stands at the beginning, before what others did since. */
static void load(struct events *e)
{
	static const char *const names[] = {JOURNAL_OLD, JOURNAL};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct buf text = {0};
		if (read_end(e, names[i], &text)) {
			load_lines(e, &text);
		}
		buf_finish(&text);
	}
	/* In a storm the last ones were perhaps not written: their numbers are not used again. */
	if (e->ring.n && eventring_at(&e->ring, e->ring.n - 1)->times > REPEATS_FROM) {
		e->ring.last_seq += LIMIT_EVENTS;
	}
}

/* Killed in the middle of a line: the next one does not stand behind it. */
static void end_torn_line(const struct events *e)
{
	char last = '\n';
	int fd = openat(e->dirfd, JOURNAL, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd >= 0 && pread(fd, &last, 1, e->size - 1) == 1 && last != '\n' &&
	    write(e->fd, "\n", 1) < 0) {
		errno = 0; /* disk full: that line is lost, too */
	}
	if (fd >= 0) {
		close(fd);
	}
}

static int open_file(const struct events *e, const char *name, int flags)
{
	return openat(e->dirfd, name,
		      O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags, 0600);
}

static void open_journal(struct events *e)
{
	struct stat st;
	e->fd = open_file(e, JOURNAL, O_APPEND);
	if (e->fd >= 0 && (fstat(e->fd, &st) != 0 || !S_ISREG(st.st_mode))) {
		close(e->fd);
		e->fd = -1;
	}
	e->size = e->fd >= 0 ? st.st_size : 0;
	if (e->size > 0) {
		end_torn_line(e);
	}
}

void events_init(struct events *e, int dirfd, void (*on_event)(void *, const struct event *),
		 void *ctx)
{
	*e = (struct events){
		.fd = -1, .dirfd = dirfd, .limit = JOURNAL_SIZE, .on_event = on_event, .ctx = ctx};
	load(e);
	open_journal(e);
}

void events_finish(struct events *e)
{
	if (e->fd >= 0) {
		close(e->fd);
		e->fd = -1;
	}
}

/* A storm does not wear the disk: what is the same again can be left out now and then. */
static bool is_spared(struct events *e, const struct event *ev)
{
	if (ev->times <= REPEATS_FROM) {
		return false;
	}
	if (ev->real_ms / 1000 != e->second) {
		e->second = ev->real_ms / 1000;
		e->repeats = 0;
	}
	return ++e->repeats > REPEATS_S;
}

/* All that is remembered as a file. False: no room. */
static bool write_all(const struct events *e)
{
	struct buf text = {0};
	for (size_t i = 0; i < e->ring.n; i++) {
		event_json(eventring_at(&e->ring, i), &text);
		buf_addc(&text, '\n');
	}
	int fd = open_file(e, JOURNAL_NEW, O_TRUNC);
	bool ok = fd >= 0 && write(fd, text.data, text.len) == (ssize_t)text.len;
	if (fd >= 0) {
		close(fd);
	}
	buf_finish(&text);
	return ok;
}

static void begin_anew(struct events *e)
{
	close(e->fd);
	if (write_all(e)) {
		renameat(e->dirfd, JOURNAL_NEW, e->dirfd, JOURNAL);
		unlinkat(e->dirfd, JOURNAL_OLD, 0);
	} else {
		unlinkat(e->dirfd, JOURNAL_NEW, 0);
		renameat(e->dirfd, JOURNAL, e->dirfd, JOURNAL_OLD);
	}
	open_journal(e);
	e->limit = e->size * 2 > JOURNAL_SIZE ? e->size * 2 : JOURNAL_SIZE;
}

static void append(struct events *e, const struct event *ev)
{
	struct buf line = {0};
	if (e->fd < 0 || is_spared(e, ev)) {
		return;
	}
	event_json(ev, &line);
	buf_addc(&line, '\n');
	ssize_t n = write(e->fd, line.data, line.len);
	if (n > 0) {
		e->size += n;
	}
	if (n > 0 && n < (ssize_t)line.len && write(e->fd, "\n", 1) < 0) {
		errno = 0; /* disk full in the middle of a line: the loader skips it */
	}
	buf_finish(&line);
	if (e->size > e->limit) {
		begin_anew(e);
	}
}

static void add(struct events *e, struct event *ev, const char *app, const char *type)
{
	ev->real_ms = clock_real_ms();
	snprintf(ev->app, sizeof(ev->app), "%s", app ? app : "");
	snprintf(ev->type, sizeof(ev->type), "%s", type);
	const struct event *stored = eventring_add(&e->ring, ev);
	append(e, stored);
	e->on_event(e->ctx, stored);
}

void events_add(struct events *e, const char *app, int slot, const char *type,
		const struct asker *by, const char *fmt, ...)
{
	struct event ev = {.slot = slot};
	if (by && by->pid) {
		ev.has_by = true;
		ev.by_uid = by->uid;
		ev.by_pid = by->pid;
	}
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(ev.text, sizeof(ev.text), fmt, ap);
	va_end(ap);
	add(e, &ev, app, type);
}

void events_add_exit(struct events *e, const char *app, int slot, const char *type,
		     const struct event_exit *exit, const char *text)
{
	struct event ev = {.slot = slot, .has_exit = true, .exit = *exit};
	snprintf(ev.text, sizeof(ev.text), "%s", text);
	add(e, &ev, app, type);
}
