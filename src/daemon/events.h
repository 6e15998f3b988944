/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_EVENTS_H
#define PMCTL_DAEMON_EVENTS_H
/*
 * events - the journal of what happened: in memory (app/eventring.h) and in a bounded file.
 *
 * The file (events.jsonl in the state directory) is read back at start, so `why` still knows
 * after a restart of the supervisor, or of the machine. When it has grown too large it is written
 * anew from memory, so it is as fair to the apps as that.
 */
#include <stdbool.h>
#include <stdint.h>

#include "app/eventring.h"
#include "common/buf.h"

struct asker;

struct events {
	struct eventring ring;
	int fd; /* the journal; -1 = none */
	int dirfd;
	int64_t size, limit; /* of the file; where it is written anew */
	int64_t second;	     /* in which so many repeats were written */
	unsigned repeats;
	void (*on_event)(void *ctx, const struct event *ev);
	void *ctx;
};

void events_init(struct events *e, int dirfd, void (*on_event)(void *, const struct event *),
		 void *ctx);
void events_finish(struct events *e);
/* app NULL = the daemon itself; slot -1 = the whole app; by NULL or pid 0 = nobody asked. */
void events_add(struct events *e, const char *app, int slot, const char *type,
		const struct asker *by, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/* The end of a process. */
void events_add_exit(struct events *e, const char *app, int slot, const char *type,
		     const struct event_exit *exit, const char *text);
/* One JSON object, as in `events --json`. */
void event_json(const struct event *ev, struct buf *out);

#endif
