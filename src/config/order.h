/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CONFIG_ORDER_H
#define PMCTL_CONFIG_ORDER_H
/*
 * order - who comes after whom: the key `after` of many apps as a graph.
 *
 * Pure. In the graph an app is a number: its place in the list the graph was made of. A link that
 * would close a cycle is left out, so the graph never has one and every walk through it ends.
 */
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/words.h"
#include "config/def.h"

struct order_app {
	const char *name;	   /* borrowed */
	const struct words *after; /* borrowed; names that are not in the list are passed over */
};

struct order {
	size_t n;
	struct order_links {
		size_t *v;
		size_t n;
	} * after, *before; /* by number: whom it comes after, and who comes after it */
	size_t *sorted;	    /* numbers, each behind all it comes after; else as in the list */
};

/* Called with the way round a cycle, without its first app at the end again. */
typedef void order_cycle_fn(void *ctx, const size_t *path, size_t len);

/* on_cycle may be NULL. */
void order_init(struct order *o, const struct order_app *apps, size_t n, order_cycle_fn *on_cycle,
		void *ctx);
void order_finish(struct order *o);

/* Call fn for every app that `links` (after or before) lead to from this one, directly or not,
 * until it returns true. False if it never did. */
bool order_any(const struct order *o, const struct order_links *links, size_t from,
	       bool (*fn)(void *ctx, size_t app), void *ctx);

/*
 * Check the `after` of definitions: unknown names, apps that name themselves, cycles. An error is
 * "FILE:LINE: [app:NAME] after: REASON".
 *
 * known NULL: the definitions are all there is, a whole file. Else: what runs already, and may be
 * named as well; a definition takes the place of a known app of its name. Only names given on a
 * command line must exist then, those of a file were checked with the file.
 */
bool order_check(struct app_def *const *defs, size_t n, const struct order_app *known,
		 size_t nknown, struct err_list *errs);

/* Put definitions in the order in which they may start, which else stays. */
void order_sort(struct app_def **defs, size_t n);

#endif
