/* SPDX-License-Identifier: MIT */
/* events, why: what happened. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/select.h"
#include "common/clock.h"
#include "common/mem.h"
#include "daemon/daemon.h"
#include "daemon/methods.h"
#include "daemon/note.h"
#include "daemon/outputtail.h"
#include "daemon/runner.h"

#define STORY_EVENTS 60

/* --- events --- */

/* Names in events may be those of apps that are gone, so selectors are matched, not resolved. */
static bool is_selected(struct daemon *d, const char *const *text, size_t n, const struct event *ev)
{
	const struct app *app = apps_find(d, ev->app);
	struct select_target t = {.app = ev->app,
				  .ns = app ? app->conf.namespace_ : NULL,
				  .slot = ev->slot,
				  .id = UINT64_MAX};
	if (app && ev->slot >= 0 && ev->slot < app->nslots) {
		t.id = app->slots[ev->slot]->id;
	}
	for (size_t i = 0; i < n; i++) {
		struct selector sel;
		if (ev->app[0] && selector_parse(&sel, text[i], NULL) &&
		    selector_matches(&sel, &t)) {
			return true;
		}
	}
	return n == 0;
}

/* Which events are asked for. */
struct filter {
	struct daemon *daemon;
	const char *const *sel;
	size_t nsel;
	uint64_t after;
	int64_t since_ms; /* real; 0 = no matter */
	const json_t *types;
	bool folded; /* of a row only its first and its last */
	size_t max;
};

static bool has_type(const json_t *types, const char *type)
{
	size_t i;
	const json_t *t;
	json_array_foreach(types, i, t)
	{
		if (strcmp(json_string_value(t), type) == 0) {
			return true;
		}
	}
	return json_array_size(types) == 0;
}

static bool passes(const struct filter *f, const struct event *ev)
{
	return ev->real_ms >= f->since_ms && !(f->folded && ev->inside) &&
	       has_type(f->types, ev->type) && is_selected(f->daemon, f->sel, f->nsel, ev);
}

/* What was found from the newest one back. */
static void write_oldest_first(struct jw *w, const struct event *const *hit, size_t n)
{
	jw_arr(w);
	while (n > 0) {
		struct buf text = {0};
		event_json(hit[--n], &text);
		jw_raw(w, text.data, text.len);
		buf_finish(&text);
	}
	jw_end(w);
}

/* The last ones that pass, oldest first. */
static void write_events(struct jw *w, const struct filter *f)
{
	const struct eventring *r = &f->daemon->events.ring;
	const struct event **hit = xcalloc(f->max + 1, sizeof(*hit));
	size_t n = 0;
	for (size_t i = r->n; i > 0 && n < f->max && eventring_at(r, i - 1)->seq > f->after; i--) {
		if (passes(f, eventring_at(r, i - 1))) {
			hit[n++] = eventring_at(r, i - 1);
		}
	}
	write_oldest_first(w, hit, n);
	free(hit);
}

static void follow(struct conn *c, const char *const *sel, size_t n)
{
	c->follows = true;
	c->follow_sel = xcalloc(n + 1, sizeof(char *));
	for (size_t i = 0; i < n; i++) {
		c->follow_sel[c->nfollow_sel++] = xstrdup(sel[i]);
	}
}

static void nothing(void *ctx, struct inst *in)
{
	(void)ctx;
	(void)in;
}

bool method_events(struct call *call)
{
	size_t n;
	const struct eventring *r = &call->daemon->events.ring;
	bool fresh = json_object_get(call->params, "after_seq") == NULL;
	int64_t max = rpc_param_int(call->params, "n", fresh ? 20 : LIMIT_EVENTS);
	/* Who comes again may have selected what is gone by now. */
	if (fresh && !call_select(call, nothing, NULL)) {
		return false;
	}
	const char **sel = call_selectors(call, &n);
	jw_obj(call->w);
	jw_kint(call->w, "v", 1);
	jw_kint(call->w, "first_seq", (int64_t)r->lost_seq + 1);
	jw_kint(call->w, "last_seq", (int64_t)r->last_seq);
	jw_key(call->w, "events");
	write_events(
		call->w,
		&(struct filter){.daemon = call->daemon,
				 .sel = sel,
				 .nsel = n,
				 .after = (uint64_t)rpc_param_int(call->params, "after_seq", 0),
				 .since_ms = rpc_param_int(call->params, "since_ms", 0),
				 .types = json_object_get(call->params, "types"),
				 .folded = rpc_param_bool(call->params, "folded", false),
				 .max = (size_t)max});
	jw_end(call->w);
	if (rpc_param_bool(call->params, "follow", false) && !call->conn->follows) {
		follow(call->conn, sel, n);
	}
	free(sel);
	return true;
}

static void write_lines(struct jw *w, const char *stream, struct output *out)
{
	struct buf text = {0};
	if (!out) {
		return;
	}
	output_tail(out, LIMIT_LAST_LINES, &text);
	for (const char *s = text.data; s && *s;) {
		size_t len = strcspn(s, "\n");
		jw_obj(w);
		jw_kstr(w, "stream", stream);
		jw_key(w, "text");
		jw_strn(w, s, len);
		jw_end(w);
		s += len + (s[len] == '\n');
	}
	buf_finish(&text);
}

static void write_last_lines(struct jw *w, const struct inst *in)
{
	jw_arr(w);
	if (in->pid) {
		write_lines(w, "out", in->out);
		write_lines(w, "err", in->err);
	} else {
		for (const char *s = in->last_lines; *s;) {
			size_t len = strcspn(s, "\n");
			jw_obj(w);
			jw_knull(w, "stream");
			jw_key(w, "text");
			jw_strn(w, s, len);
			jw_end(w);
			s += len + (s[len] == '\n');
		}
	}
	jw_end(w);
}

/* --- why --- */

/* Of the instance, and of its app as a whole. */
static void write_past(struct jw *w, const struct inst *in)
{
	const struct eventring *r = &in->app->daemon->events.ring;
	const struct event *hit[STORY_EVENTS];
	size_t n = 0;
	for (size_t i = r->n; i > 0 && n < STORY_EVENTS; i--) {
		const struct event *ev = eventring_at(r, i - 1);
		if (!ev->inside && strcmp(ev->app, in->app->conf.name) == 0 &&
		    (ev->slot == in->slot || ev->slot < 0)) {
			hit[n++] = ev;
		}
	}
	jw_key(w, "events");
	write_oldest_first(w, hit, n);
}

static const char *restart_word(const struct app_conf *c)
{
	return c->autorestart == RESTART_NEVER	      ? "never"
	       : c->autorestart == RESTART_ON_FAILURE ? "on-failure"
						      : "always";
}

/* What will be done about it, and by which rules. */
static void write_rules(struct jw *w, const struct inst *in)
{
	const struct app_conf *c = &in->app->conf;
	char stamp[CLOCK_RFC3339];
	int64_t next = schedule_next_ms(in->app);
	int64_t wait = in->backoff_until_mono_ms - clock_mono_ms();
	jw_kbool(w, "wanted", in->wanted);
	jw_kbool(w, "held", in->held != HOLD_NO);
	if (in->state == ST_BACKOFF) {
		jw_kint(w, "retry_ms", wait > 0 ? wait : 0);
	} else {
		jw_knull(w, "retry_ms");
	}
	clock_format_utc(next, stamp);
	jw_kstr(w, "next_cron", next ? stamp : NULL);
	jw_kstr(w, "autorestart", restart_word(c));
	jw_kint(w, "max_restarts", c->max_restarts);
	jw_kint(w, "restart_window_ms", c->restart_window_ms);
	jw_kint(w, "memory_max", c->memory_max);
	jw_kint(w, "ready_timeout_ms", c->ready_timeout_ms);
}

static void write_story(void *ctx, struct inst *in)
{
	struct jw *w = ctx;
	char note[400];
	note_inst(in, note, sizeof(note));
	jw_obj(w);
	jw_kstr(w, "app", in->app->conf.name);
	jw_kint(w, "slot", in->slot);
	jw_kint(w, "id", (int64_t)in->id);
	jw_kint(w, "pid", in->pid);
	jw_kstr(w, "state", states_name(in->state));
	jw_kstr(w, "note", note);
	jw_kint(w, "restarts", in->restarts);
	jw_kint(w, "up_ms", inst_uptime_ms(in));
	write_rules(w, in);
	write_past(w, in);
	jw_key(w, "lines");
	write_last_lines(w, in);
	jw_end(w);
}

bool method_why(struct call *call)
{
	jw_obj(call->w);
	jw_kint(call->w, "v", 1);
	jw_key(call->w, "slots");
	jw_arr(call->w);
	if (!call_select(call, write_story, call->w)) {
		return false;
	}
	jw_end(call->w);
	jw_end(call->w);
	return true;
}
