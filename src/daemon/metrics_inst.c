/* SPDX-License-Identifier: MIT */
/* metrics_inst - what is told of each instance. What no process is there for is left out. */
#include "daemon/daemon.h"
#include "daemon/metrics.h"
#include "daemon/runner.h"

void metric_inst_state(struct om *w, const struct inst *in)
{
	for (int i = 0; i < ST_COUNT; i++) {
		om_sample(w, NULL);
		metrics_inst_labels(w, in);
		om_label(w, "pmctl_instance_state", states_name((enum inst_state)i));
		om_value(w, (int)in->state == i, 0);
	}
}

int64_t metric_inst_up(const struct inst *in)
{
	return in->state == ST_ONLINE;
}

int64_t metric_inst_restarts(const struct inst *in)
{
	return in->restarts;
}

int64_t metric_inst_start_time(const struct inst *in)
{
	return in->pid ? in->started_real_ms : METRIC_NONE;
}

int64_t metric_inst_cpu(const struct inst *in)
{
	int64_t us = tally_cpu_us(in);
	return us >= 0 ? us : METRIC_NONE;
}

static int64_t sampled(const struct inst *in, int64_t v)
{
	return in->pid && in->sample.at_mono_ms && v >= 0 ? v : METRIC_NONE;
}

int64_t metric_inst_memory(const struct inst *in)
{
	return sampled(in, in->sample.mem_bytes);
}

int64_t metric_inst_fds(const struct inst *in)
{
	return sampled(in, in->sample.fds);
}

int64_t metric_inst_max_fds(const struct inst *in)
{
	return sampled(in, in->sample.fds_max);
}

int64_t metric_inst_threads(const struct inst *in)
{
	return sampled(in, in->sample.threads);
}

int64_t metric_inst_processes(const struct inst *in)
{
	return sampled(in, in->sample.nproc);
}

static const struct leak *leak_of(const struct inst *in)
{
	return in->pid && in->past ? &in->past->leak : NULL;
}

/* Thousandths. */
int64_t metric_inst_leak(const struct inst *in)
{
	const struct leak *l = leak_of(in);
	return !l ? METRIC_NONE : leak_is(l) ? leak_bytes_per_min(l) * 1000 / 60 : 0;
}

int64_t metric_inst_leak_left(const struct inst *in)
{
	const struct leak *l = leak_of(in);
	int64_t ms = l ? leak_left_ms(l, in->app->conf.memory_max, in->sample.mem_bytes) : -1;
	return ms >= 0 ? ms : METRIC_NONE;
}

int64_t metric_inst_health_failures(const struct inst *in)
{
	return in->pid && in->app->conf.health.kind != PROBE_NONE ? in->health_failures
								  : METRIC_NONE;
}

int64_t metric_inst_exit_code(const struct inst *in)
{
	const struct exit_status *e = &in->last_exit;
	return in->has_exited && e->known && !e->signal ? e->code : METRIC_NONE;
}

int64_t metric_inst_exit_signal(const struct inst *in)
{
	const struct exit_status *e = &in->last_exit;
	return in->has_exited && e->known ? e->signal : METRIC_NONE;
}

int64_t metric_inst_exit_time(const struct inst *in)
{
	return in->has_exited ? in->last_exit_real_ms : METRIC_NONE;
}
