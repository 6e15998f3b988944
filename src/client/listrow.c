/* SPDX-License-Identifier: MIT */
#include "client/listrow.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/state.h"
#include "common/mem.h"
#include "common/units.h"
#include "ui/spark.h"

#define MIB	   (1024 * 1024)
#define RECENT_MS  (24LL * 3600 * 1000) /* a last exit is worth a note for this long */
#define SPARK_MOST 240

const char *listrow_text(const json_t *o, const char *key, const char *absent)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s && *s ? s : absent;
}

static void set_number(struct table *t, size_t col, const json_t *v)
{
	char text[24] = "-";
	if (json_is_integer(v)) {
		snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(v));
	}
	table_set(t, col, STYLE_NONE, text);
}

/* --- figures --- */

static void set_limit(struct table *t, int64_t bytes)
{
	char text[24] = "-";
	if (bytes > 0 && bytes % MIB == 0) {
		snprintf(text, sizeof(text), "%lldM", (long long)(bytes / MIB));
	} else if (bytes > 0) {
		units_format_mem(bytes, text, sizeof(text));
	}
	table_set(t, C_LIMIT, STYLE_NONE, text);
}

/* The memory of the last 15 minutes, from 0 to the limit or to a round number. */
static void set_spark(struct table *t, const struct listview *v, const json_t *o, int64_t limit)
{
	const json_t *past = json_object_get(o, "mem_history");
	size_t n = json_array_size(past) < SPARK_MOST ? json_array_size(past) : SPARK_MOST;
	double value[SPARK_MOST], cell[LISTVIEW_SPARK];
	char text[LISTVIEW_SPARK * 3 + 1];
	bool any = false;
	for (size_t i = 0; i < n; i++) {
		const json_t *p = json_array_get(past, i);
		value[i] = json_is_number(p) ? json_number_value(p) / MIB : NAN;
		any |= json_is_number(p) != 0;
	}
	if (!any) {
		table_set(t, C_SPARK, STYLE_NONE, "-");
		return;
	}
	size_t cells = n < LISTVIEW_SPARK ? n : LISTVIEW_SPARK;
	spark_squeeze(value, n, cell, cells);
	double most = (double)limit / MIB;
	spark_text(cell, cells, limit > 0 ? most : spark_scale(spark_peak(cell, cells), 1), v->utf8,
		   text);
	table_set(t, C_SPARK, STYLE_NONE, text);
}

/* UP, RST, CPU, MEM and LIMIT: the same for apps and instances. */
static void set_figures(struct table *t, const json_t *o, const json_t *up, int64_t limit)
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
	set_limit(t, limit);
}

/* --- words --- */

static bool is_warned(const json_t *o)
{
	const json_t *leak = json_object_get(o, "leak");
	return leak && !json_is_null(leak) && !json_is_false(leak);
}

/* A process that is fine but for a warning looks like one that is not quite. */
static void set_state(struct table *t, const struct listview *v, const char *state,
		      const char *count, bool warned)
{
	char joined[80];
	const char *look = warned && strcmp(state, "online") == 0 ? "degraded" : state;
	enum style style = state_style(look);
	snprintf(joined, sizeof(joined), "%s%s%.40s", count, count[0] ? " " : "", state);
	if (!v->piped) {
		table_set(t, C_MARK, style, state_mark(look, v->utf8));
	}
	style = state_style(state);
	enum style word = style == STYLE_OK || style == STYLE_DIM ? STYLE_NONE : style;
	table_set_foreign(t, C_STATE, word, state);
	table_set_foreign(t, C_JOINED, word, joined);
}

/* "SIGSEGV 11m ago, core kept"; NULL if it was asked for, or is long ago. Caller frees. */
static char *past_exit(const struct listview *v, const json_t *e)
{
	long long at = listview_parse_time(listrow_text(e, "at", NULL));
	char age[24];
	if (at < 0 || v->now_ms - at > RECENT_MS || v->now_ms < at ||
	    json_is_true(json_object_get(e, "asked"))) {
		return NULL;
	}
	units_format_age(v->now_ms - at, age, sizeof(age));
	char *what = listview_exit_text(e);
	size_t head = strcspn(what, ",");
	char *text = xasprintf("%.*s %s ago%s", (int)head, what, age, what + head);
	free(what);
	return text;
}

/* Why: what the daemon says, else a last exit that is not long ago. */
static void set_note(struct table *t, const struct listview *v, const json_t *o)
{
	const char *note = listrow_text(o, "note", NULL);
	char *past = note ? NULL : past_exit(v, json_object_get(o, "last_exit"));
	table_set_foreign(t, C_NOTE, STYLE_NONE, note ? note : past ? past : "");
	free(past);
}

static void set_ready(struct table *t, const struct listview *v, const json_t *ms)
{
	char text[24];
	snprintf(text, sizeof(text), "%s", v->piped ? "-" : "");
	if (json_is_integer(ms) && json_integer_value(ms) < 1000) {
		snprintf(text, sizeof(text), "%lldms", (long long)json_integer_value(ms));
	} else if (json_is_integer(ms)) {
		units_format_age(json_integer_value(ms), text, sizeof(text));
	}
	table_set(t, C_READY, STYLE_NONE, text);
}

static void set_exit(struct table *t, const struct listview *v, const json_t *proc)
{
	const json_t *e = json_object_get(proc, "last_exit");
	char *recent = past_exit(v, e);
	char *text = recent ? recent : listview_exit_text(e);
	table_set_foreign(t, C_EXIT, STYLE_NONE, text);
	free(text);
}

/* --- rows --- */

/* What an app and its instances have in common is said once, but in a pipe each line stands alone.
 */
static void set_shared(struct table *t, const struct listview *v, const json_t *app, bool first)
{
	bool say = first || v->piped;
	table_set_foreign(t, C_NS, STYLE_NONE, say ? listrow_text(app, "namespace", "-") : "");
	table_set_foreign(t, C_MODE, STYLE_NONE, say ? listrow_text(app, "mode", "-") : "");
	table_set_foreign(t, C_USER, STYLE_NONE, say ? listrow_text(app, "user", "-") : "");
}

void listrow_proc(struct table *t, const struct listview *v, const json_t *app, const json_t *proc,
		  bool last)
{
	const char *branch = v->piped ? "" : v->utf8 ? (last ? "└ " : "├ ") : last ? "` " : "| ";
	const char *name = listrow_text(app, "name", "?");
	int64_t limit = json_integer_value(json_object_get(app, "memory_max"));
	int64_t count = json_integer_value(json_object_get(app, "instances"));
	char *label = xasprintf("%s%.60s:%lld", branch, name,
				(long long)json_integer_value(json_object_get(proc, "slot")));
	table_row(t);
	table_set_foreign(t, C_APP, STYLE_NONE, label);
	set_state(t, v, listrow_text(proc, "state", "?"), "", is_warned(proc));
	table_set(t, C_INST, STYLE_NONE, v->piped ? "-" : "");
	set_shared(t, v, app, false);
	set_number(t, C_ID, json_object_get(proc, "id"));
	set_number(t, C_PID, json_object_get(proc, "pid"));
	set_number(t, C_FD, json_object_get(proc, "fds"));
	limit = count > 0 ? limit / count : 0;
	set_figures(t, proc, json_object_get(proc, "up_ms"), limit);
	set_ready(t, v, json_object_get(proc, "ready_ms"));
	set_spark(t, v, proc, limit);
	set_exit(t, v, proc);
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

/* ID, PID and FD of an app: its only instance's, or the sum where a sum means something. */
static void set_of_procs(struct table *t, const struct listview *v, const json_t *app)
{
	const json_t *procs = json_object_get(app, "procs");
	const json_t *only = json_array_size(procs) == 1 ? json_array_get(procs, 0) : NULL;
	const char *none = v->piped || json_array_size(procs) == 0 ? "-" : "";
	json_int_t fds = 0;
	bool any = false;
	char text[24] = "-";
	size_t i;
	const json_t *p;
	json_array_foreach(procs, i, p)
	{
		any |= json_is_integer(json_object_get(p, "fds")) != 0;
		fds += json_integer_value(json_object_get(p, "fds"));
	}
	if (any) {
		snprintf(text, sizeof(text), "%lld", (long long)fds);
	}
	table_set(t, C_FD, STYLE_NONE, text);
	table_set(t, C_ID, STYLE_NONE, none);
	table_set(t, C_PID, STYLE_NONE, none);
	if (only) {
		set_number(t, C_ID, json_object_get(only, "id"));
		set_number(t, C_PID, json_object_get(only, "pid"));
	}
}

static bool any_warned(const json_t *app)
{
	const json_t *procs = json_object_get(app, "procs");
	bool warned = is_warned(app);
	for (size_t i = 0; i < json_array_size(procs) && !warned; i++) {
		warned = is_warned(json_array_get(procs, i));
	}
	return warned;
}

void listrow_app(struct table *t, const struct listview *v, const json_t *app)
{
	char count[48];
	const json_t *procs = json_object_get(app, "procs");
	const json_t *only = json_array_size(procs) == 1 ? json_array_get(procs, 0) : NULL;
	int64_t limit = json_integer_value(json_object_get(app, "memory_max"));
	snprintf(count, sizeof(count), "%lld/%lld",
		 (long long)json_integer_value(json_object_get(app, "online")),
		 (long long)json_integer_value(json_object_get(app, "instances")));
	table_row(t);
	table_set_foreign(t, C_APP, STYLE_NONE, listrow_text(app, "name", "?"));
	table_set(t, C_INST, STYLE_NONE, count);
	set_state(t, v, listrow_text(app, "state", "?"), count, any_warned(app));
	set_shared(t, v, app, true);
	set_of_procs(t, v, app);
	set_figures(t, app, oldest_up(app), limit);
	table_set_foreign(t, C_READY, STYLE_NONE, listrow_text(app, "ready_by", "-"));
	set_spark(t, v, app, limit);
	set_note(t, v, listrow_text(app, "note", NULL) || !only ? app : only);
}
