/* SPDX-License-Identifier: MIT */
/* list, show, env: what there is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "config/keys.h"
#include "daemon/daemon.h"
#include "daemon/environ.h"
#include "daemon/inquiry.h"
#include "daemon/launch.h"
#include "daemon/listing.h"
#include "daemon/methods.h"
#include "daemon/runner.h"

static bool answer(struct call *call, const struct listing *l)
{
	struct selection s = {0};
	if (!call_select(call, selection_add, &s)) {
		return false;
	}
	static const enum sampler_want want[] = {
		[DETAIL_ALL] = WANT_DEEP, [DETAIL_ROWS] = WANT_ROUGH, [DETAIL_APPS] = WANT_SHALLOW};
	sampler_refresh(&call->daemon->sampler, want[l->detail]);
	listing_write(l, call->w, call->daemon, &s);
	selection_finish(&s);
	return true;
}

bool method_list(struct call *call)
{
	struct listing l;
	return listing_read_params(&l, call->params, &call->err) && answer(call, &l);
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

static void write_definition(struct jw *w, struct daemon *d, const struct app *app)
{
	(void)d;
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
	struct listing l;
	if (!listing_read_params(&l, call->params, &call->err)) {
		return false;
	}
	l.pss = l.lives = true;
	l.more = write_definition;
	return answer(call, &l);
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
	if (!call_select(call, selection_add, &s)) {
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
	selection_finish(&s);
	return true;
}
