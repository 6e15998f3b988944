/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_EVENTS_H
#define PMCTL_DAEMON_EVENTS_H
/*
 * events - the journal of what happened: bounded in memory, appended to a bounded file.
 *
 * The file (events.jsonl in the state directory) is read back at start, so `why` still knows
 * after a restart of the supervisor.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/limits.h"

struct asker;

struct event {
	uint64_t seq;
	int64_t real_ms;
	char app[41]; /* "" = the daemon itself */
	int slot;     /* -1 = the whole app */
	char type[12];
	bool has_by;
	unsigned by_uid;
	int by_pid;
	char text[LIMIT_EVENT_TEXT];
};

struct events {
	struct event ring[LIMIT_EVENTS];
	uint64_t last_seq; /* events are numbered from 1; ring[seq % LIMIT_EVENTS] */
	int fd;		   /* the journal; -1 = none */
	int dirfd;
	int64_t size;
	void (*on_event)(void *ctx, const struct event *ev);
	void *ctx;
};

void events_init(struct events *e, int dirfd, void (*on_event)(void *, const struct event *),
		 void *ctx);
void events_finish(struct events *e);
void events_add(struct events *e, const char *app, int slot, const char *type,
		const struct asker *by, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/* NULL if it is not remembered any more. */
const struct event *events_get(const struct events *e, uint64_t seq);
/* The oldest one that is remembered; last_seq + 1 if there is none. */
uint64_t events_first(const struct events *e);
/* One JSON object, as in `events --json`. */
void event_json(const struct event *ev, struct buf *out);

#endif
