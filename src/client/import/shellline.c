/* SPDX-License-Identifier: MIT */
#include "client/import/shellline.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"

#define BLANKS " \t"

static size_t name_length(const char *s)
{
	size_t n = 0;
	while (isalpha((unsigned char)s[n]) || s[n] == '_' || (n && isdigit((unsigned char)s[n]))) {
		n++;
	}
	return n;
}

static bool is_assignment(const char *s)
{
	size_t n = name_length(s);
	return n > 0 && s[n] == '=';
}

/* Call fn for each character that is in no 'quotes'; in "quotes" it is told so. True if it was for
 * one. */
static bool any_bare(const char *line, bool (*fn)(char c, bool quoted))
{
	bool quoted = false;
	for (const char *s = line; *s; s++) {
		if (*s == '\\' && s[1]) {
			s++;
		} else if (*s == '\'' && !quoted) {
			const char *end = strchr(s + 1, '\'');
			s = end ? end : s + strlen(s) - 1;
		} else if (*s == '"') {
			quoted = !quoted;
		} else if (fn(*s, quoted)) {
			return true;
		}
	}
	return false;
}

static bool is_special(char c, bool quoted)
{
	return strchr(quoted ? "$`" : "$`|&;<>()*?[]{}~#!\n\r", c) != NULL;
}

/* What makes it more than one command. */
static bool is_joint(char c, bool quoted)
{
	return !quoted && strchr("|&;()\n{}", c) != NULL;
}

bool shellline_is_plain(const char *line)
{
	struct words w = {0};
	struct err err;
	line += strspn(line, BLANKS);
	bool ok = words_split(&w, line, &err) && w.n > 0;
	words_finish(&w);
	return ok && !is_assignment(line) && !any_bare(line, is_special);
}

static bool is_simple(const char *line)
{
	static const char *const keywords[] = {
		"exec",	  "cd",	    "if", "for",  "while", "until", "case", "set", "export",
		"ulimit", "source", ".",  "eval", "trap",  "umask", "!",    "time"};
	if (any_bare(line, is_joint)) {
		/* ${NAME} is no joint. */
		char *copy = xstrdup(line);
		for (char *s = copy; (s = strstr(s, "${"));) {
			char *end = strchr(s, '}');
			*s++ = 'x';
			*s++ = 'x';
			if (end) {
				*end = 'x';
			}
		}
		bool joint = any_bare(copy, is_joint);
		free(copy);
		if (joint) {
			return false;
		}
	}
	while (is_assignment(line)) {
		line += strcspn(line, BLANKS);
		line += strspn(line, BLANKS);
	}
	size_t len = strcspn(line, BLANKS);
	for (size_t i = 0; i < ARRAY_LEN(keywords); i++) {
		if (len == strlen(keywords[i]) && strncmp(line, keywords[i], len) == 0) {
			return false;
		}
	}
	return true;
}

/* Where the command begins behind NAME=VALUE words, which exec may follow. */
static size_t behind_assignments(const char *line)
{
	const char *s = line;
	while (is_assignment(s)) {
		char quote = 0;
		for (; *s && (quote || !strchr(BLANKS, *s)); s++) {
			if (*s == '\\' && s[1]) {
				s++;
			} else if (quote ? *s == quote : *s == '\'' || *s == '"') {
				quote = quote ? 0 : *s;
			}
		}
		s += strspn(s, BLANKS);
	}
	return (size_t)(s - line);
}

char *shellline_wrap(const char *shell, const char *line)
{
	struct buf script = {0};
	line += strspn(line, BLANKS);
	size_t at = behind_assignments(line);
	if (line[at] && is_simple(line)) {
		buf_add(&script, line, at);
		buf_adds(&script, "exec ");
		buf_adds(&script, line + at);
	} else {
		buf_adds(&script, line);
	}
	char *text = buf_take(&script);
	char *const words[] = {(char *)(uintptr_t)shell, (char *)(uintptr_t) "-c", text};
	char *joined = words_join(words, 3);
	free(text);
	return joined;
}

void shellline_take_env(const char **line, void (*fn)(void *ctx, char *name, char *value),
			void *ctx)
{
	const char *s = *line + strspn(*line, BLANKS);
	while (is_assignment(s)) {
		struct words w = {0};
		struct err err;
		size_t len = behind_assignments(s);
		/* Only one of them. */
		for (size_t i = name_length(s) + 1, q = 0; i < len; i++) {
			q ^= s[i] == '\'' || s[i] == '"';
			if (!q && strchr(BLANKS, s[i])) {
				len = i + strspn(s + i, BLANKS);
			}
		}
		char *one = xstrndup(s, len);
		bool plain = !any_bare(one, is_special) && words_split(&w, one, &err) && w.n == 1;
		if (plain) {
			char *eq = strchr(w.v[0], '=');
			*eq = '\0';
			fn(ctx, w.v[0], eq + 1);
			s += len;
		}
		words_finish(&w);
		free(one);
		if (!plain) {
			break;
		}
	}
	*line = s;
}
