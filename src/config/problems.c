/* SPDX-License-Identifier: MIT */
#include "config/problems.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "config/names.h"

/* "FILE:LINE: [app:web] KEY: ", or "app web: KEY: " for what came from the command line. */
static void add_place(struct buf *b, const struct place *at)
{
	char shown[SHOWN_MAX];
	if (at->file && at->line) {
		buf_add_escaped(b, at->file, strlen(at->file), 0);
		buf_addf(b, ":%u: ", at->line);
		if (at->section) {
			buf_addf(b, "[%s] ", names_shown(at->section, shown));
		}
	} else if (at->section) {
		const char *colon = strchr(at->section, ':');
		buf_addf(b, "%.*s", colon ? (int)(colon - at->section) : 0, at->section);
		buf_addf(b, "%s%s: ", colon ? " " : "",
			 names_shown(colon ? colon + 1 : at->section, shown));
	}
	if (at->key) {
		buf_addf(b, "%s: ", names_shown(at->key, shown));
	}
}

void problems_add(struct problems *p, const struct place *at, const char *fmt, ...)
{
	if (p->n >= ERR_LIST_MAX) {
		p->dropped++;
		return;
	}
	struct buf b = {0};
	add_place(&b, at);
	va_list ap;
	va_start(ap, fmt);
	char *reason = xvasprintf(fmt, ap);
	va_end(ap);
	buf_adds(&b, reason);
	free(reason);
	p->v = xreallocarray(p->v, p->n + 1, sizeof(*p->v));
	p->v[p->n] = (struct problem){.line = at->line, .order = p->n, .text = buf_take(&b)};
	p->n++;
}

static int by_line(const void *a, const void *b)
{
	const struct problem *x = a;
	const struct problem *y = b;
	if (x->line != y->line) {
		return x->line < y->line ? -1 : 1;
	}
	return x->order < y->order ? -1 : x->order > y->order;
}

void problems_report(struct problems *p, struct err_list *errs)
{
	if (p->n) {
		qsort(p->v, p->n, sizeof(*p->v), by_line);
	}
	for (size_t i = 0; i < p->n; i++) {
		err_list_add(errs, "%s", p->v[i].text);
		free(p->v[i].text);
	}
	errs->dropped += p->dropped;
	free(p->v);
	*p = (struct problems){0};
}
