/* SPDX-License-Identifier: MIT */
#include "config/order.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "common/suggest.h"
#include "config/names.h"
#include "config/problems.h"

#define KEY	    "after"
#define NONE	    ((size_t)-1)
#define SHOWN_CYCLE 12 /* apps of a cycle that are named */

/* --- names to numbers --- */

struct entry {
	const char *name;
	size_t number;
};

static int by_name(const void *a, const void *b)
{
	const struct entry *x = a;
	const struct entry *y = b;
	int cmp = strcmp(x->name, y->name);
	return cmp ? cmp : x->number < y->number ? -1 : x->number > y->number;
}

static struct entry *make_index(const struct order_app *apps, size_t n)
{
	struct entry *index = xcalloc(n + 1, sizeof(*index));
	for (size_t i = 0; i < n; i++) {
		index[i] = (struct entry){.name = apps[i].name, .number = i};
	}
	qsort(index, n, sizeof(*index), by_name);
	return index;
}

static int by_name_only(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static size_t find(const struct entry *index, size_t n, const char *name)
{
	struct entry wanted = {.name = name};
	const struct entry *e = bsearch(&wanted, index, n, sizeof(*index), by_name_only);
	return e ? e->number : NONE;
}

/* --- the graph --- */

static void add_link(struct order_links *l, size_t to)
{
	if ((l->n & (l->n - 1)) == 0) { /* full at 0, 1, 2, 4, 8 ... */
		l->v = xreallocarray(l->v, l->n ? l->n * 2 : 1, sizeof(*l->v));
	}
	l->v[l->n++] = to;
}

static bool has_link(const struct order_links *l, size_t to)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->v[i] == to) {
			return true;
		}
	}
	return false;
}

static void add_links(struct order *o, const struct order_app *apps)
{
	struct entry *index = make_index(apps, o->n);
	for (size_t i = 0; i < o->n; i++) {
		for (size_t k = 0; apps[i].after && k < apps[i].after->n; k++) {
			size_t to = find(index, o->n, apps[i].after->v[k]);
			if (to != NONE && to != i && !has_link(&o->after[i], to)) {
				add_link(&o->after[i], to);
			}
		}
	}
	free(index);
}

/* Depth first, with a stack of our own: a chain may have as many links as there are apps. */
struct walk {
	struct order *o;
	enum { WHITE, GREY, BLACK } * color; /* not seen, on the path, done */
	size_t *path, depth;
	size_t *kept; /* links of an app on the path that were followed and stay */
	size_t *seen; /* ... and that were looked at */
	size_t nsorted;
	order_cycle_fn *on_cycle;
	void *ctx;
};

static void push(struct walk *w, size_t app)
{
	w->color[app] = GREY;
	w->path[w->depth++] = app;
}

static void report_cycle(const struct walk *w, size_t first)
{
	size_t from = w->depth - 1;
	while (w->path[from] != first) {
		from--;
	}
	if (w->on_cycle) {
		w->on_cycle(w->ctx, w->path + from, w->depth - from);
	}
}

/* One step at the end of the path: along its next link, or back. */
static void step(struct walk *w)
{
	size_t app = w->path[w->depth - 1];
	struct order_links *l = &w->o->after[app];
	if (w->seen[app] == l->n) {
		l->n = w->kept[app];
		w->color[app] = BLACK;
		w->o->sorted[w->nsorted++] = app;
		w->depth--;
		return;
	}
	size_t to = l->v[w->seen[app]++];
	if (w->color[to] == GREY) {
		report_cycle(w, to);
		return;
	}
	l->v[w->kept[app]++] = to;
	if (w->color[to] == WHITE) {
		push(w, to);
	}
}

/* Leave out what closes a cycle, and sort. */
static void sort(struct order *o, order_cycle_fn *on_cycle, void *ctx)
{
	struct walk w = {.o = o, .on_cycle = on_cycle, .ctx = ctx};
	w.color = xcalloc(o->n + 1, sizeof(*w.color));
	w.path = xcalloc(o->n + 1, sizeof(*w.path));
	w.kept = xcalloc(o->n + 1, sizeof(*w.kept));
	w.seen = xcalloc(o->n + 1, sizeof(*w.seen));
	for (size_t i = 0; i < o->n; i++) {
		if (w.color[i] == WHITE) {
			push(&w, i);
		}
		while (w.depth) {
			step(&w);
		}
	}
	free(w.color);
	free(w.path);
	free(w.kept);
	free(w.seen);
}

void order_init(struct order *o, const struct order_app *apps, size_t n, order_cycle_fn *on_cycle,
		void *ctx)
{
	*o = (struct order){.n = n};
	o->after = xcalloc(n + 1, sizeof(*o->after));
	o->before = xcalloc(n + 1, sizeof(*o->before));
	o->sorted = xcalloc(n + 1, sizeof(*o->sorted));
	add_links(o, apps);
	sort(o, on_cycle, ctx);
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < o->after[i].n; k++) {
			add_link(&o->before[o->after[i].v[k]], i);
		}
	}
}

void order_finish(struct order *o)
{
	for (size_t i = 0; i < o->n; i++) {
		free(o->after[i].v);
		free(o->before[i].v);
	}
	free(o->after);
	free(o->before);
	free(o->sorted);
	*o = (struct order){0};
}

bool order_any(const struct order *o, const struct order_links *links, size_t from,
	       bool (*fn)(void *ctx, size_t app), void *ctx)
{
	bool found = false;
	if (!links[from].n) {
		return false;
	}
	bool *seen = xcalloc(o->n, sizeof(*seen));
	size_t *todo = xcalloc(o->n, sizeof(*todo));
	size_t n = 0;
	todo[n++] = from;
	while (n && !found) {
		const struct order_links *l = &links[todo[--n]];
		for (size_t i = 0; i < l->n && !found; i++) {
			size_t to = l->v[i];
			if (!seen[to]) {
				seen[to] = true;
				todo[n++] = to;
				found = fn(ctx, to);
			}
		}
	}
	free(seen);
	free(todo);
	return found;
}

/* --- definitions --- */

/* What is wrong with the words themselves was told when the definition was decoded. */
static struct order_app app_of(const struct app_def *d, struct words *after)
{
	const struct setting *s = def_find(d, KEY);
	if (s) {
		words_split(after, s->value, NULL);
	}
	return (struct order_app){.name = d->name, .after = after};
}

struct checking {
	struct app_def *const *defs;
	size_t ndefs;
	struct order_app *apps; /* those of the definitions, then the known ones */
	struct words *after;	/* of the definitions */
	size_t n;
	struct entry *index; /* of all */
	bool part;	     /* there are known ones: not a whole file */
	struct problems problems;
};

static void complain(struct checking *c, const struct app_def *d, const char *reason)
{
	const struct setting *s = def_find(d, KEY);
	char *section = xasprintf("app:%s", d->name);
	struct place at = {
		.file = d->file, .section = section, .key = KEY, .line = s ? s->line : d->line};
	problems_add(&c->problems, &at, "%s", reason);
	free(section);
}

static void complain_unknown(struct checking *c, const struct app_def *d, const char *name)
{
	char near[200], shown[SHOWN_MAX];
	struct suggest s;
	suggest_init(&s, name);
	for (size_t i = 0; i < c->n; i++) {
		if (strcmp(c->apps[i].name, d->name) != 0) {
			suggest_offer(&s, c->apps[i].name);
		}
	}
	suggest_text(&s, near, sizeof(near));
	char *reason = xasprintf("no app \"%s\"%s%s", names_shown(name, shown),
				 c->part ? "" : " in this file", near);
	complain(c, d, reason);
	free(reason);
}

static void check_names(struct checking *c, const struct app_def *d, const struct words *after)
{
	const struct setting *s = def_find(d, KEY);
	bool must_exist = s && (!c->part || s->line == 0);
	for (size_t i = 0; i < after->n; i++) {
		if (strcmp(after->v[i], d->name) == 0) {
			complain(c, d, "an app cannot come after itself");
		} else if (must_exist && find(c->index, c->n, after->v[i]) == NONE) {
			complain_unknown(c, d, after->v[i]);
		}
	}
}

/* "a -> b -> c -> a": each is after the next. The place is in the first that is checked here. */
static void on_cycle(void *ctx, const size_t *path, size_t len)
{
	struct checking *c = ctx;
	struct buf text = {0};
	size_t first = 0;
	while (first < len && path[first] >= c->ndefs) {
		first++;
	}
	if (first == len) {
		return; /* what runs was checked when it came, and cannot be mended here */
	}
	for (size_t i = 0; i < len; i++) {
		size_t app = path[(first + i) % len];
		if (i == SHOWN_CYCLE) {
			buf_adds(&text, "... -> ");
		}
		if (i < SHOWN_CYCLE) {
			char shown[SHOWN_MAX];
			buf_addf(&text, "%s -> ", names_shown(c->apps[app].name, shown));
		}
	}
	const struct app_def *d = c->defs[path[first]];
	char shown[SHOWN_MAX];
	buf_addf(&text, "%s is a cycle, so none of them could start", names_shown(d->name, shown));
	complain(c, d, text.data);
	buf_finish(&text);
}

static void collect(struct checking *c, const struct order_app *known, size_t nknown)
{
	c->after = xcalloc(c->ndefs + 1, sizeof(*c->after));
	c->apps = xcalloc(c->ndefs + nknown + 1, sizeof(*c->apps));
	for (size_t i = 0; i < c->ndefs; i++) {
		c->apps[i] = app_of(c->defs[i], &c->after[i]);
	}
	struct entry *own = make_index(c->apps, c->ndefs);
	c->n = c->ndefs;
	for (size_t i = 0; i < nknown; i++) {
		if (find(own, c->ndefs, known[i].name) == NONE) {
			c->apps[c->n++] = known[i];
		}
	}
	free(own);
	c->index = make_index(c->apps, c->n);
}

bool order_check(struct app_def *const *defs, size_t n, const struct order_app *known,
		 size_t nknown, struct err_list *errs)
{
	struct checking c = {.defs = defs, .ndefs = n, .part = known != NULL};
	struct order o;
	collect(&c, known, nknown);
	for (size_t i = 0; i < n; i++) {
		check_names(&c, defs[i], &c.after[i]);
	}
	order_init(&o, c.apps, c.n, on_cycle, &c);
	order_finish(&o);
	for (size_t i = 0; i < n; i++) {
		words_finish(&c.after[i]);
	}
	free(c.after);
	free(c.apps);
	free(c.index);
	bool ok = c.problems.n == 0 && c.problems.dropped == 0;
	problems_report(&c.problems, errs);
	return ok;
}

void order_sort(struct app_def **defs, size_t n)
{
	struct words *after = xcalloc(n + 1, sizeof(*after));
	struct order_app *apps = xcalloc(n + 1, sizeof(*apps));
	struct app_def **old = xcalloc(n + 1, sizeof(struct app_def *));
	struct order o;
	for (size_t i = 0; i < n; i++) {
		apps[i] = app_of(defs[i], &after[i]);
		old[i] = defs[i];
	}
	order_init(&o, apps, n, NULL, NULL);
	for (size_t i = 0; i < n; i++) {
		defs[i] = old[o.sorted[i]];
		words_finish(&after[i]);
	}
	order_finish(&o);
	free(after);
	free(apps);
	free(old);
}
