/* SPDX-License-Identifier: MIT */
#include "client/import/report.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "proto/jw.h"

#define KEY_WIDTH 22

static void add_safe(struct buf *out, const char *s)
{
	buf_add_escaped(out, s, strlen(s), 0);
}

/* With the line of the source in front, where it has lines. */
static void add_line(struct buf *out, const struct import_line *l, bool numbered)
{
	if (numbered && l->line) {
		buf_addf(out, "  %5u", l->line);
	} else if (numbered) {
		buf_adds(out, "       ");
	}
	buf_addf(out, "  %-11s  ", import_kind_name(l->kind));
	size_t from = out->len;
	add_safe(out, l->key);
	for (size_t n = out->len - from; n < KEY_WIDTH; n++) {
		buf_addc(out, ' ');
	}
	if (l->to) {
		buf_adds(out, "  ");
		add_safe(out, l->to);
	}
	if (*l->text) {
		buf_adds(out, l->to ? "; " : "  ");
		add_safe(out, l->text);
	}
	buf_addc(out, '\n');
}

/* A line, and where the first one of its app stands. */
struct place {
	const struct import_line *line;
	size_t first;
};

static int by_app(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	if (!x->line->app || !y->line->app) {
		int cmp = (x->line->app != NULL) - (y->line->app != NULL);
		return cmp ? cmp : x->line < y->line ? -1 : x->line > y->line;
	}
	int cmp = strcmp(x->line->app, y->line->app);
	return cmp ? cmp : x->line < y->line ? -1 : x->line > y->line;
}

static int by_first(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	return x->first != y->first ? (x->first < y->first ? -1 : 1)
	       : x->line < y->line  ? -1
				    : x->line > y->line;
}

static bool same_app(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* All of the file, then all of each app, in the order in which they came. Caller frees. */
static struct place *sort_lines(const struct import *im)
{
	struct place *v = xcalloc(im->nlines + 1, sizeof(*v));
	for (size_t i = 0; i < im->nlines; i++) {
		v[i].line = &im->lines[i];
	}
	qsort(v, im->nlines, sizeof(*v), by_app);
	for (size_t i = 0; i < im->nlines; i++) {
		bool same = i && same_app(v[i - 1].line->app, v[i].line->app);
		v[i].first = same	      ? v[i - 1].first
			     : v[i].line->app ? (size_t)(v[i].line - im->lines) + 1
					      : 0;
	}
	qsort(v, im->nlines, sizeof(*v), by_first);
	return v;
}

void importreport_text(const struct import *im, struct buf *out)
{
	static const char *const words[IMPORT_KINDS] = {"mapped", "changed in meaning",
							"not supported", "without effect all along",
							"to be given a value"};
	struct place *v = sort_lines(im);
	bool numbered = false;
	for (size_t i = 0; i < im->nlines; i++) {
		numbered |= im->lines[i].line > 0;
	}
	for (size_t i = 0; i < im->nlines; i++) {
		const struct import_line *l = v[i].line;
		if (!i || !same_app(v[i - 1].line->app, l->app)) {
			add_safe(out, l->app ? l->app : im->shown);
			buf_adds(out, ":\n");
		}
		add_line(out, l, numbered);
	}
	free(v);
	buf_addf(out, "%zu app%s", im->napps, im->napps == 1 ? "" : "s");
	for (int k = 0; k < IMPORT_KINDS; k++) {
		size_t n = import_count(im, (enum import_kind)k);
		if (n) {
			buf_addf(out, ", %zu %s", n, words[k]);
		}
	}
	buf_addc(out, '\n');
}

void importreport_json(const struct import *im, const char *format, const char *ini,
		       const struct err_list *problems, struct buf *out)
{
	struct jw w;
	jw_init(&w, out);
	jw_obj(&w);
	jw_kint(&w, "v", 1);
	jw_kstr(&w, "file", im->shown);
	jw_kstr(&w, "format", format);
	jw_kint(&w, "apps", (int64_t)im->napps);
	jw_kstr(&w, "ini", ini);
	jw_key(&w, "report");
	jw_arr(&w);
	for (size_t i = 0; i < im->nlines; i++) {
		const struct import_line *l = &im->lines[i];
		jw_obj(&w);
		jw_kstr(&w, "app", l->app);
		jw_kstr(&w, "key", l->key);
		jw_kstr(&w, "kind", import_kind_name(l->kind));
		jw_key(&w, "line");
		if (l->line) {
			jw_int(&w, l->line);
		} else {
			jw_null(&w);
		}
		jw_kstr(&w, "to", l->to);
		jw_kstr(&w, "text", l->text);
		jw_end(&w);
	}
	jw_end(&w);
	jw_key(&w, "problems");
	jw_arr(&w);
	for (size_t i = 0; i < problems->count; i++) {
		jw_str(&w, problems->msg[i]);
	}
	jw_end(&w);
	jw_end(&w);
	buf_addc(out, '\n');
}
