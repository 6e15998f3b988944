/* SPDX-License-Identifier: MIT */
#include "client/result.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/away.h"
#include "client/block.h"
#include "client/client.h"
#include "client/interrupt.h"
#include "client/live.h"
#include "client/outcome.h"
#include "client/progress.h"
#include "common/clock.h"
#include "common/units.h"
#include "sys/fileio.h"

#define SHOW_AFTER_MS 300  /* what is done at once needs no progress */
#define CANCEL_MS     3000 /* for the answer to a cancel */
#define BLOCK_LINES   12
#define MIN_LINES     3
#define AWAY_AFTER_MS 1000 /* a supervisor that is replaced at once is no news */
#define BUSY_MS	      100
#define UNHEARD	      5 /* requests after which the daemon died without a word */

/* How the progress is shown. */
enum show { SHOW_NOTHING, SHOW_LINES, SHOW_BLOCK };

struct run {
	struct client *c;
	const char *method;
	struct progress progress;
	struct live live;
	enum show show;
	bool in_steps; /* one after the other: may be stopped in between */
	bool asked;    /* to stop */
	bool told_busy;
	char *note;	      /* what came of that, for the block; NULL = nothing */
	int64_t lost_mono_ms; /* since when the daemon is away; 0 = it is not, or was told */
};

/* --- showing --- */

/* What replaces running instances, and is watched from its beginning. */
static bool is_rolling(const char *method)
{
	return strcmp(method, "reload") == 0 || strcmp(method, "apply") == 0 ||
	       strcmp(method, "rollback") == 0;
}

static enum show choose_show(const struct client *c, const char *method)
{
	const char *term = getenv("TERM");
	if (c->json || !c->wait) {
		return SHOW_NOTHING;
	}
	if (c->err_tty && term && term[0] && strcmp(term, "dumb") != 0) {
		return SHOW_BLOCK;
	}
	return is_rolling(method) ? SHOW_LINES : SHOW_NOTHING;
}

static bool is_reload(const struct run *r)
{
	return is_rolling(r->method);
}

static void draw(struct run *r, bool last)
{
	struct buf text = {0};
	size_t columns, lines;
	int64_t now = clock_mono_ms();
	live_size(&r->live, &columns, &lines);
	if (lines <= MIN_LINES && !last) {
		return; /* no room to rewrite anything in */
	}
	struct block_look look = {
		.width = columns,
		.height = lines > BLOCK_LINES ? BLOCK_LINES
			  : lines > 3	      ? lines - 1
					      : 3,
		.color = r->c->err_color,
		.utf8 = r->c->utf8,
		.now_mono_ms = now,
		.last = last,
		.hint = r->in_steps && !r->asked ? "Ctrl-C: stop after this one" : NULL,
		.note = r->note,
	};
	size_t n = block_draw(&r->progress, &look, &text);
	live_show(&r->live, &text, n, now);
	buf_finish(&text);
}

/* A reload is watched from its beginning; of others only those that take their time. */
static void draw_if_due(struct run *r)
{
	int64_t now = clock_mono_ms();
	int64_t after = is_reload(r) ? 0 : SHOW_AFTER_MS;
	if (r->show == SHOW_BLOCK && now - r->progress.began_mono_ms >= after &&
	    live_is_due(&r->live, now)) {
		draw(r, false);
	}
}

/* What a line tells is not said by the one before or after it. */
static bool is_worth_a_line(const char *phase)
{
	return strcmp(phase, "begin") != 0 && strcmp(phase, "draining") != 0 &&
	       strcmp(phase, "waiting") != 0 && strcmp(phase, "waits") != 0 &&
	       strcmp(phase, "left") != 0;
}

static void print_change(const json_t *params)
{
	struct buf out = {0};
	char stamp[CLOCK_HMS];
	int64_t slot = member_int(params, "slot", -1);
	const char *phase = member_text(params, "phase", "");
	clock_format_local(clock_real_ms(), stamp);
	buf_addf(&out, "%s ", stamp);
	client_add_text(&out, member_text(params, "app", "?"));
	if (slot >= 0) {
		buf_addf(&out, ":%lld", (long long)slot);
	}
	buf_adds(&out, strcmp(phase, "failed") == 0 ? " failed: " : " ");
	client_add_text(&out, member_text(params, "text", ""));
	buf_addc(&out, '\n');
	(void)!file_write_all(STDERR_FILENO, out.data, out.len);
	buf_finish(&out);
}

static void on_notification(void *ctx, const struct rpc_reply *n)
{
	struct run *r = ctx;
	if (strcmp(n->method, "progress") != 0) {
		return;
	}
	r->lost_mono_ms = 0;
	bool news = progress_is_news(&r->progress, n->params);
	progress_take(&r->progress, n->params, clock_mono_ms());
	if (r->show == SHOW_LINES && news && is_worth_a_line(member_text(n->params, "phase", ""))) {
		print_change(n->params);
	}
	draw_if_due(r);
}

/* The block of a reload stays, with what each instance came to; others leave no trace. */
static void end_show(struct run *r, bool ok)
{
	if (r->show != SHOW_BLOCK || !r->live.lines) {
		return;
	}
	if (is_reload(r) || !ok) {
		draw(r, ok);
		live_keep(&r->live);
	} else {
		live_clear(&r->live);
	}
}

/* --- Ctrl-C --- */

static void say(struct run *r, struct buf *text)
{
	if (r->show == SHOW_BLOCK && r->live.lines) {
		free(r->note);
		r->note = buf_take(text);
		draw(r, false);
	} else {
		client_note(r->c, "%s", text->data);
		buf_finish(text);
	}
}

static void on_tick(void *ctx)
{
	struct run *r = ctx;
	if (r->lost_mono_ms && clock_mono_ms() - r->lost_mono_ms > AWAY_AFTER_MS) {
		struct buf text = {0};
		buf_adds(&text, "the daemon is away; waiting");
		r->lost_mono_ms = 0;
		say(r, &text);
	}
	draw_if_due(r);
}

/* " web:2, api:0": what is under way. */
static void add_under_way(struct buf *out, const json_t *answer)
{
	const json_t *list = json_object_get(answer, "under_way");
	size_t n = json_array_size(list);
	for (size_t i = 0; i < n && i < 3; i++) {
		const json_t *o = json_array_get(list, i);
		buf_addf(out, "%s%s:%lld", i ? ", " : " ", member_text(o, "app", "?"),
			 (long long)member_int(o, "slot", 0));
	}
	if (n > 3) {
		buf_addf(out, " and %zu more", n - 3);
	}
}

static void add_watch(const struct run *r, struct buf *out)
{
	buf_adds(out, "watch it with: pmctl events -f");
	if (r->progress.napps == 1) {
		buf_addf(out, " %s", r->progress.app[0].name);
	}
}

static void tell_cancelled(struct run *r, const json_t *answer)
{
	struct buf text = {0};
	bool any = json_array_size(json_object_get(answer, "under_way")) > 0;
	long long fresh = (long long)member_int(answer, "new", 0);
	buf_adds(&text, "stopping");
	buf_adds(&text, any ? " after" : "");
	add_under_way(&text, answer);
	buf_addf(&text, "; %lld of %lld %s new. Ctrl-C again leaves it running; ", fresh,
		 (long long)member_int(answer, "total", 0), fresh == 1 ? "is" : "are");
	add_watch(r, &text);
	say(r, &text);
}

/* Ask the daemon to begin nothing more, on a connection of its own: ours waits for the answer. */
static void cancel(struct run *r)
{
	struct conn conn;
	struct conn_wait wait = {.deadline_mono_ms = clock_mono_ms() + CANCEL_MS};
	struct rpc_reply reply = {.id = -1};
	struct err err;
	json_t *params = json_pack("{s:I}", "op", (json_int_t)r->progress.op);
	if (!conn_open(&conn, &r->c->paths, &err)) {
		json_decref(params);
	} else {
		if (conn_call(&conn, "cancel", params, &wait, &reply, &err)) {
			tell_cancelled(r, reply.result);
			err.code = ERR_NO_TARGET;
		}
		conn_close(&conn);
	}
	/* No such operation: it is over, and its answer is on its way. */
	if (err.code != ERR_NO_TARGET && !interrupt_pending()) {
		struct buf text = {0};
		buf_addf(&text, "cannot stop it: %s. Ctrl-C again leaves it running", err.msg);
		say(r, &text);
	}
	rpc_reply_finish(&reply);
}

static bool on_signal(void *ctx, int sig)
{
	struct run *r = ctx;
	if (sig != SIGINT || r->asked || !r->in_steps || !r->progress.op) {
		return false;
	}
	r->asked = true;
	interrupt_take();
	cancel(r);
	return true;
}

/* --- what came of it --- */

/* Whether it ended half way: something still serves as it was before. */
static bool any_serves(const json_t *results)
{
	size_t i;
	const json_t *t;
	json_array_foreach(results, i, t)
	{
		bool left =
			outcome_is_left(t) && strcmp(member_text(t, "state", ""), "online") == 0;
		if (left || outcome_is_kept(t) || outcome_is_reverted(t)) {
			return true;
		}
	}
	return false;
}

static void tell_warnings(struct client *c, const json_t *warnings)
{
	size_t i;
	const json_t *w;
	json_array_foreach(warnings, i, w)
	{
		if (!c->json && json_is_string(w)) {
			client_note(c, "warning: %s", json_string_value(w));
		}
	}
}

static int finish(const struct run *r, json_t *result)
{
	struct client *c = r->c;
	const json_t *results = json_object_get(result, "results");
	bool ok = json_is_true(json_object_get(result, "ok"));
	if (c->json) {
		client_print_json(c, result);
		client_flush(c);
	} else if (!c->wait) {
		client_note(c, "begun; watch it with: pmctl events -f");
	} else if (json_array_size(results) == 0 && strcmp(r->method, "apply") == 0) {
		/* The plan has said so. */
	} else if (json_array_size(results) == 0) {
		client_note(c, "nothing to %s", r->method);
	} else {
		outcome_print(c, r->method, result);
	}
	tell_warnings(c, json_object_get(result, "warnings"));
	if (ok) {
		return r->asked ? 128 + SIGINT : 0;
	}
	enum err_code code = is_reload(r) && any_serves(results) ? ERR_PARTIAL : ERR_FAILED;
	return err_info(code)->exit_status;
}

static int not_finished(struct run *r, struct err *err, const char *hint)
{
	struct client *c = r->c;
	const char *verb = r->progress.verb;
	int sig = interrupt_pending();
	if (sig && err->code == ERR_BUSY) {
		client_note(c, "interrupted while it waited; nothing was done");
		return 128 + sig;
	}
	if (sig) {
		struct buf text = {0};
		add_watch(r, &text);
		client_note(c, "%s %s; %s", verb,
			    r->asked ? "ends by itself after this one" : "goes on without us",
			    text.data);
		buf_finish(&text);
		return 128 + sig;
	}
	char age[24];
	units_format_duration(c->timeout_ms, age, sizeof(age));
	if (err->code == ERR_BUSY) { /* the end of its patience: wait_for_others() */
		struct err why = *err;
		err_set(err, ERR_DEADLINE, "%s was not begun in %s, nothing was done: %.200s", verb,
			age, why.msg);
	} else if (err->code == ERR_DEADLINE) {
		err_set(err, ERR_DEADLINE, "%s is not done after %s; it goes on", verb, age);
		hint = "watch it with: pmctl events -f";
	}
	return client_fail(c, err, hint);
}

/* --- the request --- */

/* A name for it, by which the next supervisor knows it. */
static void add_key(json_t *params)
{
	uint64_t random[2];
	char key[40];
	if (getentropy(random, sizeof(random)) != 0) {
		random[0] = (uint64_t)getpid();
		random[1] = (uint64_t)clock_mono_ms();
	}
	snprintf(key, sizeof(key), "%016llx%016llx", (unsigned long long)random[0],
		 (unsigned long long)random[1]);
	client_set(params, "key", json_string(key));
}

/* The same request once more, in other words where that is needed. False: it is of no use. */
static bool prepare_again(struct run *r, json_t *params, unsigned *unheard, struct err *err)
{
	if (err->code == ERR_USAGE && strstr(err->msg, "unknown parameter \"key\"")) {
		json_object_del(params, "key"); /* an older pmctld */
		return true;
	}
	if (!away_is_lost(err) || !json_object_get(params, "key")) {
		return false;
	}
	if (r->progress.op) {
		/* It was begun: it is never to be begun a second time. */
		client_set(params, "again", json_true());
	} else if (++*unheard >= UNHEARD) {
		return err_set(err, ERR_NO_DAEMON,
			       "pmctld was killed %d times when it was asked for this; its log "
			       "may say why: pmctl daemon paths",
			       UNHEARD);
	}
	return true;
}

/* One thing at a time: a moment until it is asked again. False: the end of our patience. */
static bool wait_for_others(struct run *r, const struct conn_wait *w, struct err *err)
{
	int64_t now = clock_mono_ms();
	if (!r->told_busy) {
		client_note(r->c, "%s; waiting for its end", err->msg);
	}
	r->told_busy = true;
	int64_t left = w->deadline_mono_ms ? w->deadline_mono_ms - now : INT64_MAX;
	bool last = left < 2 * BUSY_MS; /* who asks once more must have time to hear the answer */
	poll(NULL, 0, !last ? BUSY_MS : left > 0 ? (int)left : 0); /* a signal ends it */
	return !last && !interrupt_pending();
}

/* Over the death of supervisors: the next one goes on with the operation, and tells us. */
static bool call(struct run *r, json_t *params, const struct conn_wait *w, struct rpc_reply *reply,
		 struct err *err)
{
	struct client *c = r->c;
	unsigned unheard = 0;
	add_key(params);
	for (;;) {
		bool stopped;
		if (conn_call(&c->conn, r->method, json_incref(params), w, reply, err)) {
			return true;
		}
		bool lost = away_is_lost(err);
		if (err->code == ERR_BUSY && wait_for_others(r, w, err)) {
			rpc_reply_finish(reply);
			continue;
		}
		if (!prepare_again(r, params, &unheard, err)) {
			return false;
		}
		if (lost) {
			r->lost_mono_ms = clock_mono_ms();
			if (!away_wait(c, w->deadline_mono_ms, &stopped, err)) {
				return false;
			}
		}
		rpc_reply_finish(reply);
	}
}

int result_of(struct client *c, const char *method, const char *verb, json_t *params)
{
	struct run r = {.c = c, .method = method, .show = choose_show(c, method)};
	struct conn_wait w = {
		.notify = on_notification, .tick = on_tick, .signal = on_signal, .ctx = &r};
	struct rpc_reply reply = {.id = -1};
	struct err err;
	if (interrupt_pending()) {
		json_decref(params);
		client_note(c, "interrupted; nothing was done");
		return 128 + interrupt_pending();
	}
	if (c->timeout_ms >= 0) {
		w.deadline_mono_ms = clock_mono_ms() + c->timeout_ms;
	}
	if (!client_connect(c, &err)) {
		json_decref(params);
		return client_fail(c, &err, NULL);
	}
	r.in_steps = c->wait && (is_reload(&r) || strcmp(method, "restart") == 0);
	progress_init(&r.progress, verb, clock_mono_ms());
	if (r.show == SHOW_BLOCK) {
		live_init(&r.live, STDERR_FILENO);
	}
	client_set(params, "wait", json_boolean(c->wait));
	bool ok = call(&r, params, &w, &reply, &err);
	end_show(&r, ok);
	int status = ok ? finish(&r, reply.result) : not_finished(&r, &err, reply.hint);
	json_decref(params);
	rpc_reply_finish(&reply);
	progress_finish(&r.progress);
	free(r.note);
	return status;
}
