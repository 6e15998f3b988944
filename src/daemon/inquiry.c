/* SPDX-License-Identifier: MIT */
#include "daemon/inquiry.h"

#include <errno.h>
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
#include "daemon/probe.h"
#include "daemon/runner.h"
#include "sys/sock.h"
#include "sys/spawn.h"

struct inquiry {
	struct probe_try *probe;
	int64_t seq; /* of the connection that was handed to the worker; 0 = none was */
	inquiry_done *done;
	ev_timer failed; /* it could not even begin */
	bool hung;
	char why[300];
};

static void free_inquiry(struct inst *in)
{
	ev_timer_stop(in->app->daemon->loop, &in->inquiry->failed);
	free(in->inquiry);
	in->inquiry = NULL;
}

void inquiry_end(struct inst *in)
{
	if (in->inquiry) {
		probe_cancel(in->inquiry->probe);
		free_inquiry(in);
	}
}

static void answer(struct inst *in, bool ok, bool hung, const char *why)
{
	inquiry_done *done = in->inquiry->done;
	free_inquiry(in);
	done(in, ok, hung, why);
}

static void on_done(void *ctx, bool ok, bool hung, const char *why)
{
	answer(ctx, ok, hung, why);
}

static void on_failed(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	struct inst *in = w->data;
	char why[300];
	snprintf(why, sizeof(why), "%s", in->inquiry->why);
	answer(in, false, in->inquiry->hung, why);
}

static void fail(struct inst *in, bool hung, const char *what, const char *why)
{
	struct ev_loop *loop = in->app->daemon->loop;
	struct inquiry *q = in->inquiry;
	snprintf(q->why, sizeof(q->why), "%.120s: %.150s", what, why);
	q->hung = hung;
	ev_timer_set(&q->failed, 0., 0.);
	ev_timer_start(loop, &q->failed);
}

void inquiry_offered(struct inst *in, int64_t seq, bool accepted)
{
	if (in->inquiry && in->inquiry->probe && in->inquiry->seq == seq) {
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

/* Make a connection and hand its other end to the worker. -1: told. */
static int hand_over(struct inst *in, const struct probe_target *t)
{
	struct cluster_place at = place_of(t);
	int fds[2];
	bool ok = t->kind == PROBE_UNIX
			  ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
				       fds) == 0
			  : sock_tcp_pair(fds);
	if (!ok) {
		fail(in, false, t->text, strerror(errno));
		return -1;
	}
	int64_t seq = worker_offer(in->worker, &at, fds[1]);
	if (seq <= 0) {
		close(fds[0]);
		fail(in, seq < 0, t->text,
		     seq < 0 ? "it does not take connections" : "it does not listen there");
		return -1;
	}
	in->inquiry->seq = seq;
	return fds[0];
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
	const struct app *app = in->app;
	struct words env = {0};
	struct spawn_req req = {
		.argv = ask->target->argv.v,
		.nbase = command_env(in, &env),
		.envp = env.v,
		.cwd = app->conf.cwd,
		.env_file = app->conf.env_file,
		.channel_fd = -1,
		.set_user = app->user.uid != geteuid() || app->user.gid != getegid(),
		.uid = app->user.uid,
		.gid = app->user.gid,
		.groups = app->user.groups,
		.ngroups = app->user.ngroups,
		.umask = app->conf.umask >= 0 ? app->conf.umask : 022,
		.cgroup_fd = -1,
	};
	req.envp = env.v;
	ask->command = &req;
	in->inquiry->probe = probe_start(app->daemon->loop, ask);
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
	ev_init(&in->inquiry->failed, on_failed);
	in->inquiry->failed.data = in;
	if (!probe_expand(p, probe_port(&in->app->conf, in->slot), in->slot, &t, &err)) {
		fail(in, false, "probe", err.msg);
	} else if (t.kind == PROBE_EXEC) {
		begin_command(in, &ask);
	} else if (!goes_by_channel(in, &t) || (ask.fd = hand_over(in, &t)) >= 0) {
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
