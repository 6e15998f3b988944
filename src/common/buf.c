/* SPDX-License-Identifier: MIT */
#include "common/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/utf8.h"

void buf_reserve(struct buf *b, size_t more)
{
	size_t want = b->len + more + 1;
	if (want <= b->cap) {
		return;
	}
	size_t cap = b->cap ? b->cap : 64;
	while (cap < want) {
		cap *= 2;
	}
	b->data = xreallocarray(b->data, cap, 1);
	b->cap = cap;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
	buf_reserve(b, len);
	if (len) {
		memcpy(b->data + b->len, data, len);
	}
	b->len += len;
	b->data[b->len] = '\0';
}

void buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	buf_reserve(b, 64);
	va_start(ap, fmt);
	int n = vsnprintf(b->data + b->len, b->cap - b->len, fmt, ap);
	va_end(ap);
	if (n < 0) {
		abort();
	}
	if ((size_t)n >= b->cap - b->len) {
		buf_reserve(b, (size_t)n);
		va_start(ap, fmt);
		vsnprintf(b->data + b->len, b->cap - b->len, fmt, ap);
		va_end(ap);
	}
	b->len += (size_t)n;
}

static void add_json_char(struct buf *b, unsigned char c)
{
	switch (c) {
	case '"':
		buf_adds(b, "\\\"");
		break;
	case '\\':
		buf_adds(b, "\\\\");
		break;
	case '\n':
		buf_adds(b, "\\n");
		break;
	case '\r':
		buf_adds(b, "\\r");
		break;
	case '\t':
		buf_adds(b, "\\t");
		break;
	default:
		buf_addf(b, "\\u%04x", c);
	}
}

void buf_add_json(struct buf *b, const char *s, size_t len)
{
	buf_reserve(b, len + 2);
	buf_addc(b, '"');
	for (size_t i = 0; i < len;) {
		size_t run = i;
		while (run < len && (unsigned char)s[run] >= 0x20 && (unsigned char)s[run] < 0x7f &&
		       s[run] != '"' && s[run] != '\\') {
			run++;
		}
		buf_add(b, s + i, run - i);
		i = run;
		if (i == len) {
			break;
		}
		uint32_t cp;
		size_t n = utf8_decode(s + i, len - i, &cp);
		if (n == 0) {
			buf_adds(b, "\xEF\xBF\xBD");
			i++;
		} else if (cp < 0x80) {
			add_json_char(b, (unsigned char)cp);
			i++;
		} else {
			buf_add(b, s + i, n);
			i += n;
		}
	}
	buf_addc(b, '"');
}

/* Length of an SGR sequence at s, 0 if there is none. */
static size_t sgr_length(const char *s, size_t len)
{
	if (len < 3 || s[0] != '\x1b' || s[1] != '[') {
		return 0;
	}
	for (size_t i = 2; i < len && i < 32; i++) {
		if (s[i] == 'm') {
			return i + 1;
		}
		if ((s[i] < '0' || s[i] > '9') && s[i] != ';' && s[i] != ':') {
			return 0;
		}
	}
	return 0;
}

void buf_add_escaped(struct buf *b, const char *s, size_t len, int keep_sgr)
{
	for (size_t i = 0; i < len;) {
		size_t sgr = keep_sgr ? sgr_length(s + i, len - i) : 0;
		if (sgr) {
			buf_add(b, s + i, keep_sgr > 0 ? sgr : 0);
			i += sgr;
			continue;
		}
		uint32_t cp;
		size_t n = utf8_decode(s + i, len - i, &cp);
		if (n && utf8_is_safe(cp)) {
			buf_add(b, s + i, n);
			i += n;
			continue;
		}
		for (size_t k = 0; k < (n ? n : 1); k++) {
			buf_addf(b, "\\x%02x", (unsigned char)s[i + k]);
		}
		i += n ? n : 1;
	}
}

void buf_consume(struct buf *b, size_t n)
{
	b->len -= n;
	if (b->len) {
		memmove(b->data, b->data + n, b->len);
	}
	if (b->data) {
		b->data[b->len] = '\0';
	}
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	if (b->data) {
		b->data[0] = '\0';
	}
}

char *buf_take(struct buf *b)
{
	char *s = b->data ? b->data : xstrdup("");
	*b = (struct buf){0};
	return s;
}

void buf_finish(struct buf *b)
{
	free(b->data);
	*b = (struct buf){0};
}
