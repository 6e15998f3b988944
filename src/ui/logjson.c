/* SPDX-License-Identifier: MIT */
#include "ui/logjson.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"
#include "common/utf8.h"
#include "ui/logtext.h"
#include "ui/style.h"

#define MEMBERS 64 /* of one line; more: it is shown as it is */
#define DEPTH	64

struct slice {
	const char *at;
	size_t len;
};

struct member {
	struct slice key, value; /* a string with its quotes */
};

struct scan {
	const char *at, *end;
};

/* --- reading --- */

static void skip_blank(struct scan *s)
{
	while (s->at < s->end && strchr(" \t\r\n", *s->at) && *s->at) {
		s->at++;
	}
}

static bool take(struct scan *s, char c)
{
	skip_blank(s);
	bool is = s->at < s->end && *s->at == c;
	s->at += is;
	return is;
}

static bool take_string(struct scan *s, struct slice *out)
{
	const char *from = s->at;
	if (!take(s, '"')) {
		return false;
	}
	from = s->at - 1;
	for (; s->at < s->end && *s->at != '"'; s->at++) {
		s->at += *s->at == '\\' && s->at + 1 < s->end;
	}
	if (s->at >= s->end) {
		return false;
	}
	s->at++;
	*out = (struct slice){from, (size_t)(s->at - from)};
	return true;
}

/* Brackets only have to match; what stands between is not looked at. */
static bool take_nested(struct scan *s)
{
	char open[DEPTH];
	int depth = 0;
	struct slice ignored;
	do {
		char c = *s->at;
		if (c == '"') {
			if (!take_string(s, &ignored)) {
				return false;
			}
			continue;
		}
		s->at++;
		if (c == '{' || c == '[') {
			if (depth == DEPTH) {
				return false;
			}
			open[depth++] = c == '{' ? '}' : ']';
		} else if (c == '}' || c == ']') {
			if (open[--depth] != c) {
				return false;
			}
		}
	} while (depth > 0 && s->at < s->end);
	return depth == 0;
}

static bool take_value(struct scan *s, struct slice *out)
{
	skip_blank(s);
	const char *from = s->at;
	if (s->at >= s->end) {
		return false;
	}
	if (*s->at == '"') {
		return take_string(s, out);
	}
	if (*s->at == '{' || *s->at == '[') {
		*out = (struct slice){from, 0};
		bool ok = take_nested(s);
		out->len = (size_t)(s->at - from);
		return ok;
	}
	while (s->at < s->end && *s->at &&
	       strchr("+-.0123456789abcdefghijklmnopqrstuvwxyzE", *s->at)) {
		s->at++;
	}
	*out = (struct slice){from, (size_t)(s->at - from)};
	return s->at > from;
}

static int read_members(struct scan *s, struct member *m)
{
	int n = 0;
	if (!take(s, '{')) {
		return -1;
	}
	if (!take(s, '}')) {
		do {
			if (n == MEMBERS || !take_string(s, &m[n].key) || !take(s, ':') ||
			    !take_value(s, &m[n].value)) {
				return -1;
			}
			n++;
		} while (take(s, ','));
		if (!take(s, '}')) {
			return -1;
		}
	}
	skip_blank(s);
	return s->at == s->end ? n : -1;
}

/* --- writing --- */

static unsigned hex4(const char *at, const char *end, bool *ok)
{
	unsigned v = 0;
	*ok = end - at >= 4;
	for (int i = 0; i < 4 && *ok; i++) {
		static const char digits[] = "0123456789abcdef";
		const char *d = at[i] ? strchr(digits, at[i] | (at[i] >= 'A' ? 0x20 : 0)) : NULL;
		*ok = d != NULL;
		v = v << 4 | (d ? (unsigned)(d - digits) : 0);
	}
	return v;
}

static size_t encode(uint32_t cp, char out[4])
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	size_t n = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
	for (size_t i = n - 1; i > 0; i--, cp >>= 6) {
		out[i] = (char)(0x80 | (cp & 0x3f));
	}
	out[0] = (char)((n == 2 ? 0xc0 : n == 3 ? 0xe0 : 0xf0) | cp);
	return n;
}

/* Behind a backslash. What could control a terminal stays escaped. Returns the bytes used. */
static size_t put_escape(struct logtext *t, int style, const char *at, const char *end)
{
	bool ok;
	char out[4];
	if (at < end && strchr("\"\\/", *at) && *at) {
		logtext_put(t, style, at, 1);
		return 1;
	}
	if (at >= end || *at != 'u') {
		logtext_put(t, style, "\\", 1);
		return 0;
	}
	uint32_t cp = hex4(at + 1, end, &ok);
	size_t used = 5;
	if (ok && cp >= 0xd800 && cp < 0xdc00 && end - at >= 11 && at[5] == '\\' && at[6] == 'u') {
		uint32_t low = hex4(at + 7, end, &ok);
		ok = ok && low >= 0xdc00 && low < 0xe000;
		cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
		used = 11;
	}
	if (!ok || (cp >= 0xd800 && cp < 0xe000) || cp < 0x20 || !utf8_is_safe(cp)) {
		logtext_put(t, style, "\\", 1);
		return 0;
	}
	logtext_put(t, style, out, encode(cp, out));
	return used;
}

/* The text of a string, without its quotes. */
static void put_string(struct logtext *t, int style, struct slice s)
{
	const char *at = s.at + 1, *end = s.at + s.len - 1;
	while (at < end) {
		const char *esc = memchr(at, '\\', (size_t)(end - at));
		const char *stop = esc ? esc : end;
		if (stop > at) {
			logtext_put(t, style, at, (size_t)(stop - at));
		}
		at = stop;
		if (esc) {
			at = esc + 1 + put_escape(t, style, esc + 1, end);
		}
	}
}

static bool is_plain_word(struct slice s)
{
	for (size_t i = 1; i + 1 < s.len; i++) {
		if (strchr(" =\"\\", s.at[i])) {
			return false;
		}
	}
	return s.len > 2;
}

static void put_value(struct logtext *t, bool bare, struct slice v)
{
	if (v.at[0] == '"' && (bare || is_plain_word(v))) {
		put_string(t, UI_PLAIN, v);
	} else {
		logtext_put(t, UI_PLAIN, v.at, v.len);
	}
}

static bool is_one_of(struct slice key, const char *const *names)
{
	for (; *names; names++) {
		if (key.len == strlen(*names) + 2 && memcmp(key.at + 1, *names, key.len - 2) == 0) {
			return true;
		}
	}
	return false;
}

static struct member *find(struct member *m, int n, const char *const *names)
{
	for (int i = 0; i < n; i++) {
		if (m[i].value.at[0] != '{' && m[i].value.at[0] != '[' &&
		    is_one_of(m[i].key, names)) {
			return &m[i];
		}
	}
	return NULL;
}

/* As pino and bunyan count them. */
static const char *level_word(struct slice v)
{
	static const char *const words[] = {"trace", "debug", "info", "warn", "error", "fatal"};
	bool number = v.len == 2 && v.at[0] >= '1' && v.at[0] <= '6' && v.at[1] == '0';
	return number ? words[v.at[0] - '1'] : NULL;
}

static int level_style(const char *word, size_t len)
{
	static const struct {
		const char *begin;
		int style;
	} styles[] = {{"tra", UI_DIM},	{"deb", UI_DIM},  {"war", UI_WARN}, {"err", UI_FAIL},
		      {"fat", UI_FAIL}, {"cri", UI_FAIL}, {"pan", UI_FAIL}, {"eme", UI_FAIL}};
	for (size_t i = 0; len >= 3 && i < ARRAY_LEN(styles); i++) {
		if (strncasecmp(word, styles[i].begin, 3) == 0) {
			return styles[i].style;
		}
	}
	return UI_BOLD;
}

static void put_level(struct logtext *t, struct slice v)
{
	const char *word = level_word(v);
	if (word) {
		logtext_put(t, level_style(word, strlen(word)), word, strlen(word));
	} else if (v.at[0] == '"') {
		put_string(t, level_style(v.at + 1, v.len - 2), v);
	} else {
		logtext_put(t, UI_BOLD, v.at, v.len);
	}
}

static void put_blank(struct logtext *t)
{
	if (t->text.len) {
		logtext_put(t, UI_PLAIN, " ", 1);
	}
}

bool logjson_fold(const char *line, size_t len, struct logtext *out)
{
	static const char *const levels[] = {"level", "severity", "lvl", "levelname", NULL};
	static const char *const messages[] = {"msg", "message", NULL};
	static const char *const times[] = {"time", "timestamp", "@timestamp", "ts", NULL};
	struct member m[MEMBERS];
	struct scan s = {line, line + len};
	int n = read_members(&s, m);
	if (n < 0) {
		return false;
	}
	const struct member *level = find(m, n, levels), *msg = find(m, n, messages);
	const struct member *time = find(m, n, times);
	if (level) {
		put_level(out, level->value);
	}
	if (msg) {
		put_blank(out);
		put_value(out, true, msg->value);
	}
	for (int i = 0; i < n; i++) {
		if (&m[i] != level && &m[i] != msg && &m[i] != time) {
			put_blank(out);
			put_string(out, UI_DIM, m[i].key);
			logtext_put(out, UI_DIM, "=", 1);
			put_value(out, false, m[i].value);
		}
	}
	return true;
}
