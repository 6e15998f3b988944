/* SPDX-License-Identifier: MIT */
#include "client/story.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/client.h"
#include "client/state.h"
#include "client/storyhint.h"
#include "common/clock.h"
#include "common/mem.h"
#include "common/units.h"

#define LATE_MS 200 /* the last lines of a process are read this long after its end at most */

static bool is(const json_t *o, const char *key, const char *text)
{
	return strcmp(member_text(o, key, ""), text) == 0;
}

/* --- which event --- */

static bool is_bad_exit(const json_t *event)
{
	const json_t *x = json_object_get(event, "exit");
	if (is(x, "cause", "asked")) {
		return false;
	}
	/* Its work is done. */
	bool done = is(x, "next", "nothing") && member_int(x, "code", -1) == 0;
	return json_is_object(x) && !done;
}

static bool is_trouble(const json_t *event)
{
	const char *text = member_text(event, "text", "");
	if (json_is_object(json_object_get(event, "exit"))) {
		return is_bad_exit(event);
	}
	return is(event, "type", "failed") || is(event, "type", "memory") ||
	       (is(event, "type", "leak") && strstr(text, "leak?")) ||
	       (is(event, "type", "descriptors") && !strstr(text, "again")) ||
	       (is(event, "type", "health") && strstr(text, "not healthy")) ||
	       (is(event, "type", "reload") && strstr(text, " as before"));
}

static const json_t *last_of(const json_t *slot, bool (*fits)(const json_t *))
{
	const json_t *events = json_object_get(slot, "events");
	for (size_t i = json_array_size(events); i > 0; i--) {
		if (fits(json_array_get(events, i - 1))) {
			return json_array_get(events, i - 1);
		}
	}
	return NULL;
}

const json_t *story_trouble(const json_t *slot)
{
	return last_of(slot, is_trouble);
}

bool story_span(const json_t *slot, int64_t *since_ms, int64_t *until_ms)
{
	const json_t *trouble = story_trouble(slot);
	const json_t *x = json_object_get(trouble, "exit");
	if (!json_is_object(x)) {
		return false;
	}
	*until_ms = member_int(trouble, "ms", 0) + LATE_MS;
	*since_ms = member_int(trouble, "ms", 0) - member_int(x, "up_ms", 0) - LATE_MS;
	return true;
}

/* --- words --- */

/* "14:02:11 (3m ago)", with the date if that is longer ago than half a day. */
static void add_when(const struct story *s, int64_t ms, struct buf *out)
{
	char hms[CLOCK_HMS], age[24], day[16];
	time_t t = (time_t)(ms / 1000);
	struct tm tm;
	int64_t ago = s->now_ms > ms ? s->now_ms - ms : 0;
	if (ago > 12LL * 3600 * 1000 && localtime_r(&t, &tm) &&
	    strftime(day, sizeof(day), "%Y-%m-%d ", &tm)) {
		buf_adds(out, day);
	}
	clock_format_local(ms, hms);
	units_format_age(ago, age, sizeof(age));
	buf_addf(out, "%.8s (%s ago)", hms, age);
}

static void add_name(const struct story *s, struct buf *out)
{
	client_add_text(out, member_text(s->slot, "app", "?"));
	buf_addf(out, ":%lld", (long long)member_int(s->slot, "slot", 0));
}

/* The event's text without what came next, which the story tells itself. */
static void add_cause(const json_t *event, struct buf *out)
{
	const char *text = member_text(event, "text", "");
	bool exit = json_is_object(json_object_get(event, "exit"));
	const char *next = exit ? strstr(text, "; next try in") : NULL;
	next = next || !exit ? next : strstr(text, "; gave up after");
	next = next || !exit ? next : strstr(text, "; started again");
	buf_add_escaped(out, text, next ? (size_t)(next - text) : strlen(text), 0);
}

/* --- the parts --- */

static int64_t since_of(const struct story *s, const json_t *trouble)
{
	const json_t *events = json_object_get(s->slot, "events");
	const json_t *last = json_array_get(events, json_array_size(events) - 1);
	if (member_int(s->slot, "pid", 0)) {
		return s->now_ms - member_int(s->slot, "up_ms", 0);
	}
	bool at_rest = is(s->slot, "state", "failed") || is(s->slot, "state", "backoff");
	return member_int(at_rest && trouble ? trouble : last, "ms", 0);
}

static void add_head(const struct story *s, const json_t *trouble, struct buf *out)
{
	const char *state = member_text(s->slot, "state", "?");
	const char *begin = s->color ? color_begin(state_style(state)) : "";
	int64_t since = since_of(s, trouble);
	if (s->marks) {
		buf_addf(out, "%s%s%s ", begin, state_mark(state, s->utf8),
			 begin[0] ? COLOR_END : "");
	}
	add_name(s, out);
	buf_adds(out, "  ");
	client_add_text(out, state);
	if (since > 0) {
		buf_adds(out, " since ");
		add_when(s, since, out);
	}
	if (member_int(s->slot, "pid", 0)) {
		buf_addf(out, ", pid %lld", (long long)member_int(s->slot, "pid", 0));
	}
	buf_addc(out, '\n');
}

static void line(struct buf *out, const char *title)
{
	buf_addf(out, "  %-7s ", title);
}

static void add_note(const struct story *s, bool told, struct buf *out)
{
	const char *note = member_text(s->slot, "note", "");
	told = told && (is(s->slot, "state", "failed") || is(s->slot, "state", "backoff") ||
			is(s->slot, "state", "done"));
	if (note[0] && !told) {
		line(out, "now");
		client_add_text(out, note);
		buf_addc(out, '\n');
	}
}

static bool same(const json_t *a, const json_t *b)
{
	bool none = !a || json_is_null(a);
	return none ? !b || json_is_null(b) : json_equal(a, b);
}

/* The one before that ended in the same way: giving up ends a row of retries. */
static const json_t *same_before(const struct story *s, const json_t *trouble)
{
	static const char *const keys[] = {"code", "signal", "cause"};
	const json_t *events = json_object_get(s->slot, "events");
	const json_t *x = json_object_get(trouble, "exit");
	for (size_t i = json_array_size(events); i > 0; i--) {
		const json_t *old = json_array_get(events, i - 1);
		const json_t *y = json_object_get(old, "exit");
		if (!json_is_object(y) ||
		    member_int(old, "seq", 0) >= member_int(trouble, "seq", 0)) {
			continue;
		}
		bool like = is(y, "next", "retry");
		for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
			like = like &&
			       same(json_object_get(x, keys[k]), json_object_get(y, keys[k]));
		}
		return like ? old : NULL;
	}
	return NULL;
}

static void add_rows(const struct story *s, const json_t *trouble, struct buf *out)
{
	const json_t *x = json_object_get(trouble, "exit");
	const json_t *row = is(x, "next", "gave-up") ? same_before(s, trouble) : NULL;
	int64_t times = member_int(row ? row : trouble, "times", 1) + (row != NULL);
	int64_t first = member_int(row ? row : trouble, "first_ms", member_int(row, "ms", 0));
	char span[24];
	if (times > 1 && first > 0) {
		units_format_age(member_int(trouble, "ms", 0) - first, span, sizeof(span));
		buf_addf(out, "; %lld times in %s, first at ", (long long)times, span);
		add_when(s, first, out);
	}
}

static void add_gave_up(const struct story *s, const json_t *x, struct buf *out)
{
	char window[24];
	if (!is(x, "next", "gave-up") || is(s->slot, "autorestart", "never")) {
		return;
	}
	units_format_duration(member_int(s->slot, "restart_window_ms", 0), window, sizeof(window));
	line(out, "");
	int64_t most = member_int(s->slot, "max_restarts", 0);
	buf_addf(out, "gave up: more than %lld restart%s in %s (max_restarts, restart_window)\n",
		 (long long)most, most == 1 ? "" : "s", window);
}

static void add_trouble(const struct story *s, const json_t *trouble, bool over, struct buf *out)
{
	const json_t *x = json_object_get(trouble, "exit");
	line(out, over ? "before" : "why");
	if (is(x, "cause", "trial")) {
		buf_adds(out, "the new process of a reload ");
	}
	add_cause(trouble, out);
	buf_adds(out, over ? ", " : ", at ");
	add_when(s, member_int(trouble, "ms", 0), out);
	add_rows(s, trouble, out);
	buf_addc(out, '\n');
	if (!over) {
		add_gave_up(s, x, out);
	}
}

/* A probe tells what it saw before it is over. */
static bool is_probe(const json_t *event)
{
	return (is(event, "type", "health") || is(event, "type", "failed")) &&
	       !json_is_object(json_object_get(event, "exit"));
}

static void add_probe(const struct story *s, const json_t *trouble, struct buf *out)
{
	const json_t *x = json_object_get(trouble, "exit");
	const json_t *probe = last_of(s->slot, is_probe);
	if (probe && (is(x, "cause", "not-ready") || is(x, "cause", "health"))) {
		line(out, "probe");
		client_add_text(out, member_text(probe, "text", ""));
		buf_addc(out, '\n');
	}
}

static bool was_asked(const json_t *event)
{
	return json_is_object(json_object_get(event, "by"));
}

/* Definitions that came into force, or did not stay so. */
static bool is_apply(const json_t *event)
{
	return is(event, "type", "apply") || is(event, "type", "applied") ||
	       (is(event, "type", "config") && was_asked(event));
}

/* The last apply did not stay; said whatever else there is to say, for it is not what the file
 * says that runs. */
static void add_apply(const struct story *s, struct buf *out)
{
	const json_t *event = last_of(s->slot, is_apply);
	const char *text = member_text(event, "text", "");
	if (strncmp(text, "taken back", strlen("taken back")) != 0) {
		return;
	}
	line(out, "apply");
	client_add_text(out, text);
	buf_adds(out, ", at ");
	add_when(s, member_int(event, "ms", 0), out);
	buf_addc(out, '\n');
	line(out, "");
	buf_adds(out, "what was applied before is in force; what the file has: pmctl plan\n");
}

static void add_asker(const struct story *s, struct buf *out)
{
	const json_t *event = last_of(s->slot, was_asked);
	int64_t at = member_int(event, "ms", 0);
	if (!event || !s->who) {
		return;
	}
	line(out, "asked");
	client_add_text(out, member_text(event, "text", ""));
	buf_adds(out, ", ");
	add_when(s, at, out);
	buf_adds(out, " by ");
	s->who(out, json_object_get(event, "by"), at);
	buf_addc(out, '\n');
}

static void add_start_command(const struct story *s, struct buf *out)
{
	buf_adds(out, "nothing until: pmctl start ");
	add_name(s, out);
}

static void add_next(const struct story *s, struct buf *out)
{
	const json_t *retry = json_object_get(s->slot, "retry_ms");
	const char *state = member_text(s->slot, "state", "");
	const char *cron = member_text(s->slot, "next_cron", NULL);
	char wait[24];
	if (json_is_integer(retry)) {
		line(out, "next");
		units_format_age(json_integer_value(retry), wait, sizeof(wait));
		buf_addf(out, "the next try in %s", wait);
	} else if (strcmp(state, "done") == 0 && cron) {
		line(out, "next");
		buf_addf(out, "started again by cron_restart at %s", cron);
	} else if (strcmp(state, "done") == 0 || strcmp(state, "failed") == 0 ||
		   (strcmp(state, "stopped") == 0 &&
		    !json_is_true(json_object_get(s->slot, "held")))) {
		line(out, "next");
		add_start_command(s, out);
	} else {
		return;
	}
	buf_addc(out, '\n');
}

static void add_lines(const struct story *s, struct buf *out)
{
	size_t i;
	const json_t *l;
	if (json_array_size(s->lines)) {
		buf_adds(out, "  its last lines then:\n");
	}
	json_array_foreach(s->lines, i, l)
	{
		char hms[CLOCK_HMS] = "";
		if (member_int(l, "ms", 0)) {
			clock_format_local(member_int(l, "ms", 0), hms);
		}
		buf_addf(out, "  %s %s%s", is(l, "stream", "err") ? "!" : " ", hms,
			 hms[0] ? "  " : "");
		client_add_text(out, member_text(l, "text", ""));
		buf_addc(out, '\n');
	}
}

/* Whether what happened is behind it. */
static bool is_over(const struct story *s, const json_t *trouble)
{
	int64_t up = member_int(s->slot, "up_ms", 0);
	bool before = member_int(trouble, "ms", 0) < s->now_ms - up;
	return (is(s->slot, "state", "online") && before) || is(s->slot, "state", "stopped");
}

void story_add(const struct story *s, struct buf *out)
{
	const json_t *trouble = story_trouble(s->slot);
	bool over = trouble && is_over(s, trouble);
	add_head(s, trouble, out);
	add_note(s, trouble != NULL, out);
	if (!trouble) {
		line(out, "why");
		buf_adds(out, "nothing is wrong, and nothing was as far as is remembered\n");
	} else {
		if (over && is(s->slot, "state", "online")) {
			line(out, "why");
			buf_adds(out, "nothing is wrong now\n");
		}
		add_trouble(s, trouble, over, out);
		add_probe(s, trouble, out);
	}
	add_apply(s, out);
	add_asker(s, out);
	add_next(s, out);
	if (trouble) {
		add_lines(s, out);
		storyhint_add(s, trouble, out);
	}
}
