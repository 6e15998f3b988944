/* SPDX-License-Identifier: MIT */
/* ping, status, save, daemon.stop: the daemon itself. */
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/signals.h"
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

static void count(const struct daemon *d, int *apps, int *instances, int *online, int *wanted)
{
	struct app *app, *next;
	*apps = *instances = *online = *wanted = 0;
	list_for_each(app, next, &d->apps, node)
	{
		(*apps)++;
		*instances += app->count;
		for (int i = 0; i < app->count; i++) {
			*online += app->slots[i]->state == ST_ONLINE;
			*wanted += app->slots[i]->wanted;
		}
	}
}

/* How the supervisor before this one ended: {"signal":"SIGSEGV","code":null,"at":...}. */
static void write_last_end(struct jw *w, const struct ring *ring)
{
	char at[CLOCK_RFC3339], name[SIGNALS_NAME];
	int status = ring->last_supervisor_status;
	jw_key(w, "last_end");
	if (!ring->last_supervisor_real_ms) {
		jw_null(w);
		return;
	}
	clock_format_utc(ring->last_supervisor_real_ms, at);
	jw_obj(w);
	if (WIFSIGNALED(status)) {
		jw_kstr(w, "signal", signals_name(WTERMSIG(status), name));
		jw_knull(w, "code");
	} else {
		jw_knull(w, "signal");
		jw_kint(w, "code", WEXITSTATUS(status));
	}
	jw_kstr(w, "at", at);
	jw_end(w);
}

static void write_upgrade(struct jw *w, const struct ring *ring)
{
	static const char *const words[] = {[UPGRADE_NONE] = "none",
					    [UPGRADE_TRIAL] = "trial",
					    [UPGRADE_DONE] = "done",
					    [UPGRADE_ROLLED_BACK] = "rolled_back"};
	char at[CLOCK_RFC3339];
	uint32_t state = atomic_load(&ring->upgrade.state);
	jw_kstr(w, "program", ring->program);
	jw_key(w, "upgrade");
	if (state == UPGRADE_NONE || state >= ARRAY_LEN(words)) {
		jw_null(w);
		return;
	}
	clock_format_utc(ring->upgrade.real_ms, at);
	jw_obj(w);
	jw_kstr(w, "state", words[state]);
	jw_kstr(w, "at", at);
	jw_kstr(w, "why", ring->upgrade.why);
	jw_end(w);
}

bool method_status(struct call *call)
{
	struct jw *w = call->w;
	struct daemon *d = call->daemon;
	const struct ring *ring = d->link.ring;
	int apps, instances, online, wanted;
	struct buf cgroup = {0};
	warnings_look(d, clock_mono_ms());
	count(d, &apps, &instances, &online, &wanted);
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
	jw_kint(w, "wanted", wanted);
	jw_kint(w, "online", online);
	jw_kint(w, "supervisor_restarts", (int64_t)ring->supervisor_starts - 1);
	write_last_end(w, ring);
	write_upgrade(w, ring);
	jw_kint(w, "refused_connections", (int64_t)d->server.refused);
	jw_key(w, "metrics");
	exporter_status(&d->exporter, w);
	jw_key(w, "alerts");
	warnings_write(w, d);
	jw_key(w, "warnings");
	warnings_write_texts(w, d);
	jw_end(w);
	buf_finish(&cgroup);
	return true;
}

bool method_metrics(struct call *call)
{
	struct buf text = {0};
	enum om_format format =
		rpc_param_bool(call->params, "prometheus", false) ? OM_PROMETHEUS : OM_OPENMETRICS;
	metrics_write(call->daemon, format, &text);
	jw_obj(call->w);
	jw_kstr(call->w, "content_type", om_content_type(format));
	jw_key(call->w, "text");
	jw_strn(call->w, text.data, text.len);
	jw_end(call->w);
	buf_finish(&text);
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

bool method_daemon_upgrade(struct call *call)
{
	struct daemon *d = call->daemon;
	const char *program = json_string_value(json_object_get(call->params, "program"));
	if (!upgrade_begin(&d->upgrade, program, &call->conn->peer, call->conn->serial, call->id,
			   &call->err)) {
		return false;
	}
	call->conn->busy++;
	call->later = true;
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
	int64_t status = rpc_param_int(call->params, "exit_status", 0);
	if (status > 0 && status < 256) {
		d->link.ring->container.exit_status = (int32_t)status;
	}
	events_add(&d->events, NULL, -1, "daemon", &call->conn->peer, "asked to end%s",
		   rpc_param_bool(call->params, "leave_running", false) ? ", the apps go on" : "");
	daemon_stop(d, rpc_param_bool(call->params, "leave_running", false));
	return true;
}
