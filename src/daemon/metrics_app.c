/* SPDX-License-Identifier: MIT */
/* metrics_app - what is told of each app. */
#include <string.h>

#include "daemon/daemon.h"
#include "daemon/metrics.h"
#include "daemon/runner.h"

static int64_t count_if(const struct app *app, bool (*is)(const struct inst *in))
{
	int64_t n = 0;
	for (int i = 0; i < app->count; i++) {
		n += is(app->slots[i]);
	}
	return n;
}

static bool is_wanted(const struct inst *in)
{
	return in->wanted;
}

static bool is_online(const struct inst *in)
{
	return in->state == ST_ONLINE;
}

int64_t metric_app_instances(const struct app *app)
{
	return app->count;
}

int64_t metric_app_wanted(const struct app *app)
{
	return count_if(app, is_wanted);
}

int64_t metric_app_online(const struct app *app)
{
	return count_if(app, is_online);
}

int64_t metric_app_starts(const struct app *app)
{
	return app->tally ? (int64_t)app->tally->starts : 0;
}

int64_t metric_app_memory_max(const struct app *app)
{
	return app->conf.memory_max > 0 ? app->conf.memory_max : METRIC_NONE;
}

void metric_app_info(struct om *w, const struct app *app)
{
	om_sample(w, NULL);
	metrics_app_labels(w, app);
	om_label(w, "mode", app->conf.mode == MODE_CLUSTER ? "cluster" : "fork");
	om_label(w, "file", app->def->file);
	om_value(w, 1, 0);
}

static const char *state_of(const struct app *app)
{
	enum inst_state state[LIMIT_INSTANCES_APP];
	bool wanted[LIMIT_INSTANCES_APP];
	for (int i = 0; i < app->count; i++) {
		state[i] = app->slots[i]->state;
		wanted[i] = app->slots[i]->wanted;
	}
	return states_of_app(state, wanted, app->count);
}

void metric_app_state(struct om *w, const struct app *app)
{
	const char *is = state_of(app);
	for (int i = 0; i <= ST_COUNT; i++) {
		const char *name = i < ST_COUNT ? states_name((enum inst_state)i) : "degraded";
		om_sample(w, NULL);
		metrics_app_labels(w, app);
		om_label(w, "pmctl_app_state", name);
		om_value(w, strcmp(name, is) == 0, 0);
	}
}

/* One sample of a family that has several an app. */
static void counter(struct om *w, const struct app *app, const char *label, const char *value,
		    uint64_t n)
{
	om_sample(w, NULL);
	metrics_app_labels(w, app);
	om_label(w, label, value);
	om_value(w, (int64_t)n, 0);
}

/* All of them from the beginning, also those that are 0: else the first one would be no increase.
 */
static const struct tally_app *tally(const struct app *app)
{
	static const struct tally_app none = {0};
	return app->tally ? app->tally : &none;
}

void metric_app_ends(struct om *w, const struct app *app)
{
	for (int i = 0; i < TALLY_CAUSES; i++) {
		counter(w, app, "cause", tally_cause_name((enum tally_cause)i),
			tally(app)->ends[i]);
	}
}

void metric_app_reloads(struct om *w, const struct app *app)
{
	counter(w, app, "result", "done", tally(app)->reloaded);
	counter(w, app, "result", "failed", tally(app)->not_reloaded);
}

void metric_app_log_bytes(struct om *w, const struct app *app)
{
	counter(w, app, "stream", "out", tally(app)->log_bytes[0]);
	counter(w, app, "stream", "err", tally(app)->log_bytes[1]);
}
