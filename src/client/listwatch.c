/* SPDX-License-Identifier: MIT */
#include "client/listwatch.h"

#include <string.h>
#include <time.h>

#include "client/away.h"
#include "client/client.h"
#include "client/interrupt.h"
#include "client/listview.h"
#include "client/live.h"
#include "common/clock.h"
#include "common/units.h"

#define DEFAULT_MS 1000
#define LEAST_MS   500
#define MOST_MS	   60000
#define LOOK_MS	   200 /* between looks at the window, and for the daemon */
#define SILENCE	   3   /* periods without a sample: nobody answers */

struct watch {
	struct client *c;
	struct live live;
	json_t *last; /* the object of the last sample; NULL = none yet */
	int64_t interval_ms, heard_mono_ms;
	size_t columns, rows; /* of the frame that is drawn */
	bool away, fresh;     /* no connection; a sample that was not shown yet */
	bool printed;	      /* a frame, not on a screen */
	struct away look;
	struct buf drawn;
};

/* --- frames --- */

static void add_away(const struct watch *w, struct buf *out)
{
	int64_t age = clock_mono_ms() - w->heard_mono_ms;
	char hms[CLOCK_HMS], text[24];
	if (w->away || age >= SILENCE * w->interval_ms) {
		clock_format_local(clock_real_ms() - age, hms);
		units_format_age(age / 1000 * 1000, text, sizeof(text));
		buf_addf(out, "no answer from pmctld since %.8s: this is %s old\n", hms, text);
	}
}

/* No more lines than the window has, one of which the cursor needs. */
static size_t clip(const struct watch *w, struct buf *text)
{
	size_t lines = 0, keep = w->rows > 2 ? w->rows - 2 : 1;
	size_t cut_at = 0;
	for (size_t i = 0; i < text->len; i++) {
		lines += text->data[i] == '\n';
		if (lines == keep && !cut_at) {
			cut_at = i + 1;
		}
	}
	if (lines <= keep + 1) {
		return lines;
	}
	text->len = cut_at;
	buf_addf(text, "(%zu lines more)\n", lines - keep);
	return keep + 1;
}

static void draw(struct watch *w)
{
	struct client *c = w->c;
	struct buf text = {0};
	live_size(&w->live, &w->columns, &w->rows);
	struct listview v = {.instances = args_has(&c->args, "instances") || c->args.n > 0,
			     .color = c->out_color,
			     .utf8 = c->utf8,
			     .width = w->columns - 1, /* the last one would begin a new line */
			     .now_ms = clock_real_ms()};
	add_away(w, &text);
	listview_print(&v, json_object_get(w->last, "apps"), &text);
	size_t lines = clip(w, &text);
	if (text.len != w->drawn.len || memcmp(text.data, w->drawn.data, text.len) != 0) {
		live_show(&w->live, &text, lines, clock_mono_ms());
		buf_finish(&w->drawn);
		w->drawn = text;
		return;
	}
	buf_finish(&text);
}

static bool was_resized(const struct watch *w)
{
	size_t columns, rows;
	live_size(&w->live, &columns, &rows);
	return columns != w->columns || rows != w->rows;
}

/* Where nobody looks at a screen, every sample is printed once. */
static bool print(struct watch *w)
{
	struct client *c = w->c;
	if (c->json) {
		client_print_json(c, w->last);
	} else {
		struct listview v = {.piped = true,
				     .instances = args_has(&c->args, "instances") || c->args.n > 0,
				     .now_ms = clock_real_ms()};
		buf_adds(&c->out, w->printed ? "\n" : "");
		listview_print(&v, json_object_get(w->last, "apps"), &c->out);
	}
	w->printed = true;
	return client_flush(c);
}

static bool on_screen(const struct watch *w)
{
	return w->c->out_tty && !w->c->json;
}

/* Show what there is, if it is time. False: nobody reads our output. */
static bool show(struct watch *w)
{
	if (!on_screen(w)) {
		bool ok = !w->fresh || print(w);
		w->fresh = false;
		return ok;
	}
	bool silent = w->away || clock_mono_ms() - w->heard_mono_ms > SILENCE * w->interval_ms;
	if (w->last && (w->fresh || silent || was_resized(w)) &&
	    live_is_due(&w->live, clock_mono_ms())) {
		w->fresh = false;
		draw(w);
	}
	return true;
}

/* --- samples --- */

static void take(struct watch *w, json_t *sample)
{
	json_decref(w->last);
	w->last = json_incref(sample);
	w->heard_mono_ms = clock_mono_ms();
	w->fresh = true;
	w->away = false;
}

static json_t *params_of(const struct watch *w)
{
	json_t *params = client_selectors(w->c, 0);
	client_set(params, "interval_ms", json_integer(w->interval_ms));
	if (!w->c->json) {
		client_set(params, "detail", json_string("rows"));
	}
	if (on_screen(w)) {
		client_set(params, "spark_points", json_integer(LISTVIEW_SPARK));
	}
	return params;
}

static void nap(void)
{
	struct timespec ts = {0, LOOK_MS * 1000000L};
	nanosleep(&ts, NULL);
}

/* One look for the daemon. What was selected may not be there any more: then the list is empty. */
static void look(struct watch *w)
{
	struct rpc_reply reply = {.id = -1};
	struct err err;
	struct conn_wait wait = {.deadline_mono_ms = clock_mono_ms() + 2 * LOOK_MS};
	if (away_look(&w->look, w->c) != AWAY_BACK) {
		nap();
		return;
	}
	if (conn_call(&w->c->conn, "watch", params_of(w), &wait, &reply, &err)) {
		take(w, reply.result);
	} else {
		conn_close(&w->c->conn);
		nap();
	}
	rpc_reply_finish(&reply);
}

static void listen(struct watch *w)
{
	struct rpc_reply n;
	struct err err;
	int got = conn_next(&w->c->conn, LOOK_MS, &n, &err);
	if (got > 0 && n.kind == RPC_NOTIFICATION && strcmp(n.method, "sample") == 0) {
		take(w, n.params);
	} else if (got < 0) {
		w->away = true;
		away_begin(&w->look, w->c);
		if (!on_screen(w) && w->c->err_tty) {
			client_note(w->c, "pmctl: the daemon is away; waiting");
		}
	}
	rpc_reply_finish(&n);
}

static int run(struct watch *w)
{
	struct rpc_reply reply;
	int status = 0;
	bool ok = client_ask(w->c, "watch", params_of(w), &reply, &status);
	if (ok) {
		take(w, reply.result);
	}
	rpc_reply_finish(&reply);
	while (ok && !interrupt_pending()) {
		if (!show(w)) {
			return 1;
		}
		if (w->away) {
			look(w);
		} else {
			listen(w);
		}
	}
	return interrupt_pending() ? 128 + interrupt_pending() : status;
}

int listwatch_run(struct client *c)
{
	struct watch w = {.c = c, .interval_ms = DEFAULT_MS};
	const char *text = args_value(&c->args, "watch", NULL);
	if (text && (!units_parse_duration(text, &w.interval_ms) || w.interval_ms < LEAST_MS ||
		     w.interval_ms > MOST_MS)) {
		return client_usage(c, "--watch: \"%.40s\" is not from 0.5 to 60 seconds", text);
	}
	interrupt_catch();
	live_init(&w.live, 1);
	int status = run(&w);
	live_keep(&w.live);
	json_decref(w.last);
	buf_finish(&w.drawn);
	return status;
}
