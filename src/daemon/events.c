/* SPDX-License-Identifier: MIT */
#include "daemon/events.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "daemon/apps.h"
#include "proto/jw.h"
#include "proto/lines.h"

#define JOURNAL	     "events.jsonl"
#define JOURNAL_OLD  "events.jsonl.1"
#define JOURNAL_SIZE (1024 * 1024)

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
	jw_kint(&w, "ms", ev->real_ms);
	jw_end(&w);
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? s : "";
}

/* A line of the journal; a torn one is skipped. */
static void load_line(struct events *e, const char *line, size_t len)
{
	json_t *o = json_loadb(line, len, 0, NULL);
	uint64_t seq = (uint64_t)json_integer_value(json_object_get(o, "seq"));
	if (json_is_object(o) && seq > e->last_seq) {
		struct event *ev = &e->ring[seq % LIMIT_EVENTS];
		const json_t *by = json_object_get(o, "by");
		const json_t *slot = json_object_get(o, "slot");
		*ev = (struct event){
			.seq = seq,
			.real_ms = json_integer_value(json_object_get(o, "ms")),
			.slot = json_is_integer(slot) ? (int)json_integer_value(slot) : -1,
			.has_by = json_is_object(by),
			.by_uid = (unsigned)json_integer_value(json_object_get(by, "uid")),
			.by_pid = (int)json_integer_value(json_object_get(by, "pid")),
		};
		snprintf(ev->app, sizeof(ev->app), "%s", text_of(o, "app"));
		snprintf(ev->type, sizeof(ev->type), "%s", text_of(o, "type"));
		snprintf(ev->text, sizeof(ev->text), "%s", text_of(o, "text"));
		e->last_seq = seq;
	}
	json_decref(o);
}

static void load(struct events *e, const char *name)
{
	char chunk[65536];
	struct lines lines;
	char *line;
	size_t len;
	struct stat st;
	int fd = openat(e->dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0) {
		return;
	}
	lines_init(&lines, 16384);
	int64_t budget = 2 * JOURNAL_SIZE;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		budget = 0;
	}
	for (ssize_t n; budget > 0 && (n = read(fd, chunk, sizeof(chunk))) > 0; budget -= n) {
		lines_feed(&lines, chunk, (size_t)n);
		while (lines_next(&lines, &line, &len)) {
			load_line(e, line, len);
		}
	}
	lines_finish(&lines);
	close(fd);
}

static void open_journal(struct events *e)
{
	struct stat st;
	e->fd = openat(e->dirfd, JOURNAL,
		       O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (e->fd >= 0 && (fstat(e->fd, &st) != 0 || !S_ISREG(st.st_mode))) {
		close(e->fd);
		e->fd = -1;
	}
	e->size = e->fd >= 0 ? st.st_size : 0;
}

void events_init(struct events *e, int dirfd, void (*on_event)(void *, const struct event *),
		 void *ctx)
{
	*e = (struct events){.fd = -1, .dirfd = dirfd, .on_event = on_event, .ctx = ctx};
	load(e, JOURNAL_OLD);
	load(e, JOURNAL);
	open_journal(e);
}

void events_finish(struct events *e)
{
	if (e->fd >= 0) {
		close(e->fd);
		e->fd = -1;
	}
}

static void append(struct events *e, const struct event *ev)
{
	struct buf line = {0};
	if (e->fd < 0) {
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
	if (e->size > JOURNAL_SIZE) {
		close(e->fd);
		renameat(e->dirfd, JOURNAL, e->dirfd, JOURNAL_OLD);
		open_journal(e);
	}
}

void events_add(struct events *e, const char *app, int slot, const char *type,
		const struct asker *by, const char *fmt, ...)
{
	struct event *ev = &e->ring[++e->last_seq % LIMIT_EVENTS];
	*ev = (struct event){.seq = e->last_seq, .real_ms = clock_real_ms(), .slot = slot};
	if (by && by->pid) {
		ev->has_by = true;
		ev->by_uid = by->uid;
		ev->by_pid = by->pid;
	}
	snprintf(ev->app, sizeof(ev->app), "%s", app ? app : "");
	snprintf(ev->type, sizeof(ev->type), "%s", type);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(ev->text, sizeof(ev->text), fmt, ap);
	va_end(ap);
	append(e, ev);
	e->on_event(e->ctx, ev);
}

const struct event *events_get(const struct events *e, uint64_t seq)
{
	const struct event *ev = &e->ring[seq % LIMIT_EVENTS];
	return seq && ev->seq == seq ? ev : NULL;
}

uint64_t events_first(const struct events *e)
{
	uint64_t seq = e->last_seq > LIMIT_EVENTS ? e->last_seq - LIMIT_EVENTS + 1 : 1;
	while (seq <= e->last_seq && !events_get(e, seq)) {
		seq++;
	}
	return seq;
}
