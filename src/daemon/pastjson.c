/* SPDX-License-Identifier: MIT */
#include "daemon/pastjson.h"

#include "daemon/daemon.h"
#include "daemon/runner.h"

void pastjson_slot(const struct inst *in, struct past_span span, struct past_point *out)
{
	if (in->past) {
		past_read(&in->past->past, pasts_now(), span.span_s, out, span.points);
		return;
	}
	for (size_t i = 0; i < span.points; i++) {
		out[i] = (struct past_point){.cpu_pct = -1, .mem_bytes = -1};
	}
}

static void add(struct past_point *sum, const struct past_point *p)
{
	if (p->cpu_pct >= 0) {
		sum->cpu_pct = p->cpu_pct + (sum->cpu_pct > 0 ? sum->cpu_pct : 0);
	}
	if (p->mem_bytes >= 0) {
		sum->mem_bytes = p->mem_bytes + (sum->mem_bytes > 0 ? sum->mem_bytes : 0);
	}
	sum->start |= p->start;
}

void pastjson_app(const struct app *app, struct past_span span, struct past_point *out)
{
	struct past_point slot[PASTJSON_POINTS];
	for (size_t i = 0; i < span.points; i++) {
		out[i] = (struct past_point){.cpu_pct = -1, .mem_bytes = -1};
	}
	for (int k = 0; k < app->count; k++) {
		pastjson_slot(app->slots[k], span, slot);
		for (size_t i = 0; i < span.points; i++) {
			add(&out[i], &slot[i]);
		}
	}
}

void pastjson_cpu(struct jw *w, const char *key, const struct past_point *v, size_t n)
{
	jw_key(w, key);
	jw_arr(w);
	for (size_t i = 0; i < n; i++) {
		if (v[i].cpu_pct < 0) {
			jw_null(w);
		} else {
			jw_real1(w, v[i].cpu_pct);
		}
	}
	jw_end(w);
}

void pastjson_mem(struct jw *w, const char *key, const struct past_point *v, size_t n)
{
	jw_key(w, key);
	jw_arr(w);
	for (size_t i = 0; i < n; i++) {
		if (v[i].mem_bytes < 0) {
			jw_null(w);
		} else {
			jw_int(w, v[i].mem_bytes);
		}
	}
	jw_end(w);
}

void pastjson_starts(struct jw *w, const char *key, const struct past_point *v, size_t n)
{
	jw_key(w, key);
	jw_arr(w);
	for (size_t i = 0; i < n; i++) {
		if (v[i].start) {
			jw_uint(w, i);
		}
	}
	jw_end(w);
}
