/* SPDX-License-Identifier: MIT */
#include "proto/jw.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

void jw_init(struct jw *w, struct buf *out)
{
	*w = (struct jw){.out = out};
}

static void before_value(struct jw *w)
{
	if (w->comma) {
		buf_addc(w->out, ',');
	}
	w->comma = true;
}

static void open_level(struct jw *w, bool array)
{
	before_value(w);
	assert(w->depth < JW_DEPTH);
	uint64_t bit = UINT64_C(1) << w->depth;
	w->arrays = array ? w->arrays | bit : w->arrays & ~bit;
	w->depth++;
	w->comma = false;
	buf_addc(w->out, array ? '[' : '{');
}

void jw_obj(struct jw *w)
{
	open_level(w, false);
}

void jw_arr(struct jw *w)
{
	open_level(w, true);
}

void jw_end(struct jw *w)
{
	assert(w->depth > 0);
	w->depth--;
	buf_addc(w->out, w->arrays >> w->depth & 1 ? ']' : '}');
	w->comma = true;
}

void jw_key(struct jw *w, const char *key)
{
	assert(w->depth > 0 && !(w->arrays >> (w->depth - 1) & 1));
	before_value(w);
	buf_add_json(w->out, key, strlen(key));
	buf_addc(w->out, ':');
	w->comma = false;
}

void jw_str(struct jw *w, const char *s)
{
	if (!s) {
		jw_null(w);
		return;
	}
	jw_strn(w, s, strlen(s));
}

void jw_strn(struct jw *w, const char *s, size_t len)
{
	before_value(w);
	buf_add_json(w->out, s, len);
}

void jw_uint(struct jw *w, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);
	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	before_value(w);
	buf_add(w->out, digits + at, sizeof(digits) - at);
}

void jw_int(struct jw *w, int64_t v)
{
	if (v >= 0) {
		jw_uint(w, (uint64_t)v);
		return;
	}
	before_value(w);
	buf_addf(w->out, "%" PRId64, v);
}

/* Not printf: its decimal point follows the locale. */
static void real(struct jw *w, double v, int digits, int scale)
{
	if (!isfinite(v) || fabs(v) > 1e15) {
		jw_null(w);
		return;
	}
	int64_t parts = (int64_t)(fabs(v) * scale + 0.5);
	before_value(w);
	buf_addf(w->out, "%s%" PRId64 ".%0*d", v < 0 && parts ? "-" : "", parts / scale, digits,
		 (int)(parts % scale));
}

void jw_real1(struct jw *w, double v)
{
	real(w, v, 1, 10);
}

void jw_real2(struct jw *w, double v)
{
	real(w, v, 2, 100);
}

void jw_bool(struct jw *w, bool v)
{
	before_value(w);
	buf_adds(w->out, v ? "true" : "false");
}

void jw_null(struct jw *w)
{
	before_value(w);
	buf_add(w->out, "null", 4);
}

void jw_raw(struct jw *w, const char *json, size_t len)
{
	before_value(w);
	buf_add(w->out, json, len);
}

void jw_kstr(struct jw *w, const char *key, const char *s)
{
	jw_key(w, key);
	jw_str(w, s);
}

void jw_kint(struct jw *w, const char *key, int64_t v)
{
	jw_key(w, key);
	jw_int(w, v);
}

void jw_kreal1(struct jw *w, const char *key, double v)
{
	jw_key(w, key);
	jw_real1(w, v);
}

void jw_kbool(struct jw *w, const char *key, bool v)
{
	jw_key(w, key);
	jw_bool(w, v);
}

void jw_knull(struct jw *w, const char *key)
{
	jw_key(w, key);
	jw_null(w);
}
