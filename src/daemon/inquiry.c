/* SPDX-License-Identifier: MIT */
#include "daemon/inquiry.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/mem.h"
#include "config/probe.h"
#include "daemon/cluster.h"
#include "daemon/daemon.h"
#include "daemon/environ.h"
#include "daemon/launch.h"
#include "daemon/probe.h"
#include "daemon/runner.h"
#include "sys/proc.h"
#include "sys/sock.h"
#include "sys/spawn.h"

struct inquiry {
	struct probe_try *probe;
	int64_t seq; /* of the connection that was handed to the worker; 0 = none was */
	inquiry_done *done;
};

static void free_inquiry(struct inst *in)
{
	free(in->inquiry);
	in->inquiry = NULL;
	if (in->probe_pid) {
		in->probe_pid = 0;
		if (in->rec) {
			store_inst(&in->app->daemon->store, in);
		}
	}
}

/* Our own child: if we are killed nobody else would end it. */
static void note_command(struct inst *in)
{
	struct proc_stat st;
	pid_t pid = probe_pid(in->inquiry->probe);
	if (pid > 0 && proc_read_stat(pid, &st)) {
		in->probe_pid = pid;
		in->probe_starttime = st.starttime;
		store_inst(&in->app->daemon->store, in);
	}
}

void inquiry_end_left(pid_t pid, uint64_t starttime)
{
	if (pid > 1 && proc_is(pid, starttime)) {
		kill(-pid, SIGKILL); /* the stub has made it the leader of a group */
		kill(pid, SIGKILL);
	}
}

void inquiry_end(struct inst *in)
{
	if (in->inquiry) {
		probe_cancel(in->inquiry->probe);
		free_inquiry(in);
	}
}

static void on_done(void *ctx, bool ok, bool hung, const char *why)
{
	struct inst *in = ctx;
	inquiry_done *done = in->inquiry->done;
	free_inquiry(in);
	done(in, ok, hung, why);
}

void inquiry_offered(struct inst *in, int64_t seq, bool accepted)
{
	if (in->inquiry && in->inquiry->seq == seq) {
		probe_accepted(in->inquiry->probe, accepted);
	}
}

/* --- ways --- */

static struct cluster_place place_of(const struct probe_target *t)
{
	bool is_unix = t->kind == PROBE_UNIX;
	return (struct cluster_place){.port = is_unix ? 0 : t->port,
				      .path = is_unix ? t->path : NULL};
}

static bool goes_by_channel(const struct inst *in, const struct probe_target *t)
{
	struct cluster_place at = place_of(t);
	return in->app->cluster && in->worker && t->kind != PROBE_EXEC &&
	       cluster_has(in->app->cluster, &at);
}

/* Make a connection and hand its other end to the worker. */
static void hand_over(struct inst *in, struct probe_ask *ask)
{
	bool is_unix = ask->target->kind == PROBE_UNIX;
	struct cluster_place at = place_of(ask->target);
	int fds[2];
	bool ok = is_unix ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
				       fds) == 0
			  : sock_tcp_pair(fds);
	if (!ok) {
		ask->failed = strerror(errno);
		return;
	}
	int64_t seq = worker_offer(in->worker, &at, fds[1]);
	if (seq <= 0) {
		close(fds[0]);
		ask->hung = seq < 0;
		ask->failed = seq < 0 ? "it does not take connections" : "it does not listen there";
		return;
	}
	in->inquiry->seq = seq;
	ask->fd = fds[0];
}

static bool starts_with_any(const char *s, const char *const *prefix, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strncmp(s, prefix[i], strlen(prefix[i])) == 0) {
			return true;
		}
	}
	return false;
}

/* The app's own environment, without what is for its process alone. PMCTL_ID would make the
 * command one of the instance's tree. */
static size_t command_env(const struct inst *in, struct words *env)
{
	static const char *const own[] = {"LISTEN_", "NODE_CHANNEL_",
					  "NODE_UNIQUE_ID=", "NOTIFY_SOCKET=", "PMCTL_ID="};
	struct words all = {0};
	size_t nbase = environ_build(in, &all);
	for (size_t i = 0; i < all.n; i++) {
		if (i < nbase || !starts_with_any(all.v[i], own, ARRAY_LEN(own))) {
			words_add(env, all.v[i]);
		}
	}
	words_finish(&all);
	return nbase;
}

static void begin_command(struct inst *in, struct probe_ask *ask)
{
	struct words env = {0};
	struct spawn_req req = {.argv = ask->target->argv.v, .channel_fd = -1, .cgroup_fd = -1};
	req.nbase = command_env(in, &env);
	req.envp = env.v;
	launch_as_app(in->app, &req);
	ask->command = &req;
	in->inquiry->probe = probe_start(in->app->daemon->loop, ask);
	note_command(in);
	words_finish(&env);
}

void inquiry_begin(struct inst *in, const struct probe *p, int64_t timeout_ms, inquiry_done *done)
{
	struct probe_target t = {0};
	struct err err;
	struct probe_ask ask = {
		.target = &t, .timeout_ms = timeout_ms, .fd = -1, .done = on_done, .ctx = in};
	inquiry_end(in);
	in->inquiry = xcalloc(1, sizeof(*in->inquiry));
	in->inquiry->done = done;
	if (!probe_expand(p, probe_port(&in->app->conf, in->slot), in->slot, &t, &err)) {
		ask.failed = err.msg;
	} else if (t.kind == PROBE_EXEC) {
		begin_command(in, &ask);
	} else if (goes_by_channel(in, &t)) {
		hand_over(in, &ask);
	}
	if (!in->inquiry->probe) {
		in->inquiry->probe = probe_start(in->app->daemon->loop, &ask);
	}
	probe_target_finish(&t);
}

bool inquiry_is_shared(const struct inst *in, const struct probe *p)
{
	struct probe_target t = {0};
	struct err err;
	bool shared = false;
	if (p->arg && probe_expand(p, probe_port(&in->app->conf, in->slot), in->slot, &t, &err)) {
		shared = in->app->nslots > 1 && !in->app->cluster &&
			 probe_is_shared(&in->app->conf, &t);
	}
	probe_target_finish(&t);
	return shared;
}
