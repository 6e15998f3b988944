/* SPDX-License-Identifier: MIT */
#include "client/showview.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/client.h"
#include "client/state.h"
#include "client/table.h"
#include "common/clock.h"
#include "common/mem.h"
#include "common/units.h"
#include "common/utf8.h"

#define RIGHT	  56 /* the project stands here, where there is room */
#define PATHS	  8
#define TITLE	  12 /* two blanks and the name of a field */
#define GAP	  "   "
#define DATE_FROM (12LL * 3600 * 1000)

/* --- fields --- */

static void field(struct buf *out, const char *title, const char *value)
{
	if (value && *value) {
		buf_addf(out, "  %-9s ", title);
		client_add_text(out, value);
		buf_addc(out, '\n');
	}
}

/* Parts of one field: on one line where that is wide enough, else a line each; in a pipe each is a
 * field of its own. */
struct part {
	const char *title;
	char *text; /* owned; NULL = none */
};

static void add_parts(const struct showview *v, const struct part *p, size_t n, struct buf *out)
{
	size_t width = TITLE;
	for (size_t i = 0; i < n; i++) {
		width += p[i].text ? utf8_width(p[i].text) + strlen(p[i].title) + strlen(GAP) : 0;
	}
	bool apart = v->list.piped || (v->list.width && width > v->list.width);
	const char *between = "";
	for (size_t i = 0; i < n; i++) {
		if (!p[i].text) {
			continue;
		}
		if (apart || !between[0]) {
			buf_addf(out, "%s  %-9s ", between, p[i].title);
		} else {
			buf_addf(out, "%s%s ", GAP, p[i].title);
		}
		client_add_text(out, p[i].text);
		between = apart ? "\n" : " ";
		free(p[i].text);
	}
	buf_adds(out, between[0] ? "\n" : "");
}

static const char *setting(const json_t *app, const char *key)
{
	const json_t *s = member_find(json_object_get(app, "settings"), "key", key);
	return member_text(s, "value", "");
}

static char *copy_of(const char *text)
{
	return text && *text ? xstrdup(text) : NULL;
}

static void add_time(const struct showview *v, int64_t ms, struct buf *out)
{
	char hms[CLOCK_HMS], day[16];
	time_t t = (time_t)(ms / 1000);
	struct tm tm;
	if ((v->list.now_ms - ms > DATE_FROM || ms > v->list.now_ms + DATE_FROM) &&
	    localtime_r(&t, &tm) && strftime(day, sizeof(day), "%Y-%m-%d ", &tm)) {
		buf_adds(out, day);
	}
	clock_format_local(ms, hms);
	buf_addf(out, "%.8s", hms);
}

/* --- head --- */

static size_t count_leaks(const json_t *app)
{
	const json_t *procs = json_object_get(app, "procs");
	size_t n = 0;
	for (size_t i = 0; i < json_array_size(procs); i++) {
		n += json_is_object(json_object_get(json_array_get(procs, i), "leak"));
	}
	return n;
}

static void add_head(const struct showview *v, const json_t *app, struct buf *out)
{
	const char *state = member_text(app, "state", "?");
	const char *ns = member_text(app, "namespace", NULL);
	size_t leaks = count_leaks(app);
	const char *look = leaks && strcmp(state, "online") == 0 ? "degraded" : state;
	struct buf left = {0};
	client_add_text(&left, member_text(app, "name", "?"));
	buf_adds(out, left.data ? left.data : "");
	buf_adds(out, "  ");
	if (!v->list.piped) {
		const char *begin = v->list.color ? color_begin(state_style(look)) : "";
		buf_addf(out, "%s%s%s ", begin, state_mark(look, v->list.utf8),
			 begin[0] ? COLOR_END : "");
		buf_adds(&left, "    ");
	}
	size_t from = out->len;
	client_add_text(out, state);
	buf_addf(out, " %lld/%lld", (long long)member_int(app, "online", 0),
		 (long long)member_int(app, "instances", 0));
	if (leaks) {
		buf_addf(out, leaks == 1 ? ", one warning" : ", %zu warnings", leaks);
	}
	size_t width = utf8_width(left.data ? left.data : "") + utf8_width(out->data + from);
	buf_addf(out, "%*s", width < RIGHT - 3 ? (int)(RIGHT - width) : 3, "");
	buf_finish(&left);
	buf_adds(out, "project ");
	client_add_text(out, member_text(app, "project", "-"));
	if (ns) {
		buf_adds(out, ", namespace ");
		client_add_text(out, ns);
	}
	buf_addc(out, '\n');
}

/* --- what is wrong --- */

static void add_leak(const json_t *app, const json_t *proc, struct buf *out)
{
	const json_t *leak = json_object_get(proc, "leak");
	const json_t *left = json_object_get(leak, "left_ms");
	int64_t count = member_int(app, "instances", 1);
	int64_t limit = member_int(app, "memory_max", 0) / (count > 0 ? count : 1);
	struct buf text = {0};
	char size[24], age[24];
	units_format_mem(member_int(leak, "bytes_per_min", 0), size, sizeof(size));
	buf_addf(&text, "%s:%lld memory grows %s/min", member_text(app, "name", "?"),
		 (long long)member_int(proc, "slot", 0), size);
	if (json_is_integer(left) && limit > 0) {
		units_format_size(limit, size, sizeof(size));
		units_format_age(json_integer_value(left), age, sizeof(age));
		buf_addf(&text, "; limit %s in about %s", size, age);
	}
	field(out, "warning", text.data);
	buf_finish(&text);
}

static void add_trouble(const json_t *app, struct buf *out)
{
	const json_t *procs = json_object_get(app, "procs");
	size_t i;
	const json_t *p;
	if (!count_leaks(app)) {
		field(out, "note", member_text(app, "note", NULL));
	}
	json_array_foreach(procs, i, p)
	{
		if (json_is_object(json_object_get(p, "leak"))) {
			add_leak(app, p, out);
		}
	}
	if (json_is_true(json_object_get(app, "health_shared"))) {
		field(out, "warning",
		      "health asks a socket of listen, where any instance may answer");
	}
}

/* --- what it is --- */

static void add_origin(const struct showview *v, const json_t *app, struct buf *out)
{
	const char *file = member_text(app, "file", NULL);
	const json_t *by = json_object_get(app, "applied_by");
	long long at = listview_parse_time(member_text(app, "applied_at", NULL));
	struct buf when = {0};
	if (at > 0) {
		add_time(v, at, &when);
		if (json_is_object(by) && v->user) {
			buf_adds(&when, " by ");
			v->user(&when, member_int(by, "uid", -1));
		}
	}
	struct part parts[] = {
		{"file", file ? xasprintf("%s:%lld", file, (long long)member_int(app, "line", 0))
			      : xstrdup("none, given on the command line")},
		{"applied", when.len ? buf_take(&when) : NULL},
	};
	add_parts(v, parts, ARRAY_LEN(parts), out);
}

/* What the file says by now and what is in force. */
static void add_drift(const struct showview *v, const json_t *app, struct buf *out)
{
	const json_t *drift = json_object_get(app, "drift"), *k;
	struct buf text = {0};
	size_t i;
	if (!json_is_array(drift)) {
		return; /* of no file, or of one that cannot be compared: the note says why */
	}
	json_array_foreach(drift, i, k)
	{
		const char *key = member_text(k, "key", "?");
		buf_adds(&text, i ? ", " : "file changed since: ");
		buf_adds(&text, key);
		if (strncmp(key, "env.", 4) != 0) {
			buf_addc(&text, ' ');
			client_add_text(&text, member_text(k, "old", "unset"));
			buf_adds(&text, v->list.utf8 ? " → " : " -> ");
			client_add_text(&text, member_text(k, "new", "unset"));
		}
	}
	buf_adds(&text, text.len ? GAP "(pmctl plan)" : "none");
	field(out, "drift", text.data);
	buf_finish(&text);
}

static void add_restart(const json_t *app, struct buf *out)
{
	const char *how = setting(app, "autorestart");
	struct buf text = {0};
	buf_adds(&text, how);
	if (strcmp(how, "never") != 0 && strcmp(how, "no") != 0 && how[0]) {
		bool ever = strcmp(setting(app, "max_restarts"), "0") == 0;
		buf_addf(&text, ", delay %s to %s", setting(app, "restart_delay"),
			 setting(app, "restart_delay_max"));
		if (!ever) {
			buf_addf(&text, ", failed after more than %s in %s",
				 setting(app, "max_restarts"), setting(app, "restart_window"));
		}
	}
	field(out, "restart", text.data);
	buf_finish(&text);
}

static void add_ready(const json_t *app, struct buf *out)
{
	const char *how = setting(app, "ready");
	struct buf text = {0};
	bool by_time = strcmp(member_text(app, "ready_by", ""), "uptime") == 0;
	if (by_time) {
		buf_addf(&text, "up for %s (min_uptime)", setting(app, "min_uptime"));
	} else if (how[0]) {
		bool is_auto = strcmp(how, "auto") == 0;
		buf_addf(&text, "%s%s, %s deadline",
			 is_auto ? member_text(app, "ready_by", "") : how,
			 strcmp(how, "notify") == 0 ? " (READY=1)" : "",
			 setting(app, "ready_timeout"));
	}
	field(out, "ready", text.data);
	buf_reset(&text);
	if (setting(app, "health")[0]) {
		buf_addf(&text, "%s every %s, replaced after %s failures", setting(app, "health"),
			 setting(app, "health_interval"), setting(app, "health_failures"));
		field(out, "health", text.data);
	}
	buf_finish(&text);
}

static void add_stop(const json_t *app, struct buf *out)
{
	char *text = xasprintf("%s to the %s, SIGKILL after %s", setting(app, "stop_signal"),
			       setting(app, "kill_mode"), setting(app, "stop_timeout"));
	if (setting(app, "stop_signal")[0]) {
		field(out, "stop", text);
	}
	free(text);
}

static void add_limits(const json_t *app, struct buf *out)
{
	const json_t *settings = json_object_get(app, "settings");
	struct buf text = {0};
	size_t i;
	const json_t *s;
	if (setting(app, "memory_max")[0]) {
		buf_addf(&text, "memory_max %s", setting(app, "memory_max"));
	}
	json_array_foreach(settings, i, s)
	{
		const char *key = member_text(s, "key", "");
		if (strncmp(key, "limit.", 6) == 0) {
			buf_addf(&text, "%s%s %s", text.len ? GAP : "", key + 6,
				 member_text(s, "value", ""));
		}
	}
	field(out, "limits", text.data);
	buf_finish(&text);
}

static void add_cron(const struct showview *v, const json_t *app, struct buf *out)
{
	long long at = listview_parse_time(member_text(app, "next_cron", NULL));
	long long left = at - v->list.now_ms;
	time_t when = (time_t)(at / 1000);
	struct tm tm;
	char day[32], age[24], text[80];
	if (at > 0 && localtime_r(&when, &tm) && strftime(day, sizeof(day), "%F %H:%M", &tm)) {
		units_format_age(left > 0 ? left : 0, age, sizeof(age));
		snprintf(text, sizeof(text), "next %s, in %s", day, age);
		field(out, "cron", text);
	}
}

/* --- logs --- */

/* Whether all files are where they are by default: DIR/APP-SLOT.out.log and .err.log. */
static bool are_ours(const json_t *app, size_t *dir_len)
{
	const json_t *logs = json_object_get(app, "logs");
	const char *first = json_string_value(json_array_get(logs, 0));
	const char *slash = first ? strrchr(first, '/') : NULL;
	size_t n = json_array_size(logs);
	if (!slash || n != (size_t)member_int(app, "instances", 0) * 2) {
		return false;
	}
	*dir_len = (size_t)(slash - first);
	bool ours = true;
	for (size_t i = 0; i < n && ours; i++) {
		char *want = xasprintf("%.*s/%s-%zu.%s.log", (int)*dir_len, first,
				       member_text(app, "name", "?"), i / 2, i % 2 ? "err" : "out");
		const char *path = json_string_value(json_array_get(logs, i));
		ours = path && strcmp(path, want) == 0;
		free(want);
	}
	return ours;
}

static void add_slots(int64_t count, struct buf *out)
{
	if (count == 1) {
		buf_adds(out, "0");
	} else {
		buf_addf(out, count == 2 ? "{0,1}" : "{0..%lld}", (long long)count - 1);
	}
}

static void add_log_rules(const struct showview *v, const json_t *app, struct buf *out)
{
	char size[24];
	if (v->log_bytes >= 0) {
		units_format_mem(v->log_bytes, size, sizeof(size));
		buf_addf(out, ", %s", size);
	}
	if (strcmp(setting(app, "log_max_size"), "0") != 0 && setting(app, "log_max_size")[0]) {
		buf_addf(out, ", rotated at %s, %s kept", setting(app, "log_max_size"),
			 setting(app, "log_keep"));
	}
}

static void add_logs(const struct showview *v, const json_t *app, struct buf *out)
{
	const json_t *logs = json_object_get(app, "logs");
	struct buf text = {0};
	size_t dir, n = json_array_size(logs);
	if (are_ours(app, &dir)) {
		const char *first = json_string_value(json_array_get(logs, 0));
		buf_addf(&text, "%s-", member_text(app, "name", "?"));
		add_slots(member_int(app, "instances", 0), &text);
		buf_addf(&text, ".{out,err}.log in %.*s", (int)dir, first);
		add_log_rules(v, app, &text);
		field(out, "logs", text.data);
	} else {
		for (size_t i = 0; i < n && i < PATHS; i++) {
			const char *path = json_string_value(json_array_get(logs, i));
			if (i && json_equal(json_array_get(logs, i), json_array_get(logs, i - 1))) {
				continue; /* both streams in one file */
			}
			buf_reset(&text);
			buf_adds(&text, path ? path : "?");
			field(out, i ? "" : "logs", text.data);
		}
		buf_reset(&text);
		add_log_rules(v, app, &text);
		field(out, "", text.len > 2 ? text.data + 2 : NULL);
		buf_reset(&text);
		buf_addf(&text, "and %zu more", n - (n < PATHS ? n : PATHS));
		field(out, "", n > PATHS ? text.data : NULL);
	}
	buf_finish(&text);
}

/* --- settings --- */

enum { S_KEY, S_VALUE, S_FROM, S_COUNT };

/* What was set, and where. The file was named above. */
static void add_settings(const struct showview *v, const json_t *app, struct buf *out)
{
	static const struct column columns[S_COUNT] = {
		[S_KEY] = {.title = "SETTING"},
		[S_VALUE] = {.title = "VALUE", .gap = 2, .shrink = 12},
		[S_FROM] = {.title = "FROM", .gap = 2, .shrink = 12},
	};
	struct table_look look = {
		.color = v->list.color, .heading = true, .utf8 = v->list.utf8, .indent = 2};
	const char *file = member_text(app, "file", "");
	size_t i, len = strrchr(file, '/') ? (size_t)(strrchr(file, '/') - file) + 1 : 0;
	const json_t *s;
	struct table t;
	table_init(&t, columns, S_COUNT, NULL, 0, 0);
	json_array_foreach(json_object_get(app, "settings"), i, s)
	{
		const char *from = member_text(s, "from", "");
		if (strcmp(from, "default") == 0) {
			continue;
		}
		table_row(&t);
		table_set_foreign(&t, S_KEY, STYLE_NONE, member_text(s, "key", "?"));
		table_set_foreign(&t, S_VALUE, STYLE_NONE, member_text(s, "value", ""));
		table_set_foreign(&t, S_FROM, STYLE_NONE,
				  len && strncmp(from, file, len) == 0 ? from + len : from);
	}
	if (t.nrows) {
		buf_addc(out, '\n');
		table_fit(&t, &look, v->list.piped ? 0 : v->list.width);
		table_render(&t, &look, out);
	}
	table_finish(&t);
}

/* --- lines --- */

static void add_lines(const struct showview *v, const json_t *app, struct buf *out)
{
	size_t i;
	const json_t *l;
	if (json_array_size(v->lines)) {
		buf_addc(out, '\n');
	}
	json_array_foreach(v->lines, i, l)
	{
		char hms[CLOCK_HMS];
		struct buf row = {0};
		clock_format_local(member_int(l, "ms", 0), hms);
		buf_addf(&row, "  %s %s", hms, member_text(app, "name", "?"));
		if (json_is_integer(json_object_get(l, "slot"))) {
			buf_addf(&row, ":%lld", (long long)member_int(l, "slot", 0));
		}
		buf_addf(&row, " %s ",
			 strcmp(member_text(l, "stream", ""), "err") == 0 ? "!" : " ");
		client_add_text(&row, member_text(l, "text", ""));
		if (!v->list.piped && v->list.width && utf8_width(row.data) > v->list.width) {
			table_add_cut(out, row.data, v->list.width, v->list.utf8);
		} else {
			buf_add(out, row.data, row.len);
		}
		buf_addc(out, '\n');
		buf_finish(&row);
	}
}

void showview_app(const struct showview *v, const json_t *app, struct buf *out)
{
	struct part what[] = {
		{"command", copy_of(member_text(app, "command", NULL))},
		{"cwd", copy_of(member_text(app, "cwd", NULL))},
		{"user", copy_of(member_text(app, "user", NULL))},
		{"mode", copy_of(member_text(app, "mode", NULL))},
	};
	add_head(v, app, out);
	add_trouble(app, out);
	add_parts(v, what, ARRAY_LEN(what), out);
	add_origin(v, app, out);
	add_drift(v, app, out);
	add_restart(app, out);
	add_stop(app, out);
	add_ready(app, out);
	add_limits(app, out);
	add_cron(v, app, out);
	add_logs(v, app, out);
	add_settings(v, app, out);
	buf_addc(out, '\n');
	listview_instances(&v->list, app, out);
	add_lines(v, app, out);
}
