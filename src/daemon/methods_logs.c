/* SPDX-License-Identifier: MIT */
/* logs, flush, rotate, events, why: what was. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/select.h"
#include "common/mem.h"
#include "daemon/daemon.h"
#include "daemon/launch.h"
#include "daemon/methods.h"
#include "daemon/runner.h"

static void write_file(struct jw *w, const struct inst *in, const char *stream, const char *path)
{
	jw_obj(w);
	jw_kstr(w, "app", in->app->conf.name);
	jw_kint(w, "slot", in->slot);
	jw_kint(w, "id", (int64_t)in->id);
	jw_kint(w, "pid", in->pid);
	jw_kstr(w, "stream", stream);
	jw_kstr(w, "path", path);
	jw_kint(w, "keep", in->app->conf.log_keep);
	jw_end(w);
}

static void write_files(void *ctx, struct inst *in)
{
	char *out = launch_log_path(in, false);
	char *err = launch_log_path(in, true);
	if (out && err && strcmp(out, err) == 0) {
		write_file(ctx, in, "both", out);
	} else {
		if (out) {
			write_file(ctx, in, "out", out);
		}
		if (err) {
			write_file(ctx, in, "err", err);
		}
	}
	free(out);
	free(err);
}

bool method_logs(struct call *call)
{
	jw_obj(call->w);
	jw_kint(call->w, "v", 1);
	jw_kstr(call->w, "log_dir", call->daemon->paths.log);
	jw_key(call->w, "files");
	jw_arr(call->w);
	if (!call_select(call, write_files, call->w)) {
		return false;
	}
	jw_end(call->w);
	jw_end(call->w);
	return true;
}

struct file_work {
	struct daemon *daemon;
	bool rotate;
	int n;
};

static void work_on(struct file_work *f, const struct inst *in, char *path)
{
	const struct app_conf *c = &in->app->conf;
	struct outputs *o = &f->daemon->outputs;
	if (!path) {
		return;
	}
	if (!(f->rotate ? outputs_rotate(o, path) : outputs_flush(o, path))) {
		struct logfile file; /* nobody writes to it now */
		logfile_init(&file, path, c->log_max_size, c->log_keep, c->log_compress);
		if (f->rotate) {
			logfile_rotate(&file);
		} else {
			logfile_flush(&file);
		}
		logfile_finish(&file);
	}
	f->n++;
	free(path);
}

static void drain(struct inst *in)
{
	if (in->out) {
		output_drain(in->out);
	}
	if (in->err) {
		output_drain(in->err);
	}
}

static void work_one(void *ctx, struct inst *in)
{
	drain(in);
	char *out = launch_log_path(in, false);
	char *err = launch_log_path(in, true);
	if (out && err && strcmp(out, err) == 0) {
		free(err);
		err = NULL;
	}
	work_on(ctx, in, out);
	work_on(ctx, in, err);
}

static bool work_all(struct call *call, bool rotate)
{
	struct file_work f = {.daemon = call->daemon, .rotate = rotate};
	if (!call_select(call, work_one, &f)) {
		return false;
	}
	jw_obj(call->w);
	jw_kint(call->w, "files", f.n);
	jw_end(call->w);
	return true;
}

bool method_flush(struct call *call)
{
	return work_all(call, false);
}

bool method_rotate(struct call *call)
{
	return work_all(call, true);
}

/* --- events --- */

/* Names in events may be those of apps that are gone, so selectors are matched, not resolved. */
static bool selects(struct daemon *d, const char *const *text, size_t n, const struct event *ev)
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

static void write_events(struct jw *w, struct daemon *d, const char *const *sel, size_t nsel,
			 uint64_t after, size_t max)
{
	const struct events *e = &d->events;
	const struct event **hit = xcalloc(max + 1, sizeof(*hit));
	size_t n = 0;
	for (uint64_t s = e->last_seq; s > after && s >= events_first(e) && n < max; s--) {
		const struct event *ev = events_get(e, s);
		if (ev && selects(d, sel, nsel, ev)) {
			hit[n++] = ev;
		}
	}
	jw_arr(w);
	while (n > 0) {
		struct buf text = {0};
		event_json(hit[--n], &text);
		jw_raw(w, text.data, text.len);
		buf_finish(&text);
	}
	jw_end(w);
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
	uint64_t after = (uint64_t)rpc_param_int(call->params, "after_seq", 0);
	bool fresh = json_object_get(call->params, "after_seq") == NULL;
	int64_t max = rpc_param_int(call->params, "n", fresh ? 20 : LIMIT_EVENTS);
	if (!call_select(call, nothing, NULL)) {
		return false;
	}
	const char **sel = call_selectors(call, &n);
	jw_obj(call->w);
	jw_kint(call->w, "v", 1);
	jw_kint(call->w, "last_seq", (int64_t)call->daemon->events.last_seq);
	jw_key(call->w, "events");
	write_events(call->w, call->daemon, sel, n, after, (size_t)max);
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

static void write_story(void *ctx, struct inst *in)
{
	struct jw *w = ctx;
	char sel[64];
	const char *one[] = {sel};
	snprintf(sel, sizeof(sel), "%s:%d", in->app->conf.name, in->slot);
	jw_obj(w);
	jw_kstr(w, "app", in->app->conf.name);
	jw_kint(w, "slot", in->slot);
	jw_kint(w, "id", (int64_t)in->id);
	jw_kint(w, "pid", in->pid);
	jw_kstr(w, "state", states_name(in->state));
	jw_kstr(w, "note", in->note);
	jw_kint(w, "restarts", in->restarts);
	jw_kint(w, "up_ms", inst_uptime_ms(in));
	jw_key(w, "events");
	write_events(w, in->app->daemon, one, 1, 0, 12);
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
