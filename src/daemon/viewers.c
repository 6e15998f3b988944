/* SPDX-License-Identifier: MIT */
#include "daemon/viewers.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "daemon/daemon.h"
#include "daemon/listing.h"
#include "daemon/methods.h"
#include "daemon/runner.h"

#define DEFAULT_MS    1000
#define UNREAD_MAX_MS 30000
#define EARLY_MS      100 /* a timer may be a little early for somebody's interval */

struct viewer {
	struct list node; /* sampler.viewers */
	struct conn *conn;
	const char **sel; /* owned, and the strings */
	size_t nsel;
	struct listing what;
	int interval_ms;
	int64_t told_mono_ms; /* when it was told last */
	int64_t read_mono_ms; /* when it had last read all */
};

void viewer_free(struct viewer *v)
{
	if (!v) {
		return;
	}
	list_remove(&v->node);
	sampler_wake(&v->conn->server->daemon->sampler);
	for (size_t i = 0; i < v->nsel; i++) {
		free((char *)v->sel[i]);
	}
	free(v->sel);
	free(v);
}

int viewers_interval_ms(const struct sampler *s)
{
	struct viewer *v, *next;
	int shortest = 0;
	list_for_each(v, next, &s->viewers, node)
	{
		shortest = shortest && shortest < v->interval_ms ? shortest : v->interval_ms;
	}
	return shortest;
}

static void add_new(void *ctx, struct inst *in)
{
	struct selection *s = ctx;
	for (size_t i = 0; i < s->n; i++) {
		if (s->v[i] == in) {
			return;
		}
	}
	selection_add(s, in);
}

/* What was selected may be gone by now: then what is left of it. */
static void select_again(struct daemon *d, const struct viewer *v, struct selection *s)
{
	struct err err;
	if (apps_select(d, v->sel, v->nsel, selection_add, s, &err)) {
		return;
	}
	for (size_t i = 0; i < v->nsel; i++) {
		apps_select(d, &v->sel[i], 1, add_new, s, &err);
	}
}

static void tell(struct daemon *d, const struct viewer *v)
{
	struct selection s = {0};
	struct buf out = {0};
	struct jw w;
	select_again(d, v, &s);
	rpc_write_notification_begin(&out, "sample");
	jw_init(&w, &out);
	listing_write(&v->what, &w, d, &s);
	rpc_write_notification_end(&out);
	conn_send(v->conn, out.data, out.len);
	buf_finish(&out);
	selection_finish(&s);
}

/* The loop's next turn ends it. */
static void cut_off(struct conn *c)
{
	log_line("control socket: uid %u pid %d cut off: does not read the samples it watches",
		 (unsigned)c->peer.uid, (int)c->peer.pid);
	c->closing = true;
	buf_reset(&c->out);
	ev_feed_event(c->server->loop, &c->write_io, EV_WRITE);
}

void viewers_tell(struct sampler *s, int64_t now)
{
	struct viewer *v, *next;
	list_for_each(v, next, &s->viewers, node)
	{
		if (now - v->told_mono_ms < v->interval_ms - EARLY_MS) {
			continue;
		}
		if (!v->conn->out.len) {
			v->told_mono_ms = v->read_mono_ms = now;
			tell(s->daemon, v);
		} else if (now - v->read_mono_ms > UNREAD_MAX_MS) {
			cut_off(v->conn);
		}
	}
}

static struct viewer *make(struct call *call)
{
	size_t n;
	const char **sel = call_selectors(call, &n);
	struct viewer *v = xcalloc(1, sizeof(*v));
	v->conn = call->conn;
	v->nsel = n;
	v->sel = sel;
	for (size_t i = 0; i < n; i++) {
		v->sel[i] = xstrdup(sel[i]);
	}
	v->interval_ms = (int)rpc_param_int(call->params, "interval_ms", DEFAULT_MS);
	v->told_mono_ms = v->read_mono_ms = clock_mono_ms();
	return v;
}

bool method_watch(struct call *call)
{
	struct listing l;
	struct selection s = {0};
	struct sampler *sampler = &call->daemon->sampler;
	if (!listing_read_params(&l, call->params, &call->err) ||
	    !call_select(call, selection_add, &s)) {
		return false;
	}
	viewer_free(call->conn->viewer);
	call->conn->viewer = make(call);
	call->conn->viewer->what = l;
	list_add(&sampler->viewers, &call->conn->viewer->node);
	sampler_wake(sampler);
	sampler_refresh(sampler, WANT_ROUGH);
	listing_write(&l, call->w, call->daemon, &s);
	selection_finish(&s);
	return true;
}
