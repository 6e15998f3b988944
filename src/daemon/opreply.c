/* SPDX-License-Identifier: MIT */
/* opreply - the answer to an operation: what came of each target. */
#include <string.h>

#include "common/clock.h"
#include "common/units.h"
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
	jw_kbool(w, "reverted", t->reverted);
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
		if (op->resumed) {
			jw_knull(w, "least"); /* not known for all of the time */
		} else {
			jw_kint(w, "least", a->least);
		}
		jw_kint(w, "ms", end - op->began_mono_ms);
		jw_end(w);
	}
	jw_end(w);
}

/* What was done, and will not be known after a reboot as things are. */
static void write_warnings(struct jw *w, const struct store *s)
{
	jw_key(w, "warnings");
	jw_arr(w);
	if (s->dirty) {
		jw_str(w, s->warning);
	}
	jw_end(w);
}

void opreply_write(const struct op *op, struct buf *out)
{
	struct jw w;
	bool ok = true;
	for (size_t i = 0; i < op->ntargets; i++) {
		ok &= op->target[i].ok || !op->target[i].over;
	}
	jw_init(&w, out);
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
	write_warnings(&w, &op->ops->daemon->store);
	jw_end(&w);
}

void opreply_send(struct conn *c, const json_t *rpc_id, const char *result, size_t len)
{
	struct buf out = {0};
	rpc_write_result_begin(&out, rpc_id);
	buf_add(&out, result, len);
	rpc_write_result_end(&out);
	conn_send(c, out.data, out.len);
	buf_finish(&out);
}

void opreply_answer(struct op *op)
{
	struct conn *c = server_find(&op->ops->daemon->server, op->conn_serial);
	struct buf result = {0};
	if (!c) {
		return;
	}
	opreply_write(op, &result);
	opreply_send(c, op->rpc_id, result.data, result.len);
	buf_finish(&result);
	c->busy--;
	op->answered_serial = op->conn_serial;
	op->conn_serial = 0;
}

/* --- the journal --- */

/* "web:1: exited 4 after 0.4s" */
static void add_reason(struct buf *out, const struct target *t)
{
	buf_addf(out, "%s:%d: %.120s", t->app, t->slot, t->reason ? t->reason : t->done);
}

/* One app of it, targets from..end. */
static void tell_app(struct op *op, size_t from, size_t end)
{
	struct daemon *d = op->ops->daemon;
	const struct target *first = NULL;
	size_t fresh = 0, old = 0;
	for (size_t i = from; i < end; i++) {
		const struct target *t = &op->target[i];
		bool is_left = target_is_left(t);
		fresh += t->ok && !is_left;
		old += (is_left || (!t->ok && !t->overruled)) && t->state == ST_ONLINE;
		first = !first && !t->ok ? t : first;
		struct inst *in = t->ok || op->by.pid ? NULL : op_find_inst(op, t);
		if (in && in->state == ST_ONLINE && !t->overruled) {
			char note[200]; /* nobody waits to be told */
			snprintf(note, sizeof(note), "reload failed: %.180s",
				 t->reason ? t->reason : t->done);
			runner_note(in, note);
		}
	}
	if (first) {
		struct buf text = {0};
		add_reason(&text, first);
		events_add(&d->events, first->app, -1, "reload", &op->by,
			   "%s; %zu of %zu %s new, %zu as before", text.data, fresh, end - from,
			   fresh == 1 ? "is" : "are", old);
		buf_finish(&text);
	} else {
		char age[24];
		units_format_age(clock_mono_ms() - op->began_mono_ms, age, sizeof(age));
		events_add(&d->events, op->target[from].app, -1, "reloaded",
			   op->by.pid ? &op->by : NULL, "%zu of %zu new in %s", fresh, end - from,
			   age);
	}
}

void opreply_tell_reload(struct op *op)
{
	for (size_t i = 0, end; i < op->ntargets; i = end) {
		for (end = i + 1;
		     end < op->ntargets && strcmp(op->target[end].app, op->target[i].app) == 0;) {
			end++;
		}
		tell_app(op, i, end);
	}
}
