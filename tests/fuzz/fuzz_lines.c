/* SPDX-License-Identifier: MIT */
/* Bytes cut into lines in chunks of any size: the first byte chooses the limit, then each chunk is
 * as long as its first byte says. A plain search over all of it must find the same lines. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is left of all bytes behind the lines taken so far. */
struct rest {
	const char *p, *end;
};

static void take_lines(struct lines *l, struct rest *r)
{
	char *line;
	size_t len;
	while (lines_next(l, &line, &len)) {
		const char *nl = memchr(r->p, '\n', (size_t)(r->end - r->p));
		if (!nl || len != (size_t)(nl - r->p) || len > l->limit || line[len] ||
		    memcmp(line, r->p, len) != 0) {
			abort();
		}
		r->p = nl + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lines l;
	struct buf all = {0};
	if (size == 0) {
		return 0;
	}
	for (size_t at = 1; at < size; at += (size_t)data[at] + 1) {
		size_t left = size - at - 1;
		buf_add(&all, data + at + 1, left < data[at] ? left : data[at]);
	}
	buf_adds(&all, ""); /* no NULL to count from */
	struct rest r = {all.data, all.data + all.len};
	lines_init(&l, data[0]);
	for (size_t at = 1; at < size && !l.overlong; at += (size_t)data[at] + 1) {
		size_t left = size - at - 1;
		lines_feed(&l, (const char *)data + at + 1, left < data[at] ? left : data[at]);
		take_lines(&l, &r);
	}
	size_t left = (size_t)(r.end - r.p);
	const char *nl = left ? memchr(r.p, '\n', left) : NULL;
	if (l.overlong ? (nl ? (size_t)(nl - r.p) : left) <= l.limit
		       : nl || lines_pending(&l) != left) {
		abort();
	}
	lines_finish(&l);
	buf_finish(&all);
	return 0;
}
