/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_SHOWVIEW_H
#define PMCTL_CLIENT_SHOWVIEW_H
/*
 * showview - all about one app, as `show` prints it. Pure: what is not in the answer is told.
 */
#include <jansson.h>
#include <stdint.h>

#include "client/listview.h"

struct showview {
	struct listview list;
	const json_t *lines; /* what it wrote last: lastlines_read(); NULL = nothing */
	int64_t log_bytes;   /* of all its files; -1 = not known */
	void (*user)(struct buf *out, int64_t uid);
};

/* An app of the answer to `show`. */
void showview_app(const struct showview *v, const json_t *app, struct buf *out);

#endif
