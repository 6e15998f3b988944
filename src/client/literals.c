/* SPDX-License-Identifier: MIT */
#include "client/literals.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"

#define DEPTH 20

struct reader {
	const char *p;
	bool ascii, plain; /* plain: nothing but text so far */
	int depth;
};

void literals_finish(struct literals *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->text[i]);
	}
	*l = (struct literals){0};
}

static size_t shortest(const struct literals *l)
{
	size_t least = l->n ? strlen(l->text[0]) : 0;
	for (size_t i = 1; i < l->n; i++) {
		least = strlen(l->text[i]) < least ? strlen(l->text[i]) : least;
	}
	return least;
}

/* The better one of two that both must be there; takes over `other`. */
static void keep_better(struct literals *best, struct literals *other)
{
	if (shortest(other) > shortest(best)) {
		literals_finish(best);
		*best = *other;
	} else {
		literals_finish(other);
	}
	*other = (struct literals){0};
}

static void end_run(struct literals *best, struct buf *run)
{
	struct literals one = {0};
	if (run->len) {
		one.text[0] = xstrndup(run->data, run->len);
		one.n = 1;
		keep_better(best, &one);
	}
	buf_reset(run);
}

/* "{2,}" behind what it counts; a brace that is none counts nothing. */
static bool skip_count(struct reader *r)
{
	const char *end = r->p + 1 + strspn(r->p + 1, "0123456789,");
	bool is_count = *end == '}';
	r->p = is_count ? end + 1 : r->p + 1;
	return is_count;
}

/* What stands behind an atom. Whether the atom may be missing; *any tells whether there was one. */
static bool skip_repeats(struct reader *r, bool *any)
{
	bool may_miss = false;
	for (*any = false; *r->p && strchr("*+?{", *r->p); *any = true) {
		may_miss |= *r->p != '+';
		if (*r->p == '{') {
			skip_count(r);
		} else {
			r->p++;
		}
		r->plain = false;
	}
	return may_miss;
}

static void skip_bracket(struct reader *r)
{
	r->p++;
	r->p += *r->p == '^';
	r->p += *r->p == ']';
	while (*r->p && *r->p != ']') {
		if (r->p[0] == '[' && r->p[1] && strchr(".:=", r->p[1])) {
			const char end[] = {r->p[1], ']', 0};
			const char *close = strstr(r->p + 2, end);
			r->p = close ? close + 2 : r->p + strlen(r->p);
		} else {
			r->p++;
		}
	}
	r->p += *r->p == ']';
}

static void read_all(struct reader *r, struct literals *out);

static void read_group(struct reader *r, struct literals *best, struct buf *run)
{
	struct literals inner = {0};
	bool any;
	end_run(best, run);
	r->plain = false;
	r->p++;
	r->depth++;
	read_all(r, &inner);
	r->depth--;
	r->p += *r->p == ')';
	if (skip_repeats(r, &any)) {
		literals_finish(&inner);
	}
	keep_better(best, &inner);
}

/* An ordinary character, or one behind a backslash. */
static void read_char(struct reader *r, struct literals *best, struct buf *run)
{
	unsigned char c = (unsigned char)*r->p;
	bool any, means = true;
	if (c == '\\') {
		c = (unsigned char)*++r->p;
		means = c && c < 128 && ispunct(c) && !strchr("<>`'", c);
		r->plain &= means;
		if (!c) {
			return;
		}
	}
	r->p++;
	if (c >= 128 && r->ascii) {
		means = r->plain = false;
	}
	/* A character of several bytes is repeated as a whole, and this may be its last byte. */
	bool may_miss = skip_repeats(r, &any);
	if (any && c >= 128) {
		while (run->len && (unsigned char)run->data[run->len - 1] >= 128) {
			run->data[--run->len] = '\0';
		}
	}
	if (!means || may_miss || (any && c >= 128)) {
		end_run(best, run);
		return;
	}
	buf_addc(run, (char)c);
	if (any) {
		end_run(best, run);
	}
}

static void read_branch(struct reader *r, struct literals *best)
{
	struct buf run = {0};
	while (*r->p && *r->p != '|' && (*r->p != ')' || r->depth == 0)) {
		bool any;
		if (*r->p == '(') {
			read_group(r, best, &run);
			continue;
		}
		if (!strchr("[.^$*+?{)", *r->p)) {
			read_char(r, best, &run);
			continue;
		}
		end_run(best, &run);
		r->plain = false;
		if (*r->p == '[') {
			skip_bracket(r);
		} else if (!strchr("*+?{", *r->p)) {
			r->p++;
		}
		skip_repeats(r, &any);
	}
	end_run(best, &run);
	buf_finish(&run);
}

/* Branches up to the end or a closing parenthesis: one of them must match. */
static void read_all(struct reader *r, struct literals *out)
{
	bool known = r->depth < DEPTH;
	for (;;) {
		struct literals one = {0};
		read_branch(r, &one);
		known &= one.n > 0 && out->n + one.n <= LITERALS_MAX;
		if (known) {
			memcpy(out->text + out->n, one.text, one.n * sizeof(char *));
			out->n += one.n;
		} else {
			literals_finish(&one);
		}
		if (*r->p != '|') {
			break;
		}
		r->plain = false;
		r->p++;
	}
	if (!known) {
		literals_finish(out);
	}
}

void literals_init(struct literals *l, const char *pattern, bool ascii)
{
	struct reader r = {.p = pattern, .ascii = ascii, .plain = true};
	*l = (struct literals){0};
	read_all(&r, l);
	l->is_all = r.plain && l->n == 1;
}
