/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_PROTO_JSCAN_H
#define PMCTL_PROTO_JSCAN_H
/*
 * jscan - walk over the members of one JSON object without building anything.
 *
 * For node's channel: JavaScript writes texts that jansson refuses (lone surrogates, \u0000, huge
 * integers), and values we do not understand must go back exactly as they came. The grammar is
 * checked completely (RFC 8259), so a value that was accepted is safe to send on.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

#define JSCAN_DEPTH 200 /* brackets inside each other */

/* Bytes of the text it was read from. */
struct span {
	const char *p;
	size_t len;
};

struct jscan {
	const char *p, *end;
	bool first;
};

/* False if text does not begin an object. */
bool jscan_begin(struct jscan *s, const char *text, size_t len);
/* 1 = key (without its quotes, escapes as they are) and value were set; 0 = the object and the text
 * end here; -1 = not JSON. */
int jscan_next(struct jscan *s, struct span *key, struct span *value);

bool span_is(struct span s, const char *text);
/* The integer a value is; false if it is no integer or does not fit. */
bool span_int(struct span value, int64_t *out);
/* Add the text of a string value, its escapes resolved; half a surrogate pair becomes U+FFFD. False
 * if the value is no string. */
bool span_text(struct span value, struct buf *out);

#endif
