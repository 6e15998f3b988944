/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_UI_ALERTS_H
#define PMCTL_UI_ALERTS_H
/*
 * alerts - what needs eyes now, found in the model. Pure.
 *
 * One an app and kind: instances with the same trouble are one alert. One a notice, too: of the
 * daemon, or of an app list. Newest first. Owned by struct ui.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "ui/model.h"

#define ALERTS_MAX	 100   /* more are counted, but not told */
#define ALERTS_LATE_MS	 10000 /* a start that takes longer is told */
#define ALERTS_RECENT_MS 60000 /* a restart is news for this long */

enum alert_kind {
	ALERT_FAILED,
	ALERT_BACKOFF,
	ALERT_DEGRADED,
	ALERT_NOT_READY,
	ALERT_LIMIT,
	ALERT_FDS,
	ALERT_LEAK,
	ALERT_RESTARTED,
	ALERT_KINDS, /* those above are looked for in each app */
	ALERT_NOTICE = ALERT_KINDS,
};

struct alert {
	char app[MODEL_NOTE]; /* or the key of a notice */
	int slot;	      /* -1 = the app, or several instances */
	enum alert_kind kind;
	int64_t since_ms; /* 0 = before we came */
	bool fail;	  /* the worse of two looks */
	bool acked;	  /* seen by the user; until it changes */
	bool seen;	  /* in the model that is being read */
	unsigned sum;	  /* of what makes it another one */
	char brief[200], text[400];
	char fix[320]; /* what helps; "" = nothing to say */
};

struct alerts {
	struct alert v[ALERTS_MAX];
	int n;
	int fresh;	/* not acknowledged */
	bool begun;	/* looked at a model already */
	int64_t now_ms; /* of the last sample that was looked at */
};

/* Look at the model anew. While the daemon is away they stay as they are. */
void alerts_update(struct alerts *a, const struct model *m);
/* Acknowledge those of an app; NULL = all. */
void alerts_acknowledge(struct alerts *a, const char *app);
/* How it looks: enum ui_style. */
int alerts_style(const struct alert *a);
/* The list of all: a line each with the time since when, local time. */
void alerts_list(const struct alerts *a, struct buf *out);

#endif
