/* SPDX-License-Identifier: MIT */
#include "client/listview.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/state.h"
#include "client/table.h"
#include "common/mem.h"
#include "common/units.h"

#define NARROW	  60
#define WIDE	  120
#define RECENT_MS (24LL * 3600 * 1000) /* a last exit is worth a note for this long */

enum {
	C_MARK,
	C_APP,
	C_NS,
	C_INST,
	C_STATE,
	C_JOINED,
	C_ID,
	C_MODE,
	C_PID,
	C_UP,
	C_RST,
	C_CPU,
	C_MEM,
	C_FD,
	C_NOTE,
	C_COUNT
};

static const struct column columns[C_COUNT] = {
	[C_MARK] = {.title = ""},
	[C_APP] = {.title = "APP", .shrink = 4, .gap = 1},
	[C_NS] = {.title = "NS", .gap = 2},
	[C_INST] = {.title = "INST", .right = true, .gap = 2},
	[C_STATE] = {.title = "STATE", .gap = 2},
	[C_JOINED] = {.title = "STATE", .gap = 2, .hidden = true},
	[C_ID] = {.title = "ID", .right = true, .gap = 2},
	[C_MODE] = {.title = "MODE", .gap = 2},
	[C_PID] = {.title = "PID", .right = true, .gap = 2},
	[C_UP] = {.title = "UP", .right = true, .gap = 2},
	[C_RST] = {.title = "RST", .right = true, .gap = 2},
	[C_CPU] = {.title = "CPU", .right = true, .gap = 2},
	[C_MEM] = {.title = "MEM", .right = true, .gap = 2},
	[C_FD] = {.title = "FD", .right = true, .gap = 2},
	[C_NOTE] = {.title = "NOTE", .shrink = 10, .early = 1, .gap = 2},
};

/* What goes first where the width does not suffice. */
static const struct drop drops[] = {
	{C_FD, -1, -1},	  {C_MODE, -1, -1}, {C_NS, -1, -1},  {C_ID, -1, -1},
	{C_PID, -1, -1},  {C_RST, -1, -1},  {C_UP, -1, -1},  {C_INST, C_STATE, C_JOINED},
	{C_NOTE, -1, -1}, {C_CPU, -1, -1},  {C_MEM, -1, -1}, {C_MARK, -1, -1},
};
#define EARLY 5 /* NOTE is cut before RST goes */

long long listview_parse_time(const char *text)
{
	struct tm tm = {0};
	int ms = 0;
	const char *rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
	if (!rest) {
		return -1;
	}
	if (*rest == '.') {
		ms = atoi(rest + 1);
	}
	return (long long)timegm(&tm) * 1000 + ms;
}

char *listview_exit_text(const json_t *e)
{
	const char *signal = json_string_value(json_object_get(e, "signal"));
	const json_t *code = json_object_get(e, "code");
	if (!json_is_object(e)) {
		return xstrdup("-");
	}
	if (signal) {
		struct buf safe = {0};
		buf_add_escaped(&safe, signal, strlen(signal), 0);
		if (json_is_true(json_object_get(e, "oom"))) {
			buf_adds(&safe, ", out of memory");
		} else if (json_is_true(json_object_get(e, "core"))) {
			buf_adds(&safe, ", core kept");
		}
		return buf_take(&safe);
	}
	return json_is_integer(code) ? xasprintf("exit %lld", (long long)json_integer_value(code))
				     : xstrdup("ended, cause unknown");
}

/* Text of others, safe for a terminal; in a pipe blanks stand for what would break a record. */
static void set_text(struct table *t, size_t col, enum style style, const char *s)
{
	struct buf safe = {0};
	buf_add_escaped(&safe, s, strlen(s), 0);
	for (size_t i = 0; i < safe.len; i++) {
		safe.data[i] = safe.data[i] == '\t' ? ' ' : safe.data[i];
	}
	table_set(t, col, style, safe.data ? safe.data : "");
	buf_finish(&safe);
}

static void set_number(struct table *t, size_t col, const json_t *v)
{
	char text[24] = "-";
	if (json_is_integer(v)) {
		snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(v));
	}
	table_set(t, col, STYLE_NONE, text);
}

/* UP, RST, CPU and MEM: the same for apps and instances. */
static void set_figures(struct table *t, const json_t *o, const json_t *up)
{
	char text[24];
	const json_t *cpu = json_object_get(o, "cpu_pct");
	const json_t *mem = json_object_get(o, "mem_bytes");
	snprintf(text, sizeof(text), "-");
	if (json_is_integer(up)) {
		units_format_age(json_integer_value(up), text, sizeof(text));
	}
	table_set(t, C_UP, STYLE_NONE, text);
	set_number(t, C_RST, json_object_get(o, "restarts"));
	snprintf(text, sizeof(text), "-");
	if (json_is_number(cpu)) {
		snprintf(text, sizeof(text), "%lld%%", (long long)(json_number_value(cpu) + 0.5));
	}
	table_set(t, C_CPU, STYLE_NONE, text);
	snprintf(text, sizeof(text), "-");
	if (json_is_integer(mem)) {
		units_format_mem(json_integer_value(mem), text, sizeof(text));
	}
	table_set(t, C_MEM, STYLE_NONE, text);
}

static const char *text_of(const json_t *o, const char *key, const char *absent)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s && *s ? s : absent;
}

static void set_state(struct table *t, const struct listview *v, const char *state,
		      const char *count)
{
	char joined[80];
	enum style style = state_style(state);
	snprintf(joined, sizeof(joined), "%s%s%.40s", count, count[0] ? " " : "", state);
	if (!v->piped) {
		table_set(t, C_MARK, style, state_mark(state, v->utf8));
	}
	enum style word = style == STYLE_OK || style == STYLE_DIM ? STYLE_NONE : style;
	set_text(t, C_STATE, word, state);
	set_text(t, C_JOINED, word, joined);
}

/* Why: what the daemon says, else a last exit that is not long ago. */
static void set_note(struct table *t, const struct listview *v, const json_t *proc)
{
	const char *note = text_of(proc, "note", "");
	const json_t *e = json_object_get(proc, "last_exit");
	long long at = listview_parse_time(text_of(e, "at", NULL));
	if (note[0] || at < 0 || v->now_ms - at > RECENT_MS || v->now_ms < at) {
		set_text(t, C_NOTE, STYLE_NONE, note);
		return;
	}
	char age[24];
	char *what = listview_exit_text(e);
	units_format_age(v->now_ms - at, age, sizeof(age));
	char *text = xasprintf("%s %s ago", what, age);
	set_text(t, C_NOTE, STYLE_NONE, text);
	free(text);
	free(what);
}

static void add_proc(struct table *t, const struct listview *v, const json_t *app,
		     const json_t *proc, bool last)
{
	const char *branch = v->piped ? "" : v->utf8 ? (last ? "└ " : "├ ") : last ? "` " : "| ";
	const char *name = text_of(app, "name", "?");
	char *label = xasprintf("%s%.60s:%lld", branch, name,
				(long long)json_integer_value(json_object_get(proc, "slot")));
	table_row(t);
	set_text(t, C_APP, STYLE_NONE, label);
	set_state(t, v, text_of(proc, "state", "?"), "");
	if (v->piped) {
		table_set(t, C_INST, STYLE_NONE, "-");
		set_text(t, C_NS, STYLE_NONE, text_of(app, "namespace", "-"));
		set_text(t, C_MODE, STYLE_NONE, text_of(app, "mode", "-"));
	}
	set_number(t, C_ID, json_object_get(proc, "id"));
	set_number(t, C_PID, json_object_get(proc, "pid"));
	set_number(t, C_FD, json_object_get(proc, "fds"));
	set_figures(t, proc, json_object_get(proc, "up_ms"));
	set_note(t, v, proc);
	free(label);
}

/* How long the one that has been up longest of these; NULL if none is. */
static const json_t *oldest_up(const json_t *app)
{
	const json_t *procs = json_object_get(app, "procs");
	if (json_array_size(procs) == 0) {
		return json_object_get(app, "up_ms");
	}
	const json_t *best = NULL;
	size_t i;
	const json_t *p;
	json_array_foreach(procs, i, p)
	{
		const json_t *up = json_object_get(p, "up_ms");
		if (json_is_integer(up) &&
		    (!best || json_integer_value(up) > json_integer_value(best))) {
			best = up;
		}
	}
	return best;
}

static void add_app(struct table *t, const struct listview *v, const json_t *app)
{
	char count[48];
	const json_t *procs = json_object_get(app, "procs");
	const json_t *only = json_array_size(procs) == 1 ? json_array_get(procs, 0) : NULL;
	snprintf(count, sizeof(count), "%lld/%lld",
		 (long long)json_integer_value(json_object_get(app, "online")),
		 (long long)json_integer_value(json_object_get(app, "instances")));
	table_row(t);
	set_text(t, C_APP, STYLE_NONE, text_of(app, "name", "?"));
	set_text(t, C_NS, STYLE_NONE, text_of(app, "namespace", "-"));
	table_set(t, C_INST, STYLE_NONE, count);
	set_state(t, v, text_of(app, "state", "?"), count);
	set_text(t, C_MODE, STYLE_NONE, text_of(app, "mode", "-"));
	const char *many = v->piped ? "-" : "";
	if (only) {
		set_number(t, C_ID, json_object_get(only, "id"));
		set_number(t, C_PID, json_object_get(only, "pid"));
		set_number(t, C_FD, json_object_get(only, "fds"));
	} else {
		table_set(t, C_ID, STYLE_NONE, many);
		table_set(t, C_PID, STYLE_NONE, many);
		table_set(t, C_FD, STYLE_NONE, many);
	}
	set_figures(t, app, oldest_up(app));
	if (text_of(app, "note", NULL) || !only) {
		set_text(t, C_NOTE, STYLE_NONE, text_of(app, "note", ""));
	} else {
		set_note(t, v, only);
	}
}

static bool any_namespace(const json_t *apps)
{
	size_t i;
	const json_t *app;
	json_array_foreach(apps, i, app)
	{
		if (text_of(app, "namespace", NULL)) {
			return true;
		}
	}
	return false;
}

static void add_footer(const struct listview *v, const json_t *apps, struct buf *out)
{
	size_t begin = out->len + 1;
	long long online = 0, instances = 0, failed = 0;
	const char *bad = NULL;
	size_t i;
	const json_t *app;
	json_array_foreach(apps, i, app)
	{
		const char *state = text_of(app, "state", "");
		online += json_integer_value(json_object_get(app, "online"));
		instances += json_integer_value(json_object_get(app, "instances"));
		if (strcmp(state, "failed") == 0) {
			failed++;
			bad = text_of(app, "name", "");
		} else if (!bad &&
			   (strcmp(state, "backoff") == 0 || strcmp(state, "degraded") == 0)) {
			bad = text_of(app, "name", "");
		}
	}
	buf_addf(out, "\n%zu app%s, %lld of %lld instance%s online", json_array_size(apps),
		 json_array_size(apps) == 1 ? "" : "s", online, instances,
		 instances == 1 ? "" : "s");
	if (failed) {
		buf_addf(out, ", %lld failed", failed);
	}
	if (bad) {
		size_t more = strlen(". Why: pmctl why ") + strlen(bad);
		bool fits = v->width == 0 || out->len - begin + more <= v->width;
		buf_adds(out, fits ? ". Why: pmctl why " : "\nWhy: pmctl why ");
		buf_add_escaped(out, bad, strlen(bad), 0);
	}
	buf_addc(out, '\n');
}

/* Which columns there are at all, before any is dropped. */
static void choose_columns(const struct listview *v, const json_t *apps, struct column *col)
{
	bool wide = v->piped ? v->instances : v->instances || v->width == 0 || v->width >= WIDE;
	bool narrow = !v->piped && v->width && v->width < NARROW;
	memcpy(col, columns, sizeof(columns));
	col[C_MARK].hidden = v->piped;
	col[C_APP].gap = v->piped ? 0 : 1;
	col[C_NS].hidden = !wide || !any_namespace(apps);
	col[C_ID].hidden = col[C_MODE].hidden = col[C_PID].hidden = col[C_FD].hidden = !wide;
	if (narrow) {
		static const int gone[] = {C_NS,  C_INST, C_STATE, C_ID, C_MODE,
					   C_PID, C_UP,	  C_RST,   C_FD, C_NOTE};
		for (size_t i = 0; i < ARRAY_LEN(gone); i++) {
			col[gone[i]].hidden = true;
		}
		col[C_JOINED].hidden = false;
	}
}

void listview_print(const struct listview *v, const json_t *apps, struct buf *out)
{
	struct column col[C_COUNT];
	struct table t;
	bool narrow = !v->piped && v->width && v->width < NARROW;
	struct table_look look = {
		.color = v->color, .heading = !narrow, .utf8 = v->utf8, .pad = v->pad};
	choose_columns(v, apps, col);
	table_init(&t, col, C_COUNT, drops, ARRAY_LEN(drops), EARLY);
	size_t i;
	const json_t *app;
	json_array_foreach(apps, i, app)
	{
		add_app(&t, v, app);
		const json_t *procs = json_object_get(app, "procs");
		size_t n = json_array_size(procs);
		for (size_t k = 0; v->instances && k < n && (v->piped || n > 1); k++) {
			add_proc(&t, v, app, json_array_get(procs, k), k + 1 == n);
		}
	}
	table_fit(&t, &look, v->piped ? 0 : v->width);
	table_render(&t, &look, out);
	if (!v->piped && !narrow && !v->pad) {
		add_footer(v, apps, out);
	}
	table_finish(&t);
}

void listview_instances(const struct listview *v, const json_t *app, struct buf *out)
{
	struct column col[C_COUNT];
	struct listview plain = *v;
	struct table t;
	struct table_look look = {.color = v->color, .heading = true, .utf8 = v->utf8, .indent = 2};
	const json_t *procs = json_object_get(app, "procs");
	plain.piped = true;
	memcpy(col, columns, sizeof(columns));
	col[C_MARK].hidden = col[C_NS].hidden = col[C_INST].hidden = col[C_MODE].hidden = true;
	col[C_APP].title = "INST";
	col[C_APP].gap = 0;
	table_init(&t, col, C_COUNT, drops, ARRAY_LEN(drops), EARLY);
	for (size_t i = 0; i < json_array_size(procs); i++) {
		add_proc(&t, &plain, app, json_array_get(procs, i), false);
	}
	table_fit(&t, &look, v->piped ? 0 : v->width);
	table_render(&t, &look, out);
	table_finish(&t);
}
