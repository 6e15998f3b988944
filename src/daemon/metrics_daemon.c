/* SPDX-License-Identifier: MIT */
/* metrics_daemon - what is told of the daemon itself. */
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/clock.h"
#include "daemon/daemon.h"
#include "daemon/metrics.h"
#include "sys/proc.h"
#include "version.h"

void metric_build(struct om *w, struct daemon *d)
{
	(void)d;
	om_sample(w, NULL);
	om_label(w, "version", PMCTL_VERSION);
	om_value(w, 1, 0);
}

void metric_turns(struct om *w, struct daemon *d)
{
	static const char *const bounds[TURNTIME_BOUNDS] = {"0.001", "0.01", "0.1", "1.0", "+Inf"};
	uint64_t n = 0;
	for (int i = 0; i < TURNTIME_BOUNDS; i++) {
		n += d->turntime.count[i];
		om_sample(w, "_bucket");
		om_label(w, "le", bounds[i]);
		om_value(w, (int64_t)n, 0);
	}
	om_sample(w, "_count");
	om_value(w, (int64_t)n, 0);
	om_sample(w, "_sum");
	om_value(w, (int64_t)d->turntime.sum_us, 6);
}

static void write_room(struct om *w, const char *dir, bool known, const struct diskroom *r)
{
	if (known && r->all > 0) {
		om_sample(w, NULL);
		om_label(w, "dir", dir);
		om_value(w, r->left, 0);
	}
}

void metric_disk(struct om *w, struct daemon *d)
{
	warnings_look(d, clock_mono_ms());
	write_room(w, "state", d->warnings.has_state, &d->warnings.state);
	write_room(w, "log", d->warnings.has_log, &d->warnings.log);
}

int64_t metric_start_time(struct daemon *d)
{
	return d->metrics.start_real_ms;
}

int64_t metric_keeper_up(struct daemon *d)
{
	return d->link.alive;
}

int64_t metric_supervisor_restarts(struct daemon *d)
{
	return (int64_t)d->link.ring->supervisor_starts - 1;
}

int64_t metric_apps(struct daemon *d)
{
	struct app *app, *next;
	int64_t n = 0;
	list_for_each(app, next, &d->apps, node)
	{
		n++;
	}
	return n;
}

int64_t metric_save_failures(struct daemon *d)
{
	return (int64_t)d->store.failures;
}

int64_t metric_log_dropped(struct daemon *d)
{
	return d->outputs.dropped;
}

int64_t metric_events(struct daemon *d)
{
	return (int64_t)d->events.ring.last_seq;
}

int64_t metric_conns(struct daemon *d)
{
	return d->server.nconns;
}

int64_t metric_conns_accepted(struct daemon *d)
{
	return (int64_t)d->server.next_serial;
}

int64_t metric_conns_refused(struct daemon *d)
{
	return (int64_t)d->server.refused;
}

int64_t metric_scrapes(struct daemon *d)
{
	return (int64_t)d->metrics.scrapes;
}

int64_t metric_own_cpu(struct daemon *d)
{
	struct rusage ru;
	(void)d;
	if (getrusage(RUSAGE_SELF, &ru) != 0) {
		return METRIC_NONE;
	}
	return (ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * INT64_C(1000000) + ru.ru_utime.tv_usec +
	       ru.ru_stime.tv_usec;
}

int64_t metric_own_memory(struct daemon *d)
{
	struct proc_stat st;
	(void)d;
	return proc_read_stat(getpid(), &st) ? (int64_t)st.rss_pages * sysconf(_SC_PAGESIZE)
					     : METRIC_NONE;
}

int64_t metric_own_fds(struct daemon *d)
{
	int n = proc_count_fds(getpid());
	(void)d;
	return n >= 0 ? n : METRIC_NONE;
}

int64_t metric_own_max_fds(struct daemon *d)
{
	struct rlimit rl;
	(void)d;
	return getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_cur != RLIM_INFINITY
		       ? (int64_t)rl.rlim_cur
		       : METRIC_NONE;
}

int64_t metric_own_start(struct daemon *d)
{
	return d->turntime.start_real_ms;
}
