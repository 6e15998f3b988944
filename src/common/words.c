/* SPDX-License-Identifier: MIT */
#include "common/words.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"

void words_add(struct words *w, const char *word)
{
	size_t used = w->n + 1;		/* with the NULL at the end */
	if ((used & (used - 1)) == 0) { /* full at 1, 2, 4, 8 ... */
		w->v = xreallocarray(w->v, used * 2, sizeof(*w->v));
	}
	w->v[w->n++] = xstrdup(word);
	w->v[w->n] = NULL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Read a quoted part; *p stands behind the opening quote and is left behind the closing one. */
static bool read_quoted(const char **p, char quote, struct buf *word, struct err *err)
{
	const char *s = *p;
	for (; *s && *s != quote; s++) {
		if (quote == '"' && *s == '\\' && s[1] && strchr("\"\\$`", s[1])) {
			s++;
		}
		buf_addc(word, *s);
	}
	if (!*s) {
		return err_set(err, ERR_CONFIG, "a %c quote is not closed", quote);
	}
	*p = s + 1;
	return true;
}

static const char escapes[] = "n\nt\tr\ra\ab\be\033f\fv\v\\\\''\"\"";

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* What a \ and the character at s mean in $'...'; returns what is behind it, NULL if nothing. */
static const char *read_escape(const char *s, char *out)
{
	if (*s == 'x' && hex_digit(s[1]) >= 0 && hex_digit(s[2]) >= 0) {
		*out = (char)(hex_digit(s[1]) << 4 | hex_digit(s[2]));
		return *out ? s + 3 : NULL;
	}
	for (const char *e = escapes; *e; e += 2) {
		if (*e == *s) {
			*out = e[1];
			return s + 1;
		}
	}
	return NULL;
}

/* $'...'; *p stands behind the opening quote and is left behind the closing one. */
static bool read_escaped(const char **p, struct buf *word, struct err *err)
{
	const char *s = *p;
	while (*s && *s != '\'') {
		char c = *s++;
		if (c == '\\') {
			s = read_escape(s, &c);
		}
		if (!s) {
			return err_set(err, ERR_CONFIG,
				       "a \\ in $'...' is followed by none of n t r a b e f v \\ ' "
				       "\" xHH");
		}
		buf_addc(word, c);
	}
	if (!*s) {
		return err_set(err, ERR_CONFIG, "a ' quote is not closed");
	}
	*p = s + 1;
	return true;
}

static bool read_word(const char **p, struct buf *word, struct err *err)
{
	const char *s = *p;
	while (*s && !is_blank(*s)) {
		char c = *s++;
		if (c == '\'' || c == '"') {
			if (!read_quoted(&s, c, word, err)) {
				return false;
			}
		} else if (c == '$' && *s == '\'') {
			s++;
			if (!read_escaped(&s, word, err)) {
				return false;
			}
		} else if (c == '\\') {
			if (!*s) {
				return err_set(err, ERR_CONFIG, "a \\ at the end takes nothing");
			}
			buf_addc(word, *s++);
		} else {
			buf_addc(word, c);
		}
	}
	*p = s;
	return true;
}

bool words_split(struct words *w, const char *text, struct err *err)
{
	struct words out = {0};
	struct buf word = {0};
	bool ok = true;
	while (ok) {
		while (is_blank(*text)) {
			text++;
		}
		if (!*text) {
			break;
		}
		buf_reserve(&word, 1);
		buf_reset(&word);
		ok = read_word(&text, &word, err);
		if (ok) {
			words_add(&out, word.data);
		}
	}
	buf_finish(&word);
	for (size_t i = 0; ok && i < out.n; i++) {
		words_add(w, out.v[i]);
	}
	words_finish(&out);
	return ok;
}

static bool is_control(char c)
{
	return ((unsigned char)c < ' ' && c != '\t') || c == 0x7f;
}

static bool has_control(const char *s)
{
	while (*s && !is_control(*s)) {
		s++;
	}
	return *s;
}

/* As $'...', which stays on one line. */
static void add_escaped(struct buf *b, const char *s)
{
	buf_adds(b, "$'");
	for (; *s; s++) {
		const char *e = escapes;
		while (*e && e[1] != *s) {
			e += 2;
		}
		if (*e && *s != '"' && *s != '\t') {
			buf_addf(b, "\\%c", *e);
		} else if (is_control(*s)) {
			buf_addf(b, "\\x%02x", (unsigned char)*s);
		} else {
			buf_addc(b, *s);
		}
	}
	buf_addc(b, '\'');
}

static void add_quoted(struct buf *b, const char *s)
{
	buf_addc(b, '\'');
	for (; *s; s++) {
		if (*s == '\'') {
			buf_adds(b, "'\\''");
		} else {
			buf_addc(b, *s);
		}
	}
	buf_addc(b, '\'');
}

char *words_join(char *const *v, size_t n)
{
	struct buf b = {0};
	for (size_t i = 0; i < n; i++) {
		if (i) {
			buf_addc(&b, ' ');
		}
		if (has_control(v[i])) {
			add_escaped(&b, v[i]);
		} else if (v[i][0] && !v[i][strcspn(v[i], " \t\n\r'\"\\$`;&|<>()*?[]#~!{}")]) {
			buf_adds(&b, v[i]);
		} else {
			add_quoted(&b, v[i]);
		}
	}
	return buf_take(&b);
}

void words_finish(struct words *w)
{
	for (size_t i = 0; i < w->n; i++) {
		free(w->v[i]);
	}
	free(w->v);
	*w = (struct words){0};
}

void words_add_quoted(struct buf *out, const char *word)
{
	/* What no shell sees anything in, zsh (=ls) and csh (a^b) included. */
	static const char harmless[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:,@+-";
	if (*word && !word[strspn(word, harmless)]) {
		buf_adds(out, word);
		return;
	}
	buf_addc(out, '\'');
	for (; *word; word++) {
		if (*word == '\'') {
			buf_adds(out, "'\\''");
		} else {
			buf_addc(out, *word);
		}
	}
	buf_addc(out, '\'');
}

bool words_named(const char *list, const char *word)
{
	size_t len = strlen(word);
	for (const char *s = list; s && *s;) {
		size_t n = strcspn(s, " ");
		if (n == len && strncmp(s, word, n) == 0) {
			return true;
		}
		s += n + (s[n] == ' ');
	}
	return false;
}
