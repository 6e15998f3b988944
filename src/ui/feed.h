/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_UI_FEED_H
#define PMCTL_UI_FEED_H
/* feed - the newest events, and what needs eyes now (alerts). Pure. */
#include <stdbool.h>
#include <stdint.h>

#include "ui/model.h"

#define FEED_EVENTS 200

struct feed_event {
	int64_t seq, t_ms;
	char app[MODEL_NAME];
	int slot; /* -1 = the whole app */
	char type[16];
	char by[MODEL_NAME]; /* who asked; "" = nobody */
	char text[MODEL_NOTE];
};

struct feed {
	struct feed_event ring[FEED_EVENTS];
	uint64_t n;   /* of all that ever came */
	uint64_t sel; /* the selected one: the sel-th newest */
};

void feed_add(struct feed *f, const struct feed_event *e);
/* The k-th newest, from 0 on; NULL = there is none. */
const struct feed_event *feed_get(const struct feed *f, uint64_t k);

#endif
