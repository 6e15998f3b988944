/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_METRICS_H
#define PMCTL_DAEMON_METRICS_H
/*
 * metrics - the one table of what is told in OpenMetrics: the daemon, its apps, their instances.
 *
 * pmctld(8) has a list derived from it. To add one, add a row in metrics.c and a function in the
 * file of its scope that reads the figure.
 */
#include <stdint.h>
#include <stdio.h>

#include "common/buf.h"
#include "proto/openmetrics.h"

struct app;
struct daemon;
struct inst;

/* A figure there is none of: no sample is written. */
#define METRIC_NONE INT64_MIN

struct metrics {
	uint64_t scrapes;      /* how often the whole was made */
	int64_t start_real_ms; /* when the daemon began: told the same each time */
};

void metrics_init(struct metrics *m, const struct daemon *d);
/* The whole text; figures older than a second are read anew. */
void metrics_write(struct daemon *d, enum om_format format, struct buf *out);
/* The METRICS section of pmctld(8). */
void metrics_print(FILE *f);

/* One row. A figure is `get` / 10^digits, or `write` writes its samples itself; app and instance
 * labels are those of metrics_app_labels() and metrics_inst_labels(). */
struct metric {
	struct om_family family;
	int digits;
	int64_t (*of_daemon)(struct daemon *d);
	int64_t (*of_app)(const struct app *app);
	int64_t (*of_inst)(const struct inst *in);
	void (*write_daemon)(struct om *w, struct daemon *d);
	void (*write_app)(struct om *w, const struct app *app);
	void (*write_inst)(struct om *w, const struct inst *in);
	const char *labels; /* what write adds, for the manual; NULL = nothing */
};

void metrics_app_labels(struct om *w, const struct app *app);
void metrics_inst_labels(struct om *w, const struct inst *in);

/* metrics_daemon.c */
void metric_build(struct om *w, struct daemon *d);
void metric_disk(struct om *w, struct daemon *d);
void metric_turns(struct om *w, struct daemon *d);
int64_t metric_start_time(struct daemon *d);
int64_t metric_keeper_up(struct daemon *d);
int64_t metric_supervisor_restarts(struct daemon *d);
int64_t metric_apps(struct daemon *d);
int64_t metric_save_failures(struct daemon *d);
int64_t metric_log_dropped(struct daemon *d);
int64_t metric_events(struct daemon *d);
int64_t metric_conns(struct daemon *d);
int64_t metric_conns_accepted(struct daemon *d);
int64_t metric_conns_refused(struct daemon *d);
int64_t metric_scrapes(struct daemon *d);
int64_t metric_own_cpu(struct daemon *d);
int64_t metric_own_memory(struct daemon *d);
int64_t metric_own_fds(struct daemon *d);
int64_t metric_own_max_fds(struct daemon *d);
int64_t metric_own_start(struct daemon *d);

/* metrics_app.c */
void metric_app_info(struct om *w, const struct app *app);
void metric_app_state(struct om *w, const struct app *app);
void metric_app_ends(struct om *w, const struct app *app);
void metric_app_reloads(struct om *w, const struct app *app);
void metric_app_log_bytes(struct om *w, const struct app *app);
int64_t metric_app_instances(const struct app *app);
int64_t metric_app_wanted(const struct app *app);
int64_t metric_app_online(const struct app *app);
int64_t metric_app_starts(const struct app *app);
int64_t metric_app_memory_max(const struct app *app);

/* metrics_inst.c */
void metric_inst_state(struct om *w, const struct inst *in);
int64_t metric_inst_up(const struct inst *in);
int64_t metric_inst_restarts(const struct inst *in);
int64_t metric_inst_start_time(const struct inst *in);
int64_t metric_inst_cpu(const struct inst *in);
int64_t metric_inst_memory(const struct inst *in);
int64_t metric_inst_fds(const struct inst *in);
int64_t metric_inst_max_fds(const struct inst *in);
int64_t metric_inst_threads(const struct inst *in);
int64_t metric_inst_processes(const struct inst *in);
int64_t metric_inst_leak(const struct inst *in);
int64_t metric_inst_leak_left(const struct inst *in);
int64_t metric_inst_health_failures(const struct inst *in);
int64_t metric_inst_exit_code(const struct inst *in);
int64_t metric_inst_exit_signal(const struct inst *in);
int64_t metric_inst_exit_time(const struct inst *in);

#endif
