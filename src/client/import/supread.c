/* SPDX-License-Identifier: MIT */
#include "client/import/supread.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "client/import/map.h"
#include "client/import/where.h"
#include "common/mem.h"
#include "config/names.h"

#define MAX_NUMBER 100000

struct reader {
	struct sup_file *f;
	const char *file, *here;
	json_t *keys, *lines; /* of the section we are in, borrowed; NULL before the first */
	char *key;	      /* whose value may go on; NULL = none */
	unsigned line;
};

static void trim(char *s)
{
	size_t len = strlen(s);
	while (len && isspace((unsigned char)s[len - 1])) {
		s[--len] = '\0';
	}
	size_t blanks = strspn(s, " \t");
	memmove(s, s + blanks, len - blanks + 1);
}

/* A comment behind a blank ends the line. */
static void cut_comment(char *s)
{
	for (char *c = s; *c; c++) {
		if ((*c == ';' || *c == '#') && (c == s || c[-1] == ' ' || c[-1] == '\t')) {
			*c = '\0';
			return;
		}
	}
}

static void set_text(json_t *o, const char *key, const char *text)
{
	json_t *v = json_string(text);
	json_object_set_new(o, key, v ? v : json_string(""));
}

/* The text with %(here)s replaced, which means the folder of the very file. Caller frees. */
static char *put_here(const struct reader *r, const char *text)
{
	static const char here[] = "%(here)s";
	struct buf out = {0};
	buf_adds(&out, "");
	for (const char *at; (at = strstr(text, here)); text = at + sizeof(here) - 1) {
		buf_add(&out, text, (size_t)(at - text));
		for (const char *s = r->here; *s; s++) {
			buf_adds(&out, *s == '%' ? "%%" : (char[]){*s, '\0'});
		}
	}
	buf_adds(&out, text);
	return buf_take(&out);
}

static bool read_section(struct reader *r, char *s, struct err *err)
{
	char *end = strchr(s, ']');
	if (!end) {
		return err_set(err, ERR_CONFIG, "line %u: the section header has no ]", r->line);
	}
	*end = '\0';
	/* Of an included file it has no effect, and must not be taken for that of the first. */
	bool apart = r->file && strcmp(s + 1, "include") == 0;
	json_t *o = apart ? NULL : json_object_get(r->f->index, s + 1);
	if (o) {
		json_object_set_new(o, "again", json_true());
	} else {
		o = json_object();
		set_text(o, "name", s + 1);
		json_object_set_new(o, "line", json_integer(r->line));
		json_object_set_new(o, "file", r->file ? json_string(r->file) : json_null());
		json_object_set_new(o, "keys", json_object());
		json_object_set_new(o, "lines", json_object());
		if (!apart) {
			json_object_set(r->f->index, s + 1, o);
		}
		json_array_append_new(r->f->sections, o);
	}
	r->keys = json_object_get(o, "keys");
	r->lines = json_object_get(o, "lines");
	free(r->key);
	r->key = NULL;
	return true;
}

static void go_on(struct reader *r, const char *s)
{
	const char *had = json_string_value(json_object_get(r->keys, r->key));
	char *text = put_here(r, s);
	char *all = xasprintf("%s%s%s", had ? had : "", had && *had ? "\n" : "", text);
	set_text(r->keys, r->key, all);
	free(all);
	free(text);
}

static bool read_key(struct reader *r, char *s, struct err *err)
{
	char shown[SHOWN_MAX];
	char *sep = strpbrk(s, "=:");
	if (!r->keys || !sep) {
		return err_set(err, ERR_CONFIG, "line %u: \"%s\" is no KEY=VALUE%s", r->line,
			       names_shown(s, shown), r->keys ? "" : " of a section");
	}
	*sep = '\0';
	trim(s);
	trim(sep + 1);
	for (char *c = s; *c; c++) {
		*c = (char)tolower((unsigned char)*c);
	}
	free(r->key);
	r->key = xstrdup(s);
	char *text = put_here(r, sep + 1);
	set_text(r->keys, s, text);
	where_add(r->lines, s, where_place(r->line, NULL));
	free(text);
	return true;
}

static bool read_line(struct reader *r, char *s, struct err *err)
{
	bool indented = *s == ' ' || *s == '\t';
	char shown[SHOWN_MAX];
	if (strstr(s, "{{") || strstr(s, "{%") || strstr(s, "<%")) {
		return s[strspn(s, " \t")] == '#' || s[strspn(s, " \t")] == ';' ||
		       err_set(err, ERR_CONFIG,
			       "line %u: \"%s\" is for a template; import what it is rendered to",
			       r->line, names_shown(s, shown));
	}
	cut_comment(s);
	trim(s);
	if (!*s) {
		return true;
	}
	if (indented && r->key) {
		go_on(r, s);
		return true;
	}
	return *s == '[' ? read_section(r, s, err) : read_key(r, s, err);
}

bool supread(struct sup_file *f, const char *text, const char *file, const char *here,
	     struct err *err)
{
	struct reader r = {.f = f, .file = file, .here = here};
	bool ok = true;
	f->sections = f->sections ? f->sections : json_array();
	f->index = f->index ? f->index : json_object();
	text += strncmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
	for (const char *s = text; ok && *s; s += *s == '\n') {
		size_t len = strcspn(s, "\n");
		char *line = xstrndup(s, len);
		r.line++;
		ok = read_line(&r, line, err);
		free(line);
		s += len;
	}
	free(r.key);
	return ok || (file ? err_wrap(err, "%s", file) : false);
}

void sup_file_finish(struct sup_file *f)
{
	json_decref(f->sections);
	json_decref(f->index);
	*f = (struct sup_file){0};
}

/* --- %(NAME)s --- */

/* %d, %02d or %s of a number. */
static bool add_number(struct buf *out, const char *form, size_t len, long n)
{
	char digits[16];
	bool zero = len > 1 && form[0] == '0';
	int width = 0;
	if (len > 3 || (form[len - 1] != 'd' && form[len - 1] != 's')) {
		return false;
	}
	for (size_t i = 0; i + 1 < len; i++) {
		if (!isdigit((unsigned char)form[i])) {
			return false;
		}
		width = width * 10 + (form[i] - '0');
	}
	snprintf(digits, sizeof(digits), "%ld", n % MAX_NUMBER);
	for (int i = (int)strlen(digits); i < width; i++) {
		buf_addc(out, zero ? '0' : ' ');
	}
	buf_adds(out, digits);
	return true;
}

static bool add_name(struct buf *out, const char *name, size_t len, const char *form, size_t flen,
		     const struct sup_names *n)
{
	const struct {
		const char *name, *text;
		long number;
	} known[] = {
		{"program_name", n->program, 0},
		{"group_name", n->group, 0},
		{"process_num", NULL, n->number},
		{"numprocs", NULL, n->numprocs},
	};
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (strlen(known[i].name) == len && strncmp(name, known[i].name, len) == 0) {
			if (!known[i].text) {
				return add_number(out, form, flen, known[i].number);
			}
			buf_adds(out, known[i].text);
			return true;
		}
	}
	if (len > 4 && strncmp(name, "ENV_", 4) == 0) {
		buf_addf(out, IMPORT_MARK "%.*s" IMPORT_MARK_END, (int)len - 4, name + 4);
		return true;
	}
	if (len == 14 && strncmp(name, "host_node_name", len) == 0) {
		buf_adds(out, IMPORT_MARK "HOSTNAME" IMPORT_MARK_END);
		return true;
	}
	return false;
}

char *supread_expand(const char *text, const struct sup_names *n, struct err *err)
{
	struct buf out = {0};
	char shown[SHOWN_MAX];
	for (const char *s = text; *s;) {
		if (*s != '%') {
			buf_addc(&out, *s++);
			continue;
		}
		const char *end = s[1] == '(' ? strchr(s, ')') : NULL;
		size_t form = end ? strspn(end + 1, "0123456789") + 1 : 0;
		if (s[1] == '%') {
			buf_addc(&out, '%');
			s += 2;
		} else if (end && end[form] &&
			   add_name(&out, s + 2, (size_t)(end - s - 2), end + 1, form, n)) {
			s = end + 1 + form;
		} else {
			err_set(err, ERR_CONFIG, "\"%s\" cannot be expanded",
				names_shown(s, shown));
			buf_finish(&out);
			return NULL;
		}
	}
	return buf_take(&out);
}

/* --- environment --- */

bool supread_environment(const char *text,
			 void (*fn)(void *ctx, const char *name, const char *value), void *ctx,
			 struct err *err)
{
	static const char gaps[] = ", \t\r\n";
	for (const char *s = text; *(s += strspn(s, gaps));) {
		struct buf value = {0};
		size_t len = strcspn(s, "=,\n");
		if (s[len] != '=') {
			return err_set(err, ERR_CONFIG, "is not KEY=\"value\",KEY=\"value\"");
		}
		char *name = xstrndup(s, len);
		trim(name);
		buf_adds(&value, "");
		s += len + 1;
		s += strspn(s, " \t");
		while (*s && !strchr(gaps, *s)) {
			const char *end = *s == '"' || *s == '\'' ? strchr(s + 1, *s) : NULL;
			if (end) {
				buf_add(&value, s + 1, (size_t)(end - s - 1));
				s = end + 1;
			} else {
				buf_addc(&value, *s++);
			}
		}
		fn(ctx, name, value.data);
		free(name);
		buf_finish(&value);
	}
	return true;
}
