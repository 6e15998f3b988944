/* SPDX-License-Identifier: MIT */
#include "ui/logtext.h"

#include <stdlib.h>
#include <string.h>

#include "ui/grid.h"
#include "ui/logjson.h"
#include "ui/style.h"

#define TAB 8

void logtext_finish(struct logtext *t)
{
	buf_finish(&t->text);
	*t = (struct logtext){0};
}

static void begin_run(struct logtext *t, int style)
{
	int last = t->nruns ? t->run[t->nruns - 1].style : UI_PLAIN;
	if (style == last || t->nruns == LOGTEXT_RUNS) {
		return; /* too colourful: the rest stays as it is */
	}
	t->run[t->nruns].from = t->text.len;
	t->run[t->nruns++].style = (uint8_t)style;
}

static void put_tab(struct logtext *t)
{
	do {
		buf_addc(&t->text, ' ');
	} while (++t->column % TAB);
}

void logtext_put(struct logtext *t, int style, const char *text, size_t len)
{
	begin_run(t, style);
	while (len > 0) {
		int columns;
		size_t n = grid_step(text, len, &columns);
		if (*text == '\t') {
			put_tab(t);
		} else {
			buf_add(&t->text, text, n);
			t->column += columns;
		}
		text += n;
		len -= n;
	}
}

static void puts_style(struct logtext *t, int style, const char *text)
{
	logtext_put(t, style, text, strlen(text));
}

/* --- colours of apps --- */

struct sgr {
	int color; /* enum ui_style; UI_PLAIN = none */
	bool bold, dim;
};

static int color_style(unsigned n)
{
	static const uint8_t styles[] = {UI_DIM,  UI_FAIL,   UI_OK,   UI_WARN,
					 UI_INFO, UI_ACCENT, UI_INFO, UI_PLAIN};
	return styles[n % 8];
}

/* 38;5;N and 38;2;R;G;B: of those only the first sixteen are colours we know. */
static const char *skip_extended(struct sgr *s, const char *at, const char *end)
{
	char *next;
	unsigned long kind = strtoul(at, &next, 10);
	int more = kind == 5 ? 1 : kind == 2 ? 3 : 0;
	s->color = UI_PLAIN;
	for (at = next; more > 0 && at < end && *at != 'm'; more--) {
		unsigned long n = strtoul(at + 1, &next, 10);
		s->color = kind == 5 && n < 16 ? color_style((unsigned)n) : UI_PLAIN;
		at = next > at ? next : at + 1;
	}
	return at;
}

static void take_code(struct sgr *s, unsigned long n)
{
	if (n == 0) {
		*s = (struct sgr){.color = UI_PLAIN};
	} else if (n == 1 || n == 2 || n == 22) {
		s->bold = n == 1;
		s->dim = n == 2;
	} else if (n == 39) {
		s->color = UI_PLAIN;
	} else if ((n >= 30 && n <= 37) || (n >= 90 && n <= 97)) {
		s->color = color_style((unsigned)n % 10);
	}
}

/* From behind "ESC [" to behind the 'm'. */
static const char *take_sgr(struct sgr *s, const char *at, const char *end)
{
	while (at < end) {
		char *next;
		unsigned long n = strtoul(at, &next, 10);
		if (n == 38 && next < end && *next == ';') {
			at = skip_extended(s, next + 1, end);
		} else {
			take_code(s, n);
			at = next;
		}
		if (at >= end || *at == 'm') {
			break;
		}
		at++;
	}
	return at < end ? at + 1 : end;
}

static int sgr_style(const struct sgr *s)
{
	return s->color != UI_PLAIN ? s->color : s->bold ? UI_BOLD : s->dim ? UI_DIM : UI_PLAIN;
}

static void put_colored(struct logtext *t, const char *text, size_t len)
{
	const char *end = text + len;
	struct sgr s = {.color = UI_PLAIN};
	while (text < end) {
		const char *esc = memchr(text, '\033', (size_t)(end - text));
		const char *stop = esc ? esc : end;
		if (stop > text) {
			logtext_put(t, sgr_style(&s), text, (size_t)(stop - text));
		}
		text = esc ? take_sgr(&s, esc + 1 + (esc + 1 < end), end) : end;
	}
}

void logtext_make(struct logtext *t, const struct logpane *p, const struct logpane_line *l)
{
	buf_reset(&t->text);
	buf_adds(&t->text, "");
	t->nruns = t->column = 0;
	if (l->event) {
		puts_style(t, UI_DIM, p->utf8 ? "── " : "-- ");
		logtext_put(t, UI_DIM, l->text, l->len);
		puts_style(t, UI_DIM, p->utf8 ? " ──" : " --");
	} else if (!p->json || l->cut || !logjson_fold(l->text, l->len, t)) {
		put_colored(t, l->text, l->len);
	}
	if (l->cut) {
		puts_style(t, UI_ACCENT, p->utf8 ? "…" : "...");
	}
}

/* --- parts of it --- */

int logtext_style(const struct logtext *t, size_t at)
{
	int style = UI_PLAIN;
	for (int i = 0; i < t->nruns && t->run[i].from <= at; i++) {
		style = t->run[i].style;
	}
	return style;
}

size_t logtext_run_end(const struct logtext *t, size_t at)
{
	for (int i = 0; i < t->nruns; i++) {
		if (t->run[i].from > at) {
			return t->run[i].from;
		}
	}
	return t->text.len;
}

size_t logtext_fit(const struct logtext *t, size_t at, int columns)
{
	size_t from = at;
	while (at < t->text.len) {
		int w;
		size_t n = grid_step(t->text.data + at, t->text.len - at, &w);
		if (w > columns && at > from) {
			break;
		}
		columns -= w;
		at += n;
	}
	return at - from;
}

int logtext_rows(const struct logtext *t, int columns)
{
	int rows = 1;
	for (size_t at = logtext_fit(t, 0, columns); at < t->text.len; rows++) {
		at += logtext_fit(t, at, columns);
	}
	return rows;
}
