/* SPDX-License-Identifier: MIT */
#include "client/import/json.h"

#include <stdlib.h>
#include <string.h>

#include "client/import/where.h"
#include "common/buf.h"
#include "common/mem.h"
#include "config/names.h"

/* Where a string ends: behind its closing quote. */
static size_t skip_string(const char *s, size_t at, size_t len)
{
	for (at++; at < len && s[at] != '"'; at++) {
		at += s[at] == '\\' && at + 1 < len;
	}
	return at < len ? at + 1 : len;
}

/* Blank out a comment at s[at], line breaks stay. Returns where it ends; at if there is none. */
static size_t blank_comment(char *s, size_t at, size_t len)
{
	size_t i = at;
	if (s[at] != '/' || at + 1 >= len) {
		return at;
	}
	if (s[at + 1] == '/') {
		for (; i < len && s[i] != '\n'; i++) {
			s[i] = ' ';
		}
	} else if (s[at + 1] == '*') {
		const char *end = memmem(s + at + 2, len - at - 2, "*/", 2);
		size_t stop = end ? (size_t)(end - s) + 2 : len;
		for (; i < stop; i++) {
			s[i] = s[i] == '\n' ? '\n' : ' ';
		}
	}
	return i;
}

/* Comments, and commas with nothing behind them, as blanks, so that lines and columns stay. */
static void make_strict(char *s, size_t len)
{
	size_t comma = len;
	for (size_t i = 0; i < len;) {
		size_t end = blank_comment(s, i, len);
		if (end > i) {
			i = end;
		} else if (s[i] == '"') {
			i = skip_string(s, i, len);
			comma = len;
		} else {
			if ((s[i] == ']' || s[i] == '}') && comma < len) {
				s[comma] = ' ';
			}
			if (s[i] == ',') {
				comma = i;
			} else if (!strchr(" \t\r\n", s[i]) || !s[i]) {
				comma = len;
			}
			i++;
		}
	}
}

json_t *importjson_read(const char *text, size_t len, json_t **where, struct err *err)
{
	json_error_t e;
	bool bom = len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0;
	char *copy = xstrndup(text + (bom ? 3 : 0), len - (bom ? 3 : 0));
	size_t n = strlen(copy);
	make_strict(copy, n);
	json_t *root = n < len - (bom ? 3 : 0) ? NULL : json_loadb(copy, n, 0, &e);
	if (n < len - (bom ? 3 : 0)) {
		err_set(err, ERR_CONFIG, "there is a NUL byte in it");
	} else if (!root) {
		char shown[SHOWN_MAX];
		err_set(err, ERR_CONFIG, "line %d, column %d: %s", e.line, e.column,
			names_shown(e.text, shown));
	} else if (where) {
		*where = where_json(copy, n);
	}
	free(copy);
	return root;
}
