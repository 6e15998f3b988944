/* SPDX-License-Identifier: MIT */
#include "config/iniread.h"

#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/mem.h"
#include "common/utf8.h"

#define BLANKS " \t\v\f\r"

struct reader {
	const char *next, *end;
	unsigned line;
	const char *file;
	struct problems *problems;
	struct ini_text *out;
};

static void complain(struct reader *r, const char *reason)
{
	struct place at = {.file = r->file, .line = r->line};
	problems_add(r->problems, &at, "%s", reason);
}

/* A list grows where its length is a power of two. */
static void *grow(void *v, size_t n, size_t size)
{
	return (n & (n - 1)) == 0 ? xreallocarray(v, n ? n * 2 : 1, size) : v;
}

static void add_section(struct reader *r, char *name, bool broken)
{
	struct ini_text *t = r->out;
	t->sections = grow(t->sections, t->nsections, sizeof(*t->sections));
	t->sections[t->nsections++] =
		(struct ini_section){.name = name, .line = r->line, .broken = broken};
}

static bool is_utf8(const char *s, size_t len)
{
	uint32_t cp;
	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_decode(s + i, len - i, &cp);
		if (n == 0) {
			return false;
		}
	}
	return true;
}

_Static_assert(LIMIT_INI_LINE == 64 * 1024, "the message below names the limit");

/* Why this line cannot be taken; NULL if it can. A comment may be in any character set. */
static const char *refuse(const char *s, size_t len, bool comment, int room)
{
	if (len > LIMIT_INI_LINE) {
		return "the line is longer than 64 KiB";
	}
	if (memchr(s, '\0', len)) {
		return "there is a NUL byte in the line";
	}
	if (!comment && !is_utf8(s, len)) {
		return "the line is not UTF-8";
	}
	if (len + 2 > (size_t)room) {
		return "the line is longer than this build of inih can read";
	}
	return NULL;
}

/* Note a "[name]" header and write what inih gets in its place. */
static void read_header(struct reader *r, const char *s, size_t len, char *out, int room)
{
	const char *close = memchr(s, ']', len);
	const char *reason = NULL;
	if (!close) {
		reason = "the section header has no ]";
	} else if (close + 1 != s + len) {
		reason = "there is something behind the ] of the section header";
	}
	if (reason) {
		complain(r, reason);
	}
	size_t n = close ? (size_t)(close - s - 1) : len - 1;
	add_section(r, xstrndup(s + 1, n), reason != NULL);
	snprintf(out, (size_t)room, "[%zu]\n", r->out->nsections - 1);
}

/* The next line without its end. */
static const char *next_line(struct reader *r, size_t *len)
{
	const char *s = r->next;
	const char *nl = memchr(s, '\n', (size_t)(r->end - s));
	const char *e = nl ? nl : r->end;
	r->next = nl ? nl + 1 : r->end;
	r->line++;
	if (e > s && e[-1] == '\r') {
		e--;
	}
	*len = (size_t)(e - s);
	return s;
}

static const char *trim(const char *s, size_t *len)
{
	while (*len && *s && strchr(BLANKS, *s)) {
		s++;
		--*len;
	}
	while (*len && s[*len - 1] && strchr(BLANKS, s[*len - 1])) {
		--*len;
	}
	return s;
}

/* inih asks for one line at a time, as with fgets(). */
static char *on_read(char *out, int room, void *stream)
{
	struct reader *r = stream;
	if (r->next >= r->end) {
		return NULL;
	}
	size_t len;
	const char *line = next_line(r, &len);
	size_t n = len;
	const char *s = trim(line, &n);
	bool comment = n && (*s == ';' || *s == '#');
	const char *reason = refuse(line, len, comment, room);
	if (reason) {
		complain(r, reason);
	}
	if (reason || comment || n == 0) {
		snprintf(out, (size_t)room, "\n");
	} else if (*s == '[') {
		read_header(r, s, n, out, room);
	} else {
		memcpy(out, s, n);
		memcpy(out + n, "\n", 2);
	}
	return out;
}

/* inih calls this while it works on the line that on_read() gave it last. */
static int on_line(void *user, const char *section, const char *key, const char *value)
{
	struct reader *r = user;
	struct ini_text *t = r->out;
	t->lines = grow(t->lines, t->nlines, sizeof(*t->lines));
	t->lines[t->nlines++] = (struct ini_line){
		.section = *section ? strtoul(section, NULL, 10) : 0,
		.line = r->line,
		.key = xstrdup(key),
		.value = value ? xstrdup(value) : NULL,
	};
	return 1;
}

/* Debian and others build inih with these as variables; meson.build checks that they exist. */
static void set_up_inih(void)
{
	ini_use_stack = false;
	ini_max_line = LIMIT_INI_LINE + 4;
	ini_initial_alloc = LIMIT_INI_LINE + 4; /* the size it really gets without realloc */
	ini_allow_realloc = false;
	ini_allow_multiline = false;
	ini_allow_inline_comments = false;
	ini_allow_bom = false; /* on_read() has removed it */
	ini_allow_no_value = true;
	ini_stop_on_first_error = false;
}

void iniread(struct ini_text *out, const char *text, size_t len, const char *file,
	     struct problems *p)
{
	text = len ? text : "";
	struct reader r = {
		.next = text, .end = text + len, .file = file, .problems = p, .out = out};
	*out = (struct ini_text){0};
	add_section(&r, xstrdup(""), false);
	if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
		r.next += 3;
	}
	set_up_inih();
	if (ini_parse_stream(on_read, &r, on_line, &r) == -2) {
		abort(); /* out of memory, as in mem.h */
	}
}

void ini_text_finish(struct ini_text *t)
{
	for (size_t i = 0; i < t->nsections; i++) {
		free(t->sections[i].name);
	}
	for (size_t i = 0; i < t->nlines; i++) {
		free(t->lines[i].key);
		free(t->lines[i].value);
	}
	free(t->sections);
	free(t->lines);
	*t = (struct ini_text){0};
}
