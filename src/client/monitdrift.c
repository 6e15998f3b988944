/* SPDX-License-Identifier: MIT */
#include "client/monitdrift.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "client/defbatch.h"
#include "client/deploy.h"
#include "client/monitdata.h"
#include "common/mem.h"

#define PERIOD_MS 900 /* a little less than that of samples */
#define UNKNOWN	  "cannot be compared: pmctl plan"
#define NAMES	  3 /* of apps, in a notice */

static void forget_lists(struct monitdrift *d)
{
	for (size_t i = 0; i < d->n; i++) {
		json_decref(d->v[i].plan);
	}
	free(d->v);
	json_decref(d->lists);
	d->v = NULL;
	d->lists = NULL;
	d->n = d->at = 0;
}

void monitdrift_init(struct monitdrift *d, struct monitlink *l, struct ui *ui)
{
	*d = (struct monitdrift){.link = l, .ui = ui};
}

void monitdrift_finish(struct monitdrift *d)
{
	forget_lists(d);
}

/* --- telling --- */

struct told {
	const char *action, *word;
};

/* "web, worker changed" */
static void add_names(const json_t *plan, const struct told *t, struct buf *out)
{
	size_t i, n = 0, from = out->len;
	const json_t *item;
	json_array_foreach(json_object_get(plan, "apps"), i, item)
	{
		if (strcmp(member_text(item, "action", ""), t->action) == 0 && n++ < NAMES) {
			buf_addf(out, "%s%s",
				 n > 1	? ", "
				 : from ? "; "
					: "",
				 member_text(item, "app", "?"));
		}
	}
	if (n > NAMES) {
		buf_addf(out, " and %zu more", n - NAMES);
	}
	if (n > 0) {
		buf_addf(out, " %s", t->word);
	}
}

static void add_notice(struct monitdrift *d, const struct monitdrift_list *l)
{
	static const struct told told[] = {
		{"change", "changed"}, {"add", "new"}, {"left", "not in it any more"}};
	struct buf what = {0};
	const char *file = member_text(l->list, "file", "?");
	for (size_t i = 0; i < ARRAY_LEN(told) && !l->trouble[0]; i++) {
		add_names(l->plan, &told[i], &what);
	}
	struct ui_notice *n =
		l->trouble[0] || what.len ? model_notice(&d->ui->model, NOTICE_DRIFT, file) : NULL;
	if (n) {
		const char *from = monitdata_end_of(file);
		snprintf(n->brief, sizeof(n->brief), "%.80s %.60s", from,
			 l->trouble[0] ? l->trouble : "is not what runs");
		snprintf(n->text, sizeof(n->text),
			 l->trouble[0] ? "%.120s %.150s" : "%.120s: %.150s", from,
			 l->trouble[0] ? l->trouble : what.data);
		snprintf(n->fix, sizeof(n->fix), "pmctl plan -c %.250s", file);
	}
	buf_finish(&what);
}

static void mark_apps(struct model *m, const json_t *plan)
{
	size_t i;
	const json_t *item;
	json_array_foreach(json_object_get(plan, "apps"), i, item)
	{
		struct ui_app *a = model_find(m, member_text(item, "app", ""));
		struct buf text = {0};
		drift_text(item, &text);
		if (a && text.len) {
			snprintf(a->drift, sizeof(a->drift), "%s", text.data);
		}
		buf_finish(&text);
	}
}

static void tell(struct monitdrift *d)
{
	struct model *m = &d->ui->model;
	model_notices_clear(m, NOTICE_DRIFT);
	for (int i = 0; i < m->napps; i++) {
		m->app[i]->drift[0] = '\0';
	}
	for (size_t i = 0; i < d->n; i++) {
		add_notice(d, &d->v[i]);
		mark_apps(m, d->v[i].plan);
	}
}

/* --- asking --- */

static void say(struct monitdrift_list *l, const char *trouble)
{
	snprintf(l->trouble, sizeof(l->trouble), "%s", trouble);
}

static void go_on(struct monitdrift *d);

static void on_plan(void *ctx, const json_t *result)
{
	struct monitdrift *d = ctx;
	d->asking = false;
	if (!d->link->c->conn.open) {
		return; /* the daemon went away; its lists are asked for once it is back */
	}
	struct monitdrift_list *l = &d->v[d->at++];
	l->plan = json_incref((json_t *)(uintptr_t)result);
	say(l, result ? "" : UNKNOWN);
	go_on(d);
}

struct question {
	struct monitdrift *d;
	const struct deploy *deploy;
};

static bool ask_plan(void *ctx, json_t *batch, bool last, struct err *err)
{
	struct question *q = ctx;
	(void)last;
	(void)err;
	q->d->asking = monitlink_ask(q->d->link, "plan", deploy_params(q->deploy, batch, 0),
				     on_plan, q->d);
	return q->d->asking;
}

/* True if an answer has to come first. A list that is more than a request is not compared: that
 * would hold up the keys. */
static bool look_at(struct monitdrift *d, struct monitdrift_list *l)
{
	struct deploy deploy;
	struct question q = {.d = d, .deploy = &deploy};
	struct err err;
	uint64_t stamp = drift_stamp(l->list);
	if (stamp == l->stamp) {
		return false;
	}
	l->stamp = stamp;
	json_decref(l->plan);
	l->plan = NULL;
	say(l, "");
	if (!drift_is_younger(l->list)) {
		return false;
	}
	if (drift_read(l->list, &deploy, l->trouble) &&
	    (!defbatch_is_one(deploy.f.apps, deploy.f.napps) ||
	     !defbatch_each(deploy.f.apps, deploy.f.napps, ask_plan, &q, &err))) {
		say(l, UNKNOWN);
	}
	deploy_finish(&deploy);
	return d->asking;
}

/* The lists that are left of this round. */
static void go_on(struct monitdrift *d)
{
	while (d->at < d->n && !look_at(d, &d->v[d->at])) {
		d->at++;
	}
	if (d->at == d->n) {
		tell(d);
	}
}

static void on_lists(void *ctx, const json_t *result)
{
	struct monitdrift *d = ctx;
	size_t i;
	const json_t *list;
	d->asking = false;
	forget_lists(d);
	d->lists = result ? json_deep_copy(result) : json_null(); /* an older daemon has none */
	const json_t *all = json_object_get(d->lists, "lists");
	d->v = xcalloc(json_array_size(all) + 1, sizeof(*d->v));
	json_array_foreach(all, i, list)
	{
		d->v[d->n++].list = list;
	}
	go_on(d);
}

static bool any_is_new(const struct monitdrift *d)
{
	for (size_t i = 0; i < d->n; i++) {
		if (drift_stamp(d->v[i].list) != d->v[i].stamp) {
			return true;
		}
	}
	return false;
}

bool monitdrift_look(struct monitdrift *d, int64_t now_mono)
{
	if (now_mono < d->next_mono || d->asking || d->ui->model.link != UI_LINK_UP) {
		return false;
	}
	d->next_mono = now_mono + PERIOD_MS;
	if (!d->lists || d->turn != d->link->lists_turn) {
		d->turn = d->link->lists_turn;
		d->asking = monitlink_ask(d->link, "lists", NULL, on_lists, d);
		return false;
	}
	if (!any_is_new(d)) {
		return false;
	}
	d->at = 0;
	go_on(d);
	return true;
}
