/* SPDX-License-Identifier: MIT */
#include "client/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "common/mem.h"

void progress_init(struct progress *p, const char *verb, int64_t now_mono_ms)
{
	*p = (struct progress){.verb = verb, .began_mono_ms = now_mono_ms};
}

void progress_finish(struct progress *p)
{
	free(p->row);
	free(p->app);
	*p = (struct progress){0};
}

static struct progress_row *add_row(struct progress *p, const char *app, int slot)
{
	if ((p->nrows & (p->nrows - 1)) == 0) {
		p->row = xreallocarray(p->row, p->nrows ? p->nrows * 2 : 1, sizeof(*p->row));
	}
	struct progress_row *r = &p->row[p->nrows++];
	*r = (struct progress_row){.slot = slot, .ready_ms = -1, .ended_ms = -1};
	snprintf(r->app, sizeof(r->app), "%s", app);
	return r;
}

static struct progress_row *find_row(struct progress *p, const char *app, int slot)
{
	for (size_t i = 0; i < p->nrows; i++) {
		if (p->row[i].slot == slot && strcmp(p->row[i].app, app) == 0) {
			return &p->row[i];
		}
	}
	return add_row(p, app, slot);
}

const struct progress_app *progress_app(const struct progress *p, const char *name)
{
	for (size_t i = 0; i < p->napps; i++) {
		if (strcmp(p->app[i].name, name) == 0) {
			return &p->app[i];
		}
	}
	return NULL;
}

static void take_counts(struct progress *p, const json_t *o)
{
	const char *name = member_text(o, "app", "");
	for (size_t i = 0; i < p->napps; i++) {
		if (strcmp(p->app[i].name, name) == 0) {
			p->app[i].serving = (int)member_int(o, "serving", p->app[i].serving);
			p->app[i].total = (int)member_int(o, "total", p->app[i].total);
			return;
		}
	}
}

static void take_begin(struct progress *p, const json_t *params)
{
	const json_t *apps = json_object_get(params, "apps");
	const json_t *targets = json_object_get(params, "targets");
	const json_t *o;
	size_t i;
	free(p->app);
	p->app = xcalloc(json_array_size(apps) + 1, sizeof(*p->app));
	p->napps = json_array_size(apps);
	json_array_foreach(apps, i, o)
	{
		struct progress_app *a = &p->app[i];
		snprintf(a->name, sizeof(a->name), "%s", member_text(o, "app", "?"));
		snprintf(a->ready, sizeof(a->ready), "%s", member_text(o, "ready", ""));
		a->parallel = (int)member_int(o, "parallel", 1);
		a->ready_timeout_ms = member_int(o, "ready_timeout_ms", -1);
		take_counts(p, o);
	}
	json_array_foreach(targets, i, o)
	{
		/* There already: another supervisor goes on with it. */
		struct progress_row *r =
			find_row(p, member_text(o, "app", "?"), (int)member_int(o, "slot", 0));
		r->old_pid = (int)member_int(o, "pid", 0);
	}
}

/* The end of a row. */
static void take_over(struct progress_row *r, const char *phase, const json_t *params)
{
	int64_t ms = member_int(params, "ms", -1);
	r->killed = json_is_true(json_object_get(params, "killed"));
	r->kept = json_is_true(json_object_get(params, "kept"));
	r->drained = strcmp(phase, "drained") == 0;
	snprintf(r->text, sizeof(r->text), "%s", member_text(params, "text", ""));
	if (strcmp(phase, "failed") == 0) {
		r->step = ROW_FAILED;
	} else if (strcmp(phase, "left") == 0) {
		r->step = ROW_LEFT;
	} else {
		r->step = ROW_DONE;
		if (strcmp(phase, "ready") == 0) {
			r->ready_ms = ms;
		} else {
			r->ended_ms = ms;
		}
	}
}

static enum row_step step_of(const char *phase, enum row_step now)
{
	static const struct {
		const char *phase;
		enum row_step step;
	} steps[] = {{"stopping", ROW_STOPPING},
		     {"starting", ROW_STARTING},
		     {"ready", ROW_TRIAL},
		     {"draining", ROW_DRAINING}};
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		if (strcmp(steps[i].phase, phase) == 0) {
			return steps[i].step;
		}
	}
	return now; /* a word we do not know */
}

static void take_row(struct progress *p, const char *phase, const json_t *params, int64_t now)
{
	struct progress_row *r =
		find_row(p, member_text(params, "app", "?"), (int)member_int(params, "slot", 0));
	int pid = (int)member_int(params, "pid", 0);
	r->old_pid = (int)member_int(params, "old_pid", 0);
	r->new_pid = pid && pid != r->old_pid ? pid : r->new_pid;
	if (json_is_true(json_object_get(params, "over")) || strcmp(phase, "failed") == 0) {
		take_over(r, phase, params);
		return;
	}
	enum row_step step = step_of(phase, r->step);
	if (strcmp(phase, "waiting") == 0 || strcmp(phase, "waits") == 0) {
		snprintf(r->text, sizeof(r->text), "%s", member_text(params, "text", ""));
	}
	if (step == ROW_TRIAL) {
		r->ready_ms = member_int(params, "ms", -1);
	}
	if (step != r->step) {
		r->step = step;
		r->since_mono_ms = now;
		r->text[0] = '\0'; /* of the step before */
	}
}

bool progress_is_news(const struct progress *p, const json_t *params)
{
	const char *app = member_text(params, "app", "");
	const char *phase = member_text(params, "phase", "");
	int64_t slot = member_int(params, "slot", -1);
	const struct progress_app *a = progress_app(p, app);
	if (slot < 0) {
		return !a || a->serving != member_int(params, "serving", -1);
	}
	for (size_t i = 0; i < p->nrows; i++) {
		const struct progress_row *r = &p->row[i];
		if (r->slot != slot || strcmp(r->app, app) != 0) {
			continue;
		}
		bool over = json_is_true(json_object_get(params, "over"));
		bool same = r->new_pid && r->new_pid == member_int(params, "pid", 0);
		return r->step < ROW_DONE && (over || !same || step_of(phase, ROW_DONE) > r->step);
	}
	return true;
}

void progress_take(struct progress *p, const json_t *params, int64_t now_mono_ms)
{
	const char *phase = member_text(params, "phase", "");
	p->op = member_int(params, "op", p->op);
	if (strcmp(phase, "begin") == 0) {
		take_begin(p, params);
		return;
	}
	take_counts(p, params);
	if (json_object_get(params, "slot")) {
		take_row(p, phase, params, now_mono_ms);
	}
}

bool progress_is_moving(const struct progress_row *r)
{
	return r->step > ROW_WAITS && r->step < ROW_DONE;
}

size_t progress_done(const struct progress *p)
{
	size_t n = 0;
	for (size_t i = 0; i < p->nrows; i++) {
		n += p->row[i].step == ROW_DONE;
	}
	return n;
}
