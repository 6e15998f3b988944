/* SPDX-License-Identifier: MIT */
#include "client/logview.h"

#include <stdio.h>
#include <string.h>

#include "client/client.h"
#include "client/color.h"
#include "client/listview.h"
#include "common/clock.h"

void logview_name(const char *app, int slot, char *out, size_t cap)
{
	if (slot < 0) {
		snprintf(out, cap, "%s", app);
	} else {
		snprintf(out, cap, "%s:%d", app, slot);
	}
}

/* "14:03:01.118 web:0    " in front of a line and of an event. */
static void add_prefix(const struct logview *v, int64_t ms, const char *app, int slot,
		       const char *color, struct buf *out)
{
	char hms[CLOCK_HMS], name[64];
	struct buf safe = {0};
	clock_format_local(ms, hms);
	buf_adds(&safe, "");
	buf_add_escaped(&safe, app, strlen(app), 0);
	logview_name(safe.data, slot, name, sizeof(name));
	buf_finish(&safe);
	buf_addf(out, "%s ", hms);
	if (v->color) {
		buf_addf(out, "%s%-*s%s", color, (int)v->pad, name, COLOR_END);
	} else {
		buf_addf(out, "%-*s", (int)v->pad, name);
	}
}

static void add_text(const struct logview *v, const struct logline *l, struct buf *out)
{
	size_t len = l->len;
	len -= len > 0 && l->data[len - 1] == '\r';
	buf_add_escaped(out, l->data, len, v->plain ? -1 : 1);
	if (v->color && memchr(l->data, '\033', len)) {
		buf_adds(out, COLOR_END); /* an app that forgot to end its colour */
	}
}

static void add_raw(struct logview *v, const struct logsrc *s, const struct logline *l,
		    struct buf *out)
{
	if (v->open || (v->piece && v->piece != s)) {
		buf_addc(out, '\n');
	}
	buf_add(out, l->data, l->len);
	v->open = l->open;
	v->piece = l->cut ? s : NULL;
	if (!l->open && !l->cut) {
		buf_addc(out, '\n');
	}
}

static void add_json(struct logview *v, const struct logsrc *s, const struct logline *l,
		     struct buf *out)
{
	static const char *const streams[] = {
		[LOG_OUT] = "out", [LOG_ERR] = "err", [LOG_BOTH] = "both"};
	char t[CLOCK_RFC3339];
	clock_format_utc(l->t_ns / 1000000, t);
	buf_addf(out, "{\"v\":1,\"seq\":%llu,\"t\":\"%s\",\"app\":", (unsigned long long)v->seq, t);
	buf_add_json(out, s->app, strlen(s->app));
	buf_adds(out, ",\"slot\":");
	if (s->slot < 0) {
		buf_adds(out, "null");
	} else {
		buf_addf(out, "%d", s->slot);
	}
	buf_adds(out, ",\"pid\":");
	if (l->pid > 0) {
		buf_addf(out, "%d", (int)l->pid);
	} else {
		buf_adds(out, "null");
	}
	buf_addf(out, ",\"stream\":\"%s\",\"msg\":", streams[s->stream]);
	buf_add_json(out, l->data, l->len);
	buf_adds(out, "}\n");
}

void logview_line(struct logview *v, const struct logsrc *s, unsigned hue, const struct logline *l,
		  struct buf *out)
{
	v->seq++;
	if (v->form == LOGVIEW_RAW) {
		add_raw(v, s, l, out);
		return;
	}
	if (v->form == LOGVIEW_JSON) {
		add_json(v, s, l, out);
		return;
	}
	add_prefix(v, l->t_ns / 1000000, s->app, s->slot, color_hue(hue), out);
	if (s->stream != LOG_ERR) {
		buf_adds(out, "   ");
	} else if (v->color) {
		buf_addf(out, " %s!%s ", color_begin(STYLE_WARN), COLOR_END);
	} else {
		buf_adds(out, " ! ");
	}
	add_text(v, l, out);
	buf_addc(out, '\n');
}

void logview_event(const struct logview *v, const json_t *event, struct buf *out)
{
	const char *text = member_text(event, "text", "");
	long long ms = listview_parse_time(member_text(event, "t", ""));
	const char *app = member_text(event, "app", "pmctld");
	add_prefix(v, ms, app, (int)member_int(event, "slot", -1), color_begin(STYLE_DIM), out);
	buf_addf(out, " %s%s ", v->color ? color_begin(STYLE_DIM) : "", v->utf8 ? "─" : "-");
	buf_add_escaped(out, text, strlen(text), 0);
	buf_addf(out, "%s\n", v->color ? COLOR_END : "");
}
