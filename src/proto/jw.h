/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_PROTO_JW_H
#define PMCTL_PROTO_JW_H
/*
 * jw - write JSON into a buffer as it is known, without building a tree. Commas are set by itself.
 *
 * For the daemon's big answers. Zeroed but for `out` = ready. Misuse (a value where a key belongs)
 * is a bug of the caller and asserted.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

#define JW_DEPTH 64

struct jw {
	struct buf *out; /* borrowed */
	uint64_t arrays; /* bit d: level d is an array */
	unsigned depth;
	bool comma; /* a value stands before */
};

void jw_init(struct jw *w, struct buf *out);

void jw_obj(struct jw *w);
void jw_arr(struct jw *w);
void jw_end(struct jw *w); /* closes the innermost one */
void jw_key(struct jw *w, const char *key);

void jw_str(struct jw *w, const char *s); /* NULL = null */
void jw_strn(struct jw *w, const char *s, size_t len);
void jw_int(struct jw *w, int64_t v);
void jw_uint(struct jw *w, uint64_t v);
void jw_real1(struct jw *w, double v); /* one decimal; null where it is not finite */
void jw_real2(struct jw *w, double v); /* two */
void jw_bool(struct jw *w, bool v);
void jw_null(struct jw *w);
void jw_raw(struct jw *w, const char *json, size_t len); /* one value, already JSON */

/* Key and value in one. */
void jw_kstr(struct jw *w, const char *key, const char *s);
void jw_kint(struct jw *w, const char *key, int64_t v);
void jw_kreal1(struct jw *w, const char *key, double v);
void jw_kbool(struct jw *w, const char *key, bool v);
void jw_knull(struct jw *w, const char *key);

#endif
