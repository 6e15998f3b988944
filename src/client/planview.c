/* SPDX-License-Identifier: MIT */
#include "client/planview.h"

#include <string.h>

#include "client/client.h"
#include "client/color.h"

#define NAME_COLUMN 12 /* at least */
#define KEY_COLUMN  14
#define MAX_SAME    8 /* names of apps that do not change */
#define MAX_VALUE   200
#define CONTEXT	    40 /* of what is the same in both */

static long long number(const json_t *o, const char *key)
{
	return (long long)member_int(o, key, 0);
}

static bool is(const json_t *item, const char *key, const char *value)
{
	return strcmp(member_text(item, key, ""), value) == 0;
}

bool planview_is_empty(const json_t *plan)
{
	return number(plan, "add") + number(plan, "change") + number(plan, "remove") == 0;
}

/* --- what it costs --- */

static const char *instances(long long n)
{
	return n == 1 ? "instance" : "instances";
}

static void add_new(struct buf *out, const json_t *item)
{
	long long n = number(item, "instances");
	if (json_is_true(json_object_get(item, "autostart"))) {
		buf_addf(out, "start %lld %s", n, instances(n));
	} else {
		buf_adds(out, "add, not started (autostart = no)");
	}
}

static void add_gone(struct buf *out, const json_t *item)
{
	long long running = number(item, "running");
	if (is(item, "action", "remove")) {
		buf_addf(out, "not in the file any more; %lld running stop, and it is deleted",
			 running);
	} else {
		buf_addf(out,
			 "not in the file any more; kept, %lld running (apply --prune removes "
			 "it)",
			 running);
	}
}

/* The key whose change costs the most: "mode". */
static const char *reason(const json_t *item)
{
	size_t i;
	const json_t *k;
	json_array_foreach(json_object_get(item, "keys"), i, k)
	{
		if (is(k, "effect", "restart")) {
			return member_text(k, "key", "");
		}
	}
	return "";
}

/* "stop slot 3", "stop slots 2 and 3", "stop slots 2 to 7" */
static void add_scaled_away(struct buf *out, long long first, long long last)
{
	buf_addf(out, "stop slot%s %lld", first < last ? "s" : "", first);
	if (first < last) {
		buf_addf(out, " %s %lld", last == first + 1 ? "and" : "to", last);
	}
}

/* What of it does not run. */
static void add_start(struct buf *out, const json_t *item)
{
	long long n = number(item, "starting");
	if (n) {
		buf_addf(out, "none of it runs; start %lld %s", n, instances(n));
	} else {
		buf_adds(out, "none of it runs; counts from the next start");
	}
}

static void add_change(struct buf *out, const json_t *item)
{
	long long now = number(item, "instances_now"), delta = number(item, "instances") - now;
	bool rolls = is(item, "way", "reload") || is(item, "way", "restart");
	long long again = number(item, "starting") - (delta > 0 ? delta : 0);
	if (is(item, "way", "start")) {
		add_start(out, item);
		return;
	}
	if (delta > 0) {
		buf_addf(out, "start %lld more%s", delta, rolls ? ", then " : "");
	} else if (delta < 0) {
		add_scaled_away(out, now + delta, now - 1);
		buf_adds(out, rolls ? ", then " : "");
	}
	if (is(item, "way", "reload")) {
		buf_adds(out, "rolling reload, no gap");
	} else if (is(item, "way", "restart")) {
		buf_adds(out, "restart, short stop of each instance: it opens its port itself");
	} else if (is(item, "way", "swap")) {
		buf_addf(out, "%srestart, all stop and then start, because %s changes",
			 delta ? ", then " : "", reason(item));
	} else if (!delta && again <= 0) {
		buf_adds(out, "no change to processes");
	}
	if (again > 0) {
		buf_addf(out, "%sstart %lld that failed", rolls || delta ? "; " : "", again);
	}
}

/* --- one app --- */

struct mark {
	char c;
	enum style style;
};

static struct mark mark_of(const json_t *item)
{
	if (is(item, "action", "add")) {
		return (struct mark){'+', STYLE_OK};
	}
	if (is(item, "action", "change")) {
		bool stops = is(item, "way", "swap") || is(item, "way", "restart");
		return stops ? (struct mark){'!', STYLE_WARN} : (struct mark){'~', STYLE_INFO};
	}
	return (struct mark){'-', is(item, "action", "remove") ? STYLE_FAIL : STYLE_DIM};
}

static void add_padded(struct buf *out, const char *text, size_t width)
{
	size_t before = out->len;
	client_add_text(out, text);
	buf_addf(out, "%*s", (int)(width > out->len - before ? width - (out->len - before) : 0),
		 "");
}

static size_t char_begin(const char *s, size_t at)
{
	while (at && ((unsigned char)s[at] & 0xC0) == 0x80) {
		at--;
	}
	return at;
}

/* Of a long text the part around where the two begin to differ. */
static void add_value(struct buf *out, const char *text, size_t same)
{
	size_t len = strlen(text);
	size_t from = len > MAX_VALUE && same > CONTEXT ? char_begin(text, same - CONTEXT) : 0;
	size_t to = len - from > MAX_VALUE ? char_begin(text, from + MAX_VALUE) : len;
	buf_adds(out, from ? "..." : "");
	buf_add_escaped(out, text + from, to - from, 0);
	buf_adds(out, to < len ? "..." : "");
}

static size_t count_same(const char *a, const char *b)
{
	size_t n = 0;
	while (a[n] && a[n] == b[n]) {
		n++;
	}
	return n;
}

static void add_values(const struct client *c, struct buf *out, const char *before,
		       const char *after)
{
	size_t same = count_same(before, after);
	add_value(out, before, same);
	buf_adds(out, c->utf8 ? " → " : " -> ");
	add_value(out, after, same);
}

static void add_key(const struct client *c, struct buf *out, const json_t *k)
{
	const json_t *before = json_object_get(k, "old"), *after = json_object_get(k, "new");
	bool secret = is(k, "old", "***") || is(k, "new", "***");
	buf_adds(out, "      ");
	add_padded(out, member_text(k, "key", "?"), KEY_COLUMN - 1);
	buf_addc(out, ' ');
	if (secret) {
		buf_adds(out, !json_is_string(before)  ? "added"
			      : !json_is_string(after) ? "removed"
						       : "changed");
	} else {
		add_values(c, out, member_text(k, "old", "unset"), member_text(k, "new", "unset"));
	}
	buf_addc(out, '\n');
}

static void add_item(const struct client *c, struct buf *out, const json_t *item, size_t width)
{
	size_t i;
	const json_t *k;
	struct mark m = mark_of(item);
	buf_addf(out, "  %s%c%s ", c->out_color ? color_begin(m.style) : "", m.c,
		 c->out_color ? COLOR_END : "");
	add_padded(out, member_text(item, "app", "?"), width);
	buf_addc(out, ' ');
	if (is(item, "action", "add")) {
		add_new(out, item);
	} else if (is(item, "action", "change")) {
		add_change(out, item);
	} else {
		add_gone(out, item);
	}
	buf_addc(out, '\n');
	json_array_foreach(json_object_get(item, "keys"), i, k)
	{
		add_key(c, out, k);
	}
}

/* --- all --- */

static size_t name_width(const json_t *apps)
{
	size_t width = NAME_COLUMN, i;
	const json_t *item;
	json_array_foreach(apps, i, item)
	{
		size_t len = strlen(member_text(item, "app", ""));
		width = len > width ? len : width;
	}
	return width;
}

static void add_same(struct buf *out, const json_t *plan)
{
	const json_t *names = json_object_get(plan, "unchanged");
	size_t n = json_array_size(names);
	if (!number(plan, "same")) {
		return;
	}
	buf_addf(out, "    %lld unchanged", number(plan, "same"));
	for (size_t i = 0; n <= MAX_SAME && i < n; i++) {
		const char *name = json_string_value(json_array_get(names, i));
		buf_adds(out, i ? ", " : ": ");
		client_add_text(out, name ? name : "?");
	}
	buf_addc(out, '\n');
}

void planview_add(const struct client *c, struct buf *out, const json_t *plan, const char *path)
{
	const json_t *apps = json_object_get(plan, "apps"), *item;
	const char *profile = member_text(plan, "profile", "");
	size_t width = name_width(apps), i;
	buf_adds(out, "project ");
	client_add_text(out, member_text(plan, "project", "?"));
	buf_adds(out, ": ");
	client_add_text(out, strcmp(path, "-") == 0 ? "standard input" : path);
	if (profile[0]) {
		buf_adds(out, " with profile ");
		client_add_text(out, profile);
	}
	buf_adds(out, " against what runs\n\n");
	json_array_foreach(apps, i, item)
	{
		add_item(c, out, item, width);
	}
	add_same(out, plan);
}

void planview_add_counts(struct buf *out, const json_t *plan, bool done)
{
	static const struct {
		const char *key, *todo, *done;
	} counts[] = {
		{"add", "to add", "added"},
		{"change", "to change", "changed"},
		{"remove", "to remove", "removed"},
		{"left", "left over", "left over"},
	};
	size_t before = out->len;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		long long n = number(plan, counts[i].key);
		if (n) {
			buf_addf(out, "%s%lld %s", out->len > before ? ", " : "", n,
				 done ? counts[i].done : counts[i].todo);
		}
	}
	if (out->len == before) {
		buf_adds(out, "nothing to do");
	}
}
