/* SPDX-License-Identifier: MIT */
#include "ui/prompt.h"

#include <stdio.h>
#include <string.h>

#include "ui/input.h"

/* --- editing --- */

static size_t encode(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

static bool is_middle(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t before(const struct prompt *p, size_t at)
{
	do {
		at -= at > 0;
	} while (at > 0 && is_middle(p->text[at]));
	return at;
}

static size_t behind(const struct prompt *p, size_t at)
{
	do {
		at += p->text[at] != '\0';
	} while (is_middle(p->text[at]));
	return at;
}

static void cut(struct prompt *p, size_t from, size_t to)
{
	memmove(p->text + from, p->text + to, strlen(p->text + to) + 1);
	p->cursor = from;
}

static void insert(struct prompt *p, const char *s, size_t len)
{
	size_t have = strlen(p->text);
	if (have + len < sizeof(p->text)) {
		memmove(p->text + p->cursor + len, p->text + p->cursor, have - p->cursor + 1);
		memcpy(p->text + p->cursor, s, len);
		p->cursor += len;
	}
}

static size_t word_before(const struct prompt *p)
{
	size_t at = p->cursor;
	while (at > 0 && p->text[at - 1] == ' ') {
		at--;
	}
	while (at > 0 && p->text[at - 1] != ' ') {
		at--;
	}
	return at;
}

void prompt_set(struct prompt *p, const char *text)
{
	snprintf(p->text, sizeof(p->text), "%s", text);
	p->cursor = strlen(p->text);
}

static bool move_key(struct prompt *p, uint32_t key)
{
	switch (key) {
	case UK_ARROW_LEFT:
	case UK_CTRL('b'):
		p->cursor = before(p, p->cursor);
		return true;
	case UK_ARROW_RIGHT:
	case UK_CTRL('f'):
		p->cursor = behind(p, p->cursor);
		return true;
	case UK_TOP:
	case UK_CTRL('a'):
		p->cursor = 0;
		return true;
	case UK_BOTTOM:
	case UK_CTRL('e'):
		p->cursor = strlen(p->text);
		return true;
	default:
		return false;
	}
}

static bool cut_key(struct prompt *p, uint32_t key)
{
	switch (key) {
	case UK_BACK:
		cut(p, before(p, p->cursor), p->cursor);
		return true;
	case UK_DEL:
	case UK_CTRL('d'):
		cut(p, p->cursor, behind(p, p->cursor));
		return true;
	case UK_CTRL('u'):
		cut(p, 0, p->cursor);
		return true;
	case UK_CTRL('k'):
		cut(p, p->cursor, strlen(p->text));
		return true;
	case UK_CTRL('w'):
		cut(p, word_before(p), p->cursor);
		return true;
	default:
		return false;
	}
}

/* --- what was typed before --- */

static void look_back(struct prompt *p, const struct prompt_history *h, int by)
{
	int to = p->back + by;
	if (to < 0 || to > h->n) {
		return;
	}
	if (p->back == 0) {
		snprintf(p->typed, sizeof(p->typed), "%s", p->text);
	}
	p->back = to;
	prompt_set(p, to == 0 ? p->typed : h->line[h->n - to]);
}

void prompt_remember(struct prompt_history *h, const char *line)
{
	int at = 0;
	if (!line[0]) {
		return;
	}
	while (at < h->n && strcmp(h->line[at], line) != 0) {
		at++;
	}
	if (at == h->n && h->n == PROMPT_HISTORY) {
		at = 0;
	}
	if (at < h->n) {
		h->n--;
		memmove(h->line[at], h->line[at + 1], (size_t)(h->n - at) * sizeof(h->line[0]));
	}
	snprintf(h->line[h->n++], PROMPT_TEXT, "%s", line);
}

bool prompt_key(struct prompt *p, const struct prompt_history *h, uint32_t key)
{
	char s[4];
	if (h && (key == UK_ARROW_UP || key == UK_CTRL('p'))) {
		look_back(p, h, 1);
		return true;
	}
	if (h && (key == UK_ARROW_DOWN || key == UK_CTRL('n'))) {
		look_back(p, h, -1);
		return true;
	}
	if (move_key(p, key) || cut_key(p, key)) {
		return true;
	}
	if (key < 0x20 || key == 0x7f || key >= UK_BASE) {
		return false;
	}
	insert(p, s, encode(key, s));
	return true;
}

/* --- completion --- */

/* The length all candidates agree in, *n of them; the first one into `first`. */
static size_t agree(prompt_words *words, void *ctx, int word, const char *start, size_t len,
		    char *first, size_t cap, int *n)
{
	const char *w;
	size_t same = 0;
	*n = 0;
	for (size_t k = 0; (w = words(ctx, word, k)) != NULL; k++) {
		if (strncmp(w, start, len) != 0) {
			continue;
		}
		if ((*n)++ == 0) {
			snprintf(first, cap, "%s", w);
			same = strlen(first);
		}
		for (size_t i = 0; i < same; i++) {
			same = first[i] == w[i] ? same : i;
		}
	}
	return same;
}

static void list_all(prompt_words *words, void *ctx, int word, const char *start, size_t len,
		     char *out, size_t cap)
{
	const char *w;
	size_t used = 0;
	for (size_t k = 0; (w = words(ctx, word, k)) != NULL; k++) {
		if (strncmp(w, start, len) == 0 && used + strlen(w) + 1 < cap) {
			used += (size_t)snprintf(out + used, cap - used, "%s%s", used ? " " : "",
						 w);
		}
	}
}

void prompt_complete(struct prompt *p, prompt_words *words, void *ctx, char *several, size_t cap)
{
	char first[PROMPT_TEXT];
	size_t from = p->cursor;
	int word = 0, n;
	several[0] = '\0';
	while (from > 0 && p->text[from - 1] != ' ') {
		from--;
	}
	for (size_t i = 0; i < from; i++) {
		word += p->text[i] != ' ' && p->text[i + 1] == ' ';
	}
	const char *start = p->text + from;
	size_t len = p->cursor - from;
	size_t same = agree(words, ctx, word, start, len, first, sizeof(first), &n);
	if (n > 1) {
		list_all(words, ctx, word, start, len, several, cap);
	}
	if (n > 0) {
		insert(p, first + len, same - len);
	}
	if (n == 1) {
		insert(p, " ", 1);
	}
}
