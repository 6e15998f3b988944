/* SPDX-License-Identifier: MIT */
/* doctor: the app list of this directory, and whether what the apps run is there. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/appfile.h"
#include "client/doctor/diagnosis.h"
#include "common/clock.h"
#include "common/mem.h"
#include "common/words.h"
#include "sys/fileio.h"

#define ASK_MS 2000

static void check_list(struct diagnosis *d)
{
	const char *path = d->c->config ? d->c->config : APPFILE_DEFAULT;
	char *word = doctor_quoted(path);
	struct ini_file f;
	struct err_list errs = {0};
	struct err err;
	if (access(path, F_OK) != 0) {
		/* doctor is run anywhere */
	} else if (appfile_read(path, NULL, &f, &errs, &err)) {
		diagnosis_add(d, "list", FINDING_OK, "%s: %zu app%s, no errors", path, f.napps,
			      f.napps == 1 ? "" : "s");
		ini_file_finish(&f);
	} else if (errs.count) {
		finding_fix(diagnosis_add(d, "list", FINDING_FAIL, "%zu error%s, the first: %s",
					  errs.count, errs.count == 1 ? "" : "s", errs.msg[0]),
			    "pmctl check %s", word);
	} else {
		finding_fix(diagnosis_add(d, "list", FINDING_FAIL, "%s", err.msg),
			    "pmctl check %s says the same once it can be read", word);
	}
	free(word);
	err_list_finish(&errs);
}

/* As execvp(3) would find it. */
static bool is_in_path(const char *name, const char *path)
{
	for (const char *s = path; s && *s;) {
		size_t len = strcspn(s, ":");
		char *whole = xasprintf("%.*s/%s", (int)len, s, name);
		bool found = file_is_program(whole);
		free(whole);
		if (found) {
			return true;
		}
		s += len + (s[len] == ':');
	}
	return false;
}

/* PATH of the first instance of an app, as the daemon starts it. */
static const char *path_of(const json_t *procs, const char *app)
{
	const json_t *env = json_object_get(member_find(procs, "app", app), "env");
	size_t i;
	const json_t *pair;
	json_array_foreach(env, i, pair)
	{
		const char *name = json_string_value(json_array_get(pair, 0));
		if (name && strcmp(name, "PATH") == 0) {
			return json_string_value(json_array_get(pair, 1));
		}
	}
	return getenv("PATH");
}

static const char *setting_of(const json_t *app, const char *key)
{
	return member_text(member_find(json_object_get(app, "settings"), "key", key), "value",
			   NULL);
}

/* Of somebody else's files we may know nothing. */
static bool is_missing_script(const json_t *app)
{
	const char *script = setting_of(app, "script");
	struct stat st;
	if (!script) {
		return false;
	}
	char *path = script[0] == '/' ? xstrdup(script)
				      : xasprintf("%s/%s", member_text(app, "dir", ""), script);
	bool missing = stat(path, &st) != 0 && access(path, F_OK) != 0;
	free(path);
	return missing;
}

/* What cannot be run at the next start; false = all is there. */
static bool check_app(struct diagnosis *d, const json_t *app, const json_t *procs)
{
	struct words argv = {0};
	struct err ignored;
	const char *name = member_text(app, "name", "?");
	const char *cwd = member_text(app, "cwd", "/");
	bool bad = false;
	if (!words_split(&argv, member_text(app, "command", ""), &ignored) || !argv.n) {
		words_finish(&argv);
		return false;
	}
	const char *word = argv.v[0];
	if (is_missing_script(app)) {
		bad = true;
		finding_fix(diagnosis_add(d, "apps", FINDING_FAIL, "%s: script %s is not there",
					  name, setting_of(app, "script")),
			    "put it back; until then it cannot be started again");
	} else if (!strchr(word, '/')) {
		bad = !is_in_path(word, path_of(procs, name));
	} else {
		char *whole = word[0] == '/' ? xstrdup(word) : xasprintf("%s/%s", cwd, word);
		bad = !file_is_program(whole);
		free(whole);
	}
	if (bad && !is_missing_script(app)) {
		finding_fix(diagnosis_add(d, "apps", FINDING_FAIL,
					  "%s: %s is not there, or cannot be run%s", name, word,
					  strchr(word, '/') ? "" : " (PATH of the daemon)"),
			    strchr(word, '/')
				    ? "install it, or chmod +x"
				    : "install it, name it with its whole path (interpreter, "
				      "command), or start the daemon from a shell that finds it");
	}
	words_finish(&argv);
	return bad;
}

static bool ask(struct diagnosis *d, const char *method, struct rpc_reply *reply)
{
	json_t *all = json_pack("{s:[s]}", "sel", "all");
	struct err ignored;
	struct conn_wait w = {.deadline_mono_ms = clock_mono_ms() + ASK_MS};
	return conn_call(&d->c->conn, method, all, &w, reply, &ignored);
}

void doctor_apps(struct diagnosis *d)
{
	struct rpc_reply show = {.id = -1}, env = {.id = -1};
	check_list(d);
	if (member_int(d->status, "apps", 0) && ask(d, "show", &show) && ask(d, "env", &env)) {
		const json_t *apps = json_object_get(show.result, "apps");
		const json_t *procs = json_object_get(env.result, "procs");
		size_t i, bad = 0;
		const json_t *app;
		json_array_foreach(apps, i, app)
		{
			bad += check_app(d, app, procs);
		}
		if (!bad) {
			diagnosis_add(d, "apps", FINDING_OK, "what %zu app%s is there", i,
				      i == 1 ? " runs" : "s run");
		}
	}
	rpc_reply_finish(&show);
	rpc_reply_finish(&env);
}
