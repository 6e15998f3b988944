/* SPDX-License-Identifier: MIT */
#include "app/cpuacct.h"

#include <stdlib.h>

#include "common/mem.h"

void cpuacct_finish(struct cpuacct *a)
{
	free(a->seen);
	free(a->now);
	*a = (struct cpuacct){0};
}

void cpuacct_add(struct cpuacct *a, const struct cpuacct_proc *p)
{
	if (a->nnow == a->now_cap) {
		a->now_cap = a->now_cap ? a->now_cap * 2 : 4;
		a->now = xreallocarray(a->now, a->now_cap, sizeof(*a->now));
	}
	a->now[a->nnow++] = *p;
}

static int compare(const void *a, const void *b)
{
	const struct cpuacct_proc *x = a, *y = b;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

static uint64_t above(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* What this look found, in ticks. */
struct found {
	uint64_t own, waited; /* used since the last look */
	uint64_t gone;	      /* of what was counted: of processes that are no longer there */
};

/* New to us. One that is older than the last look was not ours then: what it did is not, either. */
static void add_new(const struct cpuacct *a, const struct cpuacct_proc *p, struct found *f)
{
	if (p->start >= a->look_at) {
		f->own += p->own;
		f->waited += p->waited;
	}
}

static void add_known(const struct cpuacct_proc *was, const struct cpuacct_proc *is,
		      struct found *f)
{
	f->own += above(is->own, was->own);
	f->waited += above(is->waited, was->waited);
}

static void compare_looks(const struct cpuacct *a, struct found *f)
{
	size_t i = 0, k = 0;
	while (i < a->nseen || k < a->nnow) {
		const struct cpuacct_proc *was = i < a->nseen ? &a->seen[i] : NULL;
		const struct cpuacct_proc *is = k < a->nnow ? &a->now[k] : NULL;
		if (was && is && was->pid == is->pid && was->start == is->start) {
			add_known(was, is, f);
			i++;
			k++;
		} else if (was && (!is || was->pid <= is->pid)) {
			f->gone += was->own + was->waited;
			i++;
		} else {
			add_new(a, is, f);
			k++;
		}
	}
}

uint64_t cpuacct_look(struct cpuacct *a, uint64_t now)
{
	struct found f = {0};
	if (a->nnow) {
		qsort(a->now, a->nnow, sizeof(*a->now), compare);
	}
	compare_looks(a, &f);
	/* A parent may get its child's time a look later; after that, nobody waited for it. */
	uint64_t late = f.waited < a->owed ? f.waited : a->owed;
	f.waited -= late;
	uint64_t paid = f.waited < f.gone ? f.waited : f.gone;
	a->total += f.own + f.waited - paid;
	a->owed = f.gone - paid;
	struct cpuacct_proc *spare = a->seen;
	size_t spare_cap = a->seen_cap;
	a->seen = a->now;
	a->seen_cap = a->now_cap;
	a->nseen = a->nnow;
	a->now = spare;
	a->now_cap = spare_cap;
	a->nnow = 0;
	a->look_at = now;
	return a->total;
}
