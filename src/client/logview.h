/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_LOGVIEW_H
#define PMCTL_CLIENT_LOGVIEW_H
/*
 * logview - a line of a log as it is printed: with time and name, raw, or as JSON. Pure.
 *
 * Bytes of an app never control a terminal, in a pipe to a pager neither; only its colours pass.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/logsrc.h"
#include "common/buf.h"

enum logview_form { LOGVIEW_NAMED, LOGVIEW_RAW, LOGVIEW_JSON };

struct logview {
	enum logview_form form;
	bool tty; /* escape what would control it */
	bool color;
	bool plain;		    /* a terminal that wants no colour: those of the apps vanish */
	bool utf8;		    /* marks beyond ASCII may be used */
	size_t pad;		    /* width of the names */
	uint64_t seq;		    /* lines printed */
	bool open;		    /* raw: the last line had no newline */
	const struct logsrc *piece; /* raw: whose line goes on; NULL = nobody's */
};

/* "web:2"; "web" for a file several instances share (slot -1). cap >= 64. */
void logview_name(const char *app, int slot, char *out, size_t cap);

/* A line of this source; hue tells the apps apart. */
void logview_line(struct logview *v, const struct logsrc *s, unsigned hue, const struct logline *l,
		  struct buf *out);
/* An event of the daemon between the lines, for terminals. */
void logview_event(const struct logview *v, const json_t *event, struct buf *out);

#endif
