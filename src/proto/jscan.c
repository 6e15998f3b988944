/* SPDX-License-Identifier: MIT */
#include "proto/jscan.h"

#include <string.h>

static void skip_space(struct jscan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\r' || *s->p == '\n')) {
		s->p++;
	}
}

static bool take(struct jscan *s, char c)
{
	skip_space(s);
	if (s->p == s->end || *s->p != c) {
		return false;
	}
	s->p++;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four hexadecimal digits at p, or -1. */
static int hex4(const char *p, const char *end)
{
	int value = 0;
	if (end - p < 4) {
		return -1;
	}
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(p[i]);
		if (digit < 0) {
			return -1;
		}
		value = value * 16 + digit;
	}
	return value;
}

static bool skip_escape(struct jscan *s)
{
	if (s->p == s->end) {
		return false;
	}
	char c = *s->p++;
	if (c != 'u') {
		return c && strchr("\"\\/bfnrt", c);
	}
	if (hex4(s->p, s->end) < 0) {
		return false;
	}
	s->p += 4;
	return true;
}

static bool skip_string(struct jscan *s)
{
	if (!take(s, '"')) {
		return false;
	}
	while (s->p < s->end) {
		unsigned char c = (unsigned char)*s->p++;
		if (c == '"') {
			return true;
		}
		if (c < 0x20 || (c == '\\' && !skip_escape(s))) {
			return false;
		}
	}
	return false;
}

static bool skip_digits(struct jscan *s)
{
	const char *from = s->p;
	while (s->p < s->end && *s->p >= '0' && *s->p <= '9') {
		s->p++;
	}
	return s->p > from;
}

static bool skip_number(struct jscan *s)
{
	if (s->p < s->end && *s->p == '-') {
		s->p++;
	}
	const char *from = s->p;
	if (!skip_digits(s) || (*from == '0' && s->p - from > 1)) {
		return false;
	}
	if (s->p < s->end && *s->p == '.') {
		s->p++;
		if (!skip_digits(s)) {
			return false;
		}
	}
	if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
		s->p++;
		if (s->p < s->end && (*s->p == '+' || *s->p == '-')) {
			s->p++;
		}
		return skip_digits(s);
	}
	return true;
}

static bool skip_word(struct jscan *s, const char *word)
{
	size_t n = strlen(word);
	if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0) {
		return false;
	}
	s->p += n;
	return true;
}

static bool skip_value(struct jscan *s, unsigned depth);

/* What stands between the brackets, which the caller has opened. */
static bool skip_items(struct jscan *s, bool object, unsigned depth)
{
	char close = object ? '}' : ']';
	if (take(s, close)) {
		return true;
	}
	do {
		if (object && (!skip_string(s) || !take(s, ':'))) {
			return false;
		}
		if (!skip_value(s, depth)) {
			return false;
		}
	} while (take(s, ','));
	return take(s, close);
}

static bool skip_value(struct jscan *s, unsigned depth)
{
	skip_space(s);
	if (s->p == s->end || depth > JSCAN_DEPTH) {
		return false;
	}
	switch (*s->p) {
	case '{':
	case '[':
		return skip_items(s, *s->p++ == '{', depth + 1);
	case '"':
		return skip_string(s);
	case 't':
		return skip_word(s, "true");
	case 'f':
		return skip_word(s, "false");
	case 'n':
		return skip_word(s, "null");
	default:
		return skip_number(s);
	}
}

bool jscan_begin(struct jscan *s, const char *text, size_t len)
{
	*s = (struct jscan){.p = text, .end = text + len, .first = true};
	return take(s, '{');
}

int jscan_next(struct jscan *s, struct span *key, struct span *value)
{
	if (take(s, '}')) {
		skip_space(s);
		return s->p == s->end ? 0 : -1;
	}
	if (!s->first && !take(s, ',')) {
		return -1;
	}
	s->first = false;
	skip_space(s);
	const char *from = s->p;
	if (!skip_string(s)) {
		return -1;
	}
	*key = (struct span){from + 1, (size_t)(s->p - from) - 2};
	if (!take(s, ':')) {
		return -1;
	}
	skip_space(s);
	from = s->p;
	if (!skip_value(s, 1)) {
		return -1;
	}
	*value = (struct span){from, (size_t)(s->p - from)};
	skip_space(s);
	/* A comma must be followed by a member. */
	return s->p < s->end && (*s->p == ',' || *s->p == '}') ? 1 : -1;
}

bool span_is(struct span s, const char *text)
{
	return s.len == strlen(text) && memcmp(s.p, text, s.len) == 0;
}

bool span_int(struct span value, int64_t *out)
{
	bool negative = value.len && value.p[0] == '-';
	size_t i = negative;
	int64_t n = 0;
	if (i == value.len || value.len > 18) {
		return false;
	}
	for (; i < value.len; i++) {
		if (value.p[i] < '0' || value.p[i] > '9') {
			return false;
		}
		n = n * 10 + (value.p[i] - '0');
	}
	*out = negative ? -n : n;
	return true;
}

static void add_utf8(struct buf *out, unsigned cp)
{
	if (cp < 0x80) {
		buf_addc(out, (char)cp);
	} else if (cp < 0x800) {
		buf_addc(out, (char)(0xC0 | cp >> 6));
		buf_addc(out, (char)(0x80 | (cp & 0x3F)));
	} else if (cp < 0x10000) {
		buf_addc(out, (char)(0xE0 | cp >> 12));
		buf_addc(out, (char)(0x80 | (cp >> 6 & 0x3F)));
		buf_addc(out, (char)(0x80 | (cp & 0x3F)));
	} else {
		buf_addc(out, (char)(0xF0 | cp >> 18));
		buf_addc(out, (char)(0x80 | (cp >> 12 & 0x3F)));
		buf_addc(out, (char)(0x80 | (cp >> 6 & 0x3F)));
		buf_addc(out, (char)(0x80 | (cp & 0x3F)));
	}
}

/* p is behind the u. Returns the bytes used. */
static size_t add_unicode(struct buf *out, const char *p, const char *end)
{
	unsigned cp = (unsigned)hex4(p, end);
	size_t used = 4;
	if (cp >= 0xD800 && cp <= 0xDBFF && end - p >= 10 && p[4] == '\\' && p[5] == 'u') {
		unsigned low = (unsigned)hex4(p + 6, end);
		if (low >= 0xDC00 && low <= 0xDFFF) {
			cp = 0x10000 + ((cp - 0xD800) << 10) + (low - 0xDC00);
			used = 10;
		}
	}
	add_utf8(out, cp >= 0xD800 && cp <= 0xDFFF ? 0xFFFD : cp);
	return used;
}

bool span_text(struct span value, struct buf *out)
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";
	if (value.len < 2 || value.p[0] != '"') {
		return false;
	}
	const char *end = value.p + value.len - 1;
	for (const char *p = value.p + 1; p < end;) {
		if (*p != '\\') {
			buf_addc(out, *p++);
			continue;
		}
		p++;
		if (*p == 'u') {
			p += 1 + add_unicode(out, p + 1, end);
		} else {
			buf_addc(out, to[strchr(from, *p) - from]);
			p++;
		}
	}
	buf_reserve(out, 0); /* an empty string is a string too */
	out->data[out->len] = '\0';
	return true;
}
