/* SPDX-License-Identifier: MIT */
#include "client/table.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "common/mem.h"
#include "common/utf8.h"

void table_init(struct table *t, const struct column *col, size_t ncols, const struct drop *drop,
		size_t ndrops, size_t early)
{
	*t = (struct table){
		.col = col, .ncols = ncols, .drop = drop, .ndrops = ndrops, .early = early};
	t->shown = xcalloc(ncols, sizeof(*t->shown));
	t->width = xcalloc(ncols, sizeof(*t->width));
}

void table_finish(struct table *t)
{
	for (size_t i = 0; i < t->nrows * t->ncols; i++) {
		free(t->cell[i].text);
	}
	free(t->cell);
	free(t->shown);
	free(t->width);
	*t = (struct table){0};
}

void table_row(struct table *t)
{
	if (t->nrows == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 32;
		t->cell = xreallocarray(t->cell, t->cap, t->ncols * sizeof(*t->cell));
	}
	memset(t->cell + t->nrows * t->ncols, 0, t->ncols * sizeof(*t->cell));
	t->nrows++;
}

/* utf8_width() asks the locale about every character; most text is plain. */
static size_t measure(const char *s)
{
	size_t n = 0;
	while ((unsigned char)s[n] >= 0x20 && (unsigned char)s[n] < 0x7f) {
		n++;
	}
	return s[n] ? utf8_width(s) : n;
}

void table_set(struct table *t, size_t col, enum style style, const char *text)
{
	struct cell *c = &t->cell[(t->nrows - 1) * t->ncols + col];
	free(c->text);
	*c = (struct cell){xstrdup(text), measure(text), style};
}

void table_set_foreign(struct table *t, size_t col, enum style style, const char *text)
{
	struct buf safe = {0};
	buf_add_escaped(&safe, text, strlen(text), 0);
	for (size_t i = 0; i < safe.len; i++) {
		safe.data[i] = safe.data[i] == '\t' ? ' ' : safe.data[i];
	}
	table_set(t, col, style, safe.data ? safe.data : "");
	buf_finish(&safe);
}

static size_t total(const struct table *t, const struct table_look *look)
{
	size_t sum = look->indent;
	bool first = true;
	for (size_t i = 0; i < t->ncols; i++) {
		if (t->shown[i]) {
			sum += t->width[i] + (first ? 0 : t->col[i].gap);
			first = false;
		}
	}
	return sum;
}

/* The widths that nothing has to be cut for. */
static void natural(struct table *t, const struct table_look *look)
{
	for (size_t i = 0; i < t->ncols; i++) {
		t->width[i] = look->heading ? measure(t->col[i].title) : 0;
		for (size_t r = 0; r < t->nrows; r++) {
			size_t w = t->cell[r * t->ncols + i].width;
			t->width[i] = w > t->width[i] ? w : t->width[i];
		}
	}
}

enum when { FIRST, EARLY, LAST };

/* How narrow a column may become now; 0 = it stays. */
static unsigned least(const struct column *c, enum when when)
{
	return when == FIRST ? c->first : when == LAST || c->early ? c->shrink : 0;
}

static void cut(struct table *t, const struct table_look *look, size_t limit, enum when when)
{
	for (size_t i = t->ncols; i > 0; i--) {
		unsigned to = least(&t->col[i - 1], when);
		size_t sum = total(t, look);
		if (sum <= limit || !t->shown[i - 1] || !to) {
			continue;
		}
		size_t excess = sum - limit;
		size_t spare = t->width[i - 1] > to ? t->width[i - 1] - to : 0;
		t->width[i - 1] -= excess < spare ? excess : spare;
	}
}

void table_fit(struct table *t, const struct table_look *look, size_t limit)
{
	for (size_t i = 0; i < t->ncols; i++) {
		t->shown[i] = !t->col[i].hidden;
	}
	natural(t, look);
	if (!limit) {
		return;
	}
	for (size_t step = 0; step < t->ndrops && total(t, look) > limit; step++) {
		const struct drop *d = &t->drop[step];
		cut(t, look, limit, step >= t->early ? EARLY : FIRST);
		if (total(t, look) <= limit) {
			return;
		}
		t->shown[d->hide] = false;
		if (d->hide_too >= 0) {
			t->shown[d->hide_too] = false;
		}
		if (d->show >= 0) {
			t->shown[d->show] = true;
		}
		natural(t, look); /* what was cut early may have more room now */
	}
	cut(t, look, limit, LAST);
}

static void blanks(struct buf *out, size_t n)
{
	static const char many[] = "                                        ";
	while (n > 0) {
		size_t k = n < sizeof(many) - 1 ? n : sizeof(many) - 1;
		buf_add(out, many, k);
		n -= k;
	}
}

size_t table_add_cut(struct buf *out, const char *s, size_t width, bool utf8)
{
	const char *mark = utf8 ? "…" : "~";
	size_t len = strlen(s);
	size_t used = 0;
	for (size_t i = 0; i < len && width > 0;) {
		uint32_t cp;
		size_t n = utf8_decode(s + i, len - i, &cp);
		int w = n ? wcwidth((wchar_t)cp) : 1;
		w = w > 0 ? w : 0;
		if (used + (size_t)w > width - 1) {
			break;
		}
		buf_add(out, s + i, n ? n : 1);
		used += (size_t)w;
		i += n ? n : 1;
	}
	if (width > 0) {
		buf_adds(out, mark);
		used++;
	}
	return used;
}

static void add_cell(const struct table *t, const struct table_look *look, size_t col,
		     const char *text, size_t text_width, enum style style, struct buf *out)
{
	size_t width = t->width[col];
	size_t used = text_width;
	struct buf cut_text = {0};
	if (text_width > width) {
		/* Less than the width where a wide character does not fit. */
		used = table_add_cut(&cut_text, text, width, look->utf8);
		text = cut_text.data ? cut_text.data : "";
	}
	if (t->col[col].right) {
		blanks(out, width - used);
	}
	bool paint = look->color && style != STYLE_NONE && text_width;
	if (paint) {
		buf_adds(out, color_begin(style));
	}
	buf_adds(out, text);
	if (paint) {
		buf_adds(out, COLOR_END);
	}
	if (!t->col[col].right) {
		blanks(out, width - used);
	}
	buf_finish(&cut_text);
}

/* row -1 is the heading. */
static void add_line(const struct table *t, const struct table_look *look, long row,
		     struct buf *out)
{
	size_t start = out->len;
	bool first = true;
	blanks(out, look->indent);
	for (size_t i = 0; i < t->ncols; i++) {
		if (!t->shown[i]) {
			continue;
		}
		if (!first) {
			blanks(out, t->col[i].gap);
		}
		first = false;
		if (row < 0) {
			add_cell(t, look, i, t->col[i].title, measure(t->col[i].title), STYLE_DIM,
				 out);
		} else {
			const struct cell *c = &t->cell[(size_t)row * t->ncols + i];
			add_cell(t, look, i, c->text ? c->text : "", c->width, c->style, out);
		}
	}
	while (!look->pad && out->len > start && out->data[out->len - 1] == ' ') {
		out->data[--out->len] = '\0';
	}
	buf_addc(out, '\n');
}

void table_render(const struct table *t, const struct table_look *look, struct buf *out)
{
	for (long r = look->heading ? -1 : 0; r < (long)t->nrows; r++) {
		add_line(t, look, r, out);
	}
}
