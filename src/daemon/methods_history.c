/* SPDX-License-Identifier: MIT */
/* history: what the figures were. */
#include "common/clock.h"
#include "daemon/daemon.h"
#include "daemon/listing.h"
#include "daemon/methods.h"
#include "daemon/pastjson.h"
#include "daemon/runner.h"

#define SPAN_S 900
#define POINTS 60

static void write_series(struct jw *w, const struct past_point *v, size_t n)
{
	pastjson_cpu(w, "cpu_pct", v, n);
	pastjson_mem(w, "mem_bytes", v, n);
	pastjson_starts(w, "starts", v, n);
}

static void write_app(struct jw *w, struct past_span span, struct inst *const *in, size_t n)
{
	struct past_point v[PASTJSON_POINTS];
	const struct app *app = in[0]->app;
	jw_obj(w);
	jw_kstr(w, "name", app->conf.name);
	pastjson_app(app, span, v);
	write_series(w, v, span.points);
	jw_key(w, "procs");
	jw_arr(w);
	for (size_t i = 0; i < n; i++) {
		jw_obj(w);
		jw_kint(w, "id", (int64_t)in[i]->id);
		jw_kint(w, "slot", in[i]->slot);
		pastjson_slot(in[i], span, v);
		write_series(w, v, span.points);
		jw_end(w);
	}
	jw_end(w);
	jw_end(w);
}

bool method_history(struct call *call)
{
	struct jw *w = call->w;
	struct selection s = {0};
	struct past_span span = {
		.span_s = (uint32_t)rpc_param_int(call->params, "span_s", SPAN_S),
		.points = (size_t)rpc_param_int(call->params, "points", POINTS),
	};
	char stamp[CLOCK_RFC3339];
	if (!call_select(call, selection_add, &s)) {
		return false;
	}
	clock_format_utc(clock_real_ms(), stamp);
	jw_obj(w);
	jw_kint(w, "v", 1);
	jw_kstr(w, "t", stamp);
	jw_kint(w, "span_s", span.span_s);
	jw_kint(w, "step_ms", (int64_t)span.span_s * 1000 / (int64_t)span.points);
	jw_key(w, "apps");
	jw_arr(w);
	for (size_t i = 0, from = 0; i < s.n; from = i) {
		while (i < s.n && s.v[i]->app == s.v[from]->app) {
			i++;
		}
		write_app(w, span, s.v + from, i - from);
	}
	jw_end(w);
	jw_end(w);
	selection_finish(&s);
	return true;
}
