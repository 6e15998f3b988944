/* SPDX-License-Identifier: MIT */
#include "client/logmerge.h"

#include <stdlib.h>

#include "common/mem.h"

void logmerge_init(struct logmerge *m, bool backward)
{
	*m = (struct logmerge){.backward = backward};
}

void logmerge_finish(struct logmerge *m)
{
	free(m->heap);
	*m = (struct logmerge){0};
}

static bool comes_before(const struct logmerge *m, const struct logmerge_entry *a,
			 const struct logmerge_entry *b)
{
	bool less = a->t != b->t ? a->t < b->t : a->source < b->source;
	return less != m->backward;
}

static void swap(struct logmerge_entry *a, struct logmerge_entry *b)
{
	struct logmerge_entry t = *a;
	*a = *b;
	*b = t;
}

void logmerge_push(struct logmerge *m, size_t source, int64_t t)
{
	if (m->n == m->cap) {
		m->cap = m->cap ? m->cap * 2 : 16;
		m->heap = xreallocarray(m->heap, m->cap, sizeof(*m->heap));
	}
	size_t i = m->n++;
	m->heap[i] = (struct logmerge_entry){t, source};
	while (i > 0 && comes_before(m, &m->heap[i], &m->heap[(i - 1) / 2])) {
		swap(&m->heap[i], &m->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
}

bool logmerge_pop(struct logmerge *m, size_t *source)
{
	if (m->n == 0) {
		return false;
	}
	*source = m->heap[0].source;
	m->heap[0] = m->heap[--m->n];
	for (size_t i = 0;;) {
		size_t best = i;
		for (size_t k = 2 * i + 1; k <= 2 * i + 2 && k < m->n; k++) {
			best = comes_before(m, &m->heap[k], &m->heap[best]) ? k : best;
		}
		if (best == i) {
			return true;
		}
		swap(&m->heap[i], &m->heap[best]);
		i = best;
	}
}
