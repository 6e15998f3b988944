/* SPDX-License-Identifier: MIT */
#include "daemon/metrics.h"

#include "common/clock.h"
#include "common/mem.h"
#include "daemon/daemon.h"
#include "daemon/runner.h"

#define GAUGE(name, help)	     .family = {name, OM_GAUGE, NULL, help}
#define UNIT(name, unit, help)	     .family = {name "_" unit, OM_GAUGE, unit, help}
#define COUNTER(name, help)	     .family = {name, OM_COUNTER, NULL, help}
#define TOTAL_UNIT(name, unit, help) .family = {name "_" unit, OM_COUNTER, unit, help}

/* In the order they are written in. */
static const struct metric table[] = {
	/* The daemon */
	{.family = {"pmctl_build", OM_INFO, NULL, "The version of pmctld."},
	 .write_daemon = metric_build,
	 .labels = "version"},
	{UNIT("pmctl_start_time", "seconds",
	      "When the daemon (its keeper) started, since the epoch."),
	 .of_daemon = metric_start_time, .digits = 3},
	{GAUGE("pmctl_keeper_up",
	       "Whether there is a keeper to start the next supervisor if this one dies: 1 or 0."),
	 .of_daemon = metric_keeper_up},
	{COUNTER("pmctl_supervisor_restarts",
		 "Supervisors started after the first one; apps do not notice."),
	 .of_daemon = metric_supervisor_restarts},
	{GAUGE("pmctl_apps", "Apps the daemon knows."), .of_daemon = metric_apps},
	{COUNTER("pmctl_state_save_failures",
		 "Failed writes of the state file; each is tried again. Of this supervisor."),
	 .of_daemon = metric_save_failures},
	{TOTAL_UNIT("pmctl_log_dropped", "bytes",
		    "Bytes of logs that found no room on the disk. Of this supervisor."),
	 .of_daemon = metric_log_dropped},
	{.family = {"pmctl_disk_available_bytes", OM_GAUGE, "bytes",
		    "Room on the file system of a directory. dir: state or log."},
	 .write_daemon = metric_disk,
	 .labels = "dir"},
	{COUNTER("pmctl_events", "Events written into the journal, also by daemons before."),
	 .of_daemon = metric_events},
	{GAUGE("pmctl_connections_open", "Connections to the control socket."),
	 .of_daemon = metric_conns},
	{COUNTER("pmctl_connections_accepted",
		 "Connections to the control socket so far. Of this supervisor."),
	 .of_daemon = metric_conns_accepted},
	{COUNTER("pmctl_connections_cut_off",
		 "Clients cut off because of what they sent, or did not. Of this supervisor."),
	 .of_daemon = metric_conns_refused},
	{COUNTER("pmctl_scrapes", "How often these metrics were made. Of this supervisor."),
	 .of_daemon = metric_scrapes},
	{.family = {"pmctl_loop_turn_seconds", OM_HISTOGRAM, "seconds",
		    "How long a turn of the event loop took: nothing else is done meanwhile. Of "
		    "this supervisor."},
	 .write_daemon = metric_turns},
	{TOTAL_UNIT("process_cpu", "seconds", "CPU time of the supervisor."),
	 .of_daemon = metric_own_cpu, .digits = 6},
	{UNIT("process_resident_memory", "bytes", "Resident memory of the supervisor."),
	 .of_daemon = metric_own_memory},
	{GAUGE("process_open_fds", "Open descriptors of the supervisor."),
	 .of_daemon = metric_own_fds},
	{GAUGE("process_max_fds", "The most descriptors it may have."),
	 .of_daemon = metric_own_max_fds},
	{UNIT("process_start_time", "seconds", "When the supervisor started, since the epoch."),
	 .of_daemon = metric_own_start, .digits = 3},

	/* Each app */
	{.family = {"pmctl_app", OM_INFO, NULL, "An app the daemon knows."},
	 .write_app = metric_app_info,
	 .labels = "mode, file"},
	{.family = {"pmctl_app_state", OM_STATESET, NULL,
		    "The state pmctl list shows for the app; exactly one is 1."},
	 .write_app = metric_app_state,
	 .labels = "pmctl_app_state"},
	{GAUGE("pmctl_app_instances", "Instances the app is to have, running or not."),
	 .of_app = metric_app_instances},
	{GAUGE("pmctl_app_instances_wanted", "Those of them that are wanted to run."),
	 .of_app = metric_app_wanted},
	{GAUGE("pmctl_app_instances_online", "Those of them that are online, which means ready."),
	 .of_app = metric_app_online},
	{COUNTER("pmctl_app_starts", "Processes started."), .of_app = metric_app_starts},
	{COUNTER("pmctl_app_exits",
		 "Processes that ended. cause: asked (stopped, restarted, reloaded), success (exit "
		 "status 0), error (another one), signal, oom, start (could not be started), "
		 "replaced (over memory_max, not healthy, not ready in time) or unknown."),
	 .write_app = metric_app_ends, .labels = "cause"},
	{COUNTER("pmctl_app_reloads",
		 "Instances in reloads. result: done, or failed, which leaves the old process."),
	 .write_app = metric_app_reloads, .labels = "result"},
	{TOTAL_UNIT("pmctl_app_log", "bytes",
		    "Bytes written to standard output and error. stream: out or err."),
	 .write_app = metric_app_log_bytes, .labels = "stream"},
	{UNIT("pmctl_app_memory_max", "bytes", "memory_max of the app, where it is set."),
	 .of_app = metric_app_memory_max},

	/* Each instance */
	{GAUGE("pmctl_instance_up", "Whether the instance is online: 1 or 0."),
	 .of_inst = metric_inst_up},
	{.family = {"pmctl_instance_state", OM_STATESET, NULL,
		    "The state of the instance; exactly one is 1."},
	 .write_inst = metric_inst_state,
	 .labels = "pmctl_instance_state"},
	{COUNTER("pmctl_instance_restarts",
		 "Automatic restarts since the start of the app, or pmctl reset."),
	 .of_inst = metric_inst_restarts},
	{UNIT("pmctl_instance_start_time", "seconds",
	      "When its process started, since the epoch; not while none runs."),
	 .of_inst = metric_inst_start_time, .digits = 3},
	{TOTAL_UNIT("pmctl_instance_cpu", "seconds",
		    "CPU time of the process tree, of all runs together."),
	 .of_inst = metric_inst_cpu, .digits = 6},
	{UNIT("pmctl_instance_resident_memory", "bytes",
	      "Resident memory of the process tree; not while none runs."),
	 .of_inst = metric_inst_memory},
	{GAUGE("pmctl_instance_open_fds", "Open descriptors of the process tree."),
	 .of_inst = metric_inst_fds},
	{GAUGE("pmctl_instance_max_fds",
	       "The most descriptors that the process of the tree with most of them may have; not "
	       "where that is any number."),
	 .of_inst = metric_inst_max_fds},
	{GAUGE("pmctl_instance_threads", "Threads of the process tree."),
	 .of_inst = metric_inst_threads},
	{GAUGE("pmctl_instance_processes", "Processes of the tree."),
	 .of_inst = metric_inst_processes},
	{UNIT("pmctl_instance_leak", "bytes_per_second",
	      "How fast memory grows where that looks like a leak (leak_window), else 0."),
	 .of_inst = metric_inst_leak, .digits = 3},
	{UNIT("pmctl_instance_leak_left", "seconds",
	      "How long until a leak reaches memory_max, where there is one and it is set."),
	 .of_inst = metric_inst_leak_left, .digits = 3},
	{GAUGE("pmctl_instance_health_failures",
	       "Failed health checks in a row, where health is set."),
	 .of_inst = metric_inst_health_failures},
	{GAUGE("pmctl_instance_last_exit_code",
	       "The exit status of its last process; not if a signal killed it."),
	 .of_inst = metric_inst_exit_code},
	{GAUGE("pmctl_instance_last_exit_signal",
	       "The number of the signal that killed its last process; 0 if none did."),
	 .of_inst = metric_inst_exit_signal},
	{UNIT("pmctl_instance_last_exit_time", "seconds",
	      "When its last process ended, since the epoch."),
	 .of_inst = metric_inst_exit_time, .digits = 3},
};

void metrics_app_labels(struct om *w, const struct app *app)
{
	om_label(w, "app", app->conf.name);
	om_label(w, "namespace", app->conf.namespace_);
	om_label(w, "project", app->conf.project);
}

void metrics_inst_labels(struct om *w, const struct inst *in)
{
	metrics_app_labels(w, in->app);
	om_label_int(w, "slot", in->slot);
}

static void write_daemon(struct om *w, const struct metric *m, struct daemon *d)
{
	if (m->write_daemon) {
		m->write_daemon(w, d);
		return;
	}
	int64_t v = m->of_daemon(d);
	if (v != METRIC_NONE) {
		om_sample(w, NULL);
		om_value(w, v, m->digits);
	}
}

static void write_app(struct om *w, const struct metric *m, const struct app *app)
{
	if (m->write_app) {
		m->write_app(w, app);
		return;
	}
	int64_t v = m->of_app(app);
	if (v != METRIC_NONE) {
		om_sample(w, NULL);
		metrics_app_labels(w, app);
		om_value(w, v, m->digits);
	}
}

static void write_inst(struct om *w, const struct metric *m, const struct inst *in)
{
	if (m->write_inst) {
		m->write_inst(w, in);
		return;
	}
	int64_t v = m->of_inst(in);
	if (v != METRIC_NONE) {
		om_sample(w, NULL);
		metrics_inst_labels(w, in);
		om_value(w, v, m->digits);
	}
}

static bool is_of_app(const struct metric *m)
{
	return m->of_app || m->write_app;
}

static bool is_of_inst(const struct metric *m)
{
	return m->of_inst || m->write_inst;
}

/* All samples of a family stand together, so the table is the outer loop. */
static void write_family(struct om *w, const struct metric *m, struct daemon *d)
{
	const struct app *app, *next;
	om_family(w, &m->family);
	if (!is_of_app(m) && !is_of_inst(m)) {
		write_daemon(w, m, d);
		return;
	}
	list_for_each(app, next, &d->apps, node)
	{
		if (is_of_app(m)) {
			write_app(w, m, app);
			continue;
		}
		for (int i = 0; i < app->count; i++) {
			write_inst(w, m, app->slots[i]);
		}
	}
}

void metrics_init(struct metrics *m, const struct daemon *d)
{
	int64_t up = clock_mono_ms() - d->link.ring->started_mono_ms;
	*m = (struct metrics){.start_real_ms = clock_real_ms() - up};
}

void metrics_write(struct daemon *d, enum om_format format, struct buf *out)
{
	struct om w;
	d->metrics.scrapes++;
	sampler_refresh(&d->sampler, WANT_DEEP);
	om_init(&w, out, format);
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		write_family(&w, &table[i], d);
	}
	om_end(&w);
}

/* --- the manual --- */

/* scdoc takes a _ for the beginning of underlined text. */
static void print_plain(FILE *f, const char *text)
{
	for (; *text; text++) {
		if (*text == '_') {
			putc('\\', f);
		}
		putc(*text, f);
	}
}

static void print_row(FILE *f, const struct metric *m)
{
	enum om_type type = m->family.type;
	putc('*', f);
	print_plain(f, m->family.name);
	print_plain(f, type == OM_COUNTER ? "_total" : type == OM_INFO ? "_info" : "");
	fprintf(f, "* (%s", om_type_name(type));
	if (m->labels) {
		fputs("; ", f);
		print_plain(f, m->labels);
	}
	fputs(")\n\t", f);
	print_plain(f, m->family.help);
	fputs("\n\n", f);
}

void metrics_print(FILE *f)
{
	static const char *const heads[] = {
		"## Of the daemon\n\n",
		"## Of each app\n\nLabels are _app_, _project_ and, if set, _namespace_.\n\n",
		"## Of each instance\n\nWith _slot_ as another label.\n\n"};
	for (int scope = 0; scope < 3; scope++) {
		fputs(heads[scope], f);
		for (size_t i = 0; i < ARRAY_LEN(table); i++) {
			int is = is_of_inst(&table[i]) ? 2 : is_of_app(&table[i]);
			if (is == scope) {
				print_row(f, &table[i]);
			}
		}
	}
}
