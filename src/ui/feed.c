/* SPDX-License-Identifier: MIT */
#include "ui/feed.h"

#include <stddef.h>

void feed_add(struct feed *f, const struct feed_event *e)
{
	f->ring[f->n++ % FEED_EVENTS] = *e;
	/* the newest stays selected, any other one does, too */
	f->sel += f->sel > 0 && f->sel + 1 < FEED_EVENTS;
}

const struct feed_event *feed_get(const struct feed *f, uint64_t k)
{
	return k < f->n && k < FEED_EVENTS ? &f->ring[(f->n - 1 - k) % FEED_EVENTS] : NULL;
}
