/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_LISTING_H
#define PMCTL_DAEMON_LISTING_H
/*
 * listing - the object that `list`, `show` and `watch` tell: the daemon, apps, instances.
 *
 * Only writes what is known; who calls has had the figures refreshed.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "daemon/pastjson.h"
#include "proto/jw.h"

struct app;
struct daemon;
struct inst;

/* The selected instances, app by app: apps_select() gives them in that order. */
struct selection {
	struct inst **v;
	size_t n;
};

/* For apps_select() and call_select(); ctx is the selection, zeroed. */
void selection_add(void *ctx, struct inst *in);
void selection_finish(struct selection *s);

/* A client that only prints a table would spend most of its time on what it does not print. */
enum detail { DETAIL_ALL, DETAIL_ROWS, DETAIL_APPS };

struct listing {
	enum detail detail;
	struct past_span spark; /* points 0 = none */
	bool pss;		/* dear: reads the page tables */
	bool lives;		/* how each process of a slot grew */
	void (*more)(struct jw *w, struct daemon *d, const struct app *app); /* NULL = nothing */
};

/* From the parameters `detail`, `spark_span_s` and `spark_points`. */
bool listing_read_params(struct listing *l, const json_t *params, struct err *err);
/* The whole object. */
void listing_write(const struct listing *l, struct jw *w, struct daemon *d,
		   const struct selection *s);

#endif
