/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_STORY_H
#define PMCTL_CLIENT_STORY_H
/*
 * story - the last trouble of an instance in plain words: events in, text out. Pure.
 *
 * What state it is in and since when, what happened and how often, who asked, what comes next, its
 * last lines, and what may help. Names of users and holders of ports are asked through pointers.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"

struct story {
	const json_t *slot;  /* of the answer to `why` */
	const json_t *lines; /* of lastlines_read(); NULL = none */
	int64_t now_ms;	     /* real */
	bool marks, utf8, color;
	/* "ada, pid 4711" */
	void (*who)(struct buf *out, const json_t *by, int64_t at_ms);
	/* "in use by pid 4711 (node old.js, uid 1000)"; nothing if nobody holds it. NULL = not
	 * known
	 */
	void (*holder)(struct buf *out, int port);
};

/* The event of its last trouble; NULL = there was none. */
const json_t *story_trouble(const json_t *slot);
/* Between which times (real ms) the lines of that process are. False: there is no such process. */
bool story_span(const json_t *slot, int64_t *since_ms, int64_t *until_ms);
/* Several lines of text, each with its newline. */
void story_add(const struct story *s, struct buf *out);

#endif
