/* SPDX-License-Identifier: MIT */
/* start: an app list, known apps, or an ad hoc app. What was meant is told by the operands. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/select.h"
#include "client/appfile.h"
#include "client/appopts.h"
#include "client/client.h"
#include "client/commands.h"
#include "client/daemonize.h"
#include "client/defbatch.h"
#include "client/deploy.h"
#include "client/foreign.h"
#include "client/result.h"
#include "client/scripts.h"
#include "common/affix.h"
#include "common/mem.h"
#include "config/conf.h"
#include "config/order.h"
#include "sys/fileio.h"

/* The name alone is none. */
static bool has_extension(const char *path, const char *ext)
{
	return text_ends(path, ext) && strlen(path) > strlen(ext);
}

static int ensure_daemon(struct client *c)
{
	struct err err;
	bool started;
	if (!daemonize(c, &started, &err)) {
		return client_fail(c, &err, NULL);
	}
	if (started) {
		client_note(c, "pmctld started");
	}
	return 0;
}

/* --- definitions --- */

struct starting {
	struct client *c;
	const struct deploy *d; /* NULL = of no list */
	int status;
};

/* What one request cannot start is told, and the next one is sent all the same. */
static bool start_batch(void *ctx, json_t *batch, bool last, struct err *err)
{
	struct starting *s = ctx;
	json_t *params = json_object();
	(void)last;
	(void)err;
	client_set(params, "apps", batch);
	if (s->d) {
		client_set(params, "list", deploy_list(s->d));
	}
	int status = result_of(s->c, "start", "start", params);
	s->status = s->status ? s->status : status;
	return true;
}

/* In several requests first what others come after, as a later request is not known to an earlier
 * one. */
static int start_defs(struct client *c, struct app_def **defs, size_t n, const struct deploy *d)
{
	struct starting s = {.c = c, .d = d};
	struct err err;
	scripts_warn(c, defs, n);
	if (!defbatch_is_one(defs, n)) {
		order_sort(defs, n);
	}
	return defbatch_each(defs, n, start_batch, &s, &err) ? s.status
							     : client_fail(c, &err, NULL);
}

/* Which apps of the file are meant; NULL (reported) if an operand matches none. */
static struct app_def **choose(const struct client *c, const struct ini_file *f, size_t from,
			       size_t *n)
{
	struct app_def **v = xcalloc(f->napps + 1, sizeof(struct app_def *));
	bool *taken = xcalloc(f->napps + 1, sizeof(*taken));
	*n = 0;
	for (size_t i = from; i < c->args.n; i++) {
		struct selector sel;
		struct err err;
		bool any = false;
		bool valid = selector_parse(&sel, c->args.operand[i], &err);
		for (size_t k = 0; valid && k < f->napps; k++) {
			const struct setting *ns = def_find(f->apps[k], "namespace");
			struct select_target t = {.app = f->apps[k]->name,
						  .ns = ns ? ns->value : NULL,
						  .id = UINT64_MAX};
			if (sel.nranges == 0 && selector_matches(&sel, &t)) {
				any = taken[k] = true;
			}
		}
		if (!any) {
			err_set(&err, ERR_NO_TARGET, "no app \"%.60s\" in the file",
				c->args.operand[i]);
			client_fail(c, &err, NULL);
			free(v);
			v = NULL;
			break;
		}
	}
	for (size_t k = 0; v && k < f->napps; k++) {
		if (taken[k] || c->args.n <= from) {
			v[(*n)++] = f->apps[k];
		}
	}
	free(taken);
	return v;
}

/* The apps run; that their figures cannot be read where the file says is worth a word. */
static void tell_unserved(struct client *c, const struct ini_file *f)
{
	struct rpc_reply reply = {.id = -1};
	struct conn_wait w = {0};
	struct err err;
	size_t i;
	const json_t *m;
	if (f->metrics && c->conn.open && conn_call(&c->conn, "status", NULL, &w, &reply, &err)) {
		json_array_foreach(json_object_get(reply.result, "metrics"), i, m)
		{
			const char *why = json_string_value(json_object_get(m, "error"));
			const char *at = json_string_value(json_object_get(m, "address"));
			if (why && at && strcmp(at, f->metrics) == 0) {
				client_note(c, "metrics: %s (tried again until it works)", why);
			}
		}
	}
	rpc_reply_finish(&reply);
}

/* The apps of a file: all, or those of the operands from the `from`th on. */
static int start_file(struct client *c, const char *path, size_t from)
{
	struct deploy d;
	size_t n;
	if (appopts_any(&c->args)) {
		return client_usage(
			c, "start: options of an app belong to a SCRIPT; for an app list they "
			   "stand in the file");
	}
	int status = deploy_load(c, path, &d);
	struct app_def **defs = status ? NULL : choose(c, &d.f, from, &n);
	if (status == 0 && !defs) {
		status = err_info(ERR_NO_TARGET)->exit_status;
	} else if (status == 0 && n == 0 && !d.f.metrics_line) {
		client_note(c, "%s has no apps", path);
	} else if (status == 0) {
		status = ensure_daemon(c);
		status = status ? status : start_defs(c, defs, n, &d);
		tell_unserved(c, &d.f);
	}
	free(defs);
	deploy_finish(&d);
	return status;
}

/* --- an ad hoc app --- */

/* `pmctl start npm -- run dev`: a program of PATH, where no such file is here. Caller frees. */
static char *find_script(const char *word)
{
	const char *path = getenv("PATH");
	if (strchr(word, '/') || file_is_regular(word)) {
		return xstrdup(word);
	}
	for (const char *s = path ? path : ""; *s;) {
		size_t len = strcspn(s, ":");
		char *full = xasprintf("%.*s/%s", (int)len, s, word);
		if (len && s[0] == '/' && file_is_program(full)) {
			return full;
		}
		free(full);
		s += len + (s[len] == ':');
	}
	return xstrdup(word);
}

/* word NULL: the options have a command instead. */
static int start_script(struct client *c, const char *word)
{
	struct err err;
	struct err_list errs = {0};
	struct app_conf conf = {0};
	if (c->args.n > 1) {
		return client_usage(
			c,
			"start: unexpected operand \"%.60s\"; arguments of the script go "
			"behind --: pmctl start %.60s -- %.60s",
			c->args.operand[1], word, c->args.operand[1]);
	}
	if (c->config && appopts_is_line(c->config)) {
		return client_usage(c, "start: -c FILE names an app list; times are --cron-restart "
				       "\"0 3 * * *\"");
	}
	char *script = word ? find_script(word) : NULL;
	struct app_def *def = appopts_def(&c->args, script, &err);
	free(script);
	if (!def) {
		return client_fail(c, &err, NULL);
	}
	int status = 0;
	if (!conf_decode(&conf, def, &errs)) {
		appfile_report(c, &errs, "nothing applied");
		status = err_info(ERR_CONFIG)->exit_status;
	} else if (conf.script && !file_is_regular(conf.script)) {
		err_set(&err, ERR_FAILED, "no script %.300s", conf.script);
		status = client_fail(c, &err, NULL);
	} else {
		for (size_t i = 0; i < c->args.ngiven; i++) {
			const char *note = appopts_note(&c->args.given[i]);
			if (note) {
				client_note(c, "note: %s", note);
			}
		}
		status = ensure_daemon(c);
		status = status ? status : start_defs(c, &def, 1, NULL);
	}
	conf_finish(&conf);
	err_list_finish(&errs);
	def_free(def);
	return status;
}

/* --- which of them --- */

static bool has_script_extension(const char *path)
{
	static const char *const ext[] = {".js", ".cjs", ".mjs", ".ts", ".py",
					  ".sh", ".rb",	 ".php", ".pl"};
	for (size_t i = 0; i < ARRAY_LEN(ext); i++) {
		if (has_extension(path, ext[i])) {
			return true;
		}
	}
	return false;
}

static bool names_script(const struct client *c, const char *word)
{
	return appopts_any(&c->args) || strchr(word, '/') || appopts_is_line(word) ||
	       (has_script_extension(word) && file_is_regular(word));
}

/* Known apps. A word that is unknown to the daemon may still be a program in this directory. */
static int start_known(struct client *c)
{
	const char *word = c->args.operand[0];
	struct rpc_reply reply;
	struct err err = {0};
	int status = ensure_daemon(c);
	if (status) {
		return status;
	}
	if (c->args.n == 1 && file_is_program(word)) {
		struct conn_wait w = {0};
		bool known = conn_call(&c->conn, "logs", client_selectors(c, 0), &w, &reply, &err);
		rpc_reply_finish(&reply);
		if (!known && err.code == ERR_NO_TARGET) {
			return start_script(c, word);
		}
	}
	status = result_of(c, "start", "start", client_selectors(c, 0));
	if (status == err_info(ERR_NO_TARGET)->exit_status && has_script_extension(word) &&
	    !file_is_regular(word)) {
		client_note(c, "  if it is a script: there is no such file here");
		return status;
	}
	if (status == err_info(ERR_NO_TARGET)->exit_status && access(APPFILE_DEFAULT, R_OK) == 0) {
		client_note(c,
			    "  apps of ./pmctl.ini: pmctl start, or one of them: pmctl start -c "
			    "pmctl.ini %s",
			    word);
	}
	return status;
}

int cmd_start(struct client *c)
{
	const char *word = c->args.n ? c->args.operand[0] : NULL;
	if (!word) {
		if (c->args.has_rest) {
			return client_usage(c, "start: -- ARGS belong to a SCRIPT");
		}
		return args_has(&c->args, "command")
			       ? start_script(c, NULL)
			       : start_file(c, c->config ? c->config : APPFILE_DEFAULT, 0);
	}
	if (strcmp(word, "-") == 0) {
		return client_usage(c,
				    "start: an app list from a pipe is -c -; one of PM2's becomes "
				    "one of ours with pmctl import -");
	}
	if (has_extension(word, ".ini")) {
		return start_file(c, word, 1);
	}
	if (foreign_is_list(word)) {
		return foreign_refuse(c, word);
	}
	if (names_script(c, word)) {
		return start_script(c, word);
	}
	return c->config ? start_file(c, c->config, 0) : start_known(c);
}
