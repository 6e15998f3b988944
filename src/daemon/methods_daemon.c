/* SPDX-License-Identifier: MIT */
/* ping, status, save, daemon.stop: the daemon itself. */
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "daemon/daemon.h"
#include "daemon/methods.h"
#include "daemon/runner.h"
#include "version.h"

bool method_ping(struct call *call)
{
	jw_obj(call->w);
	jw_kint(call->w, "pid", getpid());
	jw_kstr(call->w, "version", PMCTL_VERSION);
	jw_end(call->w);
	return true;
}

static void count(const struct daemon *d, int *apps, int *instances, int *online)
{
	struct app *app, *next;
	*apps = *instances = *online = 0;
	list_for_each(app, next, &d->apps, node)
	{
		(*apps)++;
		*instances += app->count;
		for (int i = 0; i < app->count; i++) {
			*online += app->slots[i]->state == ST_ONLINE;
		}
	}
}

static void write_warnings(struct jw *w, const struct daemon *d)
{
	struct buf text = {0};
	jw_key(w, "warnings");
	jw_arr(w);
	if (d->store.warning[0]) {
		jw_str(w, d->store.warning);
	}
	if (!d->link.alive) {
		jw_str(w,
		       "the keeper is gone: restart with `pmctl daemon stop --leave-running` and "
		       "`pmctl daemon start`");
	}
	int64_t dropped = outputs_dropped(&d->outputs);
	if (dropped) {
		buf_addf(&text, "%lld bytes of logs were dropped: disk full", (long long)dropped);
		jw_str(w, text.data);
	}
	buf_finish(&text);
	jw_end(w);
}

bool method_status(struct call *call)
{
	struct jw *w = call->w;
	const struct daemon *d = call->daemon;
	const struct ring *ring = d->link.ring;
	int apps, instances, online;
	struct buf cgroup = {0};
	count(d, &apps, &instances, &online);
	buf_addf(&cgroup, d->have_cgroup ? "v2 %s" : "none (%s)",
		 d->have_cgroup ? d->cgroup.path : d->no_cgroup_why);
	jw_obj(w);
	jw_kint(w, "v", 1);
	jw_kstr(w, "version", PMCTL_VERSION);
	jw_kint(w, "protocol", 1);
	jw_kint(w, "pid", getpid());
	if (d->link.alive) {
		jw_kint(w, "keeper_pid", ring->keeper_pid);
	} else {
		jw_knull(w, "keeper_pid");
	}
	jw_kint(w, "up_ms", clock_mono_ms() - ring->started_mono_ms);
	jw_key(w, "paths");
	jw_obj(w);
	jw_kstr(w, "runtime", d->paths.runtime);
	jw_kstr(w, "state", d->paths.state);
	jw_kstr(w, "log", d->paths.log);
	jw_kstr(w, "socket", d->paths.socket);
	jw_end(w);
	jw_kstr(w, "cgroup", cgroup.data);
	jw_kint(w, "apps", apps);
	jw_kint(w, "instances", instances);
	jw_kint(w, "online", online);
	jw_kint(w, "supervisor_restarts", (int64_t)ring->supervisor_starts - 1);
	jw_kint(w, "refused_connections", (int64_t)d->server.refused);
	write_warnings(w, d);
	jw_end(w);
	buf_finish(&cgroup);
	return true;
}

bool method_save(struct call *call)
{
	store_save(&call->daemon->store);
	if (call->daemon->store.dirty) {
		return err_set(&call->err, ERR_FAILED, "%s", call->daemon->store.warning);
	}
	jw_obj(call->w);
	jw_kbool(call->w, "saved", true);
	jw_end(call->w);
	return true;
}

bool method_daemon_stop(struct call *call)
{
	struct daemon *d = call->daemon;
	if (d->stopping) {
		return err_set(&call->err, ERR_FAILED, "pmctld is ending already");
	}
	d->stop_call.serial = call->conn->serial;
	d->stop_call.id = json_incref((json_t *)(uintptr_t)call->id);
	call->conn->busy++;
	call->later = true;
	daemon_stop(d, rpc_param_bool(call->params, "leave_running", false));
	return true;
}
