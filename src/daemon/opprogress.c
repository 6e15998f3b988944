/* SPDX-License-Identifier: MIT */
/*
 * opprogress - what a client that waits hears of an operation on its way.
 *
 * It is found out by looking: after each turn in which an instance changed, what is there is
 * compared with what the client was told. So ops.c and rollout.c need not know of it, and what
 * comes and goes within one turn is told in order all the same.
 */
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/crc32c.h"
#include "common/mem.h"
#include "common/units.h"
#include "daemon/daemon.h"
#include "daemon/ops_priv.h"
#include "proto/jw.h"
#include "proto/rpc.h"

enum { TOLD_BEGUN = 1, TOLD_STARTING = 2, TOLD_READY = 4, TOLD_ENDING = 8, TOLD_OVER = 16 };

/* One notification. */
struct news {
	const char *phase, *text;
	int64_t ms; /* how long it took; -1 = not known */
	pid_t pid;  /* 0 = none */
	bool kept, killed;
};

static struct conn *listener(const struct op *op)
{
	return op->wait ? server_find(&op->ops->daemon->server, op->conn_serial) : NULL;
}

static int count_serving(const struct app *app)
{
	int n = 0;
	for (int i = 0; app && i < app->count; i++) {
		n += app->slots[i]->state == ST_ONLINE;
	}
	return n;
}

static struct op_app *find_app(const struct op *op, const char *name)
{
	for (size_t i = 0; i < op->napps; i++) {
		if (strcmp(op->app[i].name, name) == 0) {
			return &op->app[i];
		}
	}
	return NULL;
}

static void kpid(struct jw *w, const char *key, pid_t pid)
{
	if (pid) {
		jw_kint(w, key, pid);
	} else {
		jw_knull(w, key);
	}
}

static void begin(struct op *op, struct jw *w, struct buf *out, const char *phase)
{
	char stamp[CLOCK_RFC3339];
	clock_format_utc(clock_real_ms(), stamp);
	rpc_write_notification_begin(out, "progress");
	jw_init(w, out);
	jw_obj(w);
	jw_kint(w, "op", (int64_t)op->id);
	jw_kstr(w, "t", stamp);
	jw_kstr(w, "phase", phase);
}

static void send(struct conn *c, struct jw *w, struct buf *out)
{
	jw_end(w);
	rpc_write_notification_end(out);
	conn_send(c, out->data, out->len);
	buf_finish(out);
}

static void write_serving(struct jw *w, struct op_app *a)
{
	jw_kint(w, "serving", a->serving);
	jw_kint(w, "total", a->total);
	a->told_serving = a->serving;
}

static void tell(struct op *op, struct conn *c, const struct target *t, const struct news *n)
{
	struct op_app *a = find_app(op, t->app);
	struct buf out = {0};
	struct jw w;
	begin(op, &w, &out, n->phase);
	jw_kstr(&w, "app", t->app);
	jw_kint(&w, "slot", t->slot);
	jw_kint(&w, "id", (int64_t)t->id);
	kpid(&w, "pid", n->pid);
	kpid(&w, "old_pid", t->old_pid);
	if (n->ms >= 0) {
		jw_kint(&w, "ms", n->ms);
	} else {
		jw_knull(&w, "ms");
	}
	jw_kbool(&w, "over", (t->told & TOLD_OVER) != 0);
	jw_kbool(&w, "ok", !(t->told & TOLD_OVER) || t->ok);
	jw_kbool(&w, "kept", n->kept);
	jw_kbool(&w, "killed", n->killed);
	if (a) {
		write_serving(&w, a);
	}
	jw_kstr(&w, "text", n->text);
	send(c, &w, &out);
}

/* --- the beginning --- */

/* What an instance has to do to count as ready, in a few words. */
static void describe_ready(const struct app *app, char *out, size_t cap)
{
	const struct setting *set = def_find(app->def, "ready");
	if (app->conf.ready.kind != PROBE_AUTO) {
		snprintf(out, cap, "%s", set ? set->value : "spawn");
	} else if (app->cluster) {
		snprintf(out, cap, "listening");
	} else {
		char age[24];
		units_format_duration(app->conf.min_uptime_ms, age, sizeof(age));
		snprintf(out, cap, "alive for %s", age);
	}
}

static void write_app(struct jw *w, const struct app *app, struct op_app *a)
{
	char ready[200];
	describe_ready(app, ready, sizeof(ready));
	jw_obj(w);
	jw_kstr(w, "app", a->name);
	write_serving(w, a);
	jw_kint(w, "parallel", app->conf.reload_parallel);
	jw_kstr(w, "ready", ready);
	if (app->conf.ready.kind == PROBE_AUTO && !app->cluster) {
		jw_knull(w, "ready_timeout_ms"); /* it is ready by living */
	} else {
		jw_kint(w, "ready_timeout_ms", app->conf.ready_timeout_ms);
	}
	jw_end(w);
}

static void add_app(struct op *op, const struct target *t)
{
	struct op_app *last = op->napps ? &op->app[op->napps - 1] : NULL;
	struct op_app *a = last && strcmp(last->name, t->app) == 0 ? last : find_app(op, t->app);
	const struct app *app = a ? NULL : apps_find(op->ops->daemon, t->app);
	if (a) {
		a->left++;
	}
	if (!app) {
		return;
	}
	if ((op->napps & (op->napps - 1)) == 0) {
		op->app = xreallocarray(op->app, op->napps ? op->napps * 2 : 1, sizeof(*op->app));
	}
	a = &op->app[op->napps++];
	*a = (struct op_app){.total = app->count, .serving = count_serving(app), .left = 1};
	a->least = a->serving;
	snprintf(a->name, sizeof(a->name), "%s", t->app);
}

static void write_targets(struct jw *w, const struct op *op)
{
	jw_key(w, "targets");
	jw_arr(w);
	for (size_t i = 0; i < op->ntargets; i++) {
		const struct target *t = &op->target[i];
		jw_obj(w);
		jw_kstr(w, "app", t->app);
		jw_kint(w, "slot", t->slot);
		kpid(w, "pid", t->old_pid);
		jw_end(w);
	}
	jw_end(w);
}

void opprogress_note_begin(struct op *op)
{
	op->began_mono_ms = clock_mono_ms();
	for (size_t i = 0; i < op->ntargets; i++) {
		op->target[i].old_pid = op->target[i].pid;
	}
}

void opprogress_begin(struct op *op)
{
	struct conn *c = listener(op);
	struct buf out = {0};
	struct jw w;
	op->napps = 0; /* may be another one that listens than before */
	for (size_t i = 0; i < op->ntargets; i++) {
		op->target[i].told = 0;
	}
	if (!c || op->kind == OP_WAIT_READY || op->kind == OP_WAIT_STOPPED) {
		return;
	}
	begin(op, &w, &out, "begin");
	for (size_t i = 0; i < op->ntargets; i++) {
		add_app(op, &op->target[i]);
	}
	jw_key(&w, "apps");
	jw_arr(&w);
	for (size_t i = 0; i < op->napps; i++) {
		write_app(&w, apps_find(op->ops->daemon, op->app[i].name), &op->app[i]);
	}
	jw_end(&w);
	write_targets(&w, op);
	send(c, &w, &out);
}

/* --- on its way --- */

static const char *age_text(int64_t ms, char out[24])
{
	units_format_age(ms, out, 24);
	return out;
}

static void tell_started(struct op *op, struct conn *c, struct target *t, const struct inst *young)
{
	char text[80];
	if (t->told & TOLD_STARTING || !young->pid) {
		return;
	}
	t->told |= TOLD_STARTING;
	t->new_pid = young->pid;
	if (t->rolling) {
		snprintf(text, sizeof(text), "new %d started beside %d", (int)young->pid,
			 (int)t->old_pid);
	} else {
		snprintf(text, sizeof(text), "%s %d started", t->old_pid ? "new" : "pid",
			 (int)young->pid);
	}
	tell(op, c, t,
	     &(struct news){.phase = "starting", .text = text, .pid = young->pid, .ms = -1});
}

static void tell_ready(struct op *op, struct conn *c, struct target *t, const struct inst *young)
{
	char text[80], age[24];
	int64_t ms = inst_uptime_ms(young);
	if (t->told & TOLD_READY) {
		return;
	}
	t->told |= TOLD_READY;
	pid_t pid = young->pid ? young->pid : t->new_pid; /* it may be over already */
	snprintf(text, sizeof(text), "%s %d ready after %s", t->old_pid ? "new" : "pid", (int)pid,
		 age_text(ms, age));
	tell(op, c, t, &(struct news){.phase = "ready", .text = text, .pid = pid, .ms = ms});
}

static void tell_ending(struct op *op, struct conn *c, struct target *t, const char *phase)
{
	char text[80];
	if (t->told & TOLD_ENDING) {
		return;
	}
	t->told |= TOLD_ENDING;
	t->ending_mono_ms = clock_mono_ms();
	snprintf(text, sizeof(text), "%s %d is asked to end", t->rolling ? "old" : "pid",
		 (int)t->old_pid);
	pid_t pid = t->new_pid ? t->new_pid : t->old_pid;
	tell(op, c, t, &(struct news){.phase = phase, .text = text, .pid = pid, .ms = -1});
}

/* What it is waiting for: its turn (after =), its probe, or in its own words (STATUS=). */
static void tell_note(struct op *op, struct conn *c, struct target *t, const struct inst *young)
{
	const char *note = young->ask_failed[0] ? young->ask_failed
			   : young->note_is_old ? ""
						: young->note;
	uint32_t sum = note[0] ? crc32c(note, strlen(note)) : 0;
	if ((young->state != ST_STARTING && !young->held) || sum == t->told_note) {
		return;
	}
	t->told_note = sum;
	tell(op, c, t,
	     &(struct news){.phase = young->held ? "waits" : "waiting",
			    .text = note,
			    .pid = young->pid,
			    .ms = -1});
}

/* The successor is beside the old one, or in the slot already. */
static void look_rolling(struct op *op, struct conn *c, struct target *t, const struct inst *in)
{
	const struct inst *young = in->twin ? in->twin : in->run != t->run ? in : NULL;
	if (!young) {
		return;
	}
	tell_started(op, c, t, young);
	tell_note(op, c, t, young);
	if (young->state == ST_ONLINE) {
		tell_ready(op, c, t, young);
	}
	if (young == in) {
		tell_ending(op, c, t, "draining");
	}
}

static void look_plain(struct op *op, struct conn *c, struct target *t, const struct inst *in)
{
	if (in->state == ST_STOPPING && in->pid && in->pid == t->old_pid) {
		tell_ending(op, c, t, "stopping");
	}
	if (in->held) {
		tell_note(op, c, t, in);
	} else if (in->run != t->run && in->state == ST_STARTING) {
		tell_started(op, c, t, in);
		tell_note(op, c, t, in);
	}
}

/* --- the end --- */

static const struct inst *find_retired(const struct app *app, int slot)
{
	struct inst *in, *next;
	list_for_each(in, next, &app->others, other_node)
	{
		if (in->slot == slot && in->role == ROLE_RETIRED && !states_is_live(in->state)) {
			return in;
		}
	}
	return NULL;
}

static void tell_replaced(struct op *op, struct conn *c, struct target *t, const struct app *app)
{
	char text[80], age[24];
	const struct inst *old = app ? find_retired(app, t->slot) : NULL;
	struct news n = {.text = text, .pid = t->pid, .ms = -1};
	if (t->ending_mono_ms) {
		n.ms = clock_mono_ms() - t->ending_mono_ms;
	}
	n.killed = old && old->killed;
	bool drained = app && app->cluster && !n.killed;
	n.phase = drained ? "drained" : "stopped";
	snprintf(text, sizeof(text), "old %d %s %s", (int)t->old_pid,
		 n.killed  ? "had to be killed after"
		 : drained ? "drained in"
			   : "ended after",
		 age_text(n.ms > 0 ? n.ms : 0, age));
	tell(op, c, t, &n);
}

static void tell_over(struct op *op, struct conn *c, struct target *t, const struct app *app,
		      const struct inst *in)
{
	pid_t pid = t->new_pid ? t->new_pid : t->pid;
	t->told |= TOLD_OVER;
	if (!t->ok) {
		tell(op, c, t,
		     &(struct news){.phase = "failed",
				    .text = t->reason ? t->reason : t->done,
				    .pid = pid,
				    .kept = strcmp(t->done, "kept") == 0,
				    .ms = -1});
	} else if (target_is_left(t)) {
		tell(op, c, t,
		     &(struct news){.phase = "left", .text = t->done, .pid = t->old_pid, .ms = -1});
	} else if (t->rolling) {
		tell_replaced(op, c, t, app);
	} else if (t->state == ST_ONLINE && in && in->run != t->run) {
		tell_ready(op, c, t, in);
	} else {
		int64_t ms = t->ending_mono_ms ? clock_mono_ms() - t->ending_mono_ms : -1;
		tell(op, c, t,
		     &(struct news){.phase = t->state == ST_ONLINE ? "ready" : "stopped",
				    .text = t->done,
				    .pid = t->pid,
				    .ms = ms});
	}
}

/* Meanwhile another operation may have replaced what ran when this one was asked for. */
static void begin_target(struct target *t, const struct inst *in)
{
	if (!(t->told & TOLD_BEGUN) && in && in->pid && (in->twin || in->state == ST_STOPPING)) {
		t->old_pid = in->pid;
	}
	t->told |= TOLD_BEGUN;
}

static void look_target(struct op *op, struct conn *c, struct target *t, const struct app *app)
{
	const struct inst *in = app && t->slot < app->nslots ? app->slots[t->slot] : NULL;
	if (in && in->id != t->id) {
		in = NULL;
	}
	begin_target(t, in);
	if (in && t->rolling && (t->ok || !t->over)) {
		look_rolling(op, c, t, in);
	} else if (in && !t->rolling) {
		look_plain(op, c, t, in);
	}
	if (t->over) {
		struct op_app *a = find_app(op, t->app);
		tell_over(op, c, t, app, in);
		if (a && --a->left == 0) {
			a->over_mono_ms = clock_mono_ms();
		}
	}
}

static void look_app(struct op *op, struct conn *c, struct op_app *a)
{
	struct buf out = {0};
	struct jw w;
	char text[60];
	if (a->serving == a->told_serving) {
		return;
	}
	snprintf(text, sizeof(text), "serving %d of %d", a->serving, a->total);
	begin(op, &w, &out, "serving");
	jw_kstr(&w, "app", a->name);
	write_serving(&w, a);
	jw_kstr(&w, "text", text);
	send(c, &w, &out);
}

static void count_app(const struct op *op, struct op_app *a)
{
	const struct app *app = apps_find(op->ops->daemon, a->name);
	a->serving = count_serving(app);
	a->total = app ? app->count : a->total;
	a->least = a->serving < a->least ? a->serving : a->least;
}

void opprogress_look(struct op *op)
{
	struct conn *c = listener(op);
	const struct app *app = NULL;
	if (!c) {
		return;
	}
	for (size_t i = 0; i < op->napps; i++) {
		if (op->app[i].left) {
			count_app(op, &op->app[i]);
		}
	}
	for (size_t i = 0; i < op->ntargets; i++) {
		struct target *t = &op->target[i];
		if (!t->begun || t->told & TOLD_OVER) {
			continue;
		}
		if (!app || strcmp(app->conf.name, t->app) != 0) {
			app = apps_find(op->ops->daemon, t->app);
		}
		look_target(op, c, t, app);
	}
	for (size_t i = 0; i < op->napps; i++) {
		look_app(op, c, &op->app[i]);
	}
}
