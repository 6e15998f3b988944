/* SPDX-License-Identifier: MIT */
#include "config/envfile.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/limits.h"
#include "common/mem.h"

struct scanner {
	const char *s, *end;
	unsigned line;
	struct err *err;
};

static bool fail(const struct scanner *sc, const char *reason)
{
	return err_set(sc->err, ERR_CONFIG, "line %u: %s", sc->line, reason);
}

static bool at_end(const struct scanner *sc)
{
	return sc->s == sc->end || *sc->s == '\n' ||
	       (*sc->s == '\r' && (sc->s + 1 == sc->end || sc->s[1] == '\n'));
}

static void skip_blanks(struct scanner *sc)
{
	while (sc->s < sc->end && (*sc->s == ' ' || *sc->s == '\t')) {
		sc->s++;
	}
}

static void skip_line(struct scanner *sc)
{
	const char *nl = memchr(sc->s, '\n', (size_t)(sc->end - sc->s));
	sc->s = nl ? nl + 1 : sc->end;
	sc->line++;
}

static bool is_name_char(char c, bool first)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
	       (!first && c >= '0' && c <= '9');
}

/* The name in front of the "="; NULL with a reason. */
static char *read_name(struct scanner *sc)
{
	if (sc->end - sc->s > 7 && memcmp(sc->s, "export", 6) == 0 &&
	    (sc->s[6] == ' ' || sc->s[6] == '\t')) {
		sc->s += 6;
		skip_blanks(sc);
	}
	const char *from = sc->s;
	while (sc->s < sc->end && is_name_char(*sc->s, sc->s == from)) {
		sc->s++;
	}
	const char *to = sc->s;
	skip_blanks(sc);
	if (at_end(sc)) {
		fail(sc, to == from ? "there is no name" : "there is no = behind the name");
		return NULL;
	}
	if (*sc->s != '=' || to == from) {
		fail(sc, "a line is NAME=VALUE, and a name has only letters, digits and _");
		return NULL;
	}
	sc->s++;
	return xstrndup(from, (size_t)(to - from));
}

static void add_escape(struct buf *value, char c)
{
	static const char known[] = "nrt\\\"$`";
	static const char means[] = "\n\r\t\\\"$`";
	const char *at = c ? strchr(known, c) : NULL;
	if (at) {
		buf_addc(value, means[at - known]);
	} else {
		buf_addc(value, '\\');
		buf_addc(value, c);
	}
}

/* sc->s stands behind the opening quote. */
static bool read_quoted(struct scanner *sc, char quote, struct buf *value)
{
	unsigned first = sc->line;
	for (; sc->s < sc->end && *sc->s != quote; sc->s++) {
		sc->line += *sc->s == '\n';
		if (quote == '"' && *sc->s == '\\' && sc->s + 1 < sc->end) {
			sc->s++;
			sc->line += *sc->s == '\n';
			add_escape(value, *sc->s);
		} else {
			buf_addc(value, *sc->s);
		}
	}
	if (sc->s == sc->end) {
		sc->line = first;
		return fail(sc, "the quote is not closed");
	}
	sc->s++;
	skip_blanks(sc);
	if (!at_end(sc) && *sc->s != '#') {
		return fail(sc, "there is something behind the closing quote");
	}
	return true;
}

static void read_bare(struct scanner *sc, struct buf *value)
{
	const char *from = sc->s;
	while (!at_end(sc) &&
	       !(*sc->s == '#' && (sc->s == from || sc->s[-1] == ' ' || sc->s[-1] == '\t'))) {
		sc->s++;
	}
	const char *to = sc->s;
	while (to > from && (to[-1] == ' ' || to[-1] == '\t')) {
		to--;
	}
	buf_add(value, from, (size_t)(to - from));
}

static bool read_variable(struct scanner *sc, struct env_file *f)
{
	char *name = read_name(sc);
	if (!name) {
		return false;
	}
	struct buf value = {0};
	bool ok = true;
	skip_blanks(sc);
	if (sc->s < sc->end && (*sc->s == '"' || *sc->s == '\'')) {
		char quote = *sc->s++;
		ok = read_quoted(sc, quote, &value);
	} else {
		read_bare(sc, &value);
	}
	if (!ok) {
		free(name);
		buf_finish(&value);
		return false;
	}
	if ((f->n & (f->n - 1)) == 0) { /* full at 0, 1, 2, 4, 8 ... */
		f->v = xreallocarray(f->v, f->n ? f->n * 2 : 1, sizeof(*f->v));
	}
	f->v[f->n++] = (struct env_file_var){.name = name, .value = buf_take(&value)};
	return true;
}

/* No variable can hold one. */
static bool check_nul(const struct scanner *sc)
{
	const char *nul = memchr(sc->s, '\0', (size_t)(sc->end - sc->s));
	if (!nul) {
		return true;
	}
	struct scanner at = *sc;
	for (const char *s = sc->s; s < nul; s++) {
		at.line += *s == '\n';
	}
	return fail(&at, "there is a NUL byte");
}

bool envfile_parse(struct env_file *out, const char *text, size_t len, struct err *err)
{
	struct env_file f = {0};
	text = len ? text : "";
	struct scanner sc = {.s = text, .end = text + len, .line = 1, .err = err};
	if (len > LIMIT_ENV_FILE) {
		return err_set(err, ERR_CONFIG, "larger than %d KiB", LIMIT_ENV_FILE / 1024);
	}
	if (!check_nul(&sc)) {
		return false;
	}
	if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
		sc.s += 3;
	}
	while (sc.s < sc.end) {
		skip_blanks(&sc);
		if (!at_end(&sc) && *sc.s != '#' && !read_variable(&sc, &f)) {
			envfile_finish(&f);
			return false;
		}
		skip_line(&sc);
	}
	*out = f;
	return true;
}

void envfile_finish(struct env_file *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].name);
		free(f->v[i].value);
	}
	free(f->v);
	*f = (struct env_file){0};
}
