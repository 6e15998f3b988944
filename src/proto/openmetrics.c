/* SPDX-License-Identifier: MIT */
#include "proto/openmetrics.h"

#include <assert.h>
#include <string.h>

#include "common/utf8.h"

static const char *const type_names[] = {[OM_GAUGE] = "gauge",
					 [OM_COUNTER] = "counter",
					 [OM_INFO] = "info",
					 [OM_STATESET] = "stateset",
					 [OM_HISTOGRAM] = "histogram"};

const char *om_type_name(enum om_type type)
{
	return type_names[type];
}

const char *om_content_type(enum om_format format)
{
	return format == OM_PROMETHEUS
		       ? "text/plain; version=0.0.4; charset=utf-8"
		       : "application/openmetrics-text; version=1.0.0; charset=utf-8";
}

void om_init(struct om *w, struct buf *out, enum om_format format)
{
	*w = (struct om){.out = out, .format = format};
}

void om_family(struct om *w, const struct om_family *f)
{
	w->family = f;
	w->begun = false;
}

/* Between quotes, and behind HELP, the same three characters are special. */
static void add_escaped(struct buf *out, const char *s)
{
	size_t left = strlen(s);
	while (left) {
		uint32_t cp;
		size_t n = utf8_decode(s, left, &cp);
		if (*s == '\n') {
			buf_add(out, "\\n", 2);
		} else if (*s == '"' || *s == '\\') {
			buf_addc(out, '\\');
			buf_addc(out, *s);
		} else if (n) {
			buf_add(out, s, n);
		} else {
			buf_adds(out, "\xef\xbf\xbd");
		}
		n = n ? n : 1;
		s += n;
		left -= n;
	}
}

static const char *suffix_of(enum om_type type)
{
	return type == OM_COUNTER ? "_total" : type == OM_INFO ? "_info" : "";
}

/* The older format has no families: the name there is that of the samples. */
static void add_meta(struct om *w, const char *what, const char *text)
{
	buf_adds(w->out, "# ");
	buf_adds(w->out, what);
	buf_addc(w->out, ' ');
	buf_adds(w->out, w->family->name);
	if (w->format == OM_PROMETHEUS) {
		buf_adds(w->out, suffix_of(w->family->type));
	}
	buf_addc(w->out, ' ');
	add_escaped(w->out, text);
	buf_addc(w->out, '\n');
}

static void begin_family(struct om *w)
{
	bool old = w->format == OM_PROMETHEUS;
	enum om_type type = w->family->type;
	bool is_new = type == OM_INFO || type == OM_STATESET;
	w->begun = true;
	add_meta(w, "TYPE", type_names[old && is_new ? OM_GAUGE : type]);
	if (w->family->unit && !old) {
		add_meta(w, "UNIT", w->family->unit);
	}
	add_meta(w, "HELP", w->family->help);
}

void om_sample(struct om *w, const char *suffix)
{
	if (!w->begun) {
		begin_family(w);
	}
	buf_adds(w->out, w->family->name);
	buf_adds(w->out, suffix ? suffix : suffix_of(w->family->type));
	w->labels = false;
}

static void begin_label(struct om *w, const char *name)
{
	buf_addc(w->out, w->labels ? ',' : '{');
	w->labels = true;
	buf_adds(w->out, name);
	buf_add(w->out, "=\"", 2);
}

void om_label(struct om *w, const char *name, const char *value)
{
	if (value && *value) {
		begin_label(w, name);
		add_escaped(w->out, value);
		buf_addc(w->out, '"');
	}
}

/* Digits of v, at least `least` of them, to the end of out; returns where they begin. */
static char *put_digits(char *end, uint64_t v, int least)
{
	while (v || least > 0) {
		*--end = (char)('0' + v % 10);
		v /= 10;
		least--;
	}
	return end;
}

static void add_int(struct buf *out, int64_t v)
{
	char text[24], *end = text + sizeof(text);
	uint64_t n = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	char *at = put_digits(end, n, 1);
	if (v < 0) {
		*--at = '-';
	}
	buf_add(out, at, (size_t)(end - at));
}

void om_label_int(struct om *w, const char *name, int64_t value)
{
	begin_label(w, name);
	add_int(w->out, value);
	buf_addc(w->out, '"');
}

void om_value(struct om *w, int64_t value, int digits)
{
	int64_t scale = 1;
	assert(digits >= 0 && digits <= 9);
	for (int i = 0; i < digits; i++) {
		scale *= 10;
	}
	buf_adds(w->out, w->labels ? "} " : " ");
	if (value < 0 && value / scale == 0 && value % scale) {
		buf_addc(w->out, '-'); /* -0.5 has no integer part to carry it */
	}
	add_int(w->out, value / scale);
	uint64_t rest = (uint64_t)(value % scale < 0 ? -(value % scale) : value % scale);
	if (rest) {
		char text[12], *end = text + sizeof(text);
		char *at = put_digits(end, rest, digits);
		while (end[-1] == '0') {
			end--;
		}
		buf_addc(w->out, '.');
		buf_add(w->out, at, (size_t)(end - at));
	}
	buf_addc(w->out, '\n');
}

void om_end(struct om *w)
{
	if (w->format == OM_OPENMETRICS) {
		buf_adds(w->out, "# EOF\n");
	}
}
