/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_PASTJSON_H
#define PMCTL_DAEMON_PASTJSON_H
/* pastjson - graphs of the past as JSON: one slot's, and an app's as the sum of its slots. */
#include <stddef.h>
#include <stdint.h>

#include "app/past.h"
#include "proto/jw.h"

#define PASTJSON_POINTS 240
#define PASTJSON_SPAN_S (PAST_MINUTES * 60)

struct app;
struct inst;

struct past_span {
	uint32_t span_s;
	size_t points; /* PASTJSON_POINTS at most; 0 = none */
};

/* What is known of a slot; gaps where nothing is. */
void pastjson_slot(const struct inst *in, struct past_span span, struct past_point *out);
/* The sum over the slots of an app: a gap only where no slot has a sample. */
void pastjson_app(const struct app *app, struct past_span span, struct past_point *out);
/* "KEY": [1.5, null, ...] */
void pastjson_cpu(struct jw *w, const char *key, const struct past_point *v, size_t n);
void pastjson_mem(struct jw *w, const char *key, const struct past_point *v, size_t n);
/* "KEY": [3, 17], the steps in which a process started. */
void pastjson_starts(struct jw *w, const char *key, const struct past_point *v, size_t n);

#endif
