/* SPDX-License-Identifier: MIT */
#include "common/words.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"

void words_add(struct words *w, const char *word)
{
	w->v = xreallocarray(w->v, w->n + 2, sizeof(*w->v));
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

static bool read_word(const char **p, struct buf *word, struct err *err)
{
	const char *s = *p;
	while (*s && !is_blank(*s)) {
		char c = *s++;
		if (c == '\'' || c == '"') {
			if (!read_quoted(&s, c, word, err)) {
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

char *words_join(char *const *v, size_t n)
{
	struct buf b = {0};
	for (size_t i = 0; i < n; i++) {
		if (i) {
			buf_addc(&b, ' ');
		}
		if (v[i][0] && !v[i][strcspn(v[i], " \t\n\r'\"\\$`;&|<>()*?[]#~!{}")]) {
			buf_adds(&b, v[i]);
			continue;
		}
		buf_addc(&b, '\'');
		for (const char *s = v[i]; *s; s++) {
			if (*s == '\'') {
				buf_adds(&b, "'\\''");
			} else {
				buf_addc(&b, *s);
			}
		}
		buf_addc(&b, '\'');
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
