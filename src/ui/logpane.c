/* SPDX-License-Identifier: MIT */
#include "ui/logpane.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "ui/logscroll.h"
#include "ui/logtext.h"

#define FIRST (UINT64_C(1) << 32) /* room for older lines before the first one */

void logpane_init(struct logpane *p)
{
	*p = (struct logpane){.follow = true, .times = true, .first = FIRST, .end = FIRST};
	p->bottom = p->cur = p->top = FIRST;
	p->ring = xcalloc(LOGPANE_LINES, sizeof(*p->ring));
}

static struct logpane_line *slot_of(const struct logpane *p, uint64_t number)
{
	return &p->ring[number % LOGPANE_LINES];
}

static void forget(struct logpane *p, uint64_t number)
{
	struct logpane_line *l = slot_of(p, number);
	p->bytes -= l->len;
	free(l->text);
	*l = (struct logpane_line){0};
}

void logpane_clear(struct logpane *p)
{
	for (uint64_t i = p->first; i < p->end; i++) {
		forget(p, i);
	}
	p->first = p->end = p->bottom = p->cur = p->top = FIRST;
	p->fresh = 0;
	p->below = p->sideways = 0;
	p->follow = true;
	p->want_older = p->want_newer = p->head_cut = p->tail_cut = p->more = p->seeking = false;
	p->sieved = p->refill = p->raw = false;
	p->note[0] = '\0';
}

static void drop_expressions(struct logpane *p)
{
	if (p->search[0]) {
		regfree(&p->search_re);
	}
	if (p->filter[0]) {
		regfree(&p->filter_re);
	}
	p->search[0] = p->filter[0] = '\0';
}

void logpane_finish(struct logpane *p)
{
	if (p->ring) {
		logpane_clear(p);
		drop_expressions(p);
	}
	free(p->ring);
	*p = (struct logpane){0};
}

bool logpane_choose(struct logpane *p, const char *want, const char *title)
{
	if (strncmp(p->want, want, sizeof(p->want) - 1) == 0) {
		return false;
	}
	snprintf(p->want, sizeof(p->want), "%s", want);
	snprintf(p->title, sizeof(p->title), "%s", title);
	p->nmarks = 0;
	p->from = p->from == LOGPANE_SINCE ? LOGPANE_SINCE : LOGPANE_TAIL;
	p->generation++;
	return true;
}

/* --- lines --- */

/* Not in the middle of a character, nor of a colour. */
static size_t cut_length(const char *text, size_t len)
{
	size_t n = LOGPANE_LINE;
	if (len <= n) {
		return len;
	}
	while (n > LOGPANE_LINE - 4 && ((unsigned char)text[n] & 0xc0) == 0x80) {
		n--;
	}
	const char *esc = memrchr(text + n - 32, '\033', 32);
	return esc && !memchr(esc, 'm', (size_t)(text + n - esc)) ? (size_t)(esc - text) : n;
}

/* Most lines need no care at all. */
static bool is_plain(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c < 0x20 || c >= 0x7f) {
			return false;
		}
	}
	return true;
}

void logpane_make_line(struct logpane_line *to, const struct logpane_line *from)
{
	struct buf safe = {0};
	size_t len = cut_length(from->text, from->len);
	*to = *from;
	to->cut |= len < from->len;
	to->shown = -1;
	len -= len > 0 && !to->cut && from->text[len - 1] == '\r';
	if (is_plain(from->text, len)) {
		to->len = len;
		to->text = xstrndup(from->text, len);
		return;
	}
	buf_adds(&safe, "");
	buf_add_escaped(&safe, from->text, len, 1);
	to->cut |= safe.len > LOGPANE_LINE;
	to->len = cut_length(safe.data, safe.len);
	to->text = xstrndup(safe.data, to->len);
	buf_finish(&safe);
}

/* --- marks: a line that comes again has its mark again --- */

static struct logpane_mark mark_of(const struct logpane_line *l)
{
	struct logpane_mark m = {.t_ms = l->t_ms, .slot = l->slot, .len = l->len};
	snprintf(m.text, sizeof(m.text), "%s", l->text);
	return m;
}

/* Its number; -1 = it has none. */
static int find_mark(const struct logpane *p, const struct logpane_line *l)
{
	struct logpane_mark m = mark_of(l);
	for (int i = 0; i < p->nmarks; i++) {
		const struct logpane_mark *o = &p->mark[i];
		if (o->t_ms == m.t_ms && o->slot == m.slot && o->len == m.len &&
		    strcmp(o->text, m.text) == 0) {
			return i;
		}
	}
	return -1;
}

static void drop_first(struct logpane *p)
{
	forget(p, p->first++);
	p->head_cut = true;
	p->bottom = p->bottom <= p->first ? p->first + 1 : p->bottom;
	p->cur = p->cur < p->first ? p->first : p->cur;
	p->top = p->top < p->first ? p->first : p->top;
}

static void drop_last(struct logpane *p)
{
	forget(p, --p->end);
	p->tail_cut = true;
	p->bottom = p->bottom > p->end ? p->end : p->bottom;
	p->cur = p->cur >= p->end ? p->end - 1 : p->cur;
}

static bool has_room(const struct logpane *p, size_t len)
{
	return p->end == p->first ||
	       (p->end - p->first < LOGPANE_LINES && p->bytes + len <= LOGPANE_BYTES);
}

/* Against what is shown. */
static bool matches(const struct logpane *p, const regex_t *re, const struct logpane_line *l)
{
	struct logtext t = {0};
	if (!p->json && !memchr(l->text, '\033', l->len)) {
		return regexec(re, l->text, 0, NULL, 0) == 0;
	}
	logtext_make(&t, p, l);
	bool yes = regexec(re, t.text.data, 0, NULL, 0) == 0;
	logtext_finish(&t);
	return yes;
}

static bool passes(const struct logpane *p, const struct logpane_line *l)
{
	return (!p->err_only || l->err || l->event) &&
	       (!p->filter[0] || matches(p, &p->filter_re, l) != p->filter_not);
}

bool logpane_sieves(const struct logpane *p)
{
	return p->filter[0] || p->err_only;
}

/* Lines that do not pass a filter that came after them go first; those that stay move up to the
 * end, and what is looked at with them. */
static void squeeze(struct logpane *p)
{
	uint64_t to = p->end, bottom = p->bottom, cur = p->cur, top = p->top;
	for (uint64_t i = p->end; i-- > p->first;) {
		if (!logpane_shows(p, i)) {
			forget(p, i);
			p->sieved = true;
			continue;
		}
		struct logpane_line l = *slot_of(p, i);
		*slot_of(p, i) = (struct logpane_line){0};
		*slot_of(p, --to) = l;
		bottom = p->bottom == i + 1 ? to + 1 : bottom;
		cur = p->cur == i ? to : cur;
		top = p->top == i ? to : top;
	}
	p->first = to;
	p->bottom = bottom < to ? to : bottom;
	p->cur = cur < to ? to : cur;
	p->top = top < to ? to : top;
	p->raw = false;
}

/* A line to be added, in *made. False: the filter leaves it out. */
static bool make(struct logpane *p, const struct logpane_line *line, struct logpane_line *made)
{
	logpane_make_line(made, line);
	made->shown = logpane_sieves(p) ? passes(p, made) : -1;
	if (made->shown == 0) {
		p->sieved = true;
		free(made->text);
		return false;
	}
	if (p->raw && logpane_sieves(p) && !has_room(p, made->len)) {
		squeeze(p);
	}
	made->marked = p->nmarks && find_mark(p, made) >= 0;
	return true;
}

void logpane_add(struct logpane *p, const struct logpane_line *line)
{
	struct logpane_line made;
	if (!make(p, line, &made)) {
		return;
	}
	while (!has_room(p, made.len)) {
		drop_first(p);
	}
	*slot_of(p, p->end++) = made;
	p->bytes += made.len;
	if (p->follow) {
		p->bottom = p->end;
	} else {
		p->fresh += p->counts && logpane_shows(p, p->end - 1);
	}
}

void logpane_add_front(struct logpane *p, const struct logpane_line *line)
{
	struct logpane_line made;
	if (!make(p, line, &made)) {
		return;
	}
	while (!p->follow && !has_room(p, made.len)) {
		drop_last(p);
	}
	if (!has_room(p, made.len)) {
		free(made.text);
		p->head_cut = true;
		return;
	}
	*slot_of(p, --p->first) = made;
	p->bytes += made.len;
	p->bottom = p->follow ? p->end : p->bottom;
}

bool logpane_is_full(const struct logpane *p)
{
	return !p->follow && !has_room(p, LOGPANE_LINE) && p->first + 1 >= p->top;
}

const struct logpane_line *logpane_get(const struct logpane *p, uint64_t number)
{
	return number >= p->first && number < p->end ? slot_of(p, number) : NULL;
}

bool logpane_shows(struct logpane *p, uint64_t number)
{
	struct logpane_line *l = slot_of(p, number);
	if (number < p->first || number >= p->end) {
		return false;
	}
	if (l->shown < 0) {
		l->shown = passes(p, l);
	}
	return l->shown;
}

bool logpane_hit(const struct logpane *p, const struct logpane_line *l)
{
	return p->search[0] && matches(p, &p->search_re, l);
}

bool logpane_would_find(const struct logpane *p, const struct logpane_line *line)
{
	struct logpane_line l;
	logpane_make_line(&l, line);
	bool yes = logpane_hit(p, &l) && passes(p, &l);
	free(l.text);
	return yes;
}

void logpane_sift(struct logpane *p)
{
	for (uint64_t i = p->first; i < p->end; i++) {
		slot_of(p, i)->shown = -1;
	}
	p->fresh = 0;
	p->below = 0;
	p->raw = true;
	p->refill |= p->sieved;
	logscroll_settle(p);
}

void logpane_mark(struct logpane *p)
{
	if (!logpane_current(p)) {
		return;
	}
	struct logpane_line *l = slot_of(p, p->follow ? logscroll_last(p) : p->cur);
	int i = find_mark(p, l);
	l->marked = !l->marked;
	if (l->marked && p->nmarks < LOGPANE_MARKS) {
		p->mark[p->nmarks++] = mark_of(l);
	} else if (!l->marked && i >= 0) {
		p->mark[i] = p->mark[--p->nmarks];
	}
}

const struct logpane_line *logpane_current(struct logpane *p)
{
	return logpane_get(p, p->follow ? logscroll_last(p) : p->cur);
}
