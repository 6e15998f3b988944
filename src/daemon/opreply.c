/* SPDX-License-Identifier: MIT */
/* opreply - the answer to an operation: what came of each target. */
#include <string.h>

#include "common/clock.h"
#include "daemon/daemon.h"
#include "daemon/ops_priv.h"
#include "proto/jw.h"
#include "proto/rpc.h"

static void kpid(struct jw *w, const char *key, pid_t pid)
{
	if (pid) {
		jw_kint(w, key, pid);
	} else {
		jw_knull(w, key);
	}
}

static void write_target(struct jw *w, const struct target *t)
{
	jw_obj(w);
	jw_kstr(w, "app", t->app);
	jw_kint(w, "slot", t->slot);
	jw_kint(w, "id", (int64_t)t->id);
	kpid(w, "pid", t->pid);
	kpid(w, "old_pid", t->old_pid);
	kpid(w, "new_pid", t->new_pid);
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

static void write_apps(struct jw *w, const struct op *op)
{
	jw_key(w, "apps");
	jw_arr(w);
	for (size_t i = 0; i < op->napps; i++) {
		const struct op_app *a = &op->app[i];
		int64_t end = a->over_mono_ms ? a->over_mono_ms : clock_mono_ms();
		jw_obj(w);
		jw_kstr(w, "app", a->name);
		jw_kint(w, "total", a->total);
		jw_kint(w, "serving", a->serving);
		jw_kint(w, "least", a->least);
		jw_kint(w, "ms", end - op->began_mono_ms);
		jw_end(w);
	}
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
	jw_kbool(&w, "cancelled", op->cancelled);
	write_apps(&w, op);
	jw_end(&w);
	rpc_write_result_end(&out);
	c->busy--;
	conn_send(c, out.data, out.len);
	buf_finish(&out);
	op->conn_serial = 0;
}
