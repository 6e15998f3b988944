/* SPDX-License-Identifier: MIT */
/* jlist: the list in the shape `pm2 jlist` has, for tools that read that. No environment. */
#include <string.h>

#include "client/client.h"
#include "client/commands.h"
#include "common/clock.h"
#include "proto/jw.h"

static const char *status_word(const json_t *proc)
{
	static const struct {
		const char *ours, *theirs;
	} words[] = {
		{"online", "online"},		{"starting", "launching"}, {"stopping", "stopping"},
		{"stopped", "stopped"},		{"done", "stopped"},	   {"failed", "errored"},
		{"backoff", "waiting restart"},
	};
	const char *state = member_text(proc, "state", "");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].ours, state) == 0) {
			return words[i].theirs;
		}
	}
	return "stopped";
}

static const char *setting(const json_t *app, const char *key)
{
	const json_t *s = member_find(json_object_get(app, "settings"), "key", key);
	return s ? member_text(s, "value", NULL) : NULL;
}

static void write_exec_path(struct jw *w, const json_t *app)
{
	const char *script = setting(app, "script");
	const char *dir = member_text(app, "dir", "");
	struct buf path = {0};
	if (script) {
		buf_addf(&path, "%s%s%s", script[0] == '/' ? "" : dir, script[0] == '/' ? "" : "/",
			 script);
	} else {
		buf_adds(&path, member_text(app, "command", ""));
	}
	jw_kstr(w, "pm_exec_path", path.data);
	buf_finish(&path);
}

/* Log paths of a slot: "…-0.out.log" by its end; the order of the answer is slot, out before err.
 */
static void write_log_paths(struct jw *w, const json_t *app, int64_t slot)
{
	const json_t *logs = json_object_get(app, "logs");
	size_t n = json_array_size(json_object_get(app, "procs"));
	if (n && json_array_size(logs) == 2 * n && slot >= 0 && (size_t)slot < n) {
		jw_kstr(w, "pm_out_log_path",
			json_string_value(json_array_get(logs, 2 * (size_t)slot)));
		jw_kstr(w, "pm_err_log_path",
			json_string_value(json_array_get(logs, 2 * (size_t)slot + 1)));
	}
}

static void write_env(struct jw *w, const json_t *app, const json_t *proc, int64_t now)
{
	int64_t up = member_int(proc, "up_ms", 0);
	bool cluster = strcmp(member_text(app, "mode", ""), "cluster") == 0;
	const char *ns = member_text(app, "namespace", "default");
	jw_key(w, "pm2_env");
	jw_obj(w);
	jw_kstr(w, "name", member_text(app, "name", ""));
	jw_kstr(w, "namespace", ns);
	jw_kstr(w, "status", status_word(proc));
	jw_kint(w, "pm_id", member_int(proc, "id", 0));
	jw_kint(w, "restart_time", member_int(proc, "restarts", 0));
	jw_kint(w, "unstable_restarts", 0);
	jw_kint(w, "pm_uptime", now - up);
	jw_kint(w, "created_at", now - up);
	jw_kstr(w, "exec_mode", cluster ? "cluster_mode" : "fork_mode");
	jw_kint(w, "instances", member_int(app, "instances", 1));
	write_exec_path(w, app);
	jw_kstr(w, "pm_cwd", member_text(app, "cwd", NULL));
	write_log_paths(w, app, member_int(proc, "slot", 0));
	jw_kint(w, "NODE_APP_INSTANCE", member_int(proc, "slot", 0));
	jw_kstr(w, "node_version", NULL);
	const char *watch = setting(app, "watch");
	jw_kbool(w, "watch", watch && strcmp(watch, "no") != 0);
	jw_key(w, "axm_monitor"); /* readers look into them without asking whether they are there */
	jw_obj(w);
	jw_end(w);
	jw_key(w, "axm_actions");
	jw_arr(w);
	jw_end(w);
	const json_t *code = json_object_get(json_object_get(proc, "last_exit"), "code");
	if (json_is_integer(code)) {
		jw_kint(w, "exit_code", json_integer_value(code));
	}
	jw_end(w);
}

static void write_proc(struct jw *w, const json_t *app, const json_t *proc, int64_t now)
{
	const json_t *cpu = json_object_get(proc, "cpu_pct");
	jw_obj(w);
	jw_kint(w, "pid", member_int(proc, "pid", 0));
	jw_kstr(w, "name", member_text(app, "name", ""));
	jw_kint(w, "pm_id", member_int(proc, "id", 0));
	jw_key(w, "monit");
	jw_obj(w);
	jw_kint(w, "memory", member_int(proc, "mem_bytes", 0));
	jw_kreal1(w, "cpu", json_number_value(cpu));
	jw_end(w);
	write_env(w, app, proc, now);
	jw_end(w);
}

int cmd_jlist(struct client *c)
{
	struct rpc_reply reply;
	int status = 0;
	json_t *params = json_pack("{s:[s]}", "sel", "all");
	if (client_ask(c, "show", params, &reply, &status)) {
		struct jw w;
		int64_t now = clock_real_ms();
		size_t i, k;
		const json_t *app, *proc;
		jw_init(&w, &c->out);
		jw_arr(&w);
		json_array_foreach(json_object_get(reply.result, "apps"), i, app)
		{
			json_array_foreach(json_object_get(app, "procs"), k, proc)
			{
				write_proc(&w, app, proc, now);
			}
		}
		jw_end(&w);
		buf_addc(&c->out, '\n');
		status = client_flush(c) ? 0 : 1;
	}
	rpc_reply_finish(&reply);
	return status;
}
