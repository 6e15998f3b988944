/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_LISTVIEW_H
#define PMCTL_CLIENT_LISTVIEW_H
/*
 * listview - the answer of `list` as a table. Pure: width, colour and marks are told.
 *
 * At least 60 columns: a heading, columns dropped by rank, a footer. Fewer: name, state, CPU,
 * memory. With instances, or from 120 columns on, more of each. For a pipe: one record a line under
 * one heading line, nothing cut.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

#define LISTVIEW_SPARK 8   /* cells of 15 MIN: points to ask for */
#define LISTVIEW_WIDE  120 /* from here on the instances' figures are shown too */

struct listview {
	bool piped;	/* not a terminal */
	bool instances; /* rows for instances too */
	bool color;
	bool utf8;
	bool pad;     /* blanks at the end of lines, for tests */
	size_t width; /* 0 = no limit */
	/* now, for "11m ago"; ms since the epoch */
	long long now_ms;
};

/* The table of json's "apps" into *out; with a footer where one belongs. */
void listview_print(const struct listview *v, const json_t *apps, struct buf *out);

/* Rows of the instances of one app, for `show`. */
void listview_instances(const struct listview *v, const json_t *app, struct buf *out);

/* "exit 1", "SIGSEGV, core kept", "SIGKILL, out of memory"; "-" for null. Caller frees. */
char *listview_exit_text(const json_t *last_exit);

/* Time of an RFC 3339 UTC text in ms since the epoch; -1 if it is none. */
long long listview_parse_time(const char *text);

#endif
