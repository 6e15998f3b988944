/* SPDX-License-Identifier: MIT */
/* opreply - what a client hears of an operation: each step, and the results at its end. */
#include <string.h>

#include "common/clock.h"
#include "daemon/daemon.h"
#include "daemon/ops_priv.h"
#include "proto/jw.h"
#include "proto/rpc.h"

static void write_target(struct jw *w, const struct target *t)
{
	jw_obj(w);
	jw_kstr(w, "app", t->app);
	jw_kint(w, "slot", t->slot);
	jw_kint(w, "id", (int64_t)t->id);
	if (t->pid) {
		jw_kint(w, "pid", t->pid);
	} else {
		jw_knull(w, "pid");
	}
	jw_kbool(w, "ok", t->ok);
	jw_kstr(w, "state", states_name(t->state));
	jw_kstr(w, "done", t->done);
	jw_kstr(w, "reason", t->reason);
	jw_key(w, "lines");
	jw_arr(w);
	for (const char *s = t->lines; s && *s;) {
		size_t len = strcspn(s, "\n");
		jw_strn(w, s, len);
		s += len + (s[len] == '\n');
	}
	jw_end(w);
	jw_end(w);
}

void opreply_answer(struct op *op)
{
	struct conn *c = server_find(&op->ops->daemon->server, op->conn_serial);
	struct buf out = {0};
	struct jw w;
	bool ok = true;
	if (!c) {
		return;
	}
	for (size_t i = 0; i < op->ntargets; i++) {
		ok &= op->target[i].ok || !op->target[i].over;
	}
	rpc_write_result_begin(&out, op->rpc_id);
	jw_init(&w, &out);
	jw_obj(&w);
	jw_kint(&w, "op", (int64_t)op->id);
	jw_kbool(&w, "ok", ok);
	jw_key(&w, "results");
	jw_arr(&w);
	for (size_t i = 0; op->wait && i < op->ntargets; i++) {
		write_target(&w, &op->target[i]);
	}
	jw_end(&w);
	jw_end(&w);
	rpc_write_result_end(&out);
	c->busy--;
	conn_send(c, out.data, out.len);
	buf_finish(&out);
	op->conn_serial = 0;
}

void opreply_progress(struct op *op, const struct target *t, const char *phase, const char *text)
{
	struct conn *c = server_find(&op->ops->daemon->server, op->conn_serial);
	struct buf out = {0};
	struct jw w;
	char stamp[CLOCK_RFC3339];
	if (!c || !op->wait) {
		return;
	}
	clock_format_utc(clock_real_ms(), stamp);
	rpc_write_notification_begin(&out, "progress");
	jw_init(&w, &out);
	jw_obj(&w);
	jw_kint(&w, "op", (int64_t)op->id);
	jw_kstr(&w, "t", stamp);
	jw_kstr(&w, "app", t->app);
	jw_kint(&w, "slot", t->slot);
	jw_kint(&w, "id", (int64_t)t->id);
	jw_kint(&w, "pid", t->pid);
	jw_kstr(&w, "phase", phase);
	jw_kstr(&w, "text", text);
	jw_end(&w);
	rpc_write_notification_end(&out);
	conn_send(c, out.data, out.len);
	buf_finish(&out);
}
