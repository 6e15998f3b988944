/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_PROGRESS_H
#define PMCTL_CLIENT_PROGRESS_H
/*
 * progress - how far an operation has come, as its "progress" notifications tell
 * (pmctl-protocol(7)).
 *
 * A row for each instance it is about. A daemon that does not tell the beginning is fine: rows are
 * added as they are heard of. Reads no clock.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/limits.h"

enum row_step {
	ROW_WAITS,    /* not begun */
	ROW_STOPPING, /* the old one, and nothing new is there yet */
	ROW_STARTING,
	ROW_TRIAL,    /* ready, and has to live for a while before it gets the slot */
	ROW_DRAINING, /* it has the slot, the old one ends */
	ROW_DONE,
	ROW_FAILED,
	ROW_LEFT /* as it was */
};

struct progress_row {
	char app[LIMIT_NAME + 1];
	int slot;
	enum row_step step;
	int64_t since_mono_ms; /* when this step began */
	int64_t ready_ms;      /* how long the new one took; -1 = not known */
	int64_t ended_ms;      /* how long the old one took to end; -1 = not known */
	int old_pid, new_pid;  /* 0 = none */
	bool kept, killed, drained;
	char text[200]; /* why it failed, or what it says that it waits for */
};

struct progress_app {
	char name[LIMIT_NAME + 1];
	int serving, total, parallel;
	char ready[120];	  /* what counts as ready; "" = not told */
	int64_t ready_timeout_ms; /* -1 = none */
};

struct progress {
	const char *verb; /* borrowed: "reload" */
	int64_t op;	  /* its number; 0 = not told yet */
	int64_t began_mono_ms;
	struct progress_row *row;
	size_t nrows;
	struct progress_app *app;
	size_t napps;
};

void progress_init(struct progress *p, const char *verb, int64_t now_mono_ms);
void progress_finish(struct progress *p);

/* Whether a notification tells what was not told before: after the death of a supervisor the next
 * one begins with all that is so already. Asked before progress_take(). */
bool progress_is_news(const struct progress *p, const json_t *params);
/* The params of a "progress" notification. */
void progress_take(struct progress *p, const json_t *params, int64_t now_mono_ms);

/* Whether the row is neither before its begin nor over. */
bool progress_is_moving(const struct progress_row *r);
/* Rows that ended well, without those that were left. */
size_t progress_done(const struct progress *p);
const struct progress_app *progress_app(const struct progress *p, const char *name);

#endif
