/* SPDX-License-Identifier: MIT */
#include "common/suggest.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LONGEST 64

void suggest_init(struct suggest *s, const char *wanted)
{
	*s = (struct suggest){.wanted = wanted};
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;
	return m < c ? m : c;
}

/* Optimal string alignment: insert, delete, replace, swap neighbours. */
static unsigned distance(const char *a, size_t na, const char *b, size_t nb)
{
	unsigned row[3][LONGEST + 1];
	unsigned *before = row[0], *prev = row[1], *cur = row[2];
	for (size_t j = 0; j <= nb; j++) {
		prev[j] = (unsigned)j;
	}
	for (size_t i = 1; i <= na; i++) {
		cur[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned same = a[i - 1] == b[j - 1] ? 0 : 1;
			cur[j] = min3(prev[j] + 1, cur[j - 1] + 1, prev[j - 1] + same);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < cur[j]) {
				cur[j] = before[j - 2] + 1;
			}
		}
		unsigned *t = before;
		before = prev;
		prev = cur;
		cur = t;
	}
	return prev[nb];
}

static void insert(struct suggest *s, const char *name, unsigned score)
{
	size_t at = s->n;
	while (at > 0 && s->best[at - 1].score > score) {
		at--;
	}
	if (at >= SUGGEST_MAX) {
		return;
	}
	size_t last = s->n < SUGGEST_MAX ? s->n++ : SUGGEST_MAX - 1;
	for (size_t i = last; i > at; i--) {
		s->best[i] = s->best[i - 1];
	}
	s->best[at].name = name;
	s->best[at].score = score;
}

void suggest_offer(struct suggest *s, const char *candidate)
{
	size_t na = strlen(s->wanted);
	size_t nb = strlen(candidate);
	if (na == 0 || na > LONGEST || nb == 0 || nb > LONGEST) {
		return;
	}
	if (na >= 2 && nb > na && strncasecmp(s->wanted, candidate, na) == 0) {
		insert(s, candidate, 0);
		return;
	}
	unsigned d = distance(s->wanted, na, candidate, nb);
	if (d <= (na < 5 || nb < 5 ? 1u : 2u)) {
		insert(s, candidate, 1 + d);
	}
}

void suggest_text(const struct suggest *s, char *out, size_t cap)
{
	out[0] = '\0';
	size_t len = 0;
	for (size_t i = 0; i < s->n && len < cap; i++) {
		const char *before = i == 0 ? "; did you mean " : i + 1 == s->n ? " or " : ", ";
		len += (size_t)snprintf(out + len, cap - len, "%s\"%s\"", before, s->best[i].name);
	}
	if (s->n && len < cap) {
		snprintf(out + len, cap - len, "?");
	}
}
