/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_COMMON_BUF_H
#define PMCTL_COMMON_BUF_H
/*
 * buf - a growing byte buffer, always NUL-terminated once used. Zeroed = empty.
 *
 * The owner of the struct owns the bytes; buf_take() hands them over. It has no limit of its own:
 * whoever fills it from outside checks against common/limits.h first.
 */
#include <stdarg.h>
#include <stddef.h>

struct buf {
	char *data; /* NULL while empty and never used */
	size_t len; /* bytes in use, without the NUL */
	size_t cap;
};

/* Make room for `more` bytes (and a NUL) behind len. */
void buf_reserve(struct buf *b, size_t more);
void buf_add(struct buf *b, const void *data, size_t len);
void buf_adds(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Add s as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD. */
void buf_add_json(struct buf *b, const char *s, size_t len);

/* Add bytes so that they cannot control a terminal: C0 (but tab), DEL, C1, invalid UTF-8 and
 * bidirectional overrides as \xHH. SGR sequences (ESC [ digits ; m) pass where keep_sgr is
 * positive, and vanish where it is negative. */
void buf_add_escaped(struct buf *b, const char *s, size_t len, int keep_sgr);

/* Remove n bytes from the front. */
void buf_consume(struct buf *b, size_t n);
void buf_reset(struct buf *b); /* len = 0, keeps the memory */

/* The string, never NULL; caller frees. The buffer is empty afterwards. */
char *buf_take(struct buf *b);
void buf_finish(struct buf *b);

#endif
