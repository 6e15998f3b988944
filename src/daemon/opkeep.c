/* SPDX-License-Identifier: MIT */
/*
 * opkeep - operations in the state file, for the next supervisor; and results that were not
 * certainly received, for a client that comes again with its key.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "daemon/daemon.h"
#include "daemon/methods.h"
#include "daemon/ops_priv.h"

struct outcome {
	struct list node; /* ops.outcomes */
	char key[LIMIT_OP_KEY + 1];
	int64_t real_ms;
	uint64_t serial; /* the connection it was sent to; 0 = nobody has asked yet */
	char *text;
	size_t len;
};

static void drop(struct outcome *r)
{
	list_remove(&r->node);
	free(r->text);
	free(r);
}

void opkeep_finish(struct ops *o)
{
	struct outcome *r, *next;
	list_for_each(r, next, &o->outcomes, node)
	{
		drop(r);
	}
}

/* Nobody asks after minutes, and not many ask at once. */
static void trim(struct ops *o)
{
	struct outcome *r, *next;
	size_t n = 0, bytes = 0;
	int64_t oldest = clock_real_ms() - LIMIT_OUTCOME_S * 1000LL;
	list_for_each(r, next, &o->outcomes, node)
	{
		n++;
		bytes += r->len;
	}
	list_for_each(r, next, &o->outcomes, node)
	{
		bool last = r->node.next == &o->outcomes;
		if (r->real_ms < oldest ||
		    (!last && (n > LIMIT_OUTCOMES || bytes > LIMIT_OUTCOMES_ALL))) {
			n--;
			bytes -= r->len;
			drop(r);
		}
	}
}

static void keep(struct ops *o, const char *key, int64_t real_ms, uint64_t serial, char *text)
{
	struct outcome *r = xcalloc(1, sizeof(*r));
	snprintf(r->key, sizeof(r->key), "%s", key);
	r->real_ms = real_ms;
	r->serial = serial;
	r->text = text;
	r->len = strlen(text);
	list_add(&o->outcomes, &r->node);
}

void opkeep_outcome(struct op *op)
{
	struct ops *o = op->ops;
	/* It has its answer, and is gone: nobody will ask. */
	bool taken = op->answered_serial && !server_find(&o->daemon->server, op->answered_serial);
	if (op->key[0] && !taken) {
		struct buf text = {0};
		opreply_write(op, &text);
		keep(o, op->key, clock_real_ms(), op->answered_serial, buf_take(&text));
	}
	trim(o);
}

/* Who closes the connection has read what it wanted, or will never. */
void opkeep_on_conn_gone(struct ops *o, uint64_t serial)
{
	struct outcome *r, *next;
	list_for_each(r, next, &o->outcomes, node)
	{
		if (r->serial == serial) {
			drop(r);
		}
	}
}

/* --- a client that comes again --- */

static struct op *find_op(const struct ops *o, const char *key)
{
	struct op *op, *next;
	list_for_each(op, next, &o->all, node)
	{
		if (strcmp(op->key, key) == 0) {
			return op;
		}
	}
	return NULL;
}

static struct outcome *find_outcome(const struct ops *o, const char *key)
{
	struct outcome *r, *next;
	list_for_each(r, next, &o->outcomes, node)
	{
		if (strcmp(r->key, key) == 0) {
			return r;
		}
	}
	return NULL;
}

static bool attach(struct op *op, struct call *call)
{
	struct conn *c = call->conn;
	if (op->conn_serial && server_find(&op->ops->daemon->server, op->conn_serial)) {
		return err_set(&call->err, ERR_USAGE, "another connection waits for this answer");
	}
	json_decref(op->rpc_id);
	op->rpc_id = json_incref((json_t *)(uintptr_t)call->id);
	op->conn_serial = c->serial;
	op->wait = rpc_param_bool(call->params, "wait", true);
	c->busy++;
	call->later = true;
	if (!op->wait) {
		opreply_answer(op);
	}
	opprogress_begin(op);
	ops_wake(op->ops);
	return true;
}

bool ops_take_up(struct ops *o, struct call *call, const char *key)
{
	struct op *op = find_op(o, key);
	struct outcome *r = find_outcome(o, key);
	if (strlen(key) > LIMIT_OP_KEY || !key[0]) {
		err_set(&call->err, ERR_USAGE, "\"key\" must have 1 to %d bytes", LIMIT_OP_KEY);
	} else if (op) {
		attach(op, call);
	} else if (r) {
		r->serial = call->conn->serial;
		call->later = true;
		opreply_send(call->conn, call->id, r->text, r->len);
	} else if (rpc_param_bool(call->params, "again", false)) {
		err_set(&call->err, ERR_FAILED,
			"pmctld does not know any more how it went: its state was lost");
	} else {
		return false;
	}
	return true;
}

/* --- the state file --- */

static json_t *text_or_null(const char *s)
{
	json_t *v = s ? json_string(s) : NULL;
	return v ? v : json_null(); /* not UTF-8: the words of a program */
}

/* [app, slot, id, pid, run, state], and if it is over also what came of it. In an apply the kind
 * stands beside the slot, and whether it was wanted: [app, [slot, kind, wanted], ...]. */
static json_t *write_target(const struct op *op, const struct target *t)
{
	json_t *a = json_array();
	json_array_append_new(a, json_string(t->app));
	json_array_append_new(
		a, op->kind == OP_APPLY
			   ? json_pack("[isb]", t->slot, op_kind_name(t->kind), (int)t->wanted)
			   : json_integer(t->slot));
	json_array_append_new(a, json_integer((json_int_t)t->id));
	json_array_append_new(a, json_integer(t->old_pid ? t->old_pid : t->pid));
	json_array_append_new(a, json_integer(t->run));
	json_array_append_new(a, json_integer(t->state));
	if (t->over) {
		json_array_append_new(a, json_boolean(t->ok));
		json_array_append_new(a, text_or_null(t->done));
		json_array_append_new(a, text_or_null(t->reason));
		json_array_append_new(a, text_or_null(t->lines));
		json_array_append_new(a, json_integer(t->pid));
		json_array_append_new(a, json_integer(t->new_pid));
		json_array_append_new(a, json_boolean(t->overruled));
		json_array_append_new(a, json_boolean(t->reverted));
	}
	return a;
}

static json_t *write_op(const struct op *op)
{
	json_t *targets = json_array();
	for (size_t i = 0; i < op->ntargets; i++) {
		json_array_append_new(targets, write_target(op, &op->target[i]));
	}
	json_t *o = json_object();
	json_object_set_new(o, "id", json_integer((json_int_t)op->id));
	json_object_set_new(o, "key", text_or_null(op->key));
	json_object_set_new(o, "kind", json_string(op_kind_name(op->kind)));
	json_object_set_new(o, "uid", json_integer(op->by.uid));
	json_object_set_new(o, "pid", json_integer(op->by.pid));
	json_object_set_new(o, "cancelled", json_boolean(op->cancelled));
	json_object_set_new(o, "began_ms", json_integer(op->began_mono_ms));
	json_object_set_new(o, "targets", targets);
	return o;
}

json_t *ops_write(const struct ops *o)
{
	json_t *ops = json_array();
	json_t *outcomes = json_array();
	const struct op *op, *next;
	const struct outcome *r, *after;
	list_for_each(op, next, &o->all, node)
	{
		/* An end that was asked for ends them too. */
		if (op_changes(op) && !o->daemon->stopping) {
			json_array_append_new(ops, write_op(op));
		}
	}
	list_for_each(r, after, &o->outcomes, node)
	{
		json_t *v = json_object();
		json_object_set_new(v, "key", text_or_null(r->key));
		json_object_set_new(v, "ms", json_integer(r->real_ms));
		json_object_set_new(v, "result", text_or_null(r->text));
		json_array_append_new(outcomes, v);
	}
	if (!json_array_size(ops) && !json_array_size(outcomes)) {
		json_decref(ops);
		json_decref(outcomes);
		return NULL;
	}
	json_t *root = json_object();
	json_object_set_new(root, "under_way", ops);
	json_object_set_new(root, "outcomes", outcomes);
	return root;
}

static int64_t int_at(const json_t *a, size_t i)
{
	return json_integer_value(json_array_get(a, i));
}

static char *text_at(const json_t *a, size_t i)
{
	const char *s = json_string_value(json_array_get(a, i));
	return s ? xstrdup(s) : NULL;
}

static bool read_kind(const json_t *name, enum op_kind *kind)
{
	for (*kind = OP_START; json_is_string(name) && *kind < OP_WAIT_READY; ++*kind) {
		if (strcmp(op_kind_name(*kind), json_string_value(name)) == 0) {
			return true;
		}
	}
	return false;
}

static void read_slot(struct target *t, const json_t *v)
{
	enum op_kind kind;
	const json_t *slot = json_is_array(v) ? json_array_get(v, 0) : v;
	if (json_is_array(v) && read_kind(json_array_get(v, 1), &kind)) {
		t->kind = kind;
		t->wanted = json_is_true(json_array_get(v, 2));
	}
	t->slot = (int)json_integer_value(slot);
}

static void read_target(struct op *op, const json_t *a)
{
	const char *app = json_string_value(json_array_get(a, 0));
	int64_t state = int_at(a, 5);
	struct target *t = op_add_target(op);
	snprintf(t->app, sizeof(t->app), "%s", app ? app : "");
	read_slot(t, json_array_get(a, 1));
	t->id = (uint64_t)int_at(a, 2);
	t->pid = t->old_pid = (pid_t)int_at(a, 3);
	t->run = (uint32_t)int_at(a, 4);
	t->state = state >= 0 && state < ST_COUNT ? (enum inst_state)state : ST_STOPPED;
	t->over = t->begun = json_array_size(a) > 6;
	if (t->over) {
		t->ok = json_is_true(json_array_get(a, 6));
		t->done = t->own_done = text_at(a, 7);
		t->reason = text_at(a, 8);
		t->lines = text_at(a, 9);
		t->pid = (pid_t)int_at(a, 10);
		t->new_pid = (pid_t)int_at(a, 11);
		t->overruled = json_is_true(json_array_get(a, 12));
		t->reverted = json_is_true(json_array_get(a, 13));
	}
}

static void read_op(struct ops *o, const json_t *saved)
{
	const char *key = json_string_value(json_object_get(saved, "key"));
	uint64_t id = (uint64_t)json_integer_value(json_object_get(saved, "id"));
	struct asker by = {
		.uid = (uid_t)json_integer_value(json_object_get(saved, "uid")),
		.pid = (pid_t)json_integer_value(json_object_get(saved, "pid")),
	};
	enum op_kind kind;
	size_t i;
	json_t *t;
	if (!read_kind(json_object_get(saved, "kind"), &kind)) {
		return;
	}
	struct op *op = op_make(o, kind, &by);
	op->id = o->last_id = id > op->id ? id : op->id; /* the client may name it: cancel */
	op->resumed = true;
	op->wait = true; /* unless whoever comes for it says otherwise */
	op->cancelled = json_is_true(json_object_get(saved, "cancelled"));
	op->began_mono_ms = json_integer_value(json_object_get(saved, "began_ms"));
	snprintf(op->key, sizeof(op->key), "%s", key ? key : "");
	json_array_foreach(json_object_get(saved, "targets"), i, t)
	{
		read_target(op, t);
	}
}

void ops_read(struct ops *o, const json_t *saved)
{
	size_t i;
	json_t *v;
	json_array_foreach(json_object_get(saved, "under_way"), i, v)
	{
		read_op(o, v);
	}
	json_array_foreach(json_object_get(saved, "outcomes"), i, v)
	{
		const char *key = json_string_value(json_object_get(v, "key"));
		const char *text = json_string_value(json_object_get(v, "result"));
		if (key && text) {
			keep(o, key, json_integer_value(json_object_get(v, "ms")), 0,
			     xstrdup(text));
		}
	}
	trim(o);
}
