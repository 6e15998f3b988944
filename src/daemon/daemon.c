/* SPDX-License-Identifier: MIT */
#include "daemon/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/sigignore.h"
#include "daemon/reap.h"
#include "daemon/resume.h"
#include "daemon/runner.h"
#include "daemon/takeover.h"
#include "daemon/workers.h"
#include "proto/jw.h"
#include "proto/rpc.h"
#include "sys/fileio.h"
#include "sys/spawn.h"
#include "version.h"

#define LOG_NAME "pmctld.log"
#define LOG_SIZE (10 * 1024 * 1024)
#define LOG_KEEP 3
#define FLUSH_MS 500
#define FD_TABLE 4096
/* A terminal, or systemd, signals keeper and supervisor, and the keeper passes it on: one signal.
 */
#define SAME_SIGNAL_MS 300

/* --- the end --- */

static int count_live(const struct daemon *d)
{
	int n = 0;
	struct app *app, *next;
	list_for_each(app, next, &d->apps, node)
	{
		n += apps_count_live(app);
	}
	return n;
}

static void answer_stop(struct daemon *d)
{
	struct conn *c = server_find(&d->server, d->stop_call.serial);
	struct buf out = {0};
	struct jw w;
	if (c) {
		rpc_write_result_begin(&out, d->stop_call.id);
		jw_init(&w, &out);
		jw_obj(&w);
		jw_kint(&w, "stopped", d->leave_running ? 0 : d->stop_call.live);
		jw_kint(&w, "left", d->leave_running ? d->stop_call.live : 0);
		jw_end(&w);
		rpc_write_result_end(&out);
		conn_send(c, out.data, out.len);
		buf_finish(&out);
	}
	json_decref(d->stop_call.id);
	d->stop_call.id = NULL;
}

void daemon_check_stopped(struct daemon *d)
{
	if (d->stopping && (d->leave_running || count_live(d) == 0)) {
		ev_break(d->loop, EVBREAK_ALL);
	}
}

void daemon_stop(struct daemon *d, bool leave_running)
{
	if (d->stopping) {
		return;
	}
	d->stopping = true;
	d->leave_running = leave_running;
	d->stop_call.live = count_live(d);
	log_line("ending; %d processes %s", d->stop_call.live,
		 leave_running ? "are left running" : "are stopped");
	if (ops_is_busy(&d->ops)) {
		store_save_ops(&d->store); /* nobody goes on with them */
	}
	if (!leave_running) {
		turns_stop(d, false);
	}
	daemon_check_stopped(d);
}

/* A second signal says: now. */
static void kill_now(struct inst *in)
{
	if (states_is_live(in->state) && !in->killed) {
		ev_feed_event(in->app->daemon->loop, &in->kill_timer, EV_TIMER);
	}
}

static void kill_all(struct daemon *d)
{
	struct app *app, *next;
	struct inst *in, *after;
	turns_stop(d, true);
	list_for_each(app, next, &d->apps, node)
	{
		for (int i = 0; i < app->nslots; i++) {
			kill_now(app->slots[i]);
		}
		list_for_each(in, after, &app->others, other_node)
		{
			kill_now(in);
		}
	}
}

static void end_by_signal(struct daemon *d, int sig)
{
	int64_t now = clock_mono_ms();
	bool same = d->signalled_mono_ms && now - d->signalled_mono_ms < SAME_SIGNAL_MS;
	if (!same) {
		d->signalled_mono_ms = now; /* else one who presses Ctrl-C fast is never heard */
	}
	if (d->stopping) {
		if (!same) {
			kill_all(d);
		}
		return;
	}
	log_line("%s", strsignal(sig));
	events_add(&d->events, NULL, -1, "daemon", NULL, "ends: %s", strsignal(sig));
	daemon_stop(d, false);
}

/* Somebody looks for us and finds no socket. */
static void on_sigusr1(struct ev_loop *loop, ev_signal *w, int revents)
{
	(void)loop;
	(void)revents;
	server_check_path(&container_of(w, struct daemon, sigusr1)->server);
}

static void on_sigusr2(struct ev_loop *loop, ev_signal *w, int revents)
{
	(void)loop;
	(void)revents;
	struct daemon *d = container_of(w, struct daemon, sigusr2);
	struct asker nobody = {0};
	struct err err;
	log_line("SIGUSR2: upgrade to what is installed now");
	if (!d->stopping) {
		upgrade_begin(&d->upgrade, NULL, &nobody, 0, NULL,
			      &err); /* an event says why not */
	}
}

static void on_sigterm(struct ev_loop *loop, ev_signal *w, int revents)
{
	(void)loop;
	(void)revents;
	end_by_signal(container_of(w, struct daemon, sigterm), SIGTERM);
}

static void on_sigint(struct ev_loop *loop, ev_signal *w, int revents)
{
	(void)loop;
	(void)revents;
	end_by_signal(container_of(w, struct daemon, sigint), SIGINT);
}

/* --- the beginning --- */

static void on_exited(void *ctx, const struct ring_record *rec)
{
	reap_record(ctx, rec);
}

static void on_keeper_died(void *ctx)
{
	struct daemon *d = ctx;
	reap_watch_all(d);
	takeover_begin(d);
}

static void on_event(void *ctx, const struct event *ev)
{
	struct daemon *d = ctx;
	if (ev->app[0]) {
		char slot[16] = "";
		if (ev->slot >= 0) {
			snprintf(slot, sizeof(slot), ":%d", ev->slot);
		}
		log_line("%s%s: %s: %s", ev->app, slot, ev->type, ev->text);
	} else {
		log_line("%s: %s", ev->type, ev->text);
	}
	server_publish(&d->server, ev);
}

static void on_log_trouble(void *ctx, const struct output *out, const char *text)
{
	events_add(&((struct daemon *)ctx)->events, out->app, out->slot, "logs", NULL, "%s", text);
}

/* What began: a daemon, or a supervisor after the last one died. */
static void tell_begin(struct daemon *d)
{
	const struct ring *ring = d->link.ring;
	if (ring->supervisor_starts <= 1 || !ring->last_supervisor_real_ms) {
		events_add(&d->events, NULL, -1, "daemon", NULL, "pmctld %s started, keeper pid %d",
			   PMCTL_VERSION, ring->keeper_pid);
		return;
	}
	struct exit_status st = exit_status_decode(ring->last_supervisor_status);
	char how[80];
	exit_status_text(&st, how, sizeof(how));
	events_add(&d->events, NULL, -1, "daemon", NULL,
		   "the last supervisor %s; pid %d goes on, no app was touched", how,
		   (int)getpid());
}

static void on_sock_deposit(void *ctx, const char *name, int fd)
{
	link_deposit(&((struct daemon *)ctx)->link, name, fd);
}

static void on_sock_drop(void *ctx, const char *name)
{
	link_drop(&((struct daemon *)ctx)->link, name);
}

/* Our own log: at the start, and whenever it has grown too large. */
static void open_log(struct daemon *d)
{
	struct stat st;
	char old[sizeof(LOG_NAME) + 4], new[sizeof(LOG_NAME) + 4];
	if (fstatat(d->log_fd, LOG_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size > LOG_SIZE) {
		for (int n = LOG_KEEP; n > 0; n--) {
			snprintf(old, sizeof(old), n > 1 ? "%s.%d" : "%s%.0d", LOG_NAME, n - 1);
			snprintf(new, sizeof(new), "%s.%d", LOG_NAME, n);
			renameat(d->log_fd, old, d->log_fd, new);
		}
	}
	int fd = file_open_or_create(d->log_fd, LOG_NAME,
				     O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK, 0640);
	if (fd >= 0) {
		log_set_fd(fd);
		link_deposit(&d->link, "log", fd);
		if (d->own_log_fd >= 0) {
			close(d->own_log_fd);
		}
		d->own_log_fd = fd;
	}
}

static bool open_directories(struct daemon *d, struct err *err)
{
	if (!paths_resolve(&d->paths, err)) {
		return false;
	}
	d->runtime_fd = paths_open_dir(d->paths.runtime, 0700, err);
	if (d->runtime_fd >= 0) {
		d->state_fd = paths_open_dir(d->paths.state, 0700, err);
	}
	if (d->state_fd >= 0) {
		d->log_fd = paths_open_dir(d->paths.log, 0750, err);
	}
	return d->runtime_fd >= 0 && d->state_fd >= 0 && d->log_fd >= 0;
}

void daemon_check_log(struct daemon *d)
{
	struct stat st;
	if (fstat(d->own_log_fd, &st) != 0 || st.st_nlink == 0 || st.st_size > LOG_SIZE) {
		open_log(d);
	}
}

static void open_cgroup(struct daemon *d)
{
	struct err err;
	d->have_cgroup = cgroup_base_open(&d->cgroup, d->paths.runtime, &err);
	if (!d->have_cgroup) {
		snprintf(d->no_cgroup_why, sizeof(d->no_cgroup_why), "%.199s", err.msg);
	}
}

/* Whatever we were started with: the apps inherit what is ignored, so only these are, and the
 * stub sets them back. */
static void watch_signals(struct daemon *d)
{
	for (int sig = 1; sig < NSIG; sig++) {
		signal(sig, SIG_DFL);
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigignore_unmeant();
	signal(SIGXFSZ, SIG_IGN); /* a file size limit is a full disk to us */
	ev_signal_init(&d->sigterm, on_sigterm, SIGTERM);
	ev_signal_init(&d->sigint, on_sigint, SIGINT);
	ev_signal_start(d->loop, &d->sigterm);
	ev_signal_init(&d->sigusr1, on_sigusr1, SIGUSR1);
	ev_signal_start(d->loop, &d->sigusr1);
	ev_signal_init(&d->sigusr2, on_sigusr2, SIGUSR2);
	ev_signal_start(d->loop, &d->sigusr2);
	ev_signal_start(d->loop, &d->sigint);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL); /* what was passed on while we started comes now */
}

static bool begin(struct daemon *d, struct err *err)
{
	static const struct link_hooks hooks = {.exited = on_exited, .keeper_died = on_keeper_died};
	d->loop = ev_default_loop(EVFLAG_NOENV);
	if (!d->loop) {
		return err_set(err, ERR_FAILED, "no event loop");
	}
	if (!link_init(&d->link, d->loop, &hooks, d, err) || !open_directories(d, err)) {
		return false;
	}
	ev_init(&d->collect, apps_on_collect);
	takeover_init(d);
	upgrade_init(&d->upgrade, d);
	open_log(d);
	watch_signals(d);
	d->preload = spawn_find_file("graceful.cjs");
	if (!spawn_init(err)) {
		return false;
	}
	open_cgroup(d);
	outputs_init(&d->outputs, d->loop, &d->link);
	sockets_init(&d->sockets, &(struct sockets_hooks){on_sock_deposit, on_sock_drop, d});
	events_init(&d->events, d->state_fd, on_event, d);
	d->outputs.on_trouble = on_log_trouble;
	d->outputs.ctx = d;
	ops_init(&d->ops, d);
	applists_init(&d->lists, d);
	turns_init(&d->turns, d);
	exitpolicy_init(&d->exit_policy, d);
	d->watch_pool = (struct watchtree_pool){LIMIT_WATCH_DIRS, LIMIT_WATCH_FILES};
	pasts_init(&d->pasts, d);
	tally_init(&d->tally, d);
	metrics_init(&d->metrics, d);
	turntime_init(&d->turntime, d->loop);
	sampler_init(&d->sampler, d);
	schedule_init(&d->schedule, d);
	exporter_init(&d->exporter, d);
	if (!store_init(&d->store, d, err)) {
		return false;
	}
	resume_adopt(d);
	if (!server_init(&d->server, d, d->paths.socket, d->control_fd, err)) {
		return false;
	}
	sampler_wake(&d->sampler);
	resume_start(d);
	exporter_sync(&d->exporter);
	tell_begin(d);
	upgrade_tell(d);
	link_ready(&d->link);
	exitpolicy_wake(d);
	return true;
}

static void end(struct daemon *d)
{
	bool last = d->stopping;
	if (last) {
		answer_stop(d);
		server_flush(&d->server, FLUSH_MS);
		if (d->leave_running) {
			outputs_settle(&d->outputs, true);
			link_rest(&d->link);
		} else {
			link_stop(&d->link);
		}
	}
	server_finish(&d->server, last);
	exporter_finish(&d->exporter, last);
	takeover_finish(d);
	upgrade_finish(&d->upgrade);
	exitpolicy_finish(&d->exit_policy);
	schedule_finish(&d->schedule);
	sampler_finish(&d->sampler);
	turntime_finish(&d->turntime);
	ops_finish(&d->ops);
	applists_finish(&d->lists);
	outputs_finish(&d->outputs);
	if (d->leave_running) {
		store_finish(&d->store);
		return; /* the run table and the descriptors are for whoever takes over */
	}
	store_forget_all(&d->store);
	apps_free_all(d);
	turns_finish(&d->turns);
	pasts_finish(&d->pasts);
	tally_finish(&d->tally);
	store_finish(&d->store);
	sockets_finish(&d->sockets);
	events_finish(&d->events);
	if (d->have_cgroup) {
		cgroup_base_cleanup(&d->cgroup);
	}
	proc_table_finish(&d->processes);
	link_finish(&d->link);
	paths_finish(&d->paths);
	free(d->preload);
}

/* The kernel doubles a table of descriptors step by step, and once a thread shares it (ours that
 * calls fsync) each step waits for an RCU grace period: 10 ms and more. One step now, for nothing.
 */
static void widen_fd_table(void)
{
	int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, FD_TABLE - 1);
	if (fd >= 0) {
		close(fd);
	}
}

int daemon_run(void)
{
	static struct daemon d = {
		.runtime_fd = -1, .state_fd = -1, .log_fd = -1, .own_log_fd = -1, .control_fd = -1};
	struct err err = {0};
	umask(077);
	widen_fd_table();
	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_NAME, "pmctl-supervisor");
	log_init("supervisor", -1);
	list_init(&d.apps);
	for (size_t i = 0; i < ARRAY_LEN(d.by_pid); i++) {
		list_init(&d.by_pid[i]);
	}
	if (!begin(&d, &err)) {
		log_line("%s", err.msg);
		if (d.link.foreign) { /* our messages could mean anything to it */
			return KEEPER_EXIT_PROTOCOL;
		}
		if (d.link.ring) {
			link_fail(&d.link, err.msg);
		}
		return 1;
	}
	d.started_mono_ms = clock_mono_ms();
	log_line("pmctld %s runs, pid %d", PMCTL_VERSION, (int)getpid());
	ev_run(d.loop, 0);
	end(&d);
	return d.exit_status;
}
