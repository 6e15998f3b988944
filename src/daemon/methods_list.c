/* SPDX-License-Identifier: MIT */
/* list, show, env: what there is. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/signals.h"
#include "common/units.h"
#include "config/keys.h"
#include "daemon/daemon.h"
#include "daemon/environ.h"
#include "daemon/inquiry.h"
#include "daemon/launch.h"
#include "daemon/methods.h"
#include "daemon/runner.h"
#include "daemon/workers.h"
#include "version.h"

/* The selected instances, app by app: selecting gives them in that order. */
struct selection {
	struct inst **v;
	size_t n;
};

static void collect(void *ctx, struct inst *in)
{
	struct selection *s = ctx;
	if ((s->n & (s->n - 1)) == 0) {
		s->v = xreallocarray(s->v, s->n ? s->n * 2 : 1, sizeof(struct inst *));
	}
	s->v[s->n++] = in;
}

static void kint_or_null(struct jw *w, const char *key, int64_t v, bool known)
{
	if (known) {
		jw_kint(w, key, v);
	} else {
		jw_knull(w, key);
	}
}

static void kreal_or_null(struct jw *w, const char *key, double v, bool known)
{
	if (known) {
		jw_kreal1(w, key, v);
	} else {
		jw_knull(w, key);
	}
}

static void write_last_exit(struct jw *w, const struct inst *in)
{
	const struct exit_status *e = &in->last_exit;
	char stamp[CLOCK_RFC3339], sig[SIGNALS_NAME];
	if (!in->has_exited) {
		jw_knull(w, "last_exit");
		return;
	}
	clock_format_utc(in->last_exit_real_ms, stamp);
	jw_key(w, "last_exit");
	jw_obj(w);
	kint_or_null(w, "code", e->code, e->known && !e->signal);
	jw_kstr(w, "signal", e->known && e->signal ? signals_name(e->signal, sig) : NULL);
	jw_kbool(w, "core", e->core);
	jw_kbool(w, "oom", e->oom);
	jw_kstr(w, "at", stamp);
	jw_end(w);
}

/* Why it is not simply fine; "" if it is. A wait is told with the time that is left of it. */
static void note_of(const struct inst *in, char *out, size_t cap)
{
	char left[24], when[32];
	out[0] = '\0';
	if (in->state == ST_BACKOFF) {
		int64_t ms = in->backoff_until_mono_ms - clock_mono_ms();
		units_format_age(ms > 0 ? ms : 0, left, sizeof(left));
		snprintf(out, cap, "try in %s: %s", left, in->note);
	} else if (schedule_starts(in) && schedule_next_text(in->app, when, sizeof(when))) {
		snprintf(out, cap, "next %s%s%s", when, in->note[0] ? "; " : "", in->note);
	} else if (in->state != ST_STOPPED || in->held) {
		snprintf(out, cap, "%s", in->note);
	}
}

/* A client that only prints a table would spend most of its time on what it does not print. */
enum detail { DETAIL_ALL, DETAIL_ROWS, DETAIL_APPS };

static void write_proc(struct jw *w, const struct inst *in, enum detail detail)
{
	const struct sample *s = &in->sample;
	char note[sizeof(in->note) + 32];
	bool fresh = s->at_mono_ms != 0;
	jw_obj(w);
	jw_kint(w, "id", (int64_t)in->id);
	jw_kint(w, "slot", in->slot);
	kint_or_null(w, "pid", in->pid, in->pid != 0);
	jw_kstr(w, "state", states_name(in->state));
	kint_or_null(w, "up_ms", inst_uptime_ms(in), in->pid != 0);
	jw_kint(w, "restarts", in->restarts);
	kreal_or_null(w, "cpu_pct", s->cpu_pct, fresh && in->pid);
	kint_or_null(w, "mem_bytes", s->mem_bytes, fresh && in->pid);
	kint_or_null(w, "fds", s->fds, fresh && in->pid && s->fds >= 0);
	note_of(in, note, sizeof(note));
	jw_kstr(w, "note", note);
	if (detail == DETAIL_ALL) {
		jw_kbool(w, "ready", in->state == ST_ONLINE);
		jw_kbool(w, "waits", in->held == HOLD_WAITS || in->held == HOLD_LATE);
		kint_or_null(w, "threads", s->threads, fresh && in->pid);
		jw_key(w, "listen");
		jw_arr(w);
		workers_list_sockets(in, w);
		jw_end(w);
		write_last_exit(w, in);
	}
	jw_end(w);
}

struct totals {
	int online, wanted;
	unsigned restarts;
	double cpu;
	int64_t mem, oldest_ms;
	bool any_sample;
	enum inst_state states[LIMIT_INSTANCES_APP];
	bool wants[LIMIT_INSTANCES_APP];
	int n;
	const struct inst *trouble;
};

static void add_up(const struct app *app, struct totals *t)
{
	*t = (struct totals){.n = app->count};
	for (int i = 0; i < app->count; i++) {
		const struct inst *in = app->slots[i];
		t->states[i] = in->state;
		t->wants[i] = in->wanted;
		t->online += in->state == ST_ONLINE;
		t->wanted += in->wanted;
		t->restarts += in->restarts;
		if (in->pid && inst_uptime_ms(in) > t->oldest_ms) {
			t->oldest_ms = inst_uptime_ms(in);
		}
		if (in->pid && in->sample.at_mono_ms) {
			t->any_sample = true;
			t->cpu += in->sample.cpu_pct;
			t->mem += in->sample.mem_bytes;
		}
		if (in->state == ST_FAILED ||
		    ((in->state == ST_BACKOFF || in->held) && !t->trouble)) {
			t->trouble = in;
		}
	}
	if (!t->trouble && app->count) {
		t->trouble = app->slots[0];
	}
}

static void write_next_cron(struct jw *w, const struct app *app)
{
	char stamp[CLOCK_RFC3339];
	int64_t ms = schedule_next_ms(app);
	clock_format_utc(ms, stamp);
	jw_kstr(w, "next_cron", ms ? stamp : NULL);
}

/* Everything of an app but its closing brace: show adds to it. */
static void write_app(struct jw *w, const struct app *app, struct inst *const *in, size_t n,
		      enum detail detail)
{
	struct totals t;
	char note[400] = "";
	add_up(app, &t);
	jw_obj(w);
	jw_kstr(w, "name", app->conf.name);
	jw_kstr(w, "project", app->conf.project);
	jw_kstr(w, "namespace", app->conf.namespace_);
	jw_kstr(w, "file", app->def->file);
	jw_kstr(w, "mode", app->conf.mode == MODE_CLUSTER ? "cluster" : "fork");
	jw_kstr(w, "state", states_of_app(t.states, t.wants, t.n));
	jw_kint(w, "instances", app->count);
	jw_kint(w, "online", t.online);
	jw_kint(w, "wanted", t.wanted);
	jw_kint(w, "restarts", t.restarts);
	kint_or_null(w, "up_ms", t.oldest_ms, t.oldest_ms > 0);
	kreal_or_null(w, "cpu_pct", t.cpu, t.any_sample);
	kint_or_null(w, "mem_bytes", t.mem, t.any_sample);
	if (t.trouble) {
		note_of(t.trouble, note, sizeof(note));
	}
	jw_kstr(w, "note", note);
	if (detail == DETAIL_ALL) {
		write_next_cron(w, app);
	}
	jw_key(w, "procs");
	jw_arr(w);
	for (size_t i = 0; i < n && detail != DETAIL_APPS; i++) {
		write_proc(w, in[i], detail);
	}
	jw_end(w);
}

static void write_daemon(struct jw *w, const struct daemon *d)
{
	jw_key(w, "daemon");
	jw_obj(w);
	jw_kint(w, "pid", getpid());
	kint_or_null(w, "keeper_pid", d->link.ring->keeper_pid, d->link.alive);
	jw_kstr(w, "version", PMCTL_VERSION);
	jw_kint(w, "up_ms", clock_mono_ms() - d->link.ring->started_mono_ms);
	jw_end(w);
}

static bool read_detail(struct call *call, enum detail *out)
{
	static const char *const names[] = {"all", "rows", "apps"};
	const char *text = rpc_param_str(call->params, "detail");
	text = text ? text : names[DETAIL_ALL];
	for (*out = DETAIL_ALL; *out <= DETAIL_APPS; (*out)++) {
		if (strcmp(text, names[*out]) == 0) {
			return true;
		}
	}
	return err_set(&call->err, ERR_USAGE, "detail is one of all, rows, apps");
}

static bool write_apps(struct call *call, void (*more)(struct call *, const struct app *))
{
	struct selection s = {0};
	enum detail detail;
	if (!read_detail(call, &detail)) {
		return false;
	}
	if (!call_select(call, collect, &s)) {
		return false;
	}
	sampler_refresh(&call->daemon->sampler);
	jw_key(call->w, "apps");
	jw_arr(call->w);
	for (size_t i = 0; i < s.n;) {
		const struct app *app = s.v[i]->app;
		size_t from = i;
		while (i < s.n && s.v[i]->app == app) {
			i++;
		}
		write_app(call->w, app, s.v + from, i - from, detail);
		if (more) {
			more(call, app);
		}
		jw_end(call->w);
	}
	jw_end(call->w);
	free(s.v);
	return true;
}

bool method_list(struct call *call)
{
	jw_obj(call->w);
	jw_kint(call->w, "v", 1);
	write_daemon(call->w, call->daemon);
	bool ok = write_apps(call, NULL);
	if (ok) {
		jw_end(call->w);
	}
	return ok;
}

static bool is_secret(const char *key)
{
	return strncmp(key, "env.", 4) == 0;
}

static void write_setting(struct jw *w, const struct app *app, const char *key, const char *value,
			  const struct setting *set)
{
	char from[512];
	if (!set) {
		snprintf(from, sizeof(from), "default");
	} else if (app->def->file && set->line) {
		snprintf(from, sizeof(from), "%.480s:%u", app->def->file, set->line);
	} else {
		snprintf(from, sizeof(from), "command line");
	}
	jw_obj(w);
	jw_kstr(w, "key", key);
	jw_kstr(w, "value", is_secret(key) ? "***" : value);
	jw_kstr(w, "from", from);
	jw_end(w);
}

/* Every key of the table, set or not, and then the families (env., limit.) as they are set. */
static void write_settings(struct jw *w, const struct app *app)
{
	jw_key(w, "settings");
	jw_arr(w);
	for (size_t i = 0; i < keys_count; i++) {
		const struct setting *set = def_find(app->def, keys[i].name);
		if (set || (keys[i].def && !keys[i].later)) {
			write_setting(w, app, keys[i].name, set ? set->value : keys[i].def, set);
		}
	}
	for (size_t i = 0; i < app->def->nset; i++) {
		const struct setting *set = &app->def->set[i];
		if (strchr(set->key, '.')) {
			write_setting(w, app, set->key, set->value, set);
		}
	}
	jw_end(w);
}

static void write_logs(struct jw *w, const struct app *app)
{
	jw_key(w, "logs");
	jw_arr(w);
	for (int i = 0; i < app->count; i++) {
		for (int is_err = 0; is_err < 2; is_err++) {
			char *path = launch_log_path(app->slots[i], is_err);
			if (path) {
				jw_str(w, path);
			}
			free(path);
		}
	}
	jw_end(w);
}

static void write_definition(struct call *call, const struct app *app)
{
	struct jw *w = call->w;
	char stamp[CLOCK_RFC3339];
	struct words argv = {0};
	conf_argv(&app->conf, NULL, &argv);
	char *command = words_join(argv.v, argv.n);
	clock_format_utc(app->applied_real_ms, stamp);
	jw_kint(w, "line", app->def->line);
	jw_kstr(w, "dir", app->def->dir);
	jw_kstr(w, "command", command);
	jw_kstr(w, "cwd", app->conf.cwd);
	jw_kstr(w, "user", app->conf.user);
	jw_kbool(w, "health_shared",
		 app->nslots > 0 && inquiry_is_shared(app->slots[0], &app->conf.health));
	jw_kstr(w, "applied_at", stamp);
	jw_key(w, "applied_by");
	jw_obj(w);
	jw_kint(w, "uid", app->applied_by.uid);
	jw_kint(w, "pid", app->applied_by.pid);
	jw_end(w);
	write_settings(w, app);
	write_logs(w, app);
	free(command);
	words_finish(&argv);
}

bool method_show(struct call *call)
{
	jw_obj(call->w);
	jw_kint(call->w, "v", 1);
	bool ok = write_apps(call, write_definition);
	if (ok) {
		jw_end(call->w);
	}
	return ok;
}

/* Whether the value of this variable may be told without being asked for it. */
static bool is_open(const char *entry)
{
	static const char *const open[] = {
		"PATH=",	 "HOME=", "USER=",  "SHELL=", "LANG=",
		"TZ=",		 "LC_",	  "PMCTL_", "LISTEN", "NODE_APP_INSTANCE=",
		"NOTIFY_SOCKET="};
	for (size_t i = 0; i < ARRAY_LEN(open); i++) {
		if (strncmp(entry, open[i], strlen(open[i])) == 0) {
			return true;
		}
	}
	return false;
}

static void write_env(struct call *call, const struct inst *in, bool reveal)
{
	struct jw *w = call->w;
	struct words env = {0};
	environ_build(in, &env);
	jw_obj(w);
	jw_kstr(w, "app", in->app->conf.name);
	jw_kint(w, "slot", in->slot);
	jw_kint(w, "id", (int64_t)in->id);
	jw_kstr(w, "env_file", in->app->conf.env_file);
	jw_key(w, "env");
	jw_arr(w);
	for (size_t i = 0; i < env.n; i++) {
		size_t len = strcspn(env.v[i], "=");
		jw_arr(w);
		jw_strn(w, env.v[i], len);
		jw_str(w, reveal || is_open(env.v[i]) ? env.v[i] + len + 1 : NULL);
		jw_end(w);
	}
	jw_end(w);
	jw_end(w);
	words_finish(&env);
}

bool method_env(struct call *call)
{
	struct selection s = {0};
	if (!call_select(call, collect, &s)) {
		return false;
	}
	jw_obj(call->w);
	jw_kint(call->w, "v", 1);
	jw_key(call->w, "procs");
	jw_arr(call->w);
	for (size_t i = 0; i < s.n; i++) {
		write_env(call, s.v[i], rpc_param_bool(call->params, "reveal", false));
	}
	jw_end(call->w);
	jw_end(call->w);
	free(s.v);
	return true;
}
