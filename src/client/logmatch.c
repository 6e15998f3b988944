/* SPDX-License-Identifier: MIT */
#include "client/logmatch.h"

#include <ctype.h>
#include <langinfo.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/literals.h"
#include "common/limits.h"
#include "common/mem.h"

#define WINDOW_FIRST 1024
#define WINDOW_GROWS 4

static bool is_ascii(const char *s, size_t len)
{
	uint64_t word, any = 0;
	for (; len >= sizeof(word); s += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, s, sizeof(word));
		any |= word;
	}
	for (; len; s++, len--) {
		any |= (uint64_t)(unsigned char)*s << 56 | (unsigned char)*s;
	}
	return (any & UINT64_C(0x8080808080808080)) == 0;
}

static void take_literals(struct logmatch *m, const char *pattern, bool fold)
{
	struct literals l;
	size_t at = 0, size = 1;
	literals_init(&l, pattern, fold);
	for (size_t i = 0; i < l.n; i++) {
		size += strlen(l.text[i]);
	}
	m->text = xcalloc(1, size);
	for (size_t i = 0; i < l.n; i++) {
		size_t len = strlen(l.text[i]);
		for (size_t k = 0; k < len; k++) {
			unsigned char c = (unsigned char)l.text[i][k];
			m->text[at + k] = (char)(fold && c < 128 ? tolower(c) : c);
		}
		memfind_init(&m->literal[i], m->text + at, len, fold);
		at += len;
	}
	m->nliterals = l.n;
	m->is_literal = l.is_all;
	literals_finish(&l);
}

/* Newlines separate lines for it, as many lines are looked at together. */
static int compile(regex_t *re, const char *pattern, bool fold, locale_t locale)
{
	locale_t before = uselocale(locale);
	int r = regcomp(re, pattern, REG_EXTENDED | REG_NEWLINE | (fold ? REG_ICASE : 0));
	uselocale(before);
	return r;
}

bool logmatch_init(struct logmatch *m, const char *pattern, unsigned flags, struct err *err)
{
	bool fold = flags & LOGMATCH_IGNORE_CASE;
	*m = (struct logmatch){.invert = flags & LOGMATCH_INVERT};
	if (strlen(pattern) > LIMIT_PATTERN) {
		return err_set(err, ERR_USAGE, "it is longer than %d bytes", LIMIT_PATTERN);
	}
	locale_t c = newlocale(LC_CTYPE_MASK, "C", (locale_t)0);
	m->locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
	bool wide = m->locale && strcmp(nl_langinfo_l(CODESET, m->locale), "UTF-8") == 0;
	int r = wide ? compile(&m->chars, pattern, fold, m->locale) : 0;
	m->has_chars = wide && r == 0;
	if (r == 0 && (!wide || is_ascii(pattern, strlen(pattern)))) {
		r = compile(&m->bytes, pattern, fold, c);
		m->has_bytes = r == 0;
	}
	if (c) {
		freelocale(c);
	}
	if (r != 0) {
		char why[120];
		regerror(r, wide ? &m->chars : &m->bytes, why, sizeof(why));
		logmatch_finish(m);
		return err_set(err, ERR_USAGE, "%s", why);
	}
	take_literals(m, pattern, fold);
	return true;
}

void logmatch_finish(struct logmatch *m)
{
	if (m->has_bytes) {
		regfree(&m->bytes);
	}
	if (m->has_chars) {
		regfree(&m->chars);
	}
	if (m->locale) {
		freelocale(m->locale);
	}
	free(m->text);
	*m = (struct logmatch){0};
}

static bool match_line(const struct logmatch *m, const char *s, size_t len)
{
	bool bytes = m->has_bytes && (!m->has_chars || is_ascii(s, len));
	locale_t before = bytes ? (locale_t)0 : uselocale(m->locale);
	regmatch_t at = {.rm_so = 0, .rm_eo = (regoff_t)len};
	/* None is asked for where it is: the search for the longest match would cost. */
	bool ok = regexec(bytes ? &m->bytes : &m->chars, s, 0, &at, REG_STARTEND) == 0;
	if (!bytes) {
		uselocale(before);
	}
	return ok;
}

/* The first place where one of the literals stands; len if none does. */
static size_t find_literal(const struct logmatch *m, const char *s, size_t len)
{
	size_t first = len;
	for (size_t i = 0; i < m->nliterals; i++) {
		/* Behind the first one of another there is nothing to find. */
		size_t up_to = first + m->literal[i].len - 1;
		const char *at = memfind(&m->literal[i], s, up_to < len ? up_to : len);
		first = at && (size_t)(at - s) < first ? (size_t)(at - s) : first;
	}
	return first;
}

bool logmatch_line(const struct logmatch *m, const char *line, size_t len)
{
	bool found = m->nliterals == 0 || find_literal(m, line, len) < len;
	if (found && !m->is_literal) {
		found = match_line(m, line, len);
	}
	return found != m->invert;
}

/* Whole lines of about that size, without their last newline; all if there are no more. */
static size_t window(const char *data, size_t len, size_t size)
{
	const char *nl = len > size ? memrchr(data, '\n', size) : NULL;
	if (!nl && len > size) {
		nl = memchr(data + size, '\n', len - size);
	}
	return nl ? (size_t)(nl - data) : len;
}

/* Bigger and bigger windows: where each line is wanted little is looked at in vain. In big blocks
 * characters are slow: up to where there are any. */
static size_t skip_by_match(const struct logmatch *m, const char *data, size_t len)
{
	size_t at = 0;
	for (size_t size = WINDOW_FIRST; at < len; size *= WINDOW_GROWS) {
		size_t n = window(data + at, len - at, size);
		regmatch_t r = {.rm_so = 0, .rm_eo = (regoff_t)n};
		if (!is_ascii(data + at, n)) {
			return at;
		}
		if (regexec(&m->bytes, data + at, 1, &r, REG_STARTEND) == 0) {
			return at + (size_t)r.rm_so;
		}
		at += n + (at + n < len);
	}
	return len;
}

size_t logmatch_skip(const struct logmatch *m, const char *data, size_t len)
{
	if (m->invert) {
		return 0;
	}
	if (m->nliterals) {
		return find_literal(m, data, len);
	}
	return m->has_bytes ? skip_by_match(m, data, len) : 0;
}

void logmatch_literals(const struct logmatch *m, char *out, size_t cap)
{
	size_t n = 0;
	out[0] = '\0';
	for (size_t i = 0; i < m->nliterals && n < cap; i++) {
		n += (size_t)snprintf(out + n, cap - n, "%s%.*s", i ? "|" : "",
				      (int)m->literal[i].len, m->literal[i].needle);
	}
}
