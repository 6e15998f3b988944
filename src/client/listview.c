/* SPDX-License-Identifier: MIT */
#include "client/listview.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/listrow.h"
#include "common/mem.h"

#define NARROW 60

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
	[C_LIMIT] = {.title = "LIMIT", .right = true, .gap = 2},
	[C_SPARK] = {.title = "15 MIN", .gap = 2},
	[C_FD] = {.title = "FD", .right = true, .gap = 2},
	[C_READY] = {.title = "READY", .gap = 2},
	[C_USER] = {.title = "USER", .gap = 2},
	[C_EXIT] = {.title = "LAST EXIT", .gap = 2, .hidden = true, .shrink = 12},
	[C_NOTE] = {.title = "NOTE", .shrink = 12, .early = 1, .first = 28, .gap = 2},
};

/* What goes first where the width does not suffice. */
static const struct drop drops[] = {
	{C_USER, -1, -1},  {C_READY, -1, -1},	    {C_LIMIT, -1, -1}, {C_FD, -1, -1},
	{C_MODE, -1, -1},  {C_NS, -1, -1},	    {C_ID, -1, -1},    {C_PID, -1, -1},
	{C_SPARK, -1, -1}, {C_RST, -1, -1},	    {C_UP, -1, -1},    {C_INST, C_STATE, C_JOINED},
	{C_NOTE, -1, -1},  {C_CPU, -1, -1},	    {C_EXIT, -1, -1},  {C_MEM, -1, -1},
	{C_MARK, -1, -1},  {C_JOINED, -1, C_STATE},
};
#define EARLY 8 /* NOTE is cut before 15 MIN goes */

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

/* Whether any of them has something to say there. */
static bool any_has(const json_t *objects, const char *key)
{
	size_t i;
	const json_t *o;
	json_array_foreach(objects, i, o)
	{
		const json_t *v = json_object_get(o, key);
		if (listrow_text(o, key, NULL) || json_is_integer(v) || json_array_size(v) > 0) {
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
		const char *state = listrow_text(app, "state", "");
		online += json_integer_value(json_object_get(app, "online"));
		instances += json_integer_value(json_object_get(app, "instances"));
		if (strcmp(state, "failed") == 0) {
			bad = failed++ == 0 ? listrow_text(app, "name", "") : bad;
		} else if (!bad &&
			   (strcmp(state, "backoff") == 0 || strcmp(state, "degraded") == 0)) {
			bad = listrow_text(app, "name", "");
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

static void hide(struct column *col, const int *which, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		col[which[i]].hidden = true;
	}
}

/* Which columns there are at all, before any is dropped. */
static void choose_columns(const struct listview *v, const json_t *apps, struct column *col)
{
	static const int more[] = {C_NS, C_ID, C_MODE, C_PID, C_LIMIT, C_FD, C_READY, C_USER};
	static const int gone[] = {C_NS,  C_INST, C_STATE, C_ID,    C_MODE, C_PID,   C_UP,
				   C_RST, C_FD,	  C_LIMIT, C_SPARK, C_USER, C_READY, C_NOTE};
	bool wide = v->piped ? v->instances
			     : v->instances || v->width == 0 || v->width >= LISTVIEW_WIDE;
	bool narrow = !v->piped && v->width && v->width < NARROW;
	memcpy(col, columns, sizeof(columns));
	col[C_MARK].hidden = v->piped;
	col[C_APP].gap = v->piped ? 0 : 1;
	col[C_SPARK].hidden = v->piped || v->instances;
	if (!wide) {
		hide(col, more, ARRAY_LEN(more));
	}
	/* A column of nothing takes the room of another; in a pipe it has its place. */
	col[C_NS].hidden |= !any_has(apps, "namespace");
	col[C_SPARK].hidden |= !any_has(apps, "mem_history");
	col[C_LIMIT].hidden |= !v->piped && !any_has(apps, "memory_max");
	col[C_READY].hidden |= !v->piped && !any_has(apps, "ready_by");
	col[C_USER].hidden |= !v->piped && !any_has(apps, "user");
	if (narrow) {
		hide(col, gone, ARRAY_LEN(gone));
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
		listrow_app(&t, v, app);
		const json_t *procs = json_object_get(app, "procs");
		size_t n = json_array_size(procs);
		for (size_t k = 0; v->instances && k < n && (v->piped || n > 1); k++) {
			listrow_proc(&t, v, app, json_array_get(procs, k), k + 1 == n);
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
	static const int gone[] = {C_MARK, C_NS,    C_INST,  C_MODE, C_ID,
				   C_FD,   C_LIMIT, C_READY, C_USER};
	static const struct drop less[] = {
		{C_SPARK, -1, -1}, {C_RST, -1, -1}, {C_EXIT, -1, -1}, {C_UP, -1, -1},
		{C_NOTE, -1, -1},  {C_CPU, -1, -1}, {C_MEM, -1, -1},  {C_PID, -1, -1},
	};
	struct column col[C_COUNT];
	struct listview plain = *v;
	struct table t;
	struct table_look look = {.color = v->color, .heading = true, .utf8 = v->utf8, .indent = 2};
	const json_t *procs = json_object_get(app, "procs");
	plain.piped = true; /* every cell says something */
	memcpy(col, columns, sizeof(columns));
	hide(col, gone, ARRAY_LEN(gone));
	col[C_EXIT].hidden = false;
	col[C_NOTE].hidden = !any_has(procs, "note");
	col[C_SPARK].hidden = v->piped || !any_has(procs, "mem_history");
	col[C_APP].title = "INST";
	col[C_APP].gap = 0;
	table_init(&t, col, C_COUNT, less, ARRAY_LEN(less), 0);
	for (size_t i = 0; i < json_array_size(procs); i++) {
		listrow_proc(&t, &plain, app, json_array_get(procs, i), false);
	}
	table_fit(&t, &look, v->piped ? 0 : v->width);
	table_render(&t, &look, out);
	table_finish(&t);
}
