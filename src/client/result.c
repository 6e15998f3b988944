/* SPDX-License-Identifier: MIT */
#include "client/result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/client.h"
#include "client/interrupt.h"
#include "common/clock.h"
#include "common/limits.h"
#include "common/mem.h"
#include "common/units.h"
#include "sys/fileio.h"

#define SHOW_AFTER_MS 300 /* what is done at once needs no progress */

struct progress {
	const struct client *c;
	const char *verb;
	int64_t began_mono_ms;
	unsigned over, failed;
	char last[200];
	bool drawn;
	bool each_line; /* not a terminal: one line a change */
};

static void print_change(const struct rpc_reply *n)
{
	struct buf out = {0};
	char stamp[CLOCK_HMS];
	const char *app = member_text(n->params, "app", "?");
	const char *text = member_text(n->params, "text", "");
	clock_format_local(clock_real_ms(), stamp);
	buf_addf(&out, "%s ", stamp);
	buf_add_escaped(&out, app, strlen(app), 0);
	buf_addf(&out, ":%lld ", (long long)member_int(n->params, "slot", 0));
	if (member_int(n->params, "pid", 0)) {
		buf_addf(&out, "pid %lld ", (long long)member_int(n->params, "pid", 0));
	}
	buf_add_escaped(&out, text, strlen(text), 0);
	buf_addc(&out, '\n');
	(void)!file_write_all(STDERR_FILENO, out.data, out.len);
	buf_finish(&out);
}

static void on_progress(void *ctx, const struct rpc_reply *n)
{
	struct progress *p = ctx;
	const char *phase = member_text(n->params, "phase", "");
	if (strcmp(n->method, "progress") != 0) {
		return;
	}
	if (strcmp(phase, "ready") == 0 || strcmp(phase, "stopped") == 0 ||
	    strcmp(phase, "failed") == 0) {
		p->over++;
		p->failed += phase[0] == 'f';
	}
	snprintf(p->last, sizeof(p->last), "%.40s:%lld %.100s", member_text(n->params, "app", "?"),
		 (long long)member_int(n->params, "slot", 0),
		 member_text(n->params, "text", phase));
	if (p->each_line) {
		print_change(n);
	}
}

static void on_tick(void *ctx)
{
	struct progress *p = ctx;
	int64_t ms = clock_mono_ms() - p->began_mono_ms;
	struct buf out = {0};
	char age[24];
	if (!p->c->err_tty || p->c->json || ms < SHOW_AFTER_MS) {
		return;
	}
	units_format_age(ms / 1000 * 1000, age, sizeof(age));
	buf_addf(&out, "\r\033[K%s: %u done, %s", p->verb, p->over, age);
	if (p->last[0]) {
		buf_adds(&out, "   ");
		buf_add_escaped(&out, p->last, strnlen(p->last, 50), 0);
	}
	(void)!file_write_all(STDERR_FILENO, out.data, out.len);
	buf_finish(&out);
	p->drawn = true;
}

static void clear(struct progress *p)
{
	if (p->drawn) {
		(void)!file_write_all(STDERR_FILENO, "\r\033[K", 4);
		p->drawn = false;
	}
}

/* --- what came of it --- */

static void add_mark(const struct client *c, struct buf *out, bool ok, bool is_err)
{
	bool tty = is_err ? c->err_tty : c->out_tty;
	bool color = is_err ? c->err_color : c->out_color;
	if (!tty) {
		buf_adds(out, is_err ? "pmctl: " : "");
		return;
	}
	const char *mark = c->utf8 ? (ok ? "✔" : "✖") : ok ? "+" : "X";
	buf_addf(out, "%s%s%s ", color ? color_begin(ok ? STYLE_OK : STYLE_FAIL) : "", mark,
		 color ? COLOR_END : "");
}

static bool same_outcome(const json_t *a, const json_t *b)
{
	return strcmp(member_text(a, "app", ""), member_text(b, "app", "")) == 0 &&
	       strcmp(member_text(a, "done", ""), member_text(b, "done", "")) == 0 &&
	       json_is_true(json_object_get(a, "ok")) && json_is_true(json_object_get(b, "ok"));
}

static bool has_pid(const json_t *r)
{
	return strcmp(member_text(r, "state", ""), "online") == 0 && member_int(r, "pid", 0) > 0;
}

/* "web: started, 4 instances" or "web:2: started, pid 4711". Returns how many it stands for. */
static size_t add_success(const struct client *c, struct buf *out, json_t *results, size_t i)
{
	const json_t *r = json_array_get(results, i);
	size_t n = 1;
	while (i + n < json_array_size(results) &&
	       same_outcome(r, json_array_get(results, i + n))) {
		n++;
	}
	add_mark(c, out, true, false);
	client_add_text(out, member_text(r, "app", "?"));
	if (n == 1 && member_int(r, "slot", -1) >= 0) {
		buf_addf(out, ":%lld", (long long)member_int(r, "slot", 0));
	}
	buf_adds(out, " ");
	client_add_text(out, member_text(r, "done", "done"));
	if (n > 1) {
		buf_addf(out, ", %zu instances", n);
	} else if (has_pid(r)) {
		buf_addf(out, ", pid %lld", (long long)member_int(r, "pid", 0));
	}
	if (member_text(r, "reason", "")[0]) {
		buf_adds(out, " (");
		client_add_text(out, member_text(r, "reason", ""));
		buf_addc(out, ')');
	}
	buf_addc(out, '\n');
	return n;
}

static void add_lines(struct buf *out, const json_t *lines)
{
	for (size_t i = 0; i < json_array_size(lines) && i < LIMIT_LAST_LINES; i++) {
		const json_t *line = json_array_get(lines, i);
		buf_adds(out, "    ");
		buf_add_escaped(out, json_string_value(line) ? json_string_value(line) : "",
				json_string_length(line), 0);
		buf_addc(out, '\n');
	}
}

/* The successor failed, the old process serves on. */
static bool is_kept(const json_t *r)
{
	return strcmp(member_text(r, "done", ""), "kept") == 0;
}

static void add_failure(const struct client *c, struct buf *out, const json_t *r)
{
	const char *app = member_text(r, "app", "?");
	const char *reason = member_text(r, "reason", member_text(r, "state", "failed"));
	add_mark(c, out, false, true);
	buf_add_escaped(out, app, strlen(app), 0);
	if (member_int(r, "slot", -1) >= 0) {
		buf_addf(out, ":%lld", (long long)member_int(r, "slot", 0));
	}
	buf_addc(out, ' ');
	buf_add_escaped(out, reason, strlen(reason), 0);
	buf_adds(out, is_kept(r) ? "; the old process serves on\n" : "\n");
	add_lines(out, json_object_get(r, "lines"));
}

/* What to do about the failures, once for each app. */
static void add_advice(struct buf *out, json_t *results)
{
	const char *last = "";
	size_t i;
	const json_t *r;
	json_array_foreach(results, i, r)
	{
		const char *app = member_text(r, "app", "");
		if (json_is_true(json_object_get(r, "ok")) || strcmp(app, last) == 0) {
			continue;
		}
		last = app;
		struct buf name = {0};
		buf_add_escaped(&name, app, strlen(app), 0);
		buf_addf(out, "  All lines: pmctl logs %s     Why: pmctl why %s     %s %s\n",
			 name.data, name.data,
			 is_kept(r) ? "Fix it, then: pmctl reload" : "Give up: pmctl stop",
			 name.data);
		buf_finish(&name);
	}
}

static void print_results(struct client *c, json_t *results)
{
	struct buf bad = {0};
	for (size_t i = 0; i < json_array_size(results);) {
		const json_t *r = json_array_get(results, i);
		if (json_is_true(json_object_get(r, "ok"))) {
			i += add_success(c, &c->out, results, i);
		} else {
			add_failure(c, &bad, r);
			i++;
		}
	}
	client_flush(c);
	if (bad.len) {
		add_advice(&bad, results);
		(void)!file_write_all(STDERR_FILENO, bad.data, bad.len);
	}
	buf_finish(&bad);
}

static bool any_serves(const json_t *results)
{
	size_t i;
	const json_t *r;
	json_array_foreach(results, i, r)
	{
		if (json_is_true(json_object_get(r, "ok")) || is_kept(r)) {
			return true;
		}
	}
	return false;
}

static int finish(struct client *c, const char *method, json_t *result)
{
	json_t *results = json_object_get(result, "results");
	bool ok = json_is_true(json_object_get(result, "ok"));
	if (c->json) {
		client_print_json(c, result);
		client_flush(c);
	} else if (!c->wait) {
		client_note(c, "begun; watch it with: pmctl events -f");
	} else if (json_array_size(results) == 0) {
		client_note(c, "nothing to %s", method);
	} else {
		print_results(c, results);
	}
	if (ok) {
		return 0;
	}
	enum err_code code =
		strcmp(method, "reload") == 0 && any_serves(results) ? ERR_PARTIAL : ERR_FAILED;
	return err_info(code)->exit_status;
}

static int not_finished(struct client *c, const char *verb, struct err *err, const char *hint)
{
	int sig = interrupt_pending();
	if (sig) {
		client_note(c, "%s goes on without us; watch it with: pmctl events -f", verb);
		return 128 + sig;
	}
	if (err->code == ERR_DEADLINE) {
		char age[24];
		units_format_duration(c->timeout_ms, age, sizeof(age));
		err_set(err, ERR_DEADLINE, "%s is not done after %s; it goes on", verb, age);
		hint = "watch it with: pmctl events -f";
	}
	return client_fail(c, err, hint);
}

int result_of(struct client *c, const char *method, const char *verb, json_t *params)
{
	struct progress p = {.c = c,
			     .verb = verb,
			     .began_mono_ms = clock_mono_ms(),
			     .each_line = !c->err_tty && !c->json && strcmp(method, "reload") == 0};
	struct conn_wait w = {.notify = on_progress, .tick = on_tick, .ctx = &p};
	struct rpc_reply reply = {.id = -1};
	struct err err;
	int status;
	if (c->timeout_ms >= 0) {
		w.deadline_mono_ms = clock_mono_ms() + c->timeout_ms;
	}
	if (!client_connect(c, &err)) {
		json_decref(params);
		return client_fail(c, &err, NULL);
	}
	client_set(params, "wait", json_boolean(c->wait));
	bool ok = conn_call(&c->conn, method, params, &w, &reply, &err);
	clear(&p);
	if (ok) {
		status = finish(c, method, reply.result);
	} else {
		status = not_finished(c, verb, &err, reply.hint);
	}
	rpc_reply_finish(&reply);
	return status;
}
